/**
 * Asks the node for a block's call traces, by whichever method it has: `trace_block` (cheap where it exists) or
 * `debug_traceBlockByHash`. One trace under way at a time, and rests after slow answers: tracing is the heaviest call
 * there is, and the exchange's own traffic comes first.
 */
import type { Header } from "../../types/chain.ts";
import type { Log } from "../../types/log.ts";
import { describeError } from "../../lib/errors.ts";
import { isBackfill } from "../../lib/lane.ts";
import { redactText } from "../../lib/redact.ts";
import { sleep } from "../../lib/sleep.ts";
import type { Checksum } from "./answer-fields.ts";
import { decodeCallTracer, decodeParityTraces, type TracedTransaction } from "./decode-traces.ts";
import { createRequestGate } from "../../lib/request-gate.ts";
import { RpcError } from "../rpc-envelope.ts";
import { isMethodMissing, type RpcCaller } from "./rpc-client.ts";

export interface TracerOptions {
  readonly rpc: RpcCaller;
  readonly mode: "auto" | "off";
  readonly checksum: Checksum;
  readonly log: Log;
}

/** The transactions of the block to trace, which need not be parsed before somebody asks for their hashes. */
export interface TransactionsToTrace {
  readonly count: number;
  /** In order. */
  hashes(): readonly string[];
}

export interface Tracer {
  /** Null: this block cannot be traced here; coverage and alerts say so. Throws what is worth asking again. */
  trace(header: Header, transactions: TransactionsToTrace, signal: AbortSignal): Promise<TracedTransaction[] | null>;
}

type Method = "trace_block" | "debug_traceBlockByHash";
const METHODS: readonly Method[] = ["trace_block", "debug_traceBlockByHash"];

// A node that has no tracing today may have it after an upgrade.
const PROBE_AGAIN_MS = 600_000;
// As long a rest as the answer took, so that tracing uses at most half of one core of the node.
const REST_MAX_MS = 2_000;
// After as many failures the block goes on untraced: blind to its internal calls, and said so, is better than standing still.
const FAILURES_MAX = 3;

export function createTracer({ rpc, mode, checksum, log }: TracerOptions): Tracer {
  const gate = createRequestGate({ maxConcurrent: 1, maxPerSecond: 1_000 });
  let method: Method | null = null;
  let missingSince: number | null = null;
  const failures = new Map<string, number>();

  async function ask(
    using: Method,
    header: Header,
    transactions: TransactionsToTrace,
    signal: AbortSignal,
  ): Promise<TracedTransaction[]> {
    if (using === "debug_traceBlockByHash") {
      return decodeCallTracer(await rpc.call(using, [header.hash, { tracer: "callTracer" }], signal), checksum);
    }
    const answer = await rpc.call(using, [`0x${header.number.toString(16)}`], signal);
    return decodeParityTraces(answer, { blockHash: header.hash, txHashes: transactions.hashes() }, checksum);
  }

  /** Tries the method that worked, else each; null when the node has none. */
  async function traceByAny(
    header: Header,
    transactions: TransactionsToTrace,
    signal: AbortSignal,
  ): Promise<TracedTransaction[] | null> {
    for (const using of method === null ? METHODS : [method]) {
      try {
        const traces = await ask(using, header, transactions, signal);
        if (method === null) log.info({ method: using }, "the node traces: internal transfers are seen");
        method = using;
        missingSince = null;
        return traces;
      } catch (error) {
        if (!isMethodMissing(error)) throw error;
        if (method === using) method = null;
      }
    }
    if (missingSince === null)
      log.warn(
        {},
        "the node has no tracing (trace_block or debug_traceBlockByHash): value moved inside contract calls is not seen",
      );
    missingSince = performance.now();
    return null;
  }

  /** A node without the state of this block, or failing on it again and again, will not trace it. */
  function givesUp(header: Header, error: unknown): boolean {
    const count = (failures.get(header.hash) ?? 0) + 1;
    failures.set(header.hash, count);
    const stateGone =
      error instanceof RpcError &&
      /missing trie node|state.*(not|un)available|historical state|pruned|required.*state/i.test(error.message);
    if (!stateGone && count < FAILURES_MAX) return false;
    failures.delete(header.hash);
    // Most nodes keep the state of their last blocks only: of the past, the ledger and the alerts say it, block by block.
    log[isBackfill() ? "debug" : "warn"](
      { block: header.number, error: redactText(describeError(error)) },
      "block not traced: value moved inside its contract calls is not seen",
    );
    return true;
  }

  return {
    async trace(header, transactions, signal) {
      if (mode === "off") return null;
      if (transactions.count === 0) return [];
      if (missingSince !== null && performance.now() - missingSince < PROBE_AGAIN_MS) return null;
      const release = await gate.enter(signal);
      const startedAt = performance.now();
      try {
        const traces = await traceByAny(header, transactions, signal);
        failures.delete(header.hash);
        return traces;
      } catch (error) {
        if (signal.aborted || !givesUp(header, error)) throw error;
        return null;
      } finally {
        await sleep(
          Math.min(performance.now() - startedAt > 250 ? performance.now() - startedAt : 0, REST_MAX_MS),
          signal,
        );
        release();
      }
    },
  };
}
