/** The ladder below the block: pending, what becomes of it, and what it may never advise. */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ACTIONS, type RetractionReason } from "../../../src/types/alert.ts";
import { CALLDATA_KEY } from "../../../src/types/chain.ts";
import type { Hit, HitEvent, Replacement } from "../../../src/types/hit.ts";
import { ENTRY_BASES, ENTRY_ROLES } from "../../../src/types/watch.ts";
import { messageBody } from "../../../src/alerts/body-schema.ts";
import { bodyOf, entryMatch, event, foldEach, foldGroups, hit, SANCTIONED } from "./make.ts";

const NATIVE = hit({ matches: [entryMatch({ sanctioned: SANCTIONED, basis: "sanctions" })] });
const ASKED = hit({ key: CALLDATA_KEY, matches: [entryMatch({ sanctioned: SANCTIONED, basis: "sanctions" })] });
const LOGGED = hit({ key: "log:3", matches: [entryMatch({ sanctioned: SANCTIONED, basis: "sanctions" })] });

const OTHER: Replacement = { transaction: `0x${"cd".repeat(32)}`, alertId: `alr_${"0".repeat(26)}` };

function removed(reason: RetractionReason, of: Hit = NATIVE): HitEvent {
  return event("removed", of, { reason, block: null });
}

function linked(as: "replacedBy" | "replaces", other = OTHER): HitEvent {
  return event("linked", NATIVE, { link: { as, other } });
}

/** Stage, event type and action of each message. */
function told(groups: readonly (readonly HitEvent[])[]) {
  return foldGroups(groups).flatMap(({ message }) => {
    if (message === null) return [];
    const body = bodyOf(message);
    expect(messageBody.safeParse(body).error).toBeUndefined();
    return [[body.data.stage, body.type, body.data.action]];
  });
}

