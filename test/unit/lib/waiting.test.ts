/** sleep and waker: waits that a signal ends, and that leave nothing behind. */
import { describe, expect, test } from "@jest/globals";
import { getEventListeners } from "node:events";
import { sleep } from "../../../src/lib/sleep.ts";
import { createWaker } from "../../../src/lib/waker.ts";

const LONG = 60_000;

async function took(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

describe("sleep", () => {
  test("takes its time", async () => {
    // A timer may fire a millisecond early.
    expect(await took(sleep(50))).toBeGreaterThan(45);
    expect(await took(sleep(50, new AbortController().signal))).toBeGreaterThan(45);
  });

  test("ends at an abort without throwing, at once when it came before", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 20);
    expect(await took(sleep(LONG, stop.signal))).toBeLessThan(2_000);
    expect(await took(sleep(LONG, stop.signal))).toBeLessThan(500);
  });

  test("leaves no listener on the signal of a long life", async () => {
    const { signal } = new AbortController();
    for (let index = 0; index < 30; index += 1) await sleep(0, signal);
    expect(listeners(signal)).toBe(0);
  });
});

describe("a waker", () => {
  const never = () => new AbortController().signal;

  test("waits its time when nobody wakes it", async () => {
    expect(await took(createWaker().wait(50, never()))).toBeGreaterThan(45);
  });

  test("a wake ends the wait", async () => {
    const waker = createWaker();
    setTimeout(() => waker.wake(), 20);
    expect(await took(waker.wait(LONG, never()))).toBeLessThan(2_000);
  });

  test("a wake during work is not lost: it ends the next wait at once, and only that one", async () => {
    const waker = createWaker();
    waker.wake();
    waker.wake();
    expect(await took(waker.wait(LONG, never()))).toBeLessThan(500);
    expect(await took(waker.wait(50, never()))).toBeGreaterThan(45);
  });

  test("the wake that ended a wait does not end the next one too", async () => {
    const waker = createWaker();
    setTimeout(() => waker.wake(), 10);
    await waker.wait(LONG, never());
    expect(await took(waker.wait(50, never()))).toBeGreaterThan(45);
  });

  test("a wake in the moment after a wait ended belongs to the next one", async () => {
    const waker = createWaker();
    await waker.wait(1, never());
    waker.wake();
    expect(await took(waker.wait(LONG, never()))).toBeLessThan(500);
  });

  test("an abort ends the wait, at once when it came before", async () => {
    const stop = new AbortController();
    const waker = createWaker();
    setTimeout(() => stop.abort(), 20);
    expect(await took(waker.wait(LONG, stop.signal))).toBeLessThan(2_000);
    expect(await took(waker.wait(LONG, stop.signal))).toBeLessThan(500);
  });

  test("listeners do not pile up on the signal of a long life", async () => {
    const waker = createWaker();
    const { signal } = new AbortController();
    for (let index = 0; index < 50; index += 1) {
      const wait = waker.wait(1, signal);
      if (index % 2 === 0) waker.wake();
      await wait;
    }
    expect(listeners(signal)).toBe(0);
  });
});
