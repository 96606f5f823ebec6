import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createRequestGate, type RequestGate } from "../../../src/lib/request-gate.ts";
import { inBackfill } from "../../../src/lib/lane.ts";

const NEVER = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Resolves to "waiting" while the gate keeps the caller. */
function soon<T>(work: Promise<T>): Promise<T | "waiting"> {
  return Promise.race([
    work,
    turn()
      .then(() => turn())
      .then(() => "waiting" as const),
  ]);
}

const open = (maxConcurrent: number) => createRequestGate({ maxConcurrent, maxPerSecond: 1e9 });

/** All places can still be taken at once, and not one more. */
async function expectPlaces(gate: RequestGate, places: number): Promise<void> {
  const taken: (() => void)[] = [];
  for (let index = 0; index < places; index += 1) {
    const place = await soon(gate.enter(NEVER));
    if (place === "waiting") throw new Error(`only ${index} of ${places} places are left`);
    taken.push(place);
  }
  const stop = new AbortController();
  const extra = gate.enter(stop.signal);
  expect(await soon(extra)).toBe("waiting");
  stop.abort();
  await expect(extra).rejects.toThrow();
  for (const give of taken) give();
}

describe("places", () => {
  test("a caller who gave up while waiting does not swallow the place of the next", async () => {
    const gate = open(1);
    const give = await gate.enter(NEVER);
    const stop = new AbortController();
    const gone = gate.enter(stop.signal);
    const next = gate.enter(NEVER);
    stop.abort();
    await expect(gone).rejects.toThrow();
    give();
    expect(await soon(next)).not.toBe("waiting");
  });

  test("a caller who gives up in the moment the place is theirs hands it on", async () => {
    const gate = open(1);
    const give = await gate.enter(NEVER);
    const stop = new AbortController();
    const gone = gate.enter(stop.signal);
    const next = gate.enter(NEVER);
    give();
    stop.abort();
    await expect(gone).rejects.toThrow();
    expect(await soon(next)).not.toBe("waiting");
  });

  test("who waited longest goes first, before anybody who comes in that moment", async () => {
    const gate = open(1);
    const give = await gate.enter(NEVER);
    const order: string[] = [];
    const enter = async (name: string) => {
      const leave = await gate.enter(NEVER);
      order.push(name);
      leave();
    };
    const all = [enter("first"), enter("second")];
    give();
    all.push(enter("late"));
    await Promise.all(all);
    expect(order).toEqual(["first", "second", "late"]);
  });

  test("giving a place back twice frees one place", async () => {
    const gate = open(2);
    const give = await gate.enter(NEVER);
    give();
    give();
    await expectPlaces(gate, 2);
  });

  test("an aborted signal enters nothing", async () => {
    const gate = open(1);
    await expect(gate.enter(AbortSignal.abort(new Error("stopping")))).rejects.toThrow("stopping");
    await expectPlaces(gate, 1);
  });

  test("no listener stays behind on the signal of a long life", async () => {
    const gate = open(1);
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    Object.assign(signal, {
      addEventListener: (...args: Parameters<typeof add>) => ((listeners += 1), add(...args)),
      removeEventListener: (...args: Parameters<typeof remove>) => ((listeners -= 1), remove(...args)),
    });
    await Promise.all(Array.from({ length: 50 }, async () => (await gate.enter(signal))()));
    expect(listeners).toBe(0);
  });

  type Step = { readonly do: "enter" } | { readonly do: "leave" | "abort"; readonly whom: number };
  const steps = fc.array(
    fc.oneof(
      fc.constant<Step>({ do: "enter" }),
      fc.record({ do: fc.constantFrom("leave" as const, "abort" as const), whom: fc.nat(50) }),
    ),
    { maxLength: 60 },
  );

  test("never more than the cap are inside, and no order of coming, leaving and giving up loses a place", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), steps, async (cap, plan) => {
        const gate = open(cap);
        const inside: (() => void)[] = [];
        const waiting: AbortController[] = [];
        const ends: Promise<unknown>[] = [];
        for (const step of plan) {
          if (step.do === "enter") {
            const stop = new AbortController();
            waiting.push(stop);
            ends.push(
              gate
                .enter(stop.signal)
                .then((give) => inside.push(give))
                .catch(() => "gave up"),
            );
          } else if (step.do === "abort") waiting[step.whom % Math.max(waiting.length, 1)]?.abort();
          else inside.splice(step.whom % Math.max(inside.length, 1), 1)[0]?.();
          if ((waiting.length + inside.length) % 3 === 0) await turn();
          expect(inside.length).toBeLessThanOrEqual(cap);
        }
        await turn();
        for (const stop of waiting) stop.abort();
        await Promise.all(ends);
        for (const give of inside.splice(0)) give();
        await expectPlaces(gate, cap);
      }),
      { numRuns: 200 },
    );
  });
});

