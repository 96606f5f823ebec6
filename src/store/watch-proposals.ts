/** A change that waits for a second person: bound to the hash of what it would do, once while it is open. */
import type { Transaction } from "kysely";
import { hashId } from "../lib/ids.ts";
import type { ListChange, Proposal, WatchAction } from "../types/watch-change.ts";
import type { Database } from "./schema.ts";
import { audit, hashOfChange } from "./watch-apply.ts";
import { proposalOf } from "./watch-rows.ts";

export interface ProposeOptions {
  readonly action: WatchAction;
  readonly change: ListChange;
  readonly proposer: string;
  readonly why: string | null;
  readonly now: number;
  readonly expiresAt: number;
}

/** `isNew` false: the same change is proposed and open already. One that ran out is closed, and made anew. */
export async function propose(
  trx: Transaction<Database>,
  { action, change, proposer, why, now, expiresAt }: ProposeOptions,
): Promise<{ proposal: Proposal; isNew: boolean }> {
  const changeHash = hashOfChange({ action, change });
  const open = await trx
    .selectFrom("watch_proposal")
    .selectAll()
    .where("change_hash", "=", changeHash)
    .where("state", "=", "open")
    .executeTakeFirst();
  if (open !== undefined && open.expires_at > now) return { proposal: proposalOf(open), isNew: false };
  if (open !== undefined)
    await trx
      .updateTable("watch_proposal")
      .set({ state: "expired", decided_at: now })
      .where("proposal_id", "=", open.proposal_id)
      .execute();
  const row = {
    proposal_id: hashId("wpr", [changeHash, proposer, String(now)]),
    change_hash: changeHash,
    action,
    list: change.list,
    payload: JSON.stringify(change),
    proposer,
    why,
    created_at: now,
    expires_at: expiresAt,
    state: "open" as const,
    decided_by: null,
    decided_at: null,
  };
  await trx.insertInto("watch_proposal").values(row).execute();
  await audit(trx, {
    at: now,
    actor: proposer,
    action: `propose ${action}`,
    subject: row.proposal_id,
    why,
    before: null,
    after: JSON.stringify({ list: change.list, entries: change.entries.map(({ entryId }) => entryId).slice(0, 50) }),
    approver: null,
    changeHash,
  });
  return { proposal: proposalOf(row), isNew: true };
}
