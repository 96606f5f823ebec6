/** A page of cases is found by an index, however many alerts there are. */
import { expect, test } from "@jest/globals";
import { CompiledQuery, type RootOperationNode, sql } from "kysely";
import type { OpenStore } from "../../src/store/database.ts";
import { type CaseQuery, createTriageStore } from "../../src/store/triage-store.ts";
import { NOW } from "./store-facts.ts";

export function caseScaleTests(getOpened: () => OpenStore): void {
  test("of 100,000 alerts a page is found by an index, whatever it is asked by", async () => {
    await fill(getOpened(), 100_000);
    const nodes: RootOperationNode[] = [];
    const watched = getOpened().db.withPlugin({
      transformQuery: ({ node }) => {
        nodes.push(node);
        return node;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    });
    const asked: Partial<CaseQuery>[] = [
      {},
      { below: { alertedAt: NOW + 50_000, alertId: "alr_x" } },
      { states: ["escalated"] },
      { severities: ["critical"] },
      { severities: ["critical"], states: ["open"], kind: "exposure" },
      { customer: "customer-78" },
      { assignee: "ann" },
      { incident: "rare" },
      { incident: "common", severities: ["critical"] },
      { dueBefore: NOW + 100_000 },
      { since: NOW + 90_000, until: NOW + 90_100 },
    ];
    for (const query of asked) {
      const rows = await createTriageStore(watched).list({ limit: 50, ...query });
      const plan = await planOf(getOpened(), nodes.at(-1) as RootOperationNode);
      expect({ query, plan, found: rows.length > 0 }).toEqual({
        query,
        plan: expect.not.stringContaining("Seq Scan"),
        found: true,
      });
    }
  }, 180_000);
}

/** Alerts as they come in a long year: most of them low and closed, few that matter. */
async function fill({ db }: OpenStore, count: number): Promise<void> {
  await sql`
    insert into alert (alert_id, chain, tx_hash, subject, revision, kind, stage, severity, action, summary, state, created_at, updated_at)
    select 'alr_' || i, 'test:many', '0x' || i, '0xthief', 1, 'exposure', 'final', 'low', 'none', 'one of many', 'x', ${NOW}::int8 + i, ${NOW}::int8 + i
    from generate_series(1, ${count}::int) as i`.execute(db);
  await sql`
    insert into triage
    select 'alr_' || i, 'test:many', case when i % 3 = 0 then 'exposure' else 'movement' end, 'final',
      case when i % 999 = 0 then 'critical' when i % 10 = 0 then 'high' else 'low' end,
      case when i % 2 = 0 then 'customer-' || i % 5000 end,
      case when i % 9999 = 0 then array['rare'] else array['common'] end,
      ${NOW}::int8 + i, case when i % 5000 = 1 then 'escalated' when i % 20 = 0 then 'open' when i % 3 = 0 then 'open' else 'closed_false' end,
      1, case when i % 1000 = 0 then 'ann' end, case when i % 500 = 0 then ${NOW}::int8 + i end, 'other', ${NOW}::int8, 'low', 'final'
    from generate_series(1, ${count}::int) as i`.execute(db);
  await sql`analyze triage`.execute(db);
  await sql`analyze alert`.execute(db);
}

async function planOf({ db }: OpenStore, node: RootOperationNode): Promise<string> {
  const executor = db.getExecutor();
  const { sql: text, parameters } = executor.compileQuery(node, { queryId: "plan" });
  const { rows } = await db.executeQuery<object>(CompiledQuery.raw(`explain ${text}`, [...parameters]));
  return rows.map((row) => Object.values(row).join("")).join("\n");
}
