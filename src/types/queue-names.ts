/** Names of the queues, shared by whoever writes an outbox row and whoever works it off. */
export const HITS_QUEUE = "hits";

/** One queue a sink: a slow receiver holds up nobody else. */
export function deliveriesQueue(sink: string): string {
  return `deliveries-${sink}`;
}
