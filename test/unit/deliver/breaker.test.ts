import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createBreaker, PROBE_EVERY_MS } from "../../../src/deliver/breaker.ts";
import type { SendOutcome } from "../../../src/types/sink.ts";

const DELIVERED: SendOutcome = { result: "delivered", status: 204, excerpt: "" };
const failing = (status: number | null): SendOutcome => ({
  result: "retry",
  status,
  error: "no",
  afterMs: null,
  excerpt: "",
});

function make() {
  const at = { now: 1_000_000 };
  const breaker = createBreaker({ clock: { now: () => at.now }, probeEveryMs: PROBE_EVERY_MS });
  const saw = (deliveryId: string, outcome: SendOutcome, isProbe = false) =>
    breaker.saw({ deliveryId, outcome, isProbe });
  return { at, breaker, saw };
}

function opened() {
  const made = make();
  for (const id of ["a", "b", "c"]) made.saw(id, failing(503));
  expect(made.breaker.isClosed()).toBe(false);
  return made;
}

describe("the breaker", () => {
  test("three deliveries that fail with no success between open it, and the third says so", () => {
    const { breaker, saw } = make();
    expect([saw("a", failing(null)), saw("b", failing(500)), breaker.isClosed()]).toEqual([null, null, true]);
    expect([saw("c", failing(429)), breaker.isClosed()]).toEqual(["opened", false]);
  });

  test("one delivery that fails for ever does not open it", () => {
    const { breaker, saw } = make();
    for (let n = 0; n < 50; n += 1) saw("poisoned", failing(500));
    expect(breaker.isClosed()).toBe(true);
  });

  test("a success between starts the count anew", () => {
    const { breaker, saw } = make();
    for (const id of ["a", "b"]) saw(id, failing(500));
    expect(saw("x", DELIVERED)).toBeNull();
    for (const id of ["c", "d"]) saw(id, failing(500));
    expect(breaker.isClosed()).toBe(true);
  });

  test.each([400, 409, 413, 415, 422])("%i refuses a body, not the sender: it never opens", (status) => {
    const { breaker, saw } = make();
    for (let n = 0; n < 20; n += 1) saw(`d${n}`, failing(status));
    expect(breaker.isClosed()).toBe(true);
  });

  test.each([null, 301, 401, 403, 404, 410, 429, 500, 503, 504])("%p from every delivery opens", (status) => {
    const { breaker, saw } = make();
    for (let n = 0; n < 3; n += 1) saw(`d${n}`, failing(status));
    expect(breaker.isClosed()).toBe(false);
  });

  test("a probe is due half a minute after it opened, then every half minute, also when one was never told the end of", () => {
    const { at, breaker } = opened();
    expect(breaker.isProbeDue()).toBe(false);
    at.now += PROBE_EVERY_MS;
    expect(breaker.isProbeDue()).toBe(true);
    breaker.startProbe();
    expect(breaker.isProbeDue()).toBe(false);
    at.now += PROBE_EVERY_MS;
    expect(breaker.isProbeDue()).toBe(true);
  });

  test("a probe that fails leaves it open, one that arrives closes it, so does one refused for its own body", () => {
    const { breaker, saw } = opened();
    breaker.startProbe();
    expect([saw("a", failing(503), true), breaker.isClosed()]).toEqual([null, false]);
    breaker.startProbe();
    expect([saw("a", DELIVERED, true), breaker.isClosed(), breaker.isProbeDue()]).toEqual(["closed", true, false]);
    const again = opened();
    again.breaker.startProbe();
    expect(again.saw("a", failing(422), true)).toBe("closed");
  });

  test("an attempt that was under way when it opened closes it by arriving, and does nothing by failing", () => {
    const { breaker, saw } = opened();
    expect([saw("late", failing(503)), breaker.isClosed()]).toEqual([null, false]);
    expect([saw("late", DELIVERED), breaker.isClosed()]).toEqual(["closed", true]);
  });

  test("whatever happened before, a success leaves it closed and three failing deliveries leave it open", () => {
    const step = fc.record({
      id: fc.constantFrom("a", "b", "c", "d", "e"),
      outcome: fc.constantFrom(DELIVERED, failing(null), failing(500), failing(400)),
      isProbe: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { breaker, saw } = make();
        const run = () => {
          for (const { id, outcome, isProbe } of steps) {
            if (isProbe && !breaker.isClosed()) breaker.startProbe();
            saw(id, outcome, isProbe && !breaker.isClosed());
          }
        };
        run();
        saw("x", DELIVERED);
        expect(breaker.isClosed()).toBe(true);
        run();
        for (const id of ["x", "y", "z"]) saw(id, failing(500));
        expect(breaker.isClosed()).toBe(false);
      }),
    );
  });
});
