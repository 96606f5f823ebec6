/** The cases of alerts: found by what a team sorts them by, changed by one act at a time, each with its line in the audit trail. */
import { type SelectQueryBuilder, sql, type Transaction } from "kysely";
import { NotFoundError } from "../lib/errors.ts";
import type { AlertKind, AlertRecord, Severity, Stage } from "../types/alert.ts";
import { type CasePatch, DONE_STATES, isDone, type TriageCase, type TriageState } from "../types/triage.ts";
import type { AuditRecord } from "../types/watch-change.ts";
import { alertOf } from "./alert-store.ts";
import type { Db } from "./database.ts";
import type { Database } from "./schema.ts";
import { readCaseHistory } from "./triage-reader.ts";
import { caseOf, caseText } from "./triage-rows.ts";
import { audit, ChangedMeanwhileError } from "./watch-apply.ts";

/** The next page begins below this alert. Unlike an offset it holds while new alerts come. */
export interface ListPlace {
  readonly alertedAt: number;
  readonly alertId: string;
}

export interface CaseQuery {
  readonly limit: number;
  readonly offset?: number | undefined;
  readonly below?: ListPlace | undefined;
  readonly states?: readonly TriageState[] | undefined;
  readonly severities?: readonly Severity[] | undefined;
  readonly kind?: AlertKind | undefined;
  readonly stage?: Stage | undefined;
  /** True: taken back by the chain; false: all others. */
  readonly retracted?: boolean | undefined;
  readonly incident?: string | undefined;
  readonly chain?: string | undefined;
  readonly customer?: string | undefined;
  readonly assignee?: string | undefined;
  /** Not done, and due before this. */
  readonly dueBefore?: number | undefined;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export interface ListedAlert {
  readonly alert: AlertRecord;
  readonly triage: TriageCase;
}

export interface CaseChange {
  readonly alertId: string;
  /** The version the change was decided on; null where it does not matter: nothing is lost by one more note. */
  readonly seen: number | null;
  readonly actor: string;
  readonly action: string;
  readonly note: string | null;
  readonly now: number;
  /** Throws what is not allowed. Sees the alert as it is in this transaction. */
  readonly decide: (before: TriageCase, severity: Severity) => CasePatch;
}

/** Cases that are not done. */
export interface CaseCount {
  readonly state: TriageState;
  readonly severity: Severity;
  readonly count: number;
  readonly overdue: number;
}

export interface TriageStore {
  /** Newest first. */
  list(query: CaseQuery): Promise<ListedAlert[]>;
  /** Throws ChangedMeanwhileError, which says who changed what, where `seen` is not the case's version. */
  change(of: CaseChange): Promise<TriageCase>;
  /** Writes down an act that changes nothing of the case, not even its version. Throws NotFoundError where there is none. */
  note(of: Omit<CaseChange, "seen" | "decide">): Promise<void>;
  counts(now: number): Promise<CaseCount[]>;
}

export function createTriageStore(db: Db): TriageStore {
  return {
    async list(query) {
      const page = pageOf(db, query).as("page");
      const rows = await db
        .selectFrom(page)
        .innerJoin("alert", "alert.alert_id", "page.alert_id")
        .selectAll("alert")
        .select(["page.state as case_state", "version", "assignee", "due_at", "reason", "changed_at"])
        .orderBy("page.alerted_at", "desc")
        .orderBy("page.alert_id", "desc")
        .execute();
      return rows.map(({ case_state, ...row }) => ({
        alert: alertOf(row),
        triage: caseOf({ ...row, state: case_state }),
      }));
    },

    change: (of) => db.transaction().execute((trx) => changeCase(trx, of)),

    note: (of) => db.transaction().execute((trx) => noteAct(trx, of)),

    async counts(now) {
      const rows = await db
        .selectFrom("triage")
        .select([
          "state",
          "severity",
          sql<number>`count(*)`.as("count"),
          sql<number>`count(*) filter (where due_at <= ${now})`.as("overdue"),
        ])
        .where("state", "not in", DONE_STATES)
        .groupBy(["state", "severity"])
        .execute();
      return rows.map((row) => ({ ...row, severity: row.severity as Severity }));
    },
  };
}

/** The alerts themselves are read for the rows of one page only. */
function pageOf(db: Db, query: CaseQuery) {
  let rows = db
    .selectFrom("triage")
    .selectAll()
    .orderBy("alerted_at", "desc")
    .orderBy("alert_id", "desc")
    .limit(query.limit)
    .offset(query.offset ?? 0);
  rows = equalTo(rows, query);
  const { below, states, severities, incident, dueBefore, since, until, retracted } = query;
  if (below !== undefined)
    rows = rows.where(sql<boolean>`(alerted_at, alert_id) < (${below.alertedAt}, ${below.alertId})`);
  if (states !== undefined) rows = rows.where("state", "in", states);
  if (severities !== undefined) rows = rows.where("severity", "in", severities);
  if (retracted !== undefined) rows = rows.where("stage", retracted ? "=" : "!=", "retracted");
  if (incident !== undefined) rows = rows.where(sql<boolean>`incidents @> array[${incident}]::text[]`);
  if (dueBefore !== undefined) rows = rows.where("due_at", "<=", dueBefore).where("state", "not in", DONE_STATES);
  if (since !== undefined) rows = rows.where("alerted_at", ">=", since);
  if (until !== undefined) rows = rows.where("alerted_at", "<", until);
  return rows;
}

function equalTo<O>(rows: SelectQueryBuilder<Database, "triage", O>, query: CaseQuery) {
  const { kind, stage, chain, customer, assignee } = query;
  const asked = { kind, stage, chain, customer_ref: customer, assignee };
  return Object.entries(asked).reduce(
    (some, [column, value]) => (value === undefined ? some : some.where(column as keyof typeof asked, "=", value)),
    rows,
  );
}

async function noteAct(trx: Transaction<Database>, of: Omit<CaseChange, "seen" | "decide">): Promise<void> {
  const { alertId, actor, action, note, now } = of;
  const row = await trx.selectFrom("triage").selectAll().where("alert_id", "=", alertId).executeTakeFirst();
  if (row === undefined) throw new NotFoundError(`there is no alert ${alertId}`);
  const text = caseText(caseOf(row));
  const nobody = { approver: null, changeHash: null };
  await audit(trx, { at: now, actor, action, subject: alertId, why: note, before: text, after: text, ...nobody });
}

async function changeCase(trx: Transaction<Database>, of: CaseChange): Promise<TriageCase> {
  const { alertId, seen, actor, action, note, now, decide } = of;
  const row = await trx.selectFrom("triage").selectAll().where("alert_id", "=", alertId).forUpdate().executeTakeFirst();
  if (row === undefined) throw new NotFoundError(`there is no alert ${alertId}`);
  const before = caseOf(row);
  if (seen !== null && seen !== before.version)
    throw new ChangedMeanwhileError(await changesSince(trx, { before, seen }));
  const after: TriageCase = {
    ...before,
    ...decide(before, row.severity as Severity),
    version: before.version + 1,
    changedAt: now,
  };
  const isJudged = after.state !== before.state && isDone(after.state);
  const judged = isJudged ? { judged_severity: row.severity, judged_stage: row.stage } : {};
  await trx
    .updateTable("triage")
    .set({
      state: after.state,
      version: after.version,
      assignee: after.assignee,
      due_at: after.dueAt,
      reason: after.reason,
      changed_at: now,
      ...judged,
    })
    .where("alert_id", "=", alertId)
    .execute();
  await audit(trx, {
    at: now,
    actor,
    action,
    subject: alertId,
    why: note,
    before: caseText(before),
    after: caseText(after),
    approver: null,
    changeHash: null,
  });
  return after;
}

// More than that nobody reads in an error; the history has all of them.
const CHANGES_TOLD = 5;

async function changesSince(
  trx: Transaction<Database>,
  { before, seen }: { before: TriageCase; seen: number },
): Promise<string> {
  const { alertId, version } = before;
  if (seen > version) return `alert ${alertId} has no version ${seen}: it is ${version}`;
  const missed = (await readCaseHistory(trx, alertId)).filter((record) => versionOf(record) > seen);
  const told = missed.slice(-CHANGES_TOLD).map((record) => `${record.actor}: ${describeChange(record)}`);
  return `alert ${alertId} changed since version ${seen}, it is ${version} now. ${told.join("; ")}`;
}

type AuditedCase = Pick<TriageCase, "state" | "assignee" | "version">;

function versionOf({ after }: AuditRecord): number {
  return (after as AuditedCase).version;
}

/** Without its note, which the trail keeps. */
function describeChange({ action, at, before, after }: AuditRecord): string {
  const [was, is] = [before as AuditedCase, after as AuditedCase];
  const parts = [
    ...(was.state === is.state ? [] : [`${was.state} to ${is.state}`]),
    ...(was.assignee === is.assignee ? [] : [`assigned to ${is.assignee ?? "nobody"}`]),
  ];
  return `${action}${parts.length === 0 ? "" : ` (${parts.join(", ")})`} at ${new Date(at).toISOString()}`;
}
