/**
 * The mempool of one node of the Bitcoin Core family. Each transaction is asked for as its bytes, which its id covers; whose
 * coins it spends is told by the coins that we know. Asks with a quarter of the node's cap: blocks come first.
 */
import { setImmediate } from "node:timers/promises";
import type { MempoolSource, PendingTransaction } from "../../../types/chain.ts";
import type { NodeConfig } from "../../../types/config.ts";
import type { Log } from "../../../types/log.ts";
import { createRequestGate } from "../../../lib/request-gate.ts";
import type { HeaderSource } from "../header-source.ts";
import type { Network } from "../networks.ts";
import { isRefusal, RPC_NOT_FOUND } from "../node-answers.ts";
import type { NodeClient } from "../node-client.ts";
import type { NodeScan } from "../node-scan.ts";
import { keyOf, outpointOf, slotOf } from "../outpoints.ts";
import { ProofError } from "../proof-error.ts";
import { proveOutputs, readPending } from "../read-transaction.ts";
import type { ScriptTable } from "../script-table.ts";
import type { TableOf } from "../script-tables.ts";
import { bytesOf } from "../verbose-block.ts";
import { createChainTail } from "./chain-tail.ts";
import { createCoinSeeder } from "./coin-seeder.ts";
import { type CoinSet, watchedAmong } from "./coin-set.ts";
import { findFate } from "./find-fate.ts";
import { createPoolIds } from "./pool-ids.ts";
import { followPoolHints } from "./pool-hints.ts";

export interface BitcoinMempoolOptions {
  readonly node: NodeConfig;
  readonly client: NodeClient;
  readonly headers: HeaderSource;
  readonly network: Network;
  /** Filled here; who else reads it finds what watched scripts are known to have. */
  readonly coins: CoinSet;
  /** Null: the node is not ours, and is not told whom we watch. */
  readonly scan: NodeScan | null;
  readonly tableOf: TableOf;
  readonly log: Log;
}

export interface BitcoinMempool extends MempoolSource {
  close(): Promise<void>;
}

// So long one `take` reads; what is left is read by the next.
const TAKE_MS = 1_000;
// 25 of the largest transactions that a pool takes are 20 MB as hex.
const BATCH = 25;
const LIE_LINE_MS = 60_000;

export function createBitcoinMempool(options: BitcoinMempoolOptions): BitcoinMempool {
  const { node, client, headers, network, coins, scan, tableOf, log } = options;
  const gate = createRequestGate({
    maxConcurrent: Math.max(1, Math.floor(node.maxConcurrent / 4)),
    maxPerSecond: Math.max(1, node.maxRequestsPerSecond / 4),
  });
  const ids = createPoolIds();
  const seeder =
    scan === null
      ? null
      : createCoinSeeder({ node: node.name, scan, network, coins, log, onSeeded: () => ids.again() });
  const tail = createChainTail({ client, headers, network, coins, onTurn: (above) => seeder?.turned(above) });
  let watched: ScriptTable | null = null;
  let toldAt = Number.NEGATIVE_INFINITY;

  async function gated<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const release = await gate.enter(signal);
    try {
      return await work();
    } finally {
      release();
    }
  }

  const ask = (method: string, params: readonly unknown[], signal: AbortSignal) =>
    gated(() => client.call(method, params, signal), signal);

  /** Throws ProofError where the bytes are not the transaction of that id, or none that a pool could hold. */
  function read(raw: Uint8Array, txid: string): PendingTransaction {
    const prevoutOf = (outpoint: { txid: string; index: number }) => coins.get(keyOf(outpoint));
    const pending = readPending({ raw, prevoutOf, network, watched });
    if (pending.txid !== txid) throw new ProofError("transaction", `its id is ${pending.txid}`);
    return { hash: txid, slots: pending.inputs.map(slotOf), transfers: pending.transfers };
  }

  /** What it makes for watched scripts can be spent at once, by one that comes in the same breath. */
  function noteOutputs(raw: Uint8Array, txid: string): void {
    if (watched === null) return;
    for (const [index, coin] of watchedAmong(proveOutputs(raw, txid), watched))
      coins.addPending(keyOf({ txid, index }), coin);
  }

  /** Null: a lie, told once a minute. */
  function believed<T>(txid: string, work: () => T): T | null {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      if (performance.now() - toldAt >= LIE_LINE_MS) {
        toldAt = performance.now();
        const facts = { node: node.name, hash: txid, why: error.message };
        log.error(facts, "the node names a pending transaction that does not match its id: ignored");
      }
      return null;
    }
  }

  /** The bytes of those that still wait. */
  async function fetch(txids: readonly string[], signal: AbortSignal): Promise<{ txid: string; raw: Uint8Array }[]> {
    const params = txids.map((txid) => [txid, false]);
    const answers = await gated(() => client.callMany("getrawtransaction", params, signal), signal);
    return txids.flatMap((txid, index) => {
      const answer = answers[index];
      if (isRefusal(answer, RPC_NOT_FOUND)) return [];
      if (answer instanceof Error) throw answer;
      return [{ txid, raw: bytesOf(answer) }];
    });
  }

  /** Parents before children, as the node lists them: all outputs are noted before any input is looked at. */
  async function readBatch(txids: readonly string[], signal: AbortSignal): Promise<PendingTransaction[]> {
    const fetched = await fetch(txids, signal);
    for (const { txid, raw } of fetched) believed(txid, () => noteOutputs(raw, txid));
    return fetched.flatMap(({ txid, raw }) => believed(txid, () => read(raw, txid)) ?? []);
  }

  return {
    // Its content is checked against its id, but nothing of it is in a block: nothing is proven.
    trust: { proven: false, operators: [node.operator], missing: [], traced: false },

    async take(wants, signal, addresses) {
      watched = addresses === undefined ? null : await tableOf(addresses);
      await tail.follow(watched, signal);
      if (addresses !== undefined && watched !== null)
        seeder?.want(watched, { [Symbol.iterator]: () => addresses.addressesOf(network.chainId)[Symbol.iterator]() });
      await ids.poll(() => ask("getrawmempool", [false], signal));
      const wanted: PendingTransaction[] = [];
      const until = performance.now() + TAKE_MS;
      for (let batch = ids.peek(BATCH); batch.length > 0; batch = ids.peek(BATCH)) {
        const known = await readBatch(batch, signal).catch((error: unknown) => {
          // What was handed out is handed out: the same trouble comes again with the next look.
          if (wanted.length === 0) throw error;
          return null;
        });
        if (known === null) break;
        for (const transaction of known) if (wants(transaction)) wanted.push(transaction);
        for (const txid of batch) ids.done(txid);
        if (performance.now() >= until) break;
        await setImmediate();
      }
      return wanted;
    },

    fateOf: ({ hash, slots }, signal) => findFate({ ask, tail, read }, { hash, coins: slots.map(outpointOf) }, signal),

    inputsUnseen: () => seeder?.isDone() !== true || coins.overflowed(),
    skipped: () => ids.skipped(),
    onHint: (wake, signal) => followPoolHints({ node, ids, log }, wake, signal),
    close: async () => seeder?.close(),
  };
}
