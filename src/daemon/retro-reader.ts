/** One job of a scan of the past: claim a chunk, read it behind live requests, match it, store it. May come twice or late. */
import { readPast } from "../ingest/read-past.ts";
import type { Clock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import { inBackfill } from "../lib/lane.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import { matchBlock } from "../match/match-block.ts";
import { FencedError } from "../store/leases.ts";
import type { RetroClaims } from "../store/retro-claims.ts";
import type { AddressTable } from "../types/address-table.ts";
import type { ChainAdapter } from "../types/chain.ts";
import type { ChainConfig } from "../types/config.ts";
import type { Log } from "../types/log.ts";
import type { Claim } from "../types/retro.ts";
import type { Valuer } from "../types/valuer.ts";
import { createAskedTable } from "../watchlist/asked-table.ts";
import type { Lists } from "./lists.ts";

/** The lists of this process, and a way to look for newer ones where it does not follow chains itself. */
export interface ListSource {
  current(): Lists;
  refresh(): Promise<void>;
}

export interface ReadChain {
  readonly config: ChainConfig;
  readonly adapter: ChainAdapter;
}

export interface RetroReaderOptions {
  readonly claims: RetroClaims;
  readonly chains: readonly ReadChain[];
  readonly lists: ListSource;
  /** Who says what hits of the past were worth; null: nobody. */
  readonly valuer: Valuer | null;
  /** This process, in claims. */
  readonly holder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Something was stored: alerts may have to be folded, and the next chunks be queued. */
  readonly onStored: (of: { chain: string; blocks: number; fresh: number }) => void;
}

export interface RetroReader {
  /** Reads what waits in a chunk; does nothing where nothing does, or where this process may not. */
  read(place: { chain: string; chunk: number }, signal: AbortSignal): Promise<void>;
}

// A killed process's ranges are free again after this time; renewals at a third of it survive one lost round.
const CLAIM_TTL_MS = 15_000;
// Scans that are read at once by a process, each with its table.
const TABLES_MAX = 8;

export function createRetroReader(options: RetroReaderOptions): RetroReader {
  const { claims, lists, clock, log } = options;
  const chains = new Map(options.chains.map((chain) => [chain.config.id, chain]));
  const watchedBy = createTables();

  async function read(place: { chain: string; chunk: number }, signal: AbortSignal): Promise<void> {
    const chain = chains.get(place.chain);
    if (chain === undefined || signal.aborted || !(await hasListInForce(place.chain))) return;
    const claim = await claims.claim({ ...place, holder: options.holder, ttlMs: CLAIM_TTL_MS });
    if (claim === null) return;
    const over = new AbortController();
    const renewing = renew(claim, over, signal);
    try {
      await readClaim(claim, chain, AbortSignal.any([signal, over.signal]));
    } catch (error) {
      await giveBack(claim, error, signal);
    } finally {
      over.abort();
      await renewing;
    }
  }

  async function hasListInForce(chain: string): Promise<boolean> {
    const inForce = await claims.listInForce(chain);
    if (lists.current().watchlist.version !== inForce) await lists.refresh();
    return lists.current().watchlist.version === inForce;
  }

  async function readClaim(claim: Claim, { config, adapter }: ReadChain, signal: AbortSignal): Promise<void> {
    const { watchlist, tokens } = lists.current();
    const headNumber = await adapter.headNumber(signal);
    const ranges = await readPast(
      claim,
      {
        adapter,
        quorum: config.quorum,
        watched: watchedBy(claim),
        match: (block) => matchBlock(block, { chain: config.id, watchlist, tokens }),
        valuer: options.valuer ?? undefined,
      },
      signal,
    );
    const stored = await claims.commit({
      claim,
      read: ranges,
      listVersion: watchlist.version,
      headNumber,
      now: clock.now(),
    });
    const blocks = ranges.reduce((sum, range) => sum + range.blocks.length, 0);
    log.debug({ chain: config.name, from: claim.ranges[0]?.from, blocks, ...stored }, "past blocks matched and stored");
    options.onStored({ chain: config.name, blocks, fresh: stored.fresh });
  }

  /** Until the claim is over; a claim that is lost ends the reading. */
  async function renew(claim: Claim, over: AbortController, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([over.signal, signal]);
    while (!either.aborted) {
      await sleep(CLAIM_TTL_MS / 3, either);
      if (either.aborted) return;
      const isHeld = await claims.renew(claim, CLAIM_TTL_MS).catch((error: unknown) => {
        log.warn({ error: redactText(describeError(error)) }, "claim on the past not renewed, trying again");
        return true;
      });
      if (!isHeld) over.abort(new FencedError("another process took the claim over"));
    }
  }

  /** What failed is tried again by whoever comes next; what was lost to another process, or to a new list, is no failure. */
  async function giveBack(claim: Claim, error: unknown, signal: AbortSignal): Promise<void> {
    const { code, retryable } = error as { code?: unknown; retryable?: unknown };
    const isExpected = typeof retryable === "boolean" || signal.aborted;
    const isTrouble = !signal.aborted && code !== "fenced" && code !== "list_changed";
    const trouble = isTrouble ? redactText(describeError(error)) : null;
    if (trouble !== null)
      log.warn(
        { chain: claim.chain, from: claim.ranges[0]?.from, error: trouble },
        "past blocks not read, tried again",
      );
    await claims.release(claim, { trouble, now: clock.now() });
    if (!isExpected) throw error;
  }

  return { read: (place, signal) => inBackfill(() => read(place, signal)) };
}

/** The addresses of a claim as a table; scans that are read together keep theirs from chunk to chunk. */
function createTables(): (claim: Claim) => AddressTable {
  const tables = new Map<string, AddressTable>();
  return ({ chain, ranges }) => {
    const key = [...new Set(ranges.map(({ scanId }) => scanId))].toSorted().join(" ");
    const known = tables.get(key);
    const table = known ?? createAskedTable(chain, new Set(ranges.flatMap(({ addresses }) => addresses)));
    tables.delete(key);
    tables.set(key, table);
    const [oldest] = tables.keys();
    if (tables.size > TABLES_MAX && oldest !== undefined) tables.delete(oldest);
    return table;
  };
}
