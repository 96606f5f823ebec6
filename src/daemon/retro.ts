/** Scans of the past as a daemon runs them: asked for, read beside the live chains, told once when they end. */
import { summariesOf } from "../alerts/scan-summary.ts";
import { chunksOf, planScan } from "../ingest/backfill.ts";
import { firstBlock } from "../ingest/start-point.ts";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../lib/errors.ts";
import { hashId } from "../lib/ids.ts";
import { inBackfill } from "../lib/lane.ts";
import type { AlertStore } from "../store/alert-store.ts";
import type { RetroStore, ScanRule } from "../store/retro-store.ts";
import type { ChainAdapter } from "../types/chain.ts";
import type { Log } from "../types/log.ts";
import type { ScanPlan, ScanStatus } from "../types/retro.ts";
import type { Incident, WatchEntry } from "../types/watch.ts";
import type { Alarms } from "./alarms.ts";
import type { ListSource, ReadChain } from "./retro-reader.ts";

/** What is missing, and how it is cut: the rule every scan is planned by. */
export const SCAN_RULE: ScanRule = { plan: planScan, cut: chunksOf };

const DAY_S = 86_400;

/**
 * The block an incident's past begins at: the day before its date, since reports name the day of some time zone.
 * Throws AppError where the date is not known.
 */
export function firstBlockOf(incident: Incident | null, adapter: ChainAdapter, signal: AbortSignal): Promise<number> {
  if (incident === null || incident.date === null)
    throw new AppError(
      `the date of ${incident?.id ?? "this incident"} is not known: say from where (a block or a date)`,
    );
  const unixSeconds = Date.parse(`${incident.date}T00:00:00Z`) / 1_000 - DAY_S;
  return inBackfill(() => firstBlock(adapter, { at: "date", unixSeconds }, signal));
}

export interface WatchedFrom {
  readonly entry: WatchEntry;
  /** The block from which live coverage was promised. */
  readonly joinAt: number;
}

export interface RetroOptions {
  readonly store: RetroStore;
  readonly alerts: AlertStore;
  readonly chains: readonly ReadChain[];
  readonly lists: ListSource;
  /** Summaries go to the sinks that alerts go to. */
  readonly sinks: readonly string[];
  readonly alarms: Alarms;
  readonly clock: Clock;
  readonly log: Log;
  readonly onWork: () => void;
}

export interface Retro {
  /**
   * An entry is watched from now on: its past is scanned, from the day of its incident up to where live coverage begins.
   * Returns once that is stored; the same entry under the same list again changes nothing. Null: nobody follows its chain.
   * Throws (retryable or not) where it could not be stored: the caller asks again.
   */
  onWatched(watched: WatchedFrom, signal: AbortSignal): Promise<ScanPlan | null>;
  /** Stores the summaries of scans that ended, raises and clears alarms about those that stand still. */
  look(): Promise<void>;
}

// A node that is restarted is back by then.
const STUCK_MS = 300_000;

export function createRetro({ store, alerts, chains, lists, sinks, alarms, clock, log, onWork }: RetroOptions): Retro {
  const nameOf = (id: string) => chains.find(({ config }) => config.id === id)?.config.name ?? id;
  let stuckBefore: readonly string[] = [];

  async function onWatched({ entry, joinAt }: WatchedFrom, signal: AbortSignal): Promise<ScanPlan | null> {
    const chain = chains.find(({ config }) => config.id === entry.chain);
    if (chain === undefined) return null;
    const { version, incidents } = lists.current().watchlist;
    const from = await firstBlockOf(incidents.get(entry.incident) ?? null, chain.adapter, signal);
    const plan = await store.start(
      {
        scanId: hashId("scan", ["watched", entry.id, version]),
        chain: entry.chain,
        addresses: [entry.address],
        from,
        reading: "whole",
        listVersion: version,
        reason: `watched from block ${joinAt} on: ${entry.id}`,
        requestedBy: "watchlist",
        now: clock.now(),
      },
      SCAN_RULE,
    );
    if (plan.joinAt > joinAt)
      log.error({ entry: entry.id, promised: joinAt, joinAt: plan.joinAt }, "live coverage begins later than promised");
    return plan;
  }

  async function tellEnded(): Promise<void> {
    for (const scan of await store.untold()) {
      const covered = await store.coveredBlocks(scan);
      tellHole(scan, covered);
      const [findings, addresses] = await Promise.all([store.findings(scan.scanId), store.addressesOf(scan.scanId)]);
      const messages = summariesOf({ scan, chainName: nameOf(scan.chain), findings, addresses });
      for (const message of messages) await alerts.addMessage(message, sinks, clock.now(), "queue");
      await store.markTold(scan.scanId);
      log.info({ scan: scan.scanId, blocks: scan.blocks, hits: scan.hits, fresh: scan.freshHits }, "past scanned");
      onWork();
    }
  }

  /** Every block that was to be read stands in the ledger, or somebody must know. */
  function tellHole(scan: ScanStatus, covered: number): void {
    if (covered === scan.blocks) return;
    alarms.raise({
      subject: `retro:${scan.scanId}:coverage`,
      kind: "system",
      type: "coverage.gap",
      severity: "critical",
      graceMs: 0,
      detail: `The scan of the past ${scan.scanId} ended with ${covered} of ${scan.blocks} blocks of ${nameOf(scan.chain)} covered.`,
    });
  }

  async function watchStuck(): Promise<void> {
    const stuck = await store.stuck({ since: clock.now() - STUCK_MS });
    for (const { scanId, chain, trouble, blocksDone, blocks } of stuck)
      alarms.raise({
        subject: `retro:${scanId}`,
        kind: "system",
        severity: "medium",
        graceMs: 0,
        detail: `The scan of the past ${scanId} of ${nameOf(chain)} stands still at ${blocksDone} of ${blocks} blocks: ${trouble ?? ""}`,
      });
    const subjects = stuck.map(({ scanId }) => `retro:${scanId}`);
    for (const subject of stuckBefore) if (!subjects.includes(subject)) alarms.clear(subject);
    stuckBefore = subjects;
  }

  return {
    onWatched,
    async look() {
      await tellEnded();
      await watchStuck();
    },
  };
}
