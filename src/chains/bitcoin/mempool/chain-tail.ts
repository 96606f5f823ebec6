/**
 * The last blocks of one node's chain: which coins they made for watched scripts, and what they spent.
 *
 * Reads each block itself, once and proven, whatever the line reads elsewhere: of several nodes only one is asked for a
 * block, and a coin that was missed would be a spend that is not seen. What a block spent is forgotten once it is so deep
 * that no other branch brings it back.
 */
import { MalformedAnswerError } from "../../answer-fields.ts";
import type { BlockRef, Header } from "../../../types/chain.ts";
import { type Outpoint, outputsOf } from "../coins.ts";
import { displayHash, transactionHash } from "../double-hash.ts";
import type { HeaderSource } from "../header-source.ts";
import type { Network } from "../networks.ts";
import type { NodeClient } from "../node-client.ts";
import { keyOf, keysOf, type OutpointKey, printOf } from "../outpoints.ts";
import { proveBlock } from "../prove-block.ts";
import { withRawBlock } from "../raw-block.ts";
import { parseBlock } from "../read-block.ts";
import type { ScriptTable } from "../script-table.ts";
import type { Transactions } from "../transactions.ts";
import { type CoinSet, watchedAmong } from "./coin-set.ts";

export interface ChainTail {
  /** Reads what the node's chain has above what is known. Throws what the node's answers throw; it is resumed. */
  follow(watched: ScriptTable | null, signal: AbortSignal): Promise<void>;
  /** The transaction of one of the last blocks that spends any of these coins; null: none does. */
  spenderOf(coins: readonly Outpoint[], signal: AbortSignal): Promise<{ txid: string; block: BlockRef } | null>;
}

export interface ChainTailOptions {
  readonly client: NodeClient;
  readonly headers: HeaderSource;
  readonly network: Network;
  readonly coins: CoinSet;
  /** The chain turned off above this height: what was known to be all coins as of a block above it no longer is. -1: blocks are missing. */
  readonly onTurn: (above: number) => void;
}

interface TailBlock extends Header {
  /** Watched coins that it spends. */
  readonly spent: readonly OutpointKey[];
  /** One of each coin that it spends, ascending. */
  readonly prints: Int32Array;
}

// What was mined while we were away for two hours is still found.
const FIRST_BLOCKS = 12;
// A day of blocks; no reorg of the last ten years was deeper than a few.
const KEPT_BLOCKS = 144;

