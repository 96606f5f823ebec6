/** Works on items in order, at most so many at a time; the results in the order of the items. */

/** Rejects with the first failure, once the others under way have ended; their signal is aborted then. */
export async function sideBySide<T, R>(
  items: readonly T[],
  { atOnce, signal }: { atOnce: number; signal: AbortSignal },
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const results: R[] = [];
  let next = 0;
  async function takeTurns(): Promise<void> {
    while (next < items.length && !either.aborted) {
      const index = next;
      next += 1;
      results[index] = await work(items[index] as T, either);
    }
  }
  const turns = Array.from({ length: Math.min(atOnce, items.length) }, () =>
    takeTurns().catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  const ends = await Promise.allSettled(turns);
  signal.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return results;
}
