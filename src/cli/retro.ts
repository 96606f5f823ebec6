/** `heistwatch retro start|list|show|cancel`: the past of watched addresses. */
import { userInfo } from "node:os";
import { createChainPool } from "../chains/registry.ts";
import type { LoadedLists } from "../daemon/lists.ts";
import { firstBlockOf } from "../daemon/retro.ts";
import { firstBlock } from "../ingest/start-point.ts";
import { systemClock } from "../lib/clock.ts";
import { AppError } from "../lib/errors.ts";
import { inBackfill } from "../lib/lane.ts";
import type { ChainAdapter } from "../types/chain.ts";
import type { ChainConfig } from "../types/config.ts";
import type { EntryFinding, ScanPlan, ScanStatus } from "../types/retro.ts";
import type { WatchEntry } from "../types/watch.ts";
import { callOperator, chainNamed, EXIT, type GlobalOptions, readConfig } from "./context.ts";
import { storedLists } from "./stored-lists.ts";
import { print, printJson, SILENT_LOG, short, table, timeOf } from "./output.ts";

export interface StartOptions extends GlobalOptions {
  readonly chain: string;
  readonly address?: readonly string[];
  readonly incident?: string;
  readonly from: string;
  readonly logsOnly?: boolean;
  readonly dryRun?: boolean;
  readonly reason?: string;
}

// Fewer would be chance, more would be waited for.
const SAMPLES = 4;
const TIMEOUT_MS = 120_000;

export async function startRetro(options: StartOptions): Promise<number> {
  const config = readConfig(options);
  const chain = chainNamed(config, options.chain);
  const lists = await storedLists(config, options);
  const adapter = createChainPool({
    chain,
    log: SILENT_LOG,
    now: () => systemClock.now(),
    onLie: () => undefined,
  });
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const entries = entriesOf(lists, chain, { options, adapter });
    const request = {
      chain: chain.id,
      addresses: [...new Set(entries.map(({ address }) => address))],
      from: await fromOf(options.from, { lists, entries, adapter, signal }),
      reading: options.logsOnly === true ? "logs" : "whole",
      listVersion: lists.watchlist.version,
      reason: options.reason ?? "",
      requestedBy: userInfo().username,
    };
    const plan = (await callOperator(config, "retro.preview", request)) as ScanPlan;
    const estimate = await estimateOf(plan, adapter, signal);
    if (options.json !== true) tellPlan(plan, { chain, estimate, logsOnly: options.logsOnly === true });
    const started = options.dryRun === true ? plan : ((await callOperator(config, "retro.start", request)) as ScanPlan);
    if (options.json === true) printJson({ ...started, estimate, started: options.dryRun !== true });
    else if (options.dryRun === true) print("Nothing was started (--dry-run).");
    else print(`Scan ${started.scanId} started: heistwatch retro show ${started.scanId}`);
    return EXIT.ok;
  } finally {
    await adapter.close();
  }
}

/** Watched entries of the loaded lists; what is not watched has no live coverage to meet. */
function entriesOf(
  { watchlist, loaded }: LoadedLists,
  chain: ChainConfig,
  { options, adapter }: { options: StartOptions; adapter: ChainAdapter },
): WatchEntry[] {
  const { address: given = [], incident } = options;
  if (given.length === 0 && incident === undefined)
    throw new AppError("say for whom: --address (watched ones), or --incident");
  const addresses = given.map((text) => {
    const address = adapter.normalizeAddress(text);
    if (address === null) throw new AppError(`${text} is not an address of ${chain.name}`);
    if (watchlist.entriesOf(chain.id, address).length === 0)
      throw new AppError(
        `${address} is not watched on ${chain.name}: put it on a list first, so that it is from now on`,
      );
    return address;
  });
  const ofIncident = loaded
    .flatMap(({ entries }) => entries.map(({ entry }) => entry))
    .filter((entry) => entry.chain === chain.id && (entry.incident === incident || entry.list === incident))
    .map(({ address }) => address);
  const entries = [...new Set([...addresses, ...ofIncident])].flatMap((address) =>
    watchlist.entriesOf(chain.id, address),
  );
  if (entries.length === 0) throw new AppError(`nothing of ${incident ?? ""} is watched on ${chain.name}`);
  return entries;
}

interface FromFacts {
  readonly lists: LoadedLists;
  readonly entries: readonly WatchEntry[];
  readonly adapter: ChainAdapter;
  readonly signal: AbortSignal;
}

/** `theft`, a block number, or a date with its zone. The earliest incident where the entries have several. */
async function fromOf(from: string, { lists, entries, adapter, signal }: FromFacts): Promise<number> {
  if (/^\d+$/.test(from)) return Number(from);
  if (from === "theft") {
    const incidents = [...new Set(entries.map((entry) => entry.incident))];
    const blocks = await Promise.all(
      incidents.map((id) => firstBlockOf(lists.watchlist.incidents.get(id) ?? null, adapter, signal)),
    );
    return Math.min(...blocks);
  }
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(from) ? Date.parse(`${from}T00:00:00Z`) : Date.parse(from);
  if (Number.isNaN(ms))
    throw new AppError(`--from takes theft, a block number or a date such as 2024-07-18, not ${from}`);
  return inBackfill(() => firstBlock(adapter, { at: "date", unixSeconds: Math.floor(ms / 1_000) }, signal));
}

interface Estimate {
  /** Of one block, as just measured: one after the other. */
  readonly msPerBlock: number | null;
  readonly seconds: number | null;
}

