/** Own addresses of a real Postgres: read, checked, refreshed, and kept when a refresh fails or would lose many. */
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { Client } from "pg";
import { normalizeAddress } from "../../src/chains/registry.ts";
import { type Alarms, createAlarms } from "../../src/daemon/alarms.ts";
import { createLiveLists, type LiveLists } from "../../src/daemon/live-lists.ts";
import { openOwnCalls } from "../../src/daemon/own-open.ts";
import { refreshOwn, waitForOwnDatabase } from "../../src/daemon/own-database-sync.ts";
import { watchPorts } from "../../src/daemon/watch-ports.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { migrate, openStore, type OpenStore } from "../../src/store/database.ts";
import { createWatchStore } from "../../src/store/watch-store.ts";
import type { Config } from "../../src/types/config.ts";
import { readOwnDatabase } from "../../src/watchlist/own-database.ts";
import { createOwnIndex, NO_OWN, type OwnIndex } from "../../src/watchlist/own-index.ts";
import { createTokenList } from "../../src/watchlist/tokens.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { waitFor } from "../support/wait-for.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";

const CHAIN = "eip155:1";
const QUERY = "select chain, address, customer_ref, wallet from own order by id";
const NEVER = new AbortController().signal;
const ROWS = 1_200;
// Digits only: no letter's case carries a checksum.
const addressOf = (id: number) => `0x${id.toString().padStart(40, "0")}`;

let server: PostgresServer;
let url = "";
let sql: Client;
beforeAll(async () => {
  server = await startPostgres();
  url = await server.createDatabase("exchange");
}, 60_000);
afterAll(() => server.stop());

beforeEach(async () => {
  sql = new Client({ connectionString: url });
  sql.on("error", () => undefined);
  await sql.connect();
  await sql.query("create table own (id int primary key, chain text, address text, customer_ref bigint, wallet text)");
  await sql.query(
    "insert into own select id, $1, '0x' || lpad(id::text, 40, '0'), 9007199254740993 + id, 'deposit' from generate_series(1, $2::int) id",
    [CHAIN, ROWS],
  );
}, 60_000);
afterEach(async () => {
  await sql.query("drop table own");
  await sql.query("drop sequence if exists taken");
  await sql.end();
});

const read = (query = QUERY) => readOwnDatabase({ url, query }, { normalizeAddress, signal: NEVER });
const linesOf = (problems: readonly { line: number; field: string }[]) =>
  problems.map(({ line, field }) => [line, field]);

describe("a database of own addresses", () => {
  test("gives every row of many pages, references of digits as text", async () => {
    await sql.query("update own set customer_ref = null, wallet = 'hot' where id = 600");
    const { own, problems } = await read();
    expect(problems).toEqual([]);
    expect(own.count).toBe(ROWS);
    // Above 2^53: a number would have lost its last digit.
    const first = { chain: CHAIN, address: addressOf(1), customerRef: "9007199254740994", wallet: "deposit" };
    expect(own.of(CHAIN, addressOf(1))).toEqual(first);
    expect(own.of(CHAIN, addressOf(600))).toMatchObject({ customerRef: null, wallet: "hot" });
    expect(own.of(CHAIN, addressOf(ROWS))).toMatchObject({ customerRef: `${9007199254740993n + BigInt(ROWS)}` });
  });

  test("has its rows checked as those of a file, each problem with its row", async () => {
    await sql.query("update own set wallet = 'piggybank' where id = 3");
    await sql.query("update own set address = '0x12' where id = 700");
    await sql.query(`update own set address = '${addressOf(1)}' where id = 1100`);
    await sql.query("update own set chain = null where id = 1150");
    const { problems } = await read();
    expect(linesOf(problems)).toEqual([
      [3, "wallet"],
      [700, "address"],
      [1100, "customerRef"],
      [1150, "chain"],
    ]);
    expect(problems[2]?.found).toContain("watchlists.ownDatabase:1");
  });

  test("is refused without one of the four columns, or with another", async () => {
    for (const query of ["select chain, address, wallet from own", "select *, 1 as more from own"])
      expect(linesOf((await read(query)).problems)).toEqual([[0, ""]]);
  });

  test("cannot be written by its query, and a query that fails is an answer that is not there", async () => {
    await sql.query("create sequence taken");
    const writing = "select chain, address, nextval('taken') customer_ref, wallet from own";
    await expect(read(writing)).rejects.toMatchObject({
      code: "config",
      message: expect.stringContaining("read-only"),
    });
    expect((await sql.query("select is_called from taken")).rows).toEqual([{ is_called: false }]);
    // It fails in the middle, after pages that were right.
    const failing = "select chain, address, 1 / (id - 900) customer_ref, wallet from own order by id";
    await expect(read(failing)).rejects.toMatchObject({ code: "config", retryable: false });
  });

  test.each([
    ["a query that is none", "selekt 1", "syntax error"],
    ["a table that is not there", "select chain, address, customer_ref, wallet from onw", '"onw" does not exist'],
    ["a table it may not read", "select chain, address, customer_ref, wallet from hidden", "permission denied"],
  ])("%s ends the start with what to do, instead of waiting for ever", async (_what, query, why) => {
    await sql.query("drop role if exists reader");
    await sql.query("create role reader login; create table hidden (like own)");
    try {
      const asReader = new URL(url);
      asReader.username = "reader";
      const asked = { url: asReader.href, query };
      await expect(readOwnDatabase(asked, { normalizeAddress, signal: NEVER })).rejects.toMatchObject({
        code: "config",
        retryable: false,
        message: expect.stringMatching(new RegExp(`${why}.*Correct watchlists.ownDatabase`, "s")),
      });
    } finally {
      await sql.query("drop table hidden; drop role reader");
    }
  });
});

