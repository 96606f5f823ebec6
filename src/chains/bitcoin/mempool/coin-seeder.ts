/**
 * Which coins watched scripts have already when we begin to look, or when a list gains an address: asked of the node in
 * the background. Until it has told, what they spend is not seen while it waits.
 *
 * States: `known` covers the table in use (all coins are known), or does not (a scan is under way, or is tried again).
 */
import { describeError } from "../../../lib/errors.ts";
import { redactText } from "../../../lib/redact.ts";
import { sleep } from "../../../lib/sleep.ts";
import { inSlices } from "../../../lib/slices.ts";
import type { Address } from "../../../types/chain.ts";
import type { Log } from "../../../types/log.ts";
import { gatherNeedles } from "../needles.ts";
import type { Network } from "../networks.ts";
import type { NodeScan } from "../node-scan.ts";
import { keyOf } from "../outpoints.ts";
import type { ScriptTable } from "../script-table.ts";
import type { CoinSet } from "./coin-set.ts";
import { scanCoins } from "./scan-coins.ts";

export interface CoinSeeder {
  /** Sees to it that the coins of these become known; returns at once. `table` is made of `addresses`. */
  want(table: ScriptTable, addresses: Iterable<Address>): void;
  /** True once all coins of what is wanted are known. */
  isDone(): boolean;
  /** See `ChainTailOptions.onTurn`. */
  turned(above: number): void;
  close(): Promise<void>;
}

export interface CoinSeederOptions {
  readonly node: string;
  readonly scan: NodeScan;
  readonly network: Network;
  readonly coins: CoinSet;
  readonly log: Log;
  /** More coins are known: whoever spends them may wait already. */
  readonly onSeeded: () => void;
}

// 70 bytes each; a node takes requests of up to 32 MB.
const SCRIPTS_A_SCAN = 100_000;
const RETRY_MS = 30_000;

export function createCoinSeeder({ node, scan, network, coins, log, onSeeded }: CoinSeederOptions): CoinSeeder {
  const closing = new AbortController();
  let wanted: { table: ScriptTable; addresses: Iterable<Address> } | null = null;
  /** All coins of its scripts are in the set. */
  let known: ScriptTable | null = null;
  /** The highest block as of which a scan answered. */
  let seededAt = -1;
  /** The lowest turn since the scan that is under way began. */
  let turnedAbove = Number.POSITIVE_INFINITY;
  let running: Promise<void> | null = null;

  async function run(signal: AbortSignal): Promise<void> {
    while (wanted !== null && known !== wanted.table && !signal.aborted) {
      try {
        await seed(wanted, signal);
      } catch (error) {
        if (signal.aborted) return;
        const why = redactText(describeError(error));
        log.warn(
          { node, error: why },
          "coins of watched addresses not found: what they spend is not seen before its block",
        );
        await sleep(RETRY_MS, signal);
      }
    }
  }

  async function seed(
    { table, addresses }: { table: ScriptTable; addresses: Iterable<Address> },
    signal: AbortSignal,
  ): Promise<void> {
    turnedAbove = Number.POSITIVE_INFINITY;
    const before = known;
    const isKnown = (script: Uint8Array) => before?.match(script).watched ?? false;
    const { scripts, unscannable } = await inSlices(gatherNeedles(addresses, { network, isKnown }), signal);
    const startedAt = performance.now();
    log.info({ node, scripts: scripts.length, unscannable }, "looking for the coins of watched addresses");
    for (let at = 0; at < scripts.length; at += SCRIPTS_A_SCAN) {
      const found = await scanCoins(scan, scripts.slice(at, at + SCRIPTS_A_SCAN), signal);
      for (const { outpoint, coin } of found.coins) coins.add(keyOf(outpoint), coin);
      seededAt = Math.max(seededAt, found.block.number);
    }
    // As of a block that left the chain: what that block spent is unspent again, and was not found.
    if (seededAt > turnedAbove || known !== before) return;
    known = table;
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    log.info({ node, coins: coins.size(), seconds }, "the coins of watched addresses are known");
    onSeeded();
  }

  return {
    want(table, addresses) {
      wanted = { table, addresses };
      if (running !== null || known === table || closing.signal.aborted) return;
      running = run(closing.signal).finally(() => (running = null));
    },
    isDone: () => wanted !== null && known === wanted.table,
    turned(above) {
      turnedAbove = Math.min(turnedAbove, above);
      if (above >= seededAt) return;
      known = null;
      seededAt = -1;
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}
