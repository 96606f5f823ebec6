/** Price feeds in memory, as a node would answer for them: rounds by time, states by block, and every way to lie. */
import type { ContractCall } from "../../../src/types/chain.ts";
import type { ContractCaller } from "../../../src/types/nodes.ts";
import type { PriceFeed } from "../../../src/types/price-feeds.ts";
import { AppError } from "../../../src/lib/errors.ts";
import { RpcError } from "../../../src/chains/rpc-envelope.ts";

export const CHAIN = "eip155:1";
export const OTHER = "eip155:42161";
export const BITCOIN = "bip122:000000000019d6689c085ae165831e93";
export const T = 1_700_000_000;
export const PHASE = 5n << 64n;
export const NEVER = new AbortController().signal;

export const word = (value: bigint) => (value < 0n ? value + (1n << 256n) : value).toString(16).padStart(64, "0");

export interface FakeRound {
  readonly id: bigint;
  readonly answer: bigint;
  readonly updatedAt: number;
  readonly startedAt?: number;
  readonly answeredIn?: bigint;
}

export function roundHex({ id, answer, updatedAt, startedAt = updatedAt, answeredIn = id }: FakeRound): string {
  return `0x${[id, answer, BigInt(startedAt), BigInt(updatedAt), answeredIn].map(word).join("")}`;
}

/** Rounds of one feed, each `everyS` after the one before, the last one at `lastAt`. */
export function history(count: number, { lastAt, everyS, usd }: { lastAt: number; everyS: number; usd: number }) {
  return Array.from(
    { length: count },
    (_, index): FakeRound => ({
      id: PHASE + BigInt(index + 1),
      answer: BigInt(usd + index) * 10n ** 8n,
      updatedAt: lastAt - (count - 1 - index) * everyS,
    }),
  );
}

export const feed = (over: Partial<PriceFeed> = {}): PriceFeed => ({
  chain: CHAIN,
  base: "ETH",
  quote: "USD",
  proxy: "0xfeed",
  decimals: 8,
  ...over,
});

export interface FakeNode extends ContractCaller {
  readonly calls: ContractCall[];
}

/** What the node says a feed's newest round is at a block (or `latest`), and its rounds by id. */
export interface FakeFeed {
  readonly rounds: readonly FakeRound[];
  /** Answer to latestRoundData at a block's hash: a round, raw hex, or null for "state is gone". */
  readonly atBlock?: FakeRound | string | null;
  readonly decimals?: string;
}

export function fakeNode(
  feeds: Readonly<Record<string, FakeFeed>>,
  { node = "own-a", operator = "self" } = {},
): FakeNode {
  const calls: ContractCall[] = [];
  return {
    node,
    operator,
    calls,
    call(of) {
      calls.push(of);
      return Promise.resolve().then(() => answerOf(feeds[of.to], of));
    },
  };
}

function answerOf(of: FakeFeed | undefined, { data, at }: ContractCall): string {
  if (of === undefined) return "0x";
  if (data === "0x313ce567") return of.decimals ?? `0x${word(8n)}`;
  if (data.startsWith("0x9a6fc8f5")) {
    const round = of.rounds.find(({ id }) => id === BigInt(`0x${data.slice(10)}`));
    if (round === undefined) throw refusal("execution reverted: No data present");
    return roundHex(round);
  }
  if (at === "latest" || of.atBlock === undefined) return roundHex(of.rounds.at(-1) as FakeRound);
  if (of.atBlock === null) throw refusal("missing trie node");
  return typeof of.atBlock === "string" ? of.atBlock : roundHex(of.atBlock);
}

/** As a node that answers with an error. */
export function refusal(message: string): AppError {
  return new RpcError(message, { details: { rpcCode: -32_000 }, rpcCode: -32_000 });
}

/** As a node that does not answer. */
export function silentNode({ node = "own-a", operator = "self" } = {}): FakeNode {
  const calls: ContractCall[] = [];
  return { node, operator, calls, call: (of) => (calls.push(of), new Promise<string>(() => undefined)) };
}
