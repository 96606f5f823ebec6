/**
 * One chain's part of the line, for as long as the daemon runs: take the lease, follow the chain, give it back.
 * A daemon without the lease stands by and takes over when the leader is gone.
 */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { Lease } from "../types/checkpoint.ts";
import type { Log } from "../types/log.ts";
import type { Health, Service } from "../types/service.ts";
import type { Leases } from "../store/leases.ts";
import { type MempoolLoopOptions, runMempoolLoop } from "../ingest/mempool-loop.ts";
import { runHeadLoop } from "../ingest/head-loop.ts";
import type { ChainStatus, HeadLoopOptions } from "../ingest/loop-state.ts";

// Takeover after a leader's death within the time to live; renewals at a third of it survive one lost round.
const LEASE_TTL_MS = 10_000;
const RENEW_MS = 3_000;
const STANDBY_POLL_MS = 1_000;
const RETRY_MS = 1_000;
const TROUBLE_LINE_MS = 60_000;

/** What a chain is matched with, until the lists change. */
export interface LineList extends Pick<HeadLoopOptions, "match" | "watched" | "listVersion"> {
  /** Of the store's watchlists it was made from. */
  readonly revision: number;
  readonly matchPending: MempoolLoopOptions["match"];
}

export interface LineLists {
  current(): LineList;
  /** Reads the store's watchlists again if they changed. */
  refresh(): Promise<void>;
  /** Called when `current` answers something else from now on, until the signal aborts. */
  onChange(listener: () => void, signal: AbortSignal): void;
}

export interface LineOptions extends Omit<HeadLoopOptions, "lease" | keyof LineList> {
  readonly lists: LineLists;
  readonly name: string;
  readonly chain: string;
  readonly holder: string;
  readonly leases: Leases;
  /** Null: the mempool is not followed. */
  readonly mempool: Omit<
    MempoolLoopOptions,
    "lease" | "listVersion" | "match" | "watched" | "blockTimeMs" | "clock" | "log"
  > | null;
  readonly onLeader: (epoch: number | null) => void;
  readonly onFenced: () => void;
}

export interface Line extends Service {
  status(): ChainStatus | null;
  leads(): boolean;
}

export function createLine(options: LineOptions): Line {
  const log: Log = options.log;
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let lastStatus: ChainStatus | null = null;
  let leading = false;

  async function run(signal: AbortSignal): Promise<void> {
    let standingBy = false;
    let told = { detail: "", at: 0 };
    let isListOld = false;
    while (!signal.aborted) {
      try {
        if (isListOld) await options.lists.refresh();
        isListOld = false;
        const list = options.lists.current();
        const lease = await options.leases.acquire({
          chain: options.chain,
          holder: options.holder,
          ttlMs: LEASE_TTL_MS,
          listVersion: list.listVersion,
          revision: list.revision,
        });
        if (lease === null) {
          if (!standingBy) log.info({}, "another daemon leads this chain, standing by");
          standingBy = true;
          await sleep(STANDBY_POLL_MS, signal);
          continue;
        }
        standingBy = false;
        if ((await lead(lease, list, signal)) === "relisted") continue;
      } catch (error) {
        if (signal.aborted) return;
        const code = (error as { code?: unknown }).code;
        if (code === "fenced") {
          options.onFenced();
          log.warn({}, "lost the chain to another daemon, nothing was written");
        } else if (code === "list_changed") {
          log.info({}, "watchlist changed, matching again");
          isListOld = true;
        } else {
          const detail = redactText(describeError(error));
          lastStatus = { ...(lastStatus ?? NOWHERE), trouble: { kind: "store", detail } };
          options.onStatus(lastStatus);
          // The same trouble each second is worth a line a minute.
          if (detail !== told.detail || options.clock.now() - told.at >= TROUBLE_LINE_MS) {
            log.error({ error: detail }, "chain interrupted, trying again");
            told = { detail, at: options.clock.now() };
          }
        }
        await sleep(RETRY_MS, signal);
      }
    }
  }

  /** `relisted`: still ours, to be taken over again with another list. */
  async function lead(lease: Lease, list: LineList, signal: AbortSignal): Promise<"relisted" | "over"> {
    leading = true;
    options.onLeader(lease.epoch);
    log.info({ epoch: lease.epoch }, "leading this chain");
    const lost = new AbortController();
    const relisted = new AbortController();
    const leadSignal = AbortSignal.any([signal, lost.signal, relisted.signal]);
    options.lists.onChange(() => relisted.abort(), leadSignal);
    const renewing = renew(lease, lost, leadSignal);
    const isRelisted = () => relisted.signal.aborted && !signal.aborted;
    try {
      const loops = [runHeadLoop({ ...options, ...list, lease, onStatus: setStatus }, leadSignal)];
      if (options.mempool !== null) loops.push(followMempool(options.mempool, { lease, list }, leadSignal));
      // Whoever sees first that the lease is lost, or the list changed, ends both.
      const ends = await Promise.allSettled(loops.map((loop) => loop.finally(() => lost.abort())));
      for (const end of ends) if (end.status === "rejected") throw end.reason;
      return isRelisted() ? "relisted" : "over";
    } finally {
      lost.abort();
      await renewing;
      leading = false;
      options.onLeader(null);
      // A chain that only changes its list is not offered to another daemon.
      if (!isRelisted()) await giveBack(lease);
    }
  }

  async function giveBack(lease: Lease): Promise<void> {
    await options.leases
      .release(lease)
      .catch((error: unknown) =>
        log.warn({ error: redactText(describeError(error)) }, "lease not given back, it runs out by itself"),
      );
  }

  function followMempool(
    mempool: NonNullable<LineOptions["mempool"]>,
    { lease, list }: { lease: Lease; list: LineList },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, adapter } = options;
    const { listVersion, watched, matchPending: match } = list;
    const { blockTimeMs } = adapter;
    return runMempoolLoop({ ...mempool, lease, listVersion, match, watched, clock, log, blockTimeMs }, signal);
  }

  async function renew(lease: Lease, lost: AbortController, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(RENEW_MS, signal);
      if (signal.aborted) return;
      try {
        if (await options.leases.renew(lease, LEASE_TTL_MS)) continue;
        options.onFenced();
        log.warn({ epoch: lease.epoch }, "lost the chain to another daemon");
        lost.abort();
      } catch (error) {
        // The store is away: our writes fail as well, and the epoch keeps them out if somebody takes over.
        log.warn({ error: redactText(describeError(error)) }, "lease not renewed, trying again");
      }
    }
  }

  function setStatus(status: ChainStatus): void {
    lastStatus = status;
    options.onStatus(status);
  }

  return {
    name: `line:${options.name}`,
    start() {
      running = run(stopping.signal);
      return Promise.resolve();
    },
    async stop() {
      stopping.abort();
      await running;
      await options.adapter.close();
    },
    health(): Health {
      if (!leading) return { ok: true, detail: lastStatus?.trouble?.detail ?? "standing by" };
      if (lastStatus === null) return { ok: true, detail: "starting" };
      return {
        ok: lastStatus.trouble === null,
        detail: lastStatus.trouble?.detail ?? `at block ${lastStatus.cursorNumber}`,
      };
    },
    status: () => lastStatus,
    leads: () => leading,
  };
}

const NOWHERE: ChainStatus = {
  headNumber: -1,
  cursorNumber: -1,
  finalizedNumber: -1,
  tipTimestamp: 0,
  unchecked: [],
  contradicted: [],
  turnedAt: 0,
  trouble: null,
};
