/**
 * The case of an alert follows its revisions, in the transaction that stores them: so none is ever without its case, and
 * none that was done stays so when the alert gains weight.
 *
 * Weight is a higher severity, a transfer that was not told before, or standing again after it was judged as retracted.
 * Held against what the alert was when a person judged it; while nobody has, against the revision before. It raises the
 * case's version also while the case is open, so that nobody closes what they have not seen.
 */
import type { Transaction } from "kysely";
import { type FoldResult, SEVERITIES, type Severity } from "../types/alert.ts";
import { type DueHours, isDone, type TriageCase } from "../types/triage.ts";
import type { Database } from "./schema.ts";
import { caseOf, caseText, type TriageTable } from "./triage-rows.ts";
import { audit } from "./watch-apply.ts";

const HOUR_MS = 3_600_000;
// No person and no OS user can be called so.
const SYSTEM_ACTOR = "system:alerts";

export function dueFrom(at: number, severity: Severity, dueHours: DueHours): number | null {
  const hours = dueHours[severity];
  return hours === undefined ? null : at + hours * HOUR_MS;
}

/** The alert's row is locked. `isNew`: this is its first revision, so there can be no case yet. */
export async function followAlert(
  trx: Transaction<Database>,
  { result, isNew, dueHours }: { result: FoldResult; isNew: boolean; dueHours: DueHours },
): Promise<void> {
  if (isNew) return addCase(trx, result, dueHours);
  const { record } = result;
  const row = await trx
    .selectFrom("triage")
    .selectAll()
    .where("alert_id", "=", record.alertId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) return addCase(trx, result, dueHours);
  const before = caseOf(row);
  const gains = weightGained(row, result);
  const after = gains.length === 0 ? before : afterGain(before, row, { result, dueHours });
  await trx
    .updateTable("triage")
    .set({
      ...copied(result),
      state: after.state,
      version: after.version,
      due_at: after.dueAt,
      reason: after.reason,
      changed_at: after.changedAt,
    })
    .where("alert_id", "=", record.alertId)
    .execute();
  if (gains.length === 0) return;
  await audit(trx, {
    at: record.updatedAt,
    actor: SYSTEM_ACTOR,
    action: isDone(before.state) ? "reopen" : "alert gained weight",
    subject: record.alertId,
    why: `revision ${record.revision}: ${gains.join("; ")}`,
    before: caseText(before),
    after: caseText(after),
    approver: null,
    changeHash: null,
  });
}

async function addCase(trx: Transaction<Database>, result: FoldResult, dueHours: DueHours): Promise<void> {
  const { alertId, createdAt, severity } = result.record;
  await trx
    .insertInto("triage")
    .values({
      alert_id: alertId,
      alerted_at: createdAt,
      ...copied(result),
      state: "open",
      version: 1,
      assignee: null,
      due_at: dueFrom(createdAt, severity, dueHours),
      reason: null,
      changed_at: createdAt,
      judged_severity: null,
      judged_stage: null,
    })
    .execute();
}

/** What the list is filtered by. */
function copied({ record, about }: FoldResult) {
  return {
    chain: record.chain,
    kind: record.kind,
    stage: record.stage,
    severity: record.severity,
    customer_ref: about.customerRef,
    incidents: about.incidents,
  };
}

/** In words; empty: none. */
function weightGained(row: TriageTable, { record, about }: FoldResult): string[] {
  const judged = isDone(row.state);
  const severity = (judged ? row.judged_severity : row.severity) as Severity;
  const stage = judged ? row.judged_stage : row.stage;
  const gains: string[] = [];
  if (rank(record.severity) > rank(severity)) gains.push(`severity rose from ${severity} to ${record.severity}`);
  if (about.gainedHit) gains.push("a new transfer");
  if (stage === "retracted" && record.stage !== "retracted") gains.push("it stands again after it was retracted");
  return gains;
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** A done case is open again, and its clock starts anew; of one that is not, the clock can only become shorter. */
function afterGain(
  before: TriageCase,
  row: TriageTable,
  { result: { record }, dueHours }: { result: FoldResult; dueHours: DueHours },
): TriageCase {
  const dueAt = dueFrom(record.updatedAt, record.severity, dueHours);
  const changed = { ...before, version: before.version + 1, changedAt: record.updatedAt };
  if (isDone(before.state)) return { ...changed, state: "open", reason: null, dueAt };
  const rose = rank(record.severity) > rank(row.severity as Severity);
  const sooner = rose && dueAt !== null && (before.dueAt === null || dueAt < before.dueAt);
  return sooner ? { ...changed, dueAt } : changed;
}
