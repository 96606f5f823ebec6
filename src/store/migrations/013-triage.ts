/** Triage: one case per alert, beside what the list is filtered by; the trail of one alert is found by its subject. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const NOT_DONE = `state not in ('reported', 'closed_true', 'closed_false', 'suppressed')`;

const STATEMENTS = [
  // Chain to incidents are the alert's own, copied in the transaction that stores its revision: so one index finds a page.
  `create table triage (
    alert_id text primary key,
    chain text not null,
    kind text not null,
    stage text not null,
    severity text not null,
    customer_ref text,
    incidents text[] not null,
    alerted_at int8 not null,
    state text not null,
    version int8 not null,
    assignee text,
    due_at int8,
    reason text,
    changed_at int8 not null,
    judged_severity text,
    judged_stage text,
    check (${NOT_DONE} or (reason is not null and judged_severity is not null and judged_stage is not null))
  )`,
  `insert into triage
    select alert.alert_id, chain, kind, stage, severity,
      (select payload::jsonb #>> '{own,address,customerRef}' from hit
        where hit.alert_id = alert.alert_id order by 1 limit 1),
      array(select distinct match #>> '{entry,incident}'
        from hit, jsonb_array_elements(payload::jsonb -> 'matches') as match
        where hit.alert_id = alert.alert_id order by 1),
      created_at, 'open', 1, null, null, null, created_at, null, null
    from alert where revision > 0`,
  `create index triage_time on triage (alerted_at desc, alert_id desc)`,
  `create index triage_state on triage (state, alerted_at desc, alert_id desc)`,
  `create index triage_severity on triage (severity, alerted_at desc, alert_id desc)`,
  `create index triage_customer on triage (customer_ref, alerted_at desc, alert_id desc) where customer_ref is not null`,
  `create index triage_assignee on triage (assignee, alerted_at desc, alert_id desc) where assignee is not null`,
  `create index triage_incident on triage using gin (incidents)`,
  `create index triage_due on triage (due_at) where due_at is not null and ${NOT_DONE}`,
  `create index watch_audit_subject on watch_audit (subject, seq)`,
];
