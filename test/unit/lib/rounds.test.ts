/** Rounds: what is asked meanwhile goes together, in order, and a failure is everybody's of its round and nobody else's. */
import { expect, test } from "@jest/globals";
import { UnavailableError } from "../../../src/lib/errors.ts";
import { createRounds, type RoundsOptions } from "../../../src/lib/rounds.ts";

const OPTIONS = { name: "test", itemsMax: 3, atOnce: 1, waitingMax: 5, deadlineMs: 60_000 };

function opened(more: Partial<RoundsOptions<number, number>> = {}) {
  const rounds: (readonly number[])[] = [];
  const ends: { done: () => void; fail: (error: Error) => void }[] = [];
  const ask = createRounds<number, number>({
    ...OPTIONS,
    work: (items) => {
      rounds.push(items);
      return new Promise((resolve, reject) => {
        ends.push({ done: () => resolve(items.map((item) => item * 10)), fail: reject });
      });
    },
    ...more,
  });
  return { ask, rounds, ends };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("those of one moment go together, those that come meanwhile go next, at most so many", async () => {
  const { ask, rounds, ends } = opened();
  const first = [ask(1), ask(2)];
  await turn();
  const later = [ask(3), ask(4), ask(5), ask(6)];
  await turn();
  expect(rounds).toEqual([[1, 2]]);
  ends[0]?.done();
  expect(await Promise.all(first)).toEqual([10, 20]);
  await turn();
  expect(rounds).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
  ends[1]?.done();
  await turn();
  ends[2]?.done();
  expect(await Promise.all(later)).toEqual([30, 40, 50, 60]);
});

test("a round that fails fails its own askers only", async () => {
  const { ask, ends } = opened();
  const first = ask(1).catch((error: Error) => error.message);
  await turn();
  const second = ask(2);
  ends[0]?.fail(new Error("away"));
  expect(await first).toBe("away");
  await turn();
  ends[1]?.done();
  expect(await second).toBe(20);
});

test("too many are refused, too slow is given up, and no round begins beside one that hangs", async () => {
  const { ask, rounds, ends } = opened({ deadlineMs: 20 });
  const waiting = [1, 2, 3, 4, 5, 6].map((item) => ask(item).catch((error: unknown) => error));
  expect(await waiting.at(-1)).toBeInstanceOf(UnavailableError);
  const answers = await Promise.all(waiting);
  expect(answers.every((answer) => answer instanceof UnavailableError)).toBe(true);
  expect(rounds).toEqual([[1, 2, 3]]);
  ends[0]?.done();
  await turn();
  expect(rounds).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
  ends[1]?.done();
});
