/**
 * Scans of the past in a running process: what waits in the store becomes jobs, jobs are worked off. Jobs carry a place
 * only, and are made again from the store each second: a wiped queue or a killed process costs a moment, nothing else.
 */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { createWaker } from "../lib/waker.ts";
import type { JobQueues } from "../queue/bull-queues.ts";
import type { ClaimablePlace, RetroClaims } from "../store/retro-claims.ts";
import type { Log } from "../types/log.ts";
import { RETRO_QUEUE } from "../types/queue-names.ts";
import type { Health, Service } from "../types/service.ts";
import type { RetroReader } from "./retro-reader.ts";

export interface RetroServiceOptions {
  readonly claims: RetroClaims;
  readonly queues: JobQueues;
  readonly reader: RetroReader;
  /** CAIP-2 ids this process can read. */
  readonly chains: readonly string[];
  readonly log: Log;
  readonly onFailed: () => void;
  /** Told after each round: time to look at what ended. */
  readonly onRound: () => Promise<void>;
}

export interface RetroService extends Service {
  /** Chunks may wait: look now. */
  wake(): void;
}

const FEED_MS = 1_000;
// Enough for many processes until the next round; the store holds the rest.
const PLACES = 128;
// One waits for the store while the other reads.
const CONCURRENCY = 2;

export function createRetroService(options: RetroServiceOptions): RetroService {
  const { claims, queues, reader, chains, log } = options;
  const stopping = new AbortController();
  const waker = createWaker();
  const reading = new Set<Promise<void>>();
  let running: Promise<void> = Promise.resolve();
  let failing = false;

  async function feed(): Promise<void> {
    const places = await claims.claimable({ chains, limit: PLACES });
    if (places.length === 0) return;
    await queues.add(
      RETRO_QUEUE,
      places.map((place) => ({
        id: jobIdOf(place),
        data: { chain: place.chain, chunk: place.chunk },
        delayMs: 0,
        lane: 1 as const,
      })),
    );
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await feed();
        await options.onRound();
        failing = false;
      } catch (error) {
        if (!failing) log.warn({ error: redactText(describeError(error)) }, "the past waits: store or queue are away");
        failing = true;
      }
      await waker.wait(FEED_MS, signal);
    }
  }

  return {
    name: "retro",
    start() {
      queues.work(RETRO_QUEUE, {
        concurrency: CONCURRENCY,
        handle: (data) => {
          const work = reader
            .read(data as { chain: string; chunk: number }, stopping.signal)
            .finally(() => reading.delete(work));
          reading.add(work);
          return work;
        },
        onFailed: options.onFailed,
      });
      running = run(stopping.signal);
      return Promise.resolve();
    },
    async stop() {
      stopping.abort();
      await running;
      await Promise.allSettled(reading);
    },
    health: (): Health => ({ ok: true, detail: failing ? "waiting for store or queue" : "running" }),
    wake: () => waker.wake(),
  };
}

/** The epoch is part of it: a job that a killed process still holds in the queue does not stand in the way of the next. */
function jobIdOf({ chain, chunk, epoch }: ClaimablePlace): string {
  return `retro-${chain.replaceAll(/[^0-9A-Za-z]/g, "-")}-${chunk}-${epoch}`;
}
