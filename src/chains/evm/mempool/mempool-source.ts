/**
 * The mempool of one EVM node. What the node says is believed when its hash and its sender's signature say so; what it
 * does not say, nobody can know. Asks with a quarter of the node's cap: blocks come first.
 */
import { setImmediate } from "node:timers/promises";
import type { MempoolSource, PendingTransaction, TransactionFate } from "../../../types/chain.ts";
import type { ChainConfig, NodeConfig } from "../../../types/config.ts";
import type { Log } from "../../../types/log.ts";
import { hashOf, numberOf } from "../answer-fields.ts";
import { fieldsOf, MalformedAnswerError } from "../../answer-fields.ts";
import type { DecodeContext } from "../decode-block.ts";
import { followFeed } from "../head-hints.ts";
import { profileOf } from "../proof/profiles.ts";
import { provePending } from "../proof/prove-pending.ts";
import { createRequestGate } from "../../../lib/request-gate.ts";
import type { RpcClient } from "../rpc-client.ts";
import { createArrivals } from "./arrivals.ts";
import { decodePending, readSlot } from "./decode-pending.ts";
import { type Ask, countAt, findRival } from "./find-rival.ts";

export interface EvmMempoolOptions {
  readonly rpc: RpcClient;
  readonly chain: ChainConfig;
  readonly node: NodeConfig;
  readonly decode: DecodeContext;
  readonly log: Log;
}

// So long one `take` reads; what is left is read by the next.
const TAKE_MS = 1_000;
const BATCH = 32;
// A quiet pool is not a dead feed; a feed that died costs nothing but time.
const FEED_SILENT_MS = 300_000;
const FEED_RECONNECT_MS = 30_000;
const LIE_LINE_MS = 60_000;

export function createEvmMempool({ rpc, chain, node, decode, log }: EvmMempoolOptions): MempoolSource {
  const profile = profileOf(Number(chain.id.slice("eip155:".length)));
  const gate = createRequestGate({
    maxConcurrent: Math.max(1, Math.floor(node.maxConcurrent / 4)),
    maxPerSecond: Math.max(1, node.maxRequestsPerSecond / 4),
  });
  const ask: Ask = async (method, params, signal) => {
    const release = await gate.enter(signal);
    try {
      return await rpc.call(method, params, signal);
    } finally {
      release();
    }
  };
  const arrivals = createArrivals({ ask, log });
  let toldAt = Number.NEGATIVE_INFINITY;

  /** Null: not one of the sender's. */
  function proven(answer: unknown, hash: string): unknown {
    const proof = provePending(answer, profile);
    const reason = fieldsOf(answer, "transaction")["hash"] === hash ? null : "it is another transaction";
    if (reason === null && "sender" in proof) return answer;
    if (performance.now() - toldAt >= LIE_LINE_MS) {
      toldAt = performance.now();
      const why = reason ?? ("reason" in proof ? proof.reason : "");
      log.error({ node: node.name, hash, why }, "the node names a pending transaction that nobody signed: ignored");
    }
    return null;
  }

  async function contentOf({ hash, content }: { hash: string; content: unknown }, signal: AbortSignal) {
    return { hash, answer: content ?? (await ask("eth_getTransactionByHash", [hash], signal)) };
  }

  /** Null: gone, mined, nothing that is wanted, or not to be believed. */
  function wantedOf(
    { hash, answer }: { hash: string; answer: unknown },
    wants: (transaction: PendingTransaction) => boolean,
  ): PendingTransaction | null {
    if (answer === null || blockOf(answer) !== null) return null;
    try {
      const transaction = decodePending(answer, decode);
      return wants(transaction) && proven(answer, hash) !== null ? transaction : null;
    } catch (error) {
      if (error instanceof MalformedAnswerError) return null;
      throw error;
    }
  }

  async function standing(hash: string, signal: AbortSignal): Promise<TransactionFate | null> {
    const answer = await ask("eth_getTransactionByHash", [hash], signal);
    if (answer === null) return null;
    const block = blockOf(answer);
    if (block !== null) return { at: "block", block };
    if (proven(answer, hash) === null) throw new MalformedAnswerError("the node answered with another transaction");
    return { at: "pool", transaction: decodePending(answer, decode) };
  }

  return {
    // Its content is checked against its hash, but nothing of it is executed: nothing is proven.
    trust: { proven: false, operators: [node.operator], missing: [], traced: false },

    async take(wants, signal) {
      await arrivals.poll(signal);
      const wanted: PendingTransaction[] = [];
      const until = performance.now() + TAKE_MS;
      for (let batch = arrivals.peek(BATCH); batch.length > 0; batch = arrivals.peek(BATCH)) {
        for (const answer of await Promise.all(batch.map((one) => contentOf(one, signal)))) {
          arrivals.done(answer.hash);
          const transaction = wantedOf(answer, wants);
          if (transaction !== null) wanted.push(transaction);
        }
        if (performance.now() >= until) break;
        // Content that came by push is read without a wait of its own: others get their turn.
        await setImmediate();
      }
      return wanted;
    },

    async fateOf({ hash, slots }, signal) {
      const first = await standing(hash, signal);
      if (first !== null) return first;
      const { sender, nonce } = readSlot(slots);
      if ((await countAt(ask, sender, "latest", signal)) <= nonce) return { at: "nowhere" };
      // It may have been mined between the two answers.
      const second = await standing(hash, signal);
      if (second !== null) return second;
      const rival = await findRival(ask, { sender, nonce }, { profile, signal });
      if (rival === null) return { at: "nowhere" };
      if (rival.hash === hash) return { at: "block", block: rival.block };
      return { at: "replaced", by: rival.hash, block: rival.block };
    },

    skipped: () => arrivals.skipped(),

    onHint(wake, signal) {
      if (node.ws === null) return;
      const feed = {
        node: node.name,
        url: node.ws,
        feed: "mempool feed",
        subscriptions: [["newPendingTransactions", true], ["newPendingTransactions"]],
        silentMs: FEED_SILENT_MS,
        reconnectMs: FEED_RECONNECT_MS,
        log,
      };
      const onResult = (result: unknown) => {
        arrivals.push(result);
        wake();
      };
      void followFeed(feed, onResult, signal);
    },
  };
}

function blockOf(answer: unknown): { number: number; hash: string } | null {
  const { blockHash, blockNumber } = fieldsOf(answer, "transaction");
  if (blockHash === null || blockHash === undefined) return null;
  return { number: numberOf(blockNumber, "blockNumber"), hash: hashOf(blockHash, "blockHash") };
}
