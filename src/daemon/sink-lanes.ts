/** A lane for each configured sink. */
import { createSinkLane, type SinkLane } from "../deliver/lane.ts";
import type { Clock } from "../lib/clock.ts";
import type { SinkConfig } from "../types/config.ts";

// The console writes a block at a time.
const DEFAULT_CONCURRENCY = 4;

/** At most this many attempts of a sink under way at once. */
export function concurrencyOf(sink: SinkConfig): number {
  return "concurrency" in sink ? sink.concurrency : DEFAULT_CONCURRENCY;
}

/** `scale`: of the retry schedule. */
export function openLanes(
  sinks: readonly SinkConfig[],
  { scale, clock }: { scale: number; clock: Clock },
): ReadonlyMap<string, SinkLane> {
  return new Map(
    sinks.map((sink) => {
      const maxPerSecond = "maxPerSecond" in sink ? (sink.maxPerSecond ?? null) : null;
      return [sink.name, createSinkLane({ concurrency: concurrencyOf(sink), maxPerSecond, scale, clock })];
    }),
  );
}
