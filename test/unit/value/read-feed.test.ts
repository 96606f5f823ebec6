import { describe, expect, test } from "@jest/globals";
import { createFeedReader } from "../../../src/value/read-feed.ts";
import { fakeNode, feed, history, NEVER, PHASE, roundHex, T, word } from "./feeds.ts";

const HOURLY = { lastAt: T, everyS: 3_600, usd: 2_000 };

describe("a feed at a block of its own chain", () => {
  test("is asked once, at the block's hash", async () => {
    const node = fakeNode({ "0xfeed": { rounds: history(9, HOURLY) } });
    const round = await createFeedReader().roundAt(feed(), node, { time: T, blockHash: "0xb10c" }, NEVER);
    expect(round.id).toBe(PHASE + 9n);
    expect(node.calls).toEqual([{ to: "0xfeed", data: "0xfeaf968c", at: "0xb10c" }]);
  });

  test("whose state the node forgot is found among its rounds", async () => {
    const node = fakeNode({ "0xfeed": { rounds: history(500, HOURLY), atBlock: null } });
    const round = await createFeedReader().roundAt(
      feed(),
      node,
      { time: T - 300 * 3_600 + 5, blockHash: "0xb10c" },
      NEVER,
    );
    expect(round.updatedAt).toBe(T - 300 * 3_600);
  });

  test("that answers nonsense there is not asked elsewhere until the answer suits", async () => {
    const node = fakeNode({ "0xfeed": { rounds: history(9, HOURLY), atBlock: "0x1234" } });
    const read = createFeedReader().roundAt(feed(), node, { time: T, blockHash: "0xb10c" }, NEVER);
    await expect(read).rejects.toThrow("another shape");
    expect(node.calls).toHaveLength(1);
  });
});

describe("a feed at a moment", () => {
  test("every moment of its history finds the newest round before it", async () => {
    const rounds = history(97, HOURLY);
    const reader = createFeedReader();
    const node = fakeNode({ "0xfeed": { rounds } });
    for (const [index, { updatedAt }] of rounds.entries()) {
      for (const after of [0, 1, 3_599]) {
        const found = await reader.roundAt(feed(), node, { time: updatedAt + after, blockHash: null }, NEVER);
        expect(found.id).toBe(PHASE + BigInt(index + 1));
      }
    }
    // Rounds do not change: each is asked for once, beside the newest.
    const asked = node.calls.filter(({ data }) => data.startsWith("0x9a6fc8f5")).map(({ data }) => data);
    expect(new Set(asked).size).toBe(asked.length);
  });

  test("years back are found in a few dozen questions", async () => {
    const rounds = history(40_000, HOURLY);
    const node = fakeNode({ "0xfeed": { rounds } });
    const time = (rounds[123]?.updatedAt ?? 0) + 7;
    const found = await createFeedReader().roundAt(feed(), node, { time, blockHash: null }, NEVER);
    expect(found.id).toBe(PHASE + 124n);
    expect(node.calls.length).toBeLessThan(40);
  });

  test("before its first round there is none", async () => {
    const node = fakeNode({ "0xfeed": { rounds: history(9, HOURLY) } });
    const read = createFeedReader().roundAt(feed(), node, { time: T - 9 * 3_600, blockHash: null }, NEVER);
    await expect(read).rejects.toThrow("do not reach back");
  });

  test("a feed whose rounds are all of tomorrow ends the search, however many it claims to have", async () => {
    const id = (5n << 64n) + (1n << 63n);
    const liar = {
      node: "own-a",
      operator: "self",
      call: ({ data }: { data: string }) =>
        Promise.resolve(
          roundHex({ id: data.length > 10 ? BigInt(`0x${data.slice(10)}`) : id, answer: 1n, updatedAt: T + 9 }),
        ),
    };
    const read = createFeedReader().roundAt(feed(), liar, { time: T, blockHash: null }, NEVER);
    await expect(read).rejects.toThrow(/not in order|do not reach back/);
  });

  test("another round than the one asked for is refused", async () => {
    const [first, ...rest] = history(9, HOURLY);
    const node = fakeNode({ "0xfeed": { rounds: [first as never, ...rest] } });
    const odd = {
      ...node,
      call: (of: Parameters<typeof node.call>[0]) =>
        node.call({ ...of, data: of.data.length > 10 ? "0xfeaf968c" : of.data }, NEVER),
    };
    const read = createFeedReader().roundAt(feed(), odd, { time: T - 3_600, blockHash: null }, NEVER);
    await expect(read).rejects.toThrow("another round");
  });
});

test("decimals come from the file, else once from the contract", async () => {
  const node = fakeNode({ "0xfeed": { rounds: [], decimals: `0x${word(18n)}` } });
  const reader = createFeedReader();
  expect(await reader.decimalsOf(feed({ decimals: 8 }), node, NEVER)).toBe(8);
  expect(node.calls).toHaveLength(0);
  expect(await reader.decimalsOf(feed({ decimals: null }), node, NEVER)).toBe(18);
  expect(await reader.decimalsOf(feed({ decimals: null }), node, NEVER)).toBe(18);
  expect(node.calls).toHaveLength(1);
});
