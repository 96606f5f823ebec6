import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { agreementOf, type OperatorAnswer, reachedBy } from "../../../../src/chains/pool/agreement.ts";
import { afterAgreement, disputeOf, type DisputeState } from "../../../../src/chains/pool/dispute.ts";
import { type FrontEntry, frontAt, noteFront } from "../../../../src/chains/pool/front.ts";
import {
  afterEvent,
  afterRequest,
  MISSING_AFTER_MS,
  NEW_PACE,
  newHealth,
  scoreOf,
} from "../../../../src/chains/pool/health.ts";

const header = (hash: string, parentHash = "0xp") => ({ number: 7, hash, parentHash, timestamp: 1 });
const says = (hash: string): OperatorAnswer => ({ kind: "header", header: header(hash) });
const NONE: OperatorAnswer = { kind: "none" };
const FAILED: OperatorAnswer = { kind: "failed" };
const AWAY: OperatorAnswer = { kind: "away" };
const agree = (answers: Record<string, OperatorAnswer>) => agreementOf(new Map(Object.entries(answers)));

describe("agreement", () => {
  test.each<[string, Record<string, OperatorAnswer>, object]>([
    ["all name one hash", { a: says("0x1"), b: says("0x1") }, { kind: "agreed", operators: ["a", "b"], missing: [] }],
    ["one is away", { a: says("0x1"), b: AWAY }, { kind: "agreed", operators: ["a"], missing: ["b"] }],
    ["one does not have it yet", { a: says("0x1"), b: NONE }, { kind: "absent" }],
    ["one fails just now", { a: says("0x1"), b: FAILED }, { kind: "unanswered", operators: ["b"] }],
    ["nobody has it", { a: NONE, b: NONE }, { kind: "absent" }],
    ["nobody is there", { a: AWAY, b: AWAY }, { kind: "unanswered", operators: ["a", "b"] }],
    ["they differ", { a: says("0x1"), b: says("0x2") }, { kind: "disputed" }],
    ["two against one is still a dispute", { a: says("0x1"), b: says("0x1"), c: says("0x2") }, { kind: "disputed" }],
  ])("%s", (_what, answers, expected) => {
    expect(agree(answers)).toMatchObject(expected);
  });

  test("one hash with two parents is two claims", () => {
    const other: OperatorAnswer = { kind: "header", header: header("0x1", "0xq") };
    expect(agree({ a: says("0x1"), b: other }).kind).toBe("disputed");
  });

  const answer = fc.oneof(
    fc.constantFrom(NONE, FAILED, AWAY),
    fc.constantFrom("0x1", "0x2").map((hash) => says(hash)),
  );
  test("a block is agreed on only where everybody who is not away names it, whoever lies", () => {
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 5 }), (given) => {
        const answers = new Map(given.map((one, index) => [`op${index}`, one]));
        const agreement = agreementOf(answers);
        const present = given.filter(({ kind }) => kind !== "away");
        const hashes = new Set(present.map((one) => (one.kind === "header" ? one.header.hash : one.kind)));
        const isUnanimous = hashes.size === 1 && present.every(({ kind }) => kind === "header");
        expect(agreement.kind === "agreed").toBe(isUnanimous);
        if (agreement.kind === "agreed")
          expect([...agreement.operators, ...agreement.missing].toSorted()).toEqual([...answers.keys()].toSorted());
      }),
    );
  });

  test("what a quorum reaches is what enough operators reach, and null where too few answered", () => {
    expect(reachedBy([10, 30, 20], 2)).toBe(20);
    expect(reachedBy([1_000_000_000, 20], 2)).toBe(20);
    expect(reachedBy([30], 2)).toBeNull();
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1 }), fc.integer({ min: 1, max: 6 }), (numbers, count) => {
        const reached = reachedBy(numbers, count);
        const enough = numbers.length >= count;
        expect(reached !== null).toBe(enough);
        if (reached !== null) expect(numbers.filter((one) => one >= reached).length).toBeGreaterThanOrEqual(count);
      }),
    );
  });
});

