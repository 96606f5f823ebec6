/**
 * Goal: workers fold whatever has come up so far; how events are grouped into folds must not matter.
 * Method: random event sequences over a few hits, split at random; every way must end in the same alert.
 */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { applyEvent, EMPTY_STATE, stageOf } from "../../../src/alerts/fold.ts";
import type { AlertBody } from "../../../src/alerts/body-schema.ts";
import type { FoldResult } from "../../../src/types/alert.ts";
import type { HitEvent } from "../../../src/types/hit.ts";
import { block, bodyOf, context, DUST_RULE, entryMatch, event, foldEach, foldGroups, hit, NOW } from "./make.ts";

const KEYS = ["native", "log:0", "log:7"];

const LINKS: readonly HitEvent["link"][] = [
  { as: "replacedBy", other: { transaction: "0xother", alertId: null } },
  { as: "replaces", other: { transaction: "0xother", alertId: null } },
];

const steps = fc.record({
  key: fc.constantFrom(...KEYS),
  kind: fc.constantFrom<HitEvent["kind"]>(
    "pending",
    "included",
    "included",
    "removed",
    "superseded",
    "final",
    "rematched",
    "linked",
  ),
  number: fc.integer({ min: 100, max: 103 }),
  branch: fc.constantFrom("a", "b"),
  label: fc.constantFrom("one", "two"),
  silent: fc.boolean(),
  late: fc.boolean(),
});

/** A sequence as the store would hold it: the first event brings its hit, `seq` rises. */
const sequences = fc.array(steps, { minLength: 1, maxLength: 14 }).map((rows) =>
  rows.map(({ key, kind, number, branch, label, silent, late }, index) => {
    const real = index === 0 ? "included" : kind;
    const recordedOnly = silent && real === "rematched" ? DUST_RULE : null;
    return event(real, hit({ key, recordedOnly, matches: [entryMatch({ label })] }), {
      seq: index + 1,
      ...(real === "pending" || real === "linked" ? {} : { block: block(number, branch, index + 1) }),
      link: real === "linked" ? (LINKS[index % 2] ?? null) : null,
      at: NOW + index * 1_000,
      late,
    });
  }),
);

/** Consecutive groups, cut after the positions where `cuts` says so. */
function split(events: readonly HitEvent[], cuts: readonly boolean[]): HitEvent[][] {
  const groups: HitEvent[][] = [[]];
  events.forEach((one, index) => {
    groups.at(-1)?.push(one);
    if (cuts[index % cuts.length] === true && index < events.length - 1) groups.push([]);
  });
  return groups;
}

function endOf(results: readonly FoldResult[]) {
  const { revision: _revision, ...record } = (results.at(-1) as FoldResult).record;
  return record;
}

const cutsOf = fc.array(fc.boolean(), { minLength: 1, maxLength: 14 });

describe("grouping", () => {
  test("any split into consecutive groups ends in the same state, stage, core and words", () => {
    fc.assert(
      fc.property(sequences, cutsOf, (events, cuts) => {
        const each = foldEach(events);
        const grouped = foldGroups(split(events, cuts));
        expect(endOf(grouped)).toEqual(endOf(each));
        const state = context().decode((grouped.at(-1) as FoldResult).record.state);
        expect(state.lastCore).toBe(context().decode((each.at(-1) as FoldResult).record.state).lastCore);
        expect(state.lastStage).toBe(stageOf(events.reduce(applyEvent, EMPTY_STATE)));
      }),
      { numRuns: 150 },
    );
  });

  test("fewer folds never make more revisions, and the last message is about the same facts", () => {
    fc.assert(
      fc.property(sequences, cutsOf, (events, cuts) => {
        const each = foldEach(events);
        const grouped = foldGroups(split(events, cuts));
        const last = (results: readonly FoldResult[]) => results.findLast(({ message }) => message !== null)?.message;
        expect((grouped.at(-1) as FoldResult).record.revision).toBeLessThanOrEqual(
          (each.at(-1) as FoldResult).record.revision,
        );
        expect(visible(bodyOf(last(grouped)))).toEqual(visible(bodyOf(last(each))));
      }),
      { numRuns: 150 },
    );
  });

  test("a message is made exactly when what a receiver sees differs from the message before", () => {
    fc.assert(
      fc.property(sequences, (events) => {
        let shown: unknown = null;
        let revision = 0;
        for (const { record, message } of foldEach(events)) {
          if (message === null) {
            expect(record.revision).toBe(revision);
            continue;
          }
          revision += 1;
          expect(record.revision).toBe(revision);
          const now = visible(bodyOf(message));
          expect(now).not.toEqual(shown);
          shown = now;
        }
        // Its partner: what stands at the end was told.
        const { stage, summary, severity } = (foldEach(events).at(-1) as FoldResult).record;
        expect(shown).toMatchObject({ stage, summary, severity });
      }),
      { numRuns: 150 },
    );
  });

  test("a hit that is final and told stays told through every reorg", () => {
    fc.assert(
      fc.property(sequences, (events) => {
        const chain = events.filter(({ kind }) => kind !== "rematched");
        const first = chain[0] as HitEvent;
        const final = [first, { ...event("final"), hitId: first.hitId, alertId: first.alertId }, ...chain.slice(1)];
        for (const { record } of foldEach(final).slice(1)) expect(record.stage).not.toBe("retracted");
      }),
      { numRuns: 100 },
    );
  });
});

/** What a receiver can act on: all but the numbers and times that differ between any two messages. */
function visible({ data }: AlertBody): unknown {
  return {
    ...data,
    revision: null,
    block: data.block === null ? null : { ...data.block, confirmations: null },
    retraction: data.retraction?.reason ?? null,
  };
}
