/** Opens the book of record: Postgres, or PGlite (real Postgres, in process) in a folder. Same SQL, same migrations. */
import { mkdir } from "node:fs/promises";
import { Kysely, PostgresDialect, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import pg from "pg";
import { AppError, UnavailableError, describeError } from "../lib/errors.ts";
import { redactText, redactUrl } from "../lib/redact.ts";
import * as line from "./migrations/001-line.ts";
import * as trust from "./migrations/002-trust.ts";
import * as mempool from "./migrations/003-mempool.ts";
import * as work from "./migrations/004-work.ts";
import * as watch from "./migrations/005-watch.ts";
import * as retro from "./migrations/006-retro.ts";
import * as slots from "./migrations/007-slots.ts";
import * as changes from "./migrations/008-changes.ts";
import * as rewatched from "./migrations/009-rewatched.ts";
import * as watchDue from "./migrations/010-watch-due.ts";
import * as delivery from "./migrations/011-delivery.ts";
import * as lateValues from "./migrations/012-late-values.ts";
import * as triage from "./migrations/013-triage.ts";
import * as groups from "./migrations/014-groups.ts";
import * as own from "./migrations/016-own.ts";
import * as payments from "./migrations/017-payments.ts";
import * as reads from "./migrations/018-reads.ts";
import * as screening from "./migrations/019-screening.ts";
import { PglitePool, PgliteSession } from "./pglite-pool.ts";
import type { Database } from "./schema.ts";

export type Db = Kysely<Database>;

export interface OpenStore {
  readonly db: Db;
  /** What BullMQ's Postgres backend needs where there is no Redis: a pool of its own over the same database. */
  readonly queuePool: QueuePool;
  readonly kind: "postgres" | "pglite";
  /** For logs: no password. */
  readonly where: string;
  /** Rejects when it does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Structurally BullMQ's `PgPool`. */
export type QueuePool = pg.Pool | PglitePool;

export class StoreError extends AppError {
  override readonly code = "store";
}

const MIGRATIONS: Record<string, Migration> = {
  "001-line": line,
  "002-trust": trust,
  "003-mempool": mempool,
  "004-work": work,
  "005-watch": watch,
  "006-retro": retro,
  "007-slots": slots,
  "008-changes": changes,
  "009-rewatched": rewatched,
  "010-watch-due": watchDue,
  "011-delivery": delivery,
  "012-late-values": lateValues,
  "013-triage": triage,
  "014-groups": groups,
  "016-own": own,
  "017-payments": payments,
  "018-reads": reads,
  "019-screening": screening,
};

const INT8 = 20;
// The time to live of a lease: whoever is silent inside a transaction for that long has lost its chains anyway.
const IDLE_IN_TRANSACTION_MS = 10_000;

export async function openStore(options: { databaseUrl: string | null; dataDir: string }): Promise<OpenStore> {
  return options.databaseUrl === null ? openPglite(`${options.dataDir}/pglite`) : openPostgres(options.databaseUrl);
}

async function openPglite(folder: string): Promise<OpenStore> {
  const { PGlite } = await import("@electric-sql/pglite");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const pglite = await PGlite.create({ dataDir: folder });
  const session = new PgliteSession(pglite);
  // One session, one search path: ours first, then the tables of BullMQ's backend.
  await pglite.exec("set search_path to public, bullmq");
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({ pool: new PglitePool({ session, int8: "number" }) as never }),
  });
  return {
    db,
    queuePool: new PglitePool({ session, int8: "text" }),
    kind: "pglite",
    where: folder,
    ping: async () => void (await sql`select 1`.execute(db)),
    async close() {
      await db.destroy();
      await pglite.close();
    },
  };
}

async function openPostgres(url: string): Promise<OpenStore> {
  const where = redactUrl(url);
  const base = {
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: "heistwatch",
    // A daemon that stops inside a transaction (paused machine, cut network) holds the chain's row: without an end to
    // that, no other daemon could take over, whatever the lease says.
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  };
  const pool = new pg.Pool({ ...base, max: 12, types: int8AsNumber() });
  // Each worker keeps one connection for LISTEN: a worker per sink, and room to spare. Opened only when used.
  const queuePool = new pg.Pool({ ...base, max: 32, options: "-c search_path=bullmq" });
  // An idle connection that drops emits an error; the next query opens another. Without a listener the process dies.
  // The same for one that drops while it is lent out, between two statements: the pool does not listen then.
  for (const each of [pool, queuePool]) {
    each.on("error", () => undefined);
    each.on("connect", (client) => client.on("error", () => undefined));
  }
  try {
    await pool.query("select 1");
  } catch (error) {
    await Promise.allSettled([pool.end(), queuePool.end()]);
    throw new UnavailableError(`Postgres at ${where} does not answer: ${redactText(describeError(error))}`, {
      cause: error,
    });
  }
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  return {
    db,
    queuePool,
    kind: "postgres",
    where,
    ping: async () => void (await sql`select 1`.execute(db)),
    async close() {
      await db.destroy();
      await queuePool.end();
    },
  };
}

/** Our int8 columns hold heights, sequence numbers and milliseconds: all far below 2^53. */
function int8AsNumber(): pg.CustomTypesConfig {
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8, Number);
  return types;
}

/** Brings the schema up to date. Several daemons may start at once: Kysely's migration lock lets one of them do it. */
export async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(MIGRATIONS) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined)
    throw new StoreError(`the store could not be brought up to date: ${describeError(error)}`, { cause: error });
}
