/** A lane for each configured sink. */
import { createSinkLane, type SinkLane } from "../deliver/lane.ts";
import type { Clock } from "../lib/clock.ts";
import type { SinkConfig } from "../types/config.ts";

// Chats and mail: the services allow about a message a second, and a room reads them in order. So does the console.
const USUAL_CONCURRENCY = 1;

/** At most this many attempts of a sink under way at once. */
export function concurrencyOf(sink: SinkConfig): number {
  return "concurrency" in sink ? sink.concurrency : USUAL_CONCURRENCY;
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
