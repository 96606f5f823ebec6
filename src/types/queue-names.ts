/** Names of the queues, shared by whoever writes an outbox row and whoever works it off. */
export const HITS_QUEUE = "hits";

/** Chunks of blocks to be read for scans of the past. */
export const RETRO_QUEUE = "retro";

/** One queue a sink: a slow receiver holds up nobody else. */
export function deliveriesQueue(sink: string): string {
  return `deliveries-${sink}`;
}
