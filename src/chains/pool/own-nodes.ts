/** Questions that name what we watch: only own nodes may hear them. */
import type { TransactionPlace } from "../../types/chain.ts";
import type { Endpoint } from "./endpoint.ts";
import { usable } from "./operator.ts";

/** A node that cannot tell is no reason to fail: the next one is asked. */
export async function isContract(
  endpoints: readonly Endpoint[],
  address: string,
  signal: AbortSignal,
): Promise<boolean | null> {
  for (const { own, adapter } of usable(endpoints)) {
    const answer = own ? await adapter.isContract?.(address, signal).catch(() => null) : null;
    if (answer != null) return answer;
  }
  return null;
}

/** The first own node that knows it in a block; else what any of them says. Throws the last error where none could tell. */
export async function placeOf(
  endpoints: readonly Endpoint[],
  transaction: string,
  signal: AbortSignal,
): Promise<TransactionPlace | null> {
  let waiting: TransactionPlace | null = null;
  let failed: unknown = null;
  let answered = 0;
  for (const { own, adapter } of usable(endpoints)) {
    if (!own || adapter.placeOf === undefined) continue;
    try {
      const place = await adapter.placeOf(transaction, signal);
      answered += 1;
      if (place?.block != null) return place;
      waiting ??= place;
    } catch (error) {
      failed = error;
    }
  }
  if (answered === 0 && failed !== null) throw failed;
  return waiting;
}
