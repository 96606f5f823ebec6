/**
 * Who wrote what, under which epoch: triggers in the daemon's own database, active inside its own transactions.
 * A row of the audit exists exactly when the write it tells of was committed.
 */
import { Client } from "pg";

export interface FenceAudit {
  /** Writes of the line that did not come from the daemon that held the chain's epoch; must be empty. */
  strayWrites(): Promise<string[]>;
  /** How many writes of the line each daemon made, and how often each took the chain. */
  figures(): Promise<{ readonly writes: Record<string, number>; readonly terms: Record<string, number> }>;
  /** Writes of the line by this daemon so far. */
  writesOf(daemon: string): Promise<number>;
}

const TABLES = ["checkpoint", "coverage", "hit", "hit_event"];

// The daemons are told apart by application_name, which their connection URLs carry.
const SETUP = `
  create schema if not exists audit;
  create table audit.term (epoch int8 primary key, daemon text not null);
  create table audit.write (id bigserial primary key, daemon text not null, epoch int8 not null, what text not null);
  create function audit.on_lease() returns trigger language plpgsql as $$
  begin
    insert into audit.term values (new.epoch, current_setting('application_name')) on conflict do nothing;
    return null;
  end $$;
  create function audit.on_write() returns trigger language plpgsql as $$
  begin
    insert into audit.write (daemon, epoch, what)
      select current_setting('application_name'), epoch, tg_table_name || ' ' || tg_op from public.chain_lease;
    return null;
  end $$;
  insert into audit.term
    select epoch, (select application_name from pg_stat_activity where application_name like 'daemon%' limit 1)
    from public.chain_lease;
  create trigger audit_lease after insert or update of epoch on public.chain_lease
    for each row execute function audit.on_lease();
  ${TABLES.map((table) => `create trigger audit_write after insert or update or delete on public.${table} for each statement execute function audit.on_write();`).join("\n  ")}
`;

/** Once the tables are there and exactly one daemon runs. `applied` marks of the fold are no writes of the line. */
export async function installFenceAudit(databaseUrl: string): Promise<FenceAudit> {
  await query(databaseUrl, SETUP.replace("or update or delete on public.hit_event", "on public.hit_event"));
  return {
    async strayWrites() {
      const rows = await query<{ text: string }>(
        databaseUrl,
        `select write.daemon || ' wrote ' || write.what || ' in epoch ' || write.epoch || ' of ' || coalesce(term.daemon, 'nobody') as text
         from audit.write left join audit.term using (epoch) where term.daemon is distinct from write.daemon`,
      );
      return rows.map(({ text }) => text);
    },
    async figures() {
      const count = async (table: string) => {
        const rows = await query<{ daemon: string; count: number }>(
          databaseUrl,
          `select daemon, count(*)::int as count from audit.${table} group by daemon order by daemon`,
        );
        return Object.fromEntries(rows.map((row) => [row.daemon, row.count]));
      };
      return { writes: await count("write"), terms: await count("term") };
    },
    async writesOf(daemon) {
      const rows = await query<{ count: number }>(
        databaseUrl,
        `select count(*)::int as count from audit.write where daemon = $1`,
        [daemon],
      );
      return rows[0]?.count ?? 0;
    },
  };
}

export async function query<T>(databaseUrl: string, sql: string, values?: readonly unknown[]): Promise<T[]> {
  const client = new Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5_000,
    application_name: "test",
  });
  // Without a listener, a connection cut by a restart of the server would stop the test process.
  client.on("error", () => undefined);
  try {
    await client.connect();
    const result = await client.query(sql, values === undefined ? undefined : [...values]);
    return result.rows as T[];
  } finally {
    await client.end().catch(() => undefined);
  }
}
