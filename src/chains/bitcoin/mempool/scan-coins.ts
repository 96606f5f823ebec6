/** The unspent coins of some scripts, as a node of our own finds them in its set of all unspent coins. */
import type { BlockRef } from "../../../types/chain.ts";
import { fieldsOf, listOf, MalformedAnswerError } from "../../answer-fields.ts";
import type { Coin, Outpoint } from "../coins.ts";
import { descriptorOf } from "../needles.ts";
import { hashIn } from "../node-answers.ts";
import type { NodeScan } from "../node-scan.ts";
import { bytesOf, satoshiOf } from "../verbose-block.ts";

export interface CoinScan {
  /** All of them as of this block. */
  readonly block: BlockRef;
  readonly coins: readonly { readonly outpoint: Outpoint; readonly coin: Coin }[];
}

/** `scripts`: hex. What it finds is the node's word. */
export async function scanCoins(scan: NodeScan, scripts: readonly string[], signal: AbortSignal): Promise<CoinScan> {
  const answer = await scan("scantxoutset", [scripts.map(descriptorOf)], signal);
  if (answer["success"] !== true) throw new MalformedAnswerError("the node gave up the scan of its coins");
  const asked = new Set(scripts);
  const { height, bestblock } = answer;
  return {
    block: { number: indexOf(height), hash: hashIn(bestblock, "the block of a scan") },
    coins: listOf(answer["unspents"], "the coins of a scan").map((one) => coinOf(one, asked)),
  };
}

function coinOf(value: unknown, asked: ReadonlySet<string>): CoinScan["coins"][number] {
  const { txid, vout, scriptPubKey, amount } = fieldsOf(value, "a coin of a scan");
  if (typeof scriptPubKey !== "string" || !asked.has(scriptPubKey))
    throw new MalformedAnswerError("the node found a coin of a script that it was not asked for");
  return {
    outpoint: { txid: hashIn(txid, "a transaction of a scan"), index: indexOf(vout) },
    coin: { script: bytesOf(scriptPubKey), amount: satoshiOf(amount) },
  };
}

function indexOf(value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
    throw new MalformedAnswerError("a number of a scan is out of range");
  return value;
}