export function createChainTail({ client, headers, network, coins, onTurn }: ChainTailOptions): ChainTail {
  const blocks = new Map<string, TailBlock>();
  let tip: TailBlock | null = null;

  /** Headers above the highest known block, lowest first; null: the chain moved while it was asked for. */
  async function lookBack(signal: AbortSignal): Promise<{ base: TailBlock | null; above: Header[] } | null> {
    const top = await client.call("getblockcount", [], signal);
    if (typeof top !== "number" || !Number.isSafeInteger(top))
      throw new MalformedAnswerError("the node's block count is not a height");
    const atMost = tip === null ? FIRST_BLOCKS : KEPT_BLOCKS;
    const above: Header[] = [];
    for (let number = top; number >= 0 && above.length <= atMost; number -= 1) {
      const header = await headers.headerAt(number, signal);
      const [lowest] = above;
      if (header === null || (lowest !== undefined && lowest.parentHash !== header.hash)) return null;
      const base = blocks.get(header.hash);
      if (base !== undefined) return { base, above };
      above.unshift(header);
    }
    return { base: null, above };
  }

  /** Nothing meets what is known: begins with the last few blocks, of which the lowest stands for all before. */
  function beginAt([lowest, ...above]: readonly Header[]): { base: TailBlock; above: readonly Header[] } {
    if (lowest === undefined) throw new MalformedAnswerError("the node has no block");
    blocks.clear();
    const base = { ...lowest, spent: [], prints: new Int32Array() };
    blocks.set(base.hash, base);
    return { base, above };
  }

  /** Null: the node does not have it (any more). Throws ProofError where what it has is another one. */
  function provenBlock<T>(
    header: Header,
    read: (transactions: Transactions) => T,
    signal: AbortSignal,
  ): Promise<T | null> {
    const proveAndRead = (bytes: Uint8Array) => {
      const transactions = parseBlock(bytes);
      proveBlock(transactions, header, network);
      return read(transactions);
    };
    return withRawBlock(client, { hash: header.hash, read: proveAndRead }, signal);
  }

  /** What left the kept depth on the tip's branch is spent for good; what did on another one never was. */
  function forgetOld(newest: TailBlock): void {
    const active = new Set(branchOf(newest));
    for (const block of blocks.values()) {
      if (block.number > newest.number - KEPT_BLOCKS) continue;
      if (active.has(block)) for (const key of block.spent) coins.forget(key);
      blocks.delete(block.hash);
    }
  }

  function* branchOf(newest: TailBlock | null): Generator<TailBlock> {
    for (let block = newest ?? undefined; block !== undefined; block = blocks.get(block.parentHash)) yield block;
  }

  return {
    async follow(watched, signal) {
      if ((await client.call("getbestblockhash", [], signal)) === tip?.hash) return;
      const found = await lookBack(signal);
      if (found === null) return;
      const { base, above } = found.base === null ? beginAt(found.above) : { base: found.base, above: found.above };
      if (tip !== null && tip !== base) onTurn(found.base === null ? -1 : base.number);
      tip = base;
      for (const header of above) {
        const noted = await provenBlock(header, (transactions) => noteCoins(transactions, watched, coins), signal);
        if (noted === null) return;
        const block = { ...header, ...noted };
        blocks.set(block.hash, block);
        tip = block;
        forgetOld(block);
      }
    },

    async spenderOf(outpoints, signal) {
      const wanted = new Set(outpoints.map(keyOf));
      const prints = [...wanted].map(printOf);
      for (const block of branchOf(tip)) {
        if (!prints.some((print) => isAmong(block.prints, print))) continue;
        const txid = await provenBlock(block, (transactions) => spenderIn(transactions, wanted), signal);
        if (txid !== null) return { txid, block: { number: block.number, hash: block.hash } };
      }
      return null;
    },
  };
}

/** Adds the coins that a block makes for watched scripts, and says what it spends. */
function noteCoins(
  transactions: Transactions,
  watched: ScriptTable | null,
  coins: CoinSet,
): Pick<TailBlock, "spent" | "prints"> {
  const spent: OutpointKey[] = [];
  const prints: number[] = [];
  for (let index = 0; index < transactions.count; index += 1) {
    if (watched !== null) addOutputs(transactions, index, { watched, coins });
    // The coinbase, always the first, spends nothing.
    if (index === 0) continue;
    for (const key of keysOf(transactions, index)) {
      prints.push(printOf(key));
      if (coins.get(key) !== null) spent.push(key);
    }
  }
  return { spent, prints: Int32Array.from(prints).toSorted() };
}

function addOutputs(
  transactions: Transactions,
  index: number,
  { watched, coins }: { watched: ScriptTable; coins: CoinSet },
): void {
  const made = [...watchedAmong(outputsOf(transactions, index), watched)];
  if (made.length === 0) return;
  const txid = displayHash(transactionHash(transactions, index));
  for (const [at, coin] of made) coins.add(keyOf({ txid, index: at }), coin);
}

function isAmong(sorted: Int32Array, wanted: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === wanted;
}

function spenderIn(transactions: Transactions, wanted: ReadonlySet<OutpointKey>): string | null {
  for (let index = 1; index < transactions.count; index += 1)
    if (keysOf(transactions, index).some((key) => wanted.has(key)))
      return displayHash(transactionHash(transactions, index));
  return null;
}