/** Reads a few blocks of the plan, one after the other: a process reads them side by side, so it is rather faster. */
async function estimateOf({ ranges, blocks }: ScanPlan, adapter: ChainAdapter, signal: AbortSignal): Promise<Estimate> {
  if (blocks === 0) return { msPerBlock: null, seconds: 0 };
  const numbers = Array.from({ length: Math.min(SAMPLES, blocks) }, (_, index) =>
    nthNumber(ranges, Math.floor((index * (blocks - 1)) / Math.max(1, SAMPLES - 1))),
  );
  const startedAt = performance.now();
  await inBackfill(async () => {
    await adapter.headNumber(signal);
    for (const number of numbers) {
      const header = await adapter.headerAt(number, signal);
      if (header !== null) await adapter.blockOf(header, signal);
    }
  });
  const msPerBlock = (performance.now() - startedAt) / numbers.length;
  return { msPerBlock: Math.round(msPerBlock), seconds: Math.ceil((blocks * msPerBlock) / 1_000) };
}

function nthNumber(ranges: ScanPlan["ranges"], nth: number): number {
  let left = nth;
  for (const { from, to } of ranges) {
    if (left <= to - from) return from + left;
    left -= to - from + 1;
  }
  throw new Error("assertion failed: the plan holds that many blocks");
}

function tellPlan(
  plan: ScanPlan,
  { chain, estimate, logsOnly }: { chain: ChainConfig; estimate: Estimate; logsOnly: boolean },
): void {
  const { blocks, ranges, addresses, joinAt, finalNumber } = plan;
  const spans = ranges.slice(0, 5).map(({ from, to }) => `${from} to ${to}`);
  if (blocks === 0) print(`Nothing to read: all of it was scanned before. Live coverage holds from block ${joinAt}.`);
  else
    print(
      `${blocks} blocks of ${chain.name} for ${addresses} address${addresses === 1 ? "" : "es"}: ${spans.join(", ")}${ranges.length > 5 ? ", ..." : ""}. Live coverage holds from block ${joinAt}.`,
    );
  if (joinAt - 1 > finalNumber) print(`Blocks above ${finalNumber} are not final yet: they are read once they are.`);
  if (blocks > 0)
    print(
      logsOnly
        ? "Only blocks with a log that names an address are read, as your own node's index tells; native value, calls and fees leave none, so the ledger will say logs, not yes."
        : `Each block is read in full and proven: native value and calls leave no log. About ${durationOf(estimate.seconds ?? 0)} with one process (${estimate.msPerBlock} ms a block just now), less with more (heistwatch worker).`,
    );
}

function durationOf(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

export async function listRetro(options: GlobalOptions & { limit: number }): Promise<number> {
  const scans = (await callOperator(readConfig(options), "retro.list", { limit: options.limit })) as ScanStatus[];
  if (options.json === true) printJson(scans);
  else
    print(
      table(
        ["scan", "chain", "state", "progress", "addresses", "hits", "new", "since", "by", "trouble"],
        scans.map((scan) => [
          scan.scanId,
          scan.chain,
          scan.state,
          progressOf(scan),
          String(scan.addresses),
          String(scan.hits),
          String(scan.freshHits),
          timeOf(scan.createdAt),
          scan.requestedBy,
          short(scan.trouble ?? "", 80),
        ]),
      ),
    );
  return EXIT.ok;
}

export async function showRetro(scanId: string, options: GlobalOptions): Promise<number> {
  const { scan, findings } = (await callOperator(readConfig(options), "retro.show", { scanId })) as {
    scan: ScanStatus;
    findings: EntryFinding[];
  };
  if (options.json === true) {
    printJson({ scan, findings });
    return EXIT.ok;
  }
  print(
    `${scan.scanId} of ${scan.chain} is ${scan.state}: ${progressOf(scan)}, ${scan.addresses} addresses, blocks ${scan.from} to ${scan.to}, reading ${scan.reading}.`,
  );
  if (scan.state === "running")
    print(`${remainingOf(scan, systemClock.now())} Read by: ${scan.holders.join(", ") || "nobody just now"}.`);
  if (scan.trouble !== null) print(`In trouble, tried again: ${scan.trouble}`);
  print(
    table(
      ["entry", "transfers", "new", "recorded only", "alerts", "own", "blocks"],
      findings.map((one) => [
        one.entryId,
        String(one.transfers),
        String(one.freshTransfers),
        String(one.recordedOnly),
        String(one.alerts),
        String(one.ownTransfers),
        `${one.firstBlock} to ${one.lastBlock}`,
      ]),
    ),
  );
  return EXIT.ok;
}

function progressOf({ blocks, blocksDone }: ScanStatus): string {
  const percent = blocks === 0 ? 100 : Math.floor((100 * blocksDone) / blocks);
  return `${blocksDone} of ${blocks} blocks (${percent} %)`;
}

function remainingOf({ blocks, blocksDone, createdAt }: ScanStatus, now: number): string {
  if (blocksDone === 0) return "Nothing read yet.";
  return `About ${durationOf(Math.ceil((((now - createdAt) / blocksDone) * (blocks - blocksDone)) / 1_000))} left.`;
}

export async function cancelRetro(scanId: string, options: GlobalOptions): Promise<number> {
  const cancelled = await callOperator(readConfig(options), "retro.cancel", { scanId });
  if (options.json === true) printJson(cancelled);
  else print(`${scanId} is cancelled: what it read stays, the rest is not read.`);
  return EXIT.ok;
}
