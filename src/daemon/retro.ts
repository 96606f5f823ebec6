/** Scans of the past as a daemon runs them: asked for, read beside the live chains, told once when they end. */
import { summariesOf } from "../alerts/scan-summary.ts";
import { chunksOf, planScan } from "../ingest/backfill.ts";
import { firstBlock } from "../ingest/start-point.ts";
import type { Clock } from "../lib/clock.ts";
import { AppError, describeError } from "../lib/errors.ts";
import { hashId } from "../lib/ids.ts";
import { inBackfill } from "../lib/lane.ts";
import { redactText } from "../lib/redact.ts";
import type { AlertStore } from "../store/alert-store.ts";
import type { RetroStore, ScanRule } from "../store/retro-store.ts";
import type { WantedPast, WantedStore } from "../store/retro-wanted.ts";
import type { ChainAdapter } from "../types/chain.ts";
import type { Log } from "../types/log.ts";
import type { ScanPlan, ScanStatus } from "../types/retro.ts";
import type { Incident } from "../types/watch.ts";
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
  return firstBlockOn(theftOf(incident.date), adapter, signal);
}

/** Unix seconds: a day before its day begins in UTC. */
function theftOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / 1_000 - DAY_S;
}

/** Unix seconds of unix milliseconds, so many days earlier. */
function daysBefore(now: number, days: number): number {
  return now / 1_000 - days * DAY_S;
}

function firstBlockOn(unixSeconds: number, adapter: ChainAdapter, signal: AbortSignal): Promise<number> {
  return inBackfill(() => firstBlock(adapter, { at: "date", unixSeconds }, signal));
}

export interface RetroOptions {
  readonly store: RetroStore;
  readonly wanted: WantedStore;
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
   * An entry is watched from now on: the past of its address is scanned, from the first day of its incident and of those
   * that people listed the address for, up to where live coverage begins. Returns once that is stored; the same entry under
   * the same list again changes nothing. Null: nobody follows its chain, or nothing names the address any more.
   * Throws (retryable or not) where it could not be stored: the caller asks again.
   */
  onWatched(watched: WantedPast, signal: AbortSignal): Promise<ScanPlan | null>;
  /**
   * Starts the scans that are wanted, stores the summaries of scans that ended, raises and clears alarms about those that
   * stand still.
   */
  look(): Promise<void>;
}

// A node that is restarted is back by then.
const STUCK_MS = 300_000;

// Of an incident whose date nobody knows: as far back as a customer's money may still be with the customer.
const UNDATED_DAYS = 30;
const WANTED_AT_ONCE = 100;
const WANTED_TIMEOUT_MS = 30_000;
const WANTED_RETRY_MS = 10_000;

export function createRetro({
  store,
  wanted,
  alerts,
  chains,
  lists,
  sinks,
  alarms,
  clock,
  log,
  onWork,
}: RetroOptions): Retro {
  const nameOf = (id: string) => chains.find(({ config }) => config.id === id)?.config.name ?? id;
  let stuckBefore: readonly string[] = [];
  let wantedFrom = Number.NEGATIVE_INFINITY;

  async function onWatched(of: WantedPast, signal: AbortSignal): Promise<ScanPlan | null> {
    const { chain: chainId, entryId, address, joinAt, revision } = of;
    const chain = chains.find(({ config }) => config.id === chainId);
    if (chain === undefined) return null;
    await lists.refresh();
    const { version, incidents, entriesOf } = lists.current().watchlist;
    const naming = entriesOf(chainId, address);
    // It was taken off again. What else names the address is read again all the same: its scans do not count any more.
    if (naming.length === 0) return null;
    const listedFor = new Set(
      [of, ...naming.filter(({ addedBy }) => addedBy !== undefined)].map((one) => one.incident),
    );
    const dates = [...listedFor].map((incident) => ({ incident, date: incidents.get(incident)?.date ?? null }));
    const begins = dates.map(({ date }) => (date === null ? daysBefore(clock.now(), UNDATED_DAYS) : theftOf(date)));
    const undated = dates.flatMap(({ incident, date }) => (date === null ? [incident] : []));
    const from = await firstBlockOn(Math.min(...begins), chain.adapter, signal);
    const plan = await store.start(
      {
        scanId: hashId("scan", ["watched", chainId, entryId, version, String(revision)]),
        chain: chainId,
        addresses: [address],
        from,
        reading: "whole",
        listVersion: version,
        reason: `${entryId} is watched${undated.length === 0 ? "" : `; the date of ${undated.join(", ")} is not known: ${UNDATED_DAYS} days back`}`,
        requestedBy: "watchlist",
        now: clock.now(),
      },
      SCAN_RULE,
    );
    if (joinAt !== null && plan.joinAt > joinAt)
      log.error({ entry: entryId, promised: joinAt, joinAt: plan.joinAt }, "live coverage begins later than promised");
    return plan;
  }

  /** A node or a store that is away costs time: what is wanted stays written down. */
  async function startWanted(): Promise<void> {
    if (clock.now() < wantedFrom) return;
    for (const one of await wanted.list(WANTED_AT_ONCE)) {
      try {
        await onWatched(one, AbortSignal.timeout(WANTED_TIMEOUT_MS));
        await wanted.remove(one);
      } catch (error) {
        wantedFrom = clock.now() + WANTED_RETRY_MS;
        log.warn(
          { entry: one.entryId, chain: one.chain, error: redactText(describeError(error)) },
          "the past of a new entry is not read yet, trying again",
        );
        return;
      }
    }
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
      await startWanted();
      await tellEnded();
      await watchStuck();
    },
  };
}
