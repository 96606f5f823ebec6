/** What others read of triage: sinks, evidence bundles, digests. Changes go through `triage-store.ts`. */
import type { Kysely } from "kysely";
import type { TriageCase } from "../types/triage.ts";
import type { AuditRecord } from "../types/watch-change.ts";
import { inChunks } from "./outbox.ts";
import type { Database } from "./schema.ts";
import { caseOf } from "./triage-rows.ts";
import { auditOf } from "./watch-rows.ts";

/** By alert; an alert that is not told yet has no case. */
export async function readCases(db: Kysely<Database>, alertIds: readonly string[]): Promise<Map<string, TriageCase>> {
  const cases = new Map<string, TriageCase>();
  for (const chunk of inChunks(alertIds)) {
    const rows = await db.selectFrom("triage").selectAll().where("alert_id", "in", chunk).execute();
    for (const row of rows) cases.set(row.alert_id, caseOf(row));
  }
  return cases;
}

/** Every act on a case, oldest first: who, what, the state before and after, and the note as `why`. */
export async function readCaseHistory(db: Kysely<Database>, alertId: string): Promise<AuditRecord[]> {
  const rows = await db.selectFrom("watch_audit").selectAll().where("subject", "=", alertId).orderBy("seq").execute();
  return rows.map(auditOf);
}
