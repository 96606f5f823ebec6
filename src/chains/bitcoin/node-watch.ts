/** Which chain a node is on, and how far: asked before anything else it says is believed. */
import { fieldsOf, MalformedAnswerError } from "../answer-fields.ts";
import type { BlockRef } from "../../types/chain.ts";
import { WrongChainError } from "../node-errors.ts";
import { hashAt } from "./header-source.ts";
import type { Network } from "./networks.ts";
import type { NodeClient } from "./node-client.ts";
import { NodeStateError } from "./node-state-error.ts";

export interface NodeWatch {
  /**
   * Height of the node's best block. Throws WrongChainError where it serves another chain, NodeStateError while it is
   * not able to say what the best block is.
   */
  head(signal: AbortSignal): Promise<number>;
  /** Throws NodeStateError where the node knows of blocks above its best one, which it does not get. */
  checkTip(signal: AbortSignal): Promise<void>;
}

// An hour of blocks: a node that gets its blocks is one or two behind its headers for a moment.
const HEADERS_AHEAD_MAX = 6;
// Hourly: a node behind a name can become another one while we run.
const CHAIN_CHECK_MS = 3_600_000;

interface ChainInfo {
  readonly blocks: number;
  readonly headers: number;
}

export function createNodeWatch({ client, network }: { client: NodeClient; network: Network }): NodeWatch {
  let checkedAt = Number.NEGATIVE_INFINITY;

  async function checkChain(signal: AbortSignal): Promise<void> {
    if (performance.now() - checkedAt < CHAIN_CHECK_MS) return;
    await checkBlock({ number: 0, hash: network.genesisHash }, signal);
    // A node that has not come so far yet is asked again each time.
    if (network.splitAt !== undefined && !(await checkBlock(network.splitAt, signal))) return;
    checkedAt = performance.now();
  }

  /** False: the node does not have that block (yet). Throws WrongChainError where it has another. */
  async function checkBlock({ number, hash }: BlockRef, signal: AbortSignal): Promise<boolean> {
    const answered = await hashAt(client, number, signal);
    if (answered === null || answered === hash) return answered === hash;
    throw new WrongChainError(
      `node ${client.name} is on another chain: its block ${number} is ${answered}, that of ${network.chainId} is ${hash}. Check its URL`,
      { details: { node: client.name, asked: `getblockhash ${number}`, answered } },
    );
  }

  async function look(signal: AbortSignal): Promise<ChainInfo> {
    try {
      await checkChain(signal);
      return infoOf(client.name, await client.call("getblockchaininfo", [], signal));
    } catch (error) {
      // Who comes back may be another.
      checkedAt = Number.NEGATIVE_INFINITY;
      throw error;
    }
  }

  return {
    head: async (signal) => (await look(signal)).blocks,
    async checkTip(signal) {
      const { blocks, headers } = await look(signal);
      if (headers - blocks >= HEADERS_AHEAD_MAX)
        throw new NodeStateError(
          "stuck",
          `node ${client.name} has headers up to block ${headers}, but no block above ${blocks}: it is behind or stuck`,
          { blocks, headers },
        );
    },
  };
}

function infoOf(name: string, answer: unknown): ChainInfo {
  const info = fieldsOf(answer, "the node's state of its chain");
  const blocks = heightOf(info["blocks"]);
  const headers = heightOf(info["headers"]);
  if (typeof info["initialblockdownload"] !== "boolean")
    throw new MalformedAnswerError("the node does not say whether it is still syncing");
  if (info["initialblockdownload"])
    throw new NodeStateError(
      "syncing",
      `node ${name} is syncing (initial block download): it is at block ${blocks} of at least ${headers}`,
      { blocks, headers },
    );
  return { blocks, headers };
}

function heightOf(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new MalformedAnswerError("a height of the node is not a height");
  return value;
}
