/** Severe alerts that a sink did not take within a minute go to its fallback sink too. The first one is still tried on. */
import type { Clock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { DeliveryMoves } from "../store/delivery-moves.ts";
import type { SinkConfig } from "../types/config.ts";
import type { Log } from "../types/log.ts";

const LOOK_MS = 1_000;
const FALLBACK_AFTER_MS = 60_000;
// As long as the retry schedule: a fallback that is configured today is not for what was given up last year.
const FALLBACK_WITHIN_MS = 7.15 * 24 * 3_600_000;

export interface FallbacksOptions {
  readonly moves: DeliveryMoves;
  readonly sinks: readonly SinkConfig[];
  readonly queuedSinks: readonly string[];
  /** Of the retry schedule. */
  readonly scale: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Outbox rows were written. */
  readonly onWork: () => void;
}

/** Looks in the store, so it works as well while the queue is away, and picks up what a restart left. */
export async function runFallbacks(options: FallbacksOptions, signal: AbortSignal): Promise<void> {
  const { log } = options;
  const pairs = options.sinks.flatMap((sink) =>
    "fallback" in sink && sink.fallback !== undefined ? [{ sink: sink.name, to: sink.fallback }] : [],
  );
  while (!signal.aborted && pairs.length > 0) {
    for (const pair of pairs) {
      await handOver(options, pair).catch((error: unknown) =>
        log.warn({ ...pair, error: redactText(describeError(error)) }, "not handed to the fallback sink, trying again"),
      );
    }
    await sleep(LOOK_MS, signal);
  }
}

async function handOver(options: FallbacksOptions, { sink, to }: { sink: string; to: string }): Promise<void> {
  const { moves, queuedSinks, scale, clock, log, onWork } = options;
  const now = clock.now();
  const queued = queuedSinks.includes(to);
  const before = now - FALLBACK_AFTER_MS * scale;
  const deliveries = await moves.fallBack({ sink, to, from: now - FALLBACK_WITHIN_MS, before, now, queued });
  if (deliveries === 0) return;
  log.warn({ sink, to, deliveries }, "severe alerts were not taken in time, their fallback sink gets them too");
  if (queued) onWork();
}
