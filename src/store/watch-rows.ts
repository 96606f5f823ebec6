/** Rows of the watch tables as the rest of the program knows them. */
import type { WatchEntry } from "../types/watch.ts";
import type { AuditRecord, ListChange, Proposal, WatchAction } from "../types/watch-change.ts";
import type { WatchAuditTable, WatchProposalTable } from "./schema.ts";

export function entryOf(row: { payload: string }): WatchEntry {
  return JSON.parse(row.payload) as WatchEntry;
}

export function proposalOf(row: WatchProposalTable): Proposal {
  return {
    proposalId: row.proposal_id,
    changeHash: row.change_hash,
    action: row.action as WatchAction,
    change: JSON.parse(row.payload) as ListChange,
    proposer: row.proposer,
    why: row.why,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    state: row.state,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
  };
}

export function auditOf(row: Omit<WatchAuditTable, "seq"> & { seq: number }): AuditRecord {
  const parse = (text: string | null) => (text === null ? null : (JSON.parse(text) as unknown));
  return {
    seq: row.seq,
    at: row.at,
    actor: row.actor,
    action: row.action,
    subject: row.subject,
    why: row.why,
    before: parse(row.before),
    after: parse(row.after),
    approver: row.approver,
    changeHash: row.change_hash,
  };
}
