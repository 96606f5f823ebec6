/**
 * On whose behalf work runs: what is live goes before what can wait. The mark follows every await, so that nothing
 * between the one who knows (a scan of the past) and the one who asks (a node's request gate) has to hand it on.
 */
import { AsyncLocalStorage } from "node:async_hooks";

const backfill = new AsyncLocalStorage<true>();

/** Everything `work` does, however deep, can wait for live work. */
export function inBackfill<T>(work: () => Promise<T>): Promise<T> {
  return backfill.run(true, work);
}

export function isBackfill(): boolean {
  return backfill.getStore() === true;
}
