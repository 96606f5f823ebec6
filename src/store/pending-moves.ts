/** What a block that comes or goes means for transactions that were seen in the mempool. */
import type { Transaction } from "kysely";
import type { Lease, ScannedBlock } from "../types/checkpoint.ts";
import { addHitEvents, bareEvent } from "./hit-rows.ts";
import type { Database } from "./schema.ts";

/**
 * Transactions of these blocks are included, and what their blocks do not tell of them will not happen any more. Called
 * once the blocks' hits are stored: whatever is still pending of such a transaction is superseded.
 */
export async function settleMined(
  trx: Transaction<Database>,
  { lease, scanned, now }: { lease: Lease; scanned: readonly ScannedBlock[]; now: number },
): Promise<void> {
  const { chain } = lease;
  for (const { block, hits } of scanned) {
    const hashes = [...new Set(hits.map((hit) => hit.transfer.txHash))];
    if (hashes.length === 0) continue;
    await trx
      .updateTable("pending_transaction")
      .set({ state: "included", block_number: block.number, changed_at: now })
      .where("chain", "=", chain)
      .where("tx_hash", "in", hashes)
      .execute();
    await supersede(trx, { chain, hashes, now });
  }
}

/** Ends the hits that are still pending of transactions that are in a block. Returns how many. */
export async function supersede(
  trx: Transaction<Database>,
  { chain, hashes, now }: { chain: string; hashes: readonly string[]; now: number },
): Promise<number> {
  const rows = await endPendingHits(trx, { chain, hashes });
  await addHitEvents(
    trx,
    rows.map((row) => bareEvent({ ...row, kind: "superseded" })),
    now,
  );
  return rows.length;
}

/** Marks the pending hits of these transactions removed. Returns them in a fixed order; telling it is the caller's. */
export async function endPendingHits(
  trx: Transaction<Database>,
  { chain, hashes }: { chain: string; hashes: readonly string[] },
): Promise<{ hitId: string; alertId: string }[]> {
  const rows = await trx
    .updateTable("hit")
    .set({ state: "removed" })
    .where("chain", "=", chain)
    .where("tx_hash", "in", hashes)
    .where("state", "=", "pending")
    .returning(["hit_id", "alert_id"])
    .execute();
  return rows
    .map((row) => ({ hitId: row.hit_id, alertId: row.alert_id }))
    .toSorted((a, b) => (a.hitId < b.hitId ? -1 : 1));
}

/** Transactions of blocks that left the chain are waited for again. */
export async function settleUnmined(
  trx: Transaction<Database>,
  { chain, above, now }: { chain: string; above: number; now: number },
): Promise<void> {
  await trx
    .updateTable("pending_transaction")
    .set({ state: "unmined", block_number: null, changed_at: now })
    .where("chain", "=", chain)
    .where("state", "=", "included")
    .where("block_number", ">", above)
    .execute();
}

/** Transactions whose disputed block lost: the mempool tells them again if they still wait there. */
export async function waitAgain(
  trx: Transaction<Database>,
  { chain, hashes, now }: { chain: string; hashes: readonly string[]; now: number },
): Promise<void> {
  await trx
    .updateTable("pending_transaction")
    .set({ state: "unmined", changed_at: now })
    .where("chain", "=", chain)
    .where("tx_hash", "in", hashes)
    .where("state", "=", "pending")
    .execute();
}