describe("the life of a pending alert", () => {
  test("pending, included, final: one alert, and no hold before the block", () => {
    expect(told([[event("pending", NATIVE)], [event("included", NATIVE)], [event("final", NATIVE)]])).toEqual([
      ["pending", "alert.created", "review"],
      ["included", "alert.updated", "hold"],
      ["final", "alert.finalized", "hold"],
    ]);
  });

  test("pending has no block, is not proven, and says in words that it waits", () => {
    const { data } = bodyOf(foldEach([event("pending", NATIVE)])[0]?.message);
    expect(data.block).toBeNull();
    expect(data.transaction.hash).toBe(NATIVE.transfer.txHash);
    expect(data.trust).toMatchObject({ proven: false, verified: false });
    expect(data.trust.note).toMatch(/^not in a block: its hash and its sender's signature were checked/);
    expect(data.summary).toMatch(/^Waiting in the mempool, not in a block yet: 5 ETH moved from /);
  });

  test.each<[RetractionReason, RegExp]>([
    ["dropped", /^Withdrawn, the transaction is gone from the mempool: /],
    ["replaced", /^Withdrawn, another transaction took its place: /],
  ])("%s: retracted with that reason, and in a block after all it is the same alert again", (reason, words) => {
    const results = foldEach([event("pending", NATIVE), removed(reason), event("included", NATIVE)]);
    expect(results.map(({ record }) => [record.stage, record.revision])).toEqual([
      ["pending", 1],
      ["retracted", 2],
      ["included", 3],
    ]);
    const [, retracted, again] = results.map(({ message }) => bodyOf(message).data);
    expect(retracted).toMatchObject({ action: "none", retraction: { reason } });
    expect(retracted?.summary).toMatch(words);
    expect(again).toMatchObject({ retraction: null, replacedBy: null });
  });

  test("a reorg takes the block back, and the mempool brings the alert back as pending", () => {
    const events = [
      event("pending", NATIVE),
      event("included", NATIVE),
      event("removed", NATIVE),
      event("pending", NATIVE),
    ];
    const last = foldEach(events).map(({ message }) => bodyOf(message).data);
    expect(last.map(({ stage, block }) => [stage, block === null])).toEqual([
      ["pending", true],
      ["included", false],
      ["retracted", false],
      ["pending", true],
    ]);
    expect(last[2]?.retraction?.reason).toBe("reorg");
  });

  test("what the mempool says of a transaction in a block changes nothing", () => {
    const results = foldEach([event("included", NATIVE), event("pending", NATIVE), event("superseded", NATIVE)]);
    expect(results.map(({ message }) => message === null)).toEqual([false, true, true]);
    const final = foldEach([event("included", NATIVE), event("final", NATIVE), event("pending", NATIVE)]);
    expect(final.at(-1)?.record.stage).toBe("final");
  });
});

describe("what a pending call asks for", () => {
  test("is told as asked for, at most medium and prepare", () => {
    const { data } = bodyOf(foldEach([event("pending", ASKED)])[0]?.message);
    expect([data.severity, data.action]).toEqual(["medium", "prepare"]);
    expect(data.summary).toContain("a call asks to move 5 ETH from ");
    expect(data.score.caps).toContain("only asked for by a pending call: anyone can send one: at most medium");
  });

  test("gives way to the log that tells it, without a retraction", () => {
    const groups = [[event("pending", ASKED)], [event("included", LOGGED), event("superseded", ASKED)]];
    expect(told(groups)).toEqual([
      ["pending", "alert.created", "prepare"],
      ["included", "alert.updated", "hold"],
    ]);
    const { data } = bodyOf(foldGroups(groups).at(-1)?.message);
    expect(data.transfers.map(({ key }) => key)).toEqual(["log:3"]);
    // And when that block leaves the chain, it is the log that is withdrawn.
    const withdrawn = bodyOf(foldGroups([...groups, [event("removed", LOGGED)]]).at(-1)?.message).data;
    expect(withdrawn.transfers.map(({ key }) => key)).toEqual(["log:3"]);
    expect(withdrawn.retraction?.reason).toBe("reorg");
  });

  test("is withdrawn where the block does not tell it, and says why", () => {
    const { data } = bodyOf(foldEach([event("pending", ASKED), event("superseded", ASKED)]).at(-1)?.message);
    expect(data.retraction?.reason).toBe("recomputed");
    expect(data.summary).toMatch(/^Withdrawn, the transaction is in a block and did not do it: a call asks to move /);
  });
});

describe("links", () => {
  test("the old alert names the new one, the new one the old", () => {
    const old = foldGroups([[event("pending", NATIVE)], [removed("replaced"), linked("replacedBy")]]);
    expect(bodyOf(old.at(-1)?.message).data).toMatchObject({ stage: "retracted", replacedBy: OTHER, replaces: null });
    const rival = foldGroups([[event("pending", NATIVE)], [linked("replaces")]]);
    expect(bodyOf(rival.at(-1)?.message).data).toMatchObject({ stage: "pending", replacedBy: null, replaces: OTHER });
    expect(rival.at(-1)?.message?.type).toBe("alert.updated");
  });

  test("a replaced transaction that is in a block after all is not replaced any more, and names what it replaced", () => {
    const events = [
      [event("pending", NATIVE)],
      [removed("replaced"), linked("replacedBy")],
      [event("included", NATIVE)],
    ];
    expect(bodyOf(foldGroups(events).at(-1)?.message).data).toMatchObject({ replacedBy: null, replaces: null });
    const back = foldGroups([...events, [linked("replaces")]]);
    expect(bodyOf(back.at(-1)?.message).data).toMatchObject({ stage: "included", replacedBy: null, replaces: OTHER });
    const lost = foldGroups([
      [event("pending", NATIVE), linked("replaces")],
      [removed("replaced"), linked("replacedBy")],
    ]);
    expect(bodyOf(lost.at(-1)?.message).data).toMatchObject({ replacedBy: OTHER, replaces: null });
  });
});

describe("in the mempool, or disputed between nodes: both pending, told apart", () => {
  const trust = { proven: true, operators: ["a"], missing: [], traced: true, disputing: ["b"] };
  const two = { operatorsConfigured: () => 2 };
  const disputed = (of: Hit) => event("disputed", of, { trust });
  const dataOf = (events: readonly HitEvent[]) => foldEach(events, two).map(({ message }) => bodyOf(message).data);

  test("each says in words, caps and trust which of the two it is, and neither is a hold", () => {
    const [waits, doubted] = dataOf([event("pending", NATIVE), disputed(NATIVE)]);
    expect(waits).toMatchObject({ stage: "pending", action: "review", block: null, trust: { disputed: false } });
    expect(waits?.summary).toMatch(/^Waiting in the mempool, not in a block yet: /);
    expect(waits?.score.caps).toContain("not in a block yet: action at most review");
    expect(waits?.trust.note).not.toContain("disagree");
    expect(doubted).toMatchObject({ stage: "pending", action: "review", block: { number: 100 } });
    expect(doubted?.trust).toMatchObject({ disputed: true, verified: false, agreed: "1/2" });
    expect(doubted?.summary).toMatch(/^Disputed between nodes, not in an agreed block: /);
    expect(doubted?.score.caps).toContain("not in an agreed block: action at most review");
    expect(doubted?.trust.note).toMatch(/^operators disagree about this block: b does not name it/);
  });

  test("what the mempool says of a transaction in a disputed block changes nothing", () => {
    const results = foldEach([disputed(NATIVE), event("pending", NATIVE), event("superseded", NATIVE)], two);
    expect(results.map(({ message }) => message === null)).toEqual([false, true, true]);
  });

  test("a disputed block that loses takes it back; where it still waits it is pending again, the same alert", () => {
    const events = [event("pending", NATIVE), disputed(NATIVE), event("removed", NATIVE), event("pending", NATIVE)];
    expect(dataOf(events).map(({ stage, retraction, trust: of }) => [stage, retraction?.reason, of.disputed])).toEqual([
      ["pending", undefined, false],
      ["pending", undefined, true],
      ["retracted", "reorg", true],
      ["pending", undefined, false],
    ]);
  });

  test("a call whose log is in a disputed block is disputed, and only asked for again when that block loses", () => {
    const [, doubted, again] = dataOf([event("pending", ASKED), disputed(LOGGED), event("removed", LOGGED)]);
    expect(doubted).toMatchObject({ stage: "pending", action: "review", trust: { disputed: true } });
    expect(again).toMatchObject({ stage: "pending", action: "prepare", block: null, trust: { disputed: false } });
  });
});

const matches = fc.record({
  role: fc.constantFrom(...ENTRY_ROLES),
  basis: fc.constantFrom(...ENTRY_BASES),
  sanctioned: fc.constantFrom(null, SANCTIONED),
  independentSources: fc.integer({ min: 0, max: 4 }),
});

test("nothing in the mempool is ever a hold, whoever is touched and whatever else stands", () => {
  const hits = fc.array(fc.record({ key: fc.constantFrom("native", CALLDATA_KEY, "creation"), match: matches }), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(hits, fc.boolean(), (all, own) => {
      const pending = all.map(({ key, match }) => event("pending", hit({ key, own, matches: [entryMatch(match)] })));
      const { record } = foldGroups([pending])[0] ?? {};
      expect(record?.stage).toBe("pending");
      expect(ACTIONS.indexOf(record?.action ?? "report")).toBeLessThanOrEqual(ACTIONS.indexOf("review"));
    }),
    { numRuns: 300 },
  );
  // Its partner: the same in a block may be one.
  expect(foldEach([event("included", NATIVE)])[0]?.record.action).toBe("hold");
});

test("whatever happens in whatever order, the stage is what the last word about each hit says", () => {
  const kinds = ["pending", "included", "disputed", "agreed", "removed", "superseded", "final"] as const;
  const steps = fc.array(fc.record({ of: fc.constantFrom(NATIVE, ASKED, LOGGED), kind: fc.constantFrom(...kinds) }), {
    maxLength: 16,
  });
  fc.assert(
    fc.property(steps, (rest) => {
      const events = [event("pending", NATIVE), ...rest.map(({ of, kind }) => event(kind, of))];
      const stands = new Map<string, "pending" | "included" | "disputed" | "final">();
      for (const { hitId, kind } of events) {
        const now = stands.get(hitId);
        if (now === "final") continue;
        const inBlock = now === "included" || now === "disputed";
        if (kind === "included" || kind === "disputed" || (kind === "pending" && !inBlock)) stands.set(hitId, kind);
        if (kind === "agreed" && inBlock) stands.set(hitId, "included");
        if (kind === "final" && inBlock) stands.set(hitId, "final");
        if (kind === "removed" || (kind === "superseded" && now === "pending")) stands.delete(hitId);
      }
      const all = [...stands.values()];
      const uniform = (["pending", "final"] as const).find((one) => all.every((is) => is === one));
      const stage = all.length === 0 ? "retracted" : all.includes("disputed") ? "pending" : uniform;
      expect(foldEach(events).at(-1)?.record.stage).toBe(stage ?? "included");
    }),
    { numRuns: 500 },
  );
});