describe("health", () => {
  const T = 1_000_000;
  const failing = afterEvent(newHealth(T), "failure", T);

  test("a node fails for a while before it is down, and is back with one answer", () => {
    expect(failing.state).toBe("failing");
    const still = afterEvent(failing, "failure", T + MISSING_AFTER_MS - 1);
    expect(still.state).toBe("failing");
    const down = afterEvent(still, "failure", T + MISSING_AFTER_MS);
    expect(down.state).toBe("down");
    expect(down.nextTryAt).toBeGreaterThan(T + MISSING_AFTER_MS);
    expect(afterEvent(down, "success", T + 60_000).state).toBe("ok");
  });

  test("an answer does not end a quarantine, the truth does; the second one lasts longer", () => {
    const first = afterEvent(newHealth(T), "lie", T);
    expect(afterEvent(first, "success", T + 1).state).toBe("quarantined");
    const redeemed = afterEvent(first, "redeemed", T + 1);
    expect(redeemed.state).toBe("ok");
    const second = afterEvent(redeemed, "lie", T + 2);
    expect(second.nextTryAt - (T + 2)).toBeGreaterThan(first.nextTryAt - T);
  });

  const event = fc.constantFrom("success", "failure", "lie", "redeemed");
  test("whatever happens: a node out of use waits between two tries, and never longer than an hour", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.integer({ min: 0, max: 10_000 })), { maxLength: 60 }), (events) => {
        let health = newHealth(T);
        let now = T;
        let lied = false;
        for (const [kind, later] of events) {
          now += later;
          health = afterEvent(health, kind, now);
          lied = kind === "lie" || (lied && kind !== "redeemed");
          expect(health.state === "quarantined").toBe(lied);
          if (health.state !== "down" && health.state !== "quarantined") continue;
          if (kind !== "success") expect(health.nextTryAt - now).toBeGreaterThanOrEqual(1_000);
          expect(health.nextTryAt - now).toBeLessThanOrEqual(3_600_000);
          expect(health.nextTryAloneAt).toBeLessThanOrEqual(health.nextTryAt);
        }
      }),
    );
  });

  test("the quicker and the more reliable node scores better", () => {
    const paced = (tookMs: number, failures: number) =>
      Array.from({ length: 20 }, (_, index) => ({ tookMs, failed: index < failures })).reduce(afterRequest, NEW_PACE);
    expect(scoreOf(paced(10, 0))).toBeLessThan(scoreOf(paced(200, 0)));
    expect(scoreOf(paced(10, 0))).toBeLessThan(scoreOf(paced(10, 20)));
  });
});

describe("who lags", () => {
  test("what was known at a time is told, older entries only as far as needed", () => {
    let front: readonly FrontEntry[] = [];
    for (let number = 1; number <= 1_000; number += 1)
      front = noteFront(front, { number, now: number * 100, keepMs: 5_000 });
    expect(frontAt(front, 100_000)).toBe(1_000);
    expect(frontAt(front, 95_000)).toBe(950);
    expect(front.length).toBeLessThanOrEqual(128);
    expect(noteFront(front, { number: 3, now: 200_000, keepMs: 5_000 })).toBe(front);
    expect(frontAt([], 5)).toBe(-1);
  });
});

describe("a dispute", () => {
  const heard = new Set(["a", "b"]);
  const step = (before: DisputeState | null, answers: Record<string, OperatorAnswer>, now: number, number = 7) =>
    afterAgreement(before, { number, agreement: agree(answers), heard, now, graceMs: 1_000 });
  const differ = { a: says("0x1"), b: says("0x2") };

  test("opens after its grace, and ends when they agree", () => {
    const settling = step(null, differ, 0);
    expect(disputeOf(settling)).toBeNull();
    const open = step(settling, differ, 1_000);
    expect(disputeOf(open)).toEqual({
      height: 7,
      since: 0,
      sides: [
        { hash: "0x1", operators: ["a"] },
        { hash: "0x2", operators: ["b"] },
      ],
    });
    expect(step(open, { a: says("0x3"), b: says("0x3") }, 2_000)).toBeNull();
  });

  test("a fork that heals within its grace was none", () => {
    expect(step(step(null, differ, 0), { a: says("0x2"), b: says("0x2") }, 500)).toBeNull();
  });

  test("opens also where only one of the two sides is as long as the chain we know", () => {
    const settling = step(null, differ, 0, 4);
    const further = step(settling, { a: says("0x9"), b: AWAY }, 500, 6);
    expect(disputeOf(step(further, differ, 1_000, 4))).toMatchObject({ height: 4 });
    const silent = step(settling, { a: says("0x9"), b: AWAY }, 60_000, 6);
    expect(silent).toBeNull();
  });

  test("does not end because one side falls silent, nor by agreement further down", () => {
    const open = step(step(null, differ, 0), differ, 1_000);
    expect(disputeOf(step(open, { a: says("0x1"), b: AWAY }, 9_000))).not.toBeNull();
    expect(disputeOf(step(open, { a: says("0x5"), b: says("0x5") }, 9_000, 6))).not.toBeNull();
  });

  test("ends when one side is taken out", () => {
    const open = step(step(null, differ, 0), differ, 1_000);
    const agreement = agree({ a: says("0x1"), b: AWAY });
    const after = afterAgreement(open, { number: 7, agreement, heard: new Set(["a"]), now: 2_000, graceMs: 1_000 });
    expect(after).toBeNull();
  });
});
