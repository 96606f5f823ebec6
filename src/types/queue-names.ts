/** Names of the queues, shared by whoever writes an outbox row and whoever works it off. */
export const HITS_QUEUE = "hits";

/** Chunks of blocks to be read for scans of the past. */
export const RETRO_QUEUE = "retro";

/** One queue a sink: a slow receiver holds up nobody else. */
export function deliveriesQueue(sink: string): string {
  return `deliveries-${sink}`;
}

/**
 * Which work goes first: `0` what is severe or takes something back, `1` the rest, `2` what anybody can make plenty of
 * (dust, unlisted tokens). A flood in one lane never delays the lane before it.
 */
export type JobLane = 0 | 1 | 2;