test("a process that stops does not wait for the database's answer", async () => {
  const stopping = new AbortController();
  const query = "select chain, address, customer_ref, wallet from own, pg_sleep(3600)";
  const reading = readOwnDatabase({ url, query }, { normalizeAddress, signal: stopping.signal });
  const asking = "select count(*)::int as count from pg_stat_activity where wait_event = 'PgSleep'";
  await waitFor("the query to run", async () => (await sql.query<{ count: number }>(asking)).rows[0]?.count === 1);
  stopping.abort(new Error("stopped"));
  await expect(reading).rejects.toThrow("stopped");
  // The server notices only at the end of its sleep that nobody listens.
  await sql.query("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'");
}, 30_000);

describe("own addresses of a database, read again", () => {
  let folder: TempDir;
  let store: OpenStore;
  let running: AbortController;
  let live: LiveLists;
  let alarms: Alarms;
  let known: OwnIndex;
  const fromFile = { chain: CHAIN, address: addressOf(5), customerRef: "of a file", wallet: "cold" } as const;
  const database = () => ({ url, query: QUERY, refreshMinutes: 1 });
  const config = () => ({ watchlists: { enable: [], ownDatabase: database() }, chains: [] }) as unknown as Config;
  let now = Date.UTC(2026, 10, 22);
  const reading = () => ({ db: store.db, now: () => now });
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } as never;

  beforeEach(async () => {
    folder = createTempDir("own-database");
    store = await openStore({ databaseUrl: null, dataDir: folder.path });
    await migrate(store.db);
    running = new AbortController();
    alarms = createAlarms({ clock: systemClock, random: () => "x" });
    known = await waitForOwnDatabase(config(), { ...reading(), log }, NEVER);
    const files = { own: createOwnIndex([fromFile]), tokens: createTokenList([]), tokenCount: 0 };
    live = await createLiveLists(
      config(),
      {
        store: createWatchStore(store.db, watchPorts(config())),
        files,
        own: { database: known, given: NO_OWN },
        file: path.join(folder.path, "watched.entries"),
        log,
        onSwap: () => undefined,
      },
      running.signal,
    );
  }, 60_000);
  afterEach(async () => {
    running.abort();
    await store.close();
    await folder.remove();
  });

  const refresh = async () => {
    const next = await refreshOwn(
      known,
      { database: database(), start: known, live, alarms, log, ...reading() },
      NEVER,
    );
    known = next ?? known;
    return next;
  };
  const ownOf = (id: number) => live.current().watchlist.ownOf(CHAIN, addressOf(id));
  const held = () => alarms.held().map(({ subject }) => subject);

  test("a changed, an added and a removed row hold, and lists have another version", async () => {
    const before = live.current().watchlist.version;
    await sql.query("update own set customer_ref = 7 where id = 1");
    await sql.query("delete from own where id = 2");
    await sql.query(`insert into own values (5000, '${CHAIN}', '${addressOf(5000)}', 8, 'hot')`);
    expect(await refresh()).not.toBeNull();
    expect([ownOf(1)?.customerRef, ownOf(2), ownOf(5000)?.wallet]).toEqual(["7", null, "hot"]);
    expect(live.current().watchlist.version).not.toBe(before);
    expect(held()).toEqual([]);
  });

  test("what a file says of an address stands, also when the file goes and comes", async () => {
    expect(ownOf(5)).toEqual(fromFile);
    await live.refresh({ own: NO_OWN, tokens: createTokenList([]), tokenCount: 0 });
    expect(ownOf(5)).toMatchObject({ wallet: "deposit" });
    expect(ownOf(6)).toMatchObject({ wallet: "deposit" });
  });

  test.each([
    ["more than a fifth is gone", "delete from own where id <= 241"],
    ["all are gone", "delete from own"],
    ["as many others came in their place", "update own set address = replace(address, '0x0', '0x9')"],
    ["a row is wrong", "update own set wallet = 'piggybank' where id = 900"],
  ])("%s: refused with an alarm, what was known stays until it is right", async (_what, change) => {
    await sql.query(change);
    expect(await refresh()).toBeNull();
    expect(held()).toEqual(["own:database"]);
    expect(alarms.due()).toMatchObject([{ severity: "critical" }]);
    expect([ownOf(1), ownOf(241), ownOf(900)].map((own) => own?.wallet)).toEqual(["deposit", "deposit", "deposit"]);
    await sql.query("delete from own");
    await sql.query(
      "insert into own select id, $1, '0x' || lpad(id::text, 40, '0'), 1, 'hot' from generate_series(241, $2::int) id",
      [CHAIN, ROWS],
    );
    // Exactly a fifth may go.
    expect(await refresh()).not.toBeNull();
    expect([ownOf(240), ownOf(241)?.wallet, held()]).toEqual([null, "hot", []]);
  });

  const start = () => waitForOwnDatabase(config(), { ...reading(), log }, NEVER);
  const accept = () =>
    openOwnCalls({ ...config(), sinks: { operations: [] } } as never, store, live).api.ask(
      "own.accept",
      { why: "we closed a region" },
      { name: "ann", role: "admin" },
    );
  const DAY_MS = 24 * 60 * 60_000;

  test("a restart takes no smaller database either, until a person accepts it", async () => {
    await sql.query("delete from own where id <= 241");
    await expect(start()).rejects.toMatchObject({
      code: "config",
      message: expect.stringMatching(/gives 959; .* up to 1200. If that is right: heistwatch own accept/),
    });
    await accept();
    expect((await start()).count).toBe(959);
    // What was accepted is what the next is compared with.
    await sql.query("delete from own where id <= 500");
    await expect(start()).rejects.toMatchObject({ code: "config" });
  });

  test("a loss in small steps is seen by what there was in the last seven days, a slow one is not", async () => {
    const shrinkTo = async (id: number) => {
      await sql.query("delete from own where id > $1", [id]);
      return (await refresh())?.count ?? null;
    };
    expect([await shrinkTo(1_100), await shrinkTo(1_000)]).toEqual([1_100, 1_000]);
    now += 3 * DAY_MS;
    expect([await shrinkTo(960), await shrinkTo(959)]).toEqual([960, null]);
    expect(held()).toEqual(["own:database"]);
    expect(ownOf(960)).not.toBeNull();
    now += 5 * DAY_MS;
    expect(await refresh()).not.toBeNull();
    expect([ownOf(960), held()]).toEqual([null, []]);
  });

  test("a running process takes over at its next reading what a person accepted", async () => {
    await sql.query("delete from own where id > 100");
    expect(await refresh()).toBeNull();
    await accept();
    expect((await refresh())?.count).toBe(100);
    expect([ownOf(101), held()]).toEqual([null, []]);
  });

  test("a database that is away keeps what was known, with an alarm until it is back", async () => {
    await server.down();
    try {
      expect(await refresh()).toBeNull();
      expect(held()).toEqual(["own:database"]);
      expect(ownOf(1)).not.toBeNull();
      const stopping = new AbortController();
      const waiting = waitForOwnDatabase(config(), { ...reading(), log }, stopping.signal);
      stopping.abort(new Error("stopped"));
      await expect(waiting).rejects.toThrow("stopped");
    } finally {
      await server.up();
    }
    sql = new Client({ connectionString: url });
    await sql.connect();
    expect(await refresh()).not.toBeNull();
    expect(held()).toEqual([]);
  });
});