describe("spacing", () => {
  test("starts are spread evenly over the second", async () => {
    const gate = createRequestGate({ maxConcurrent: 100, maxPerSecond: 50 });
    const starts: number[] = [];
    await Promise.all(
      Array.from({ length: 11 }, async () => {
        const give = await gate.enter(NEVER);
        starts.push(performance.now());
        give();
      }),
    );
    const took = (starts.at(-1) ?? 0) - (starts[0] ?? 0);
    // Ten gaps of 20 ms; a timer may fire a millisecond early.
    expect(took).toBeGreaterThan(190);
    const inFirstHalf = starts.filter((at) => at - (starts[0] ?? 0) < 95).length;
    expect(inFirstHalf).toBeLessThanOrEqual(6);
  });

  test("a gate that was idle does not save up for a burst", async () => {
    const gate = createRequestGate({ maxConcurrent: 100, maxPerSecond: 50 });
    (await gate.enter(NEVER))();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const startedAt = performance.now();
    for (let index = 0; index < 4; index += 1) (await gate.enter(NEVER))();
    expect(performance.now() - startedAt).toBeGreaterThan(50);
  });

  test("an abort ends the wait for a start and gives the place back", async () => {
    const gate = createRequestGate({ maxConcurrent: 1, maxPerSecond: 1 });
    (await gate.enter(NEVER))();
    const stop = new AbortController();
    const startedAt = performance.now();
    const spaced = gate.enter(stop.signal);
    setTimeout(() => stop.abort(), 20);
    await expect(spaced).rejects.toThrow();
    expect(performance.now() - startedAt).toBeLessThan(500);
    const again = new AbortController();
    const next = gate.enter(again.signal);
    again.abort();
    await expect(next).rejects.toThrow();
  });
});

describe("two lanes", () => {
  /** Through a call in between that knows nothing of lanes. */
  const enterLater = (gate: RequestGate) => inBackfill(async () => turn().then(() => gate.enter(NEVER)));
  const settled = (work: Promise<unknown>) =>
    Promise.race([
      work.then(() => true),
      turn()
        .then(turn)
        .then(turn)
        .then(() => false),
    ]);

  test("backfill takes at most half of the places, so that a live request finds one free", async () => {
    const gate = open(4);
    await Promise.all([enterLater(gate), enterLater(gate)]);
    expect(await settled(enterLater(gate))).toBe(false);
    expect(await soon(gate.enter(NEVER))).not.toBe("waiting");
    expect(await soon(gate.enter(NEVER))).not.toBe("waiting");
    expect(await soon(gate.enter(NEVER))).toBe("waiting");
  });

  test("a place that becomes free goes to a live request, however long backfill has waited", async () => {
    const gate = open(1);
    const give = await gate.enter(NEVER);
    const order: string[] = [];
    const past = enterLater(gate).then((leave) => (order.push("backfill"), leave()));
    await turn();
    await turn();
    const now = gate.enter(NEVER).then((leave) => (order.push("live"), leave()));
    give();
    await Promise.all([past, now]);
    expect(order).toEqual(["live", "backfill"]);
  });

  test("a node of one place gives it to backfill while nobody else wants it, and no place is lost", async () => {
    const gate = open(1);
    for (let round = 0; round < 3; round += 1) (await enterLater(gate))();
    await expectPlaces(gate, 1);
  });

  test("backfill starts at half the rate, and what it waits for does not hold up a live request", async () => {
    const gate = createRequestGate({ maxConcurrent: 100, maxPerSecond: 50 });
    const startedAt = performance.now();
    const starts: number[] = [];
    const past = Array.from({ length: 6 }, async () => {
      (await enterLater(gate))();
      starts.push(performance.now() - startedAt);
    });
    await turn();
    await turn();
    await turn();
    (await gate.enter(NEVER))();
    const live = performance.now() - startedAt;
    await Promise.all(past);
    // Five gaps of 40 ms, were it alone; the live one waits behind what has started, not behind what is booked.
    expect(Math.max(...starts)).toBeGreaterThan(190);
    expect(starts.filter((at) => at < live).length).toBeLessThan(4);
  });
});
