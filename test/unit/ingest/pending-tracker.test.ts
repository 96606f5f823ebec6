/** What observations of the mempool mean: moves, and when a transaction that is missing is gone. */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  type Absence,
  absenceOf,
  dropAfterMs,
  PENDING_MOVES,
  type PendingEvent,
} from "../../../src/ingest/pending-tracker.ts";
import type { PendingState } from "../../../src/types/mempool.ts";

const STATES = Object.keys(PENDING_MOVES) as PendingState[];
const EVENTS: PendingEvent[] = ["seen", "rival", "mined", "unmined", "lost"];

describe("moves", () => {
  test("a block has the last word in every state, and only its loss takes it back", () => {
    for (const state of STATES) expect(PENDING_MOVES[state].mined).toBe("included");
    for (const event of EVENTS.filter((one) => one !== "unmined"))
      expect(PENDING_MOVES.included[event]).toBe("included");
    expect(PENDING_MOVES.included.unmined).toBe("unmined");
  });

  test("what waits is never ended by a look that finds it, what is over never by a second end", () => {
    for (const state of ["pending", "unmined", "dropped"] as const) expect(PENDING_MOVES[state].seen).toBe("pending");
    for (const event of ["seen", "rival", "unmined", "lost"] as const)
      expect(PENDING_MOVES.replaced[event]).toBe("replaced");
    expect(PENDING_MOVES.dropped.lost).toBe("dropped");
  });

  test("any order of observations ends as the blocks say, else as a rival says, else as the last look says", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 30 }), (events) => {
        const end = events.reduce<PendingState>((state, event) => PENDING_MOVES[state][event], "pending");
        const changes = events.filter((event) => event === "mined" || event === "unmined");
        if (changes.at(-1) === "mined") return expect(end).toBe("included");
        // What was said while a block held it does not count; `unmined` without a block before it neither.
        const lastMined = events.lastIndexOf("mined");
        const left = lastMined < 0 ? 0 : events.indexOf("unmined", lastMined);
        const since = events.slice(left).filter((event) => event !== "unmined");
        if (since.includes("rival")) return expect(end).toBe("replaced");
        const last = { seen: "pending", lost: "dropped", none: lastMined < 0 ? "pending" : "unmined" } as const;
        return expect(end).toBe(last[(since.at(-1) as "seen" | "lost" | undefined) ?? "none"]);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("absence", () => {
  const look = (times: readonly number[], of: { afterMs: number; aliveAt: (now: number) => number }) => {
    let absence: Absence | null = null;
    return times.map((now) => {
      const result = absenceOf(absence, { afterMs: of.afterMs, poolAliveAt: of.aliveAt(now), now });
      absence = result.absence;
      return result.lost;
    });
  };
  const alive = (now: number) => now;

  test("one look, or many at once, or few over a long time, lose nothing", () => {
    expect(look([1_000_000], { afterMs: 10, aliveAt: alive })).toEqual([false]);
    expect(look([0, 1, 2, 3, 4, 5, 6, 7], { afterMs: 10, aliveAt: alive })).not.toContain(true);
    expect(look([0, 100, 200, 300], { afterMs: 10, aliveAt: alive })).not.toContain(true);
  });

  test("five looks over the whole time lose it, in a pool that lives", () => {
    expect(look([0, 5, 8, 9, 10], { afterMs: 10, aliveAt: alive })).toEqual([false, false, false, false, true]);
  });

  test("a pool in which nothing was seen since, as after a restart of the node, gets thirty times as long", () => {
    const times = Array.from({ length: 40 }, (_, index) => index * 10);
    const lost = look(times, { afterMs: 10, aliveAt: () => 0 });
    expect(lost.indexOf(true)).toBe(30);
  });

  test("the wait follows the chain's block time, within 15 s and ten minutes", () => {
    expect([250, 2_000, 12_000, 3_600_000].map(dropAfterMs)).toEqual([15_000, 40_000, 240_000, 600_000]);
  });
});
