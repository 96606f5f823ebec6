/** What the daemon makes of scans: asked for when an entry becomes watched, told once when they end, an alarm when they stand still. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createAlarms } from "../../src/daemon/alarms.ts";
import type { Lists } from "../../src/daemon/lists.ts";
import { createRetro, type Retro } from "../../src/daemon/retro.ts";
import { createAlertStore } from "../../src/store/alert-store.ts";
import { createChainStore } from "../../src/store/chain-store.ts";
import { migrate, type OpenStore, openStore } from "../../src/store/database.ts";
import { createLeases } from "../../src/store/leases.ts";
import { recordList } from "../../src/store/list-members.ts";
import { createRetroClaims } from "../../src/store/retro-claims.ts";
import { addWanted, createWantedStore, type WantedPast } from "../../src/store/retro-wanted.ts";
import { createRetroStore } from "../../src/store/retro-store.ts";
import { forgetScans } from "../../src/store/rewatched.ts";
import type { ChainAdapter } from "../../src/types/chain.ts";
import type { ChainConfig } from "../../src/types/config.ts";
import type { Incident, WatchEntry } from "../../src/types/watch.ts";
import { blockAt, commitOf, hitOf, scanned, windowBlock } from "../conformance/store-facts.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";

const CHAIN = "eip155:1";
const NEVER = new AbortController().signal;
const nothing = () => undefined;
const LOG = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const DAY_S = 86_400;
const THEFT = "2026-01-10";
// A block an hour; block 0 is 100 hours before the day of the theft.
const timeOf = (number: number) => Date.parse(`${THEFT}T00:00:00Z`) / 1_000 + (number - 100) * 3_600;

let folder: TempDir;
let store: OpenStore;
let now = Date.parse("2026-11-22T10:00:00Z");
const alarms = createAlarms({ clock: { now: () => now }, random: () => String(Math.random()) });

const entry: WatchEntry = { ...(hitOf({ chain: CHAIN, tx: "0x" }).matches[0] as { entry: WatchEntry }).entry };
const incident = { id: entry.incident, date: THEFT } as Incident;

const adapter: ChainAdapter = {
  family: "test",
  chainId: CHAIN,
  blockTimeMs: 1_000,
  normalizeAddress: (text) => text,
  headNumber: () => Promise.resolve(150),
  headerAt: (number) => Promise.resolve({ ...blockAt(number), timestamp: timeOf(number) }),
  blockOf: ({ number }) => Promise.resolve(blockAt(number)),
  finalizedNumber: () => Promise.resolve(120),
  close: () => Promise.resolve(),
};

const wanted: WantedPast = {
  chain: CHAIN,
  entryId: entry.id,
  address: entry.address,
  incident: entry.incident,
  joinAt: 121,
  revision: 1,
};

function retroOf(incidents: readonly Incident[] = [incident], node: ChainAdapter = adapter): Retro {
  const incidentsById = new Map(incidents.map((one) => [one.id, one]));
  const byPeople = [entry, { ...entry, id: "undated" }].map((one) => ({ ...one, addedBy: "ann" }));
  const entriesOf = (_chain: string, address: string) => byPeople.filter((one) => one.address === address);
  const watchlist = { version: "v1", incidents: incidentsById, entriesOf };
  return createRetro({
    store: createRetroStore(store.db),
    wanted: createWantedStore(store.db),
    alerts: createAlertStore(store.db),
    chains: [{ config: { id: CHAIN, name: "ethereum" } as ChainConfig, adapter: node }],
    lists: { current: () => ({ watchlist }) as unknown as Lists, refresh: () => Promise.resolve() },
    sinks: ["desk"],
    alarms,
    clock: { now: () => now },
    log: LOG,
    onWork: nothing,
  });
}

beforeAll(async () => {
  folder = createTempDir("retro-asked");
  store = await openStore({ databaseUrl: null, dataDir: folder.path });
  await migrate(store.db);
  const members = { chains: [CHAIN], names: () => true };
  await recordList(store.db, { ...members, version: "v0", addressesOf: () => [] }, now);
  await recordList(store.db, { ...members, version: "v1", addressesOf: () => [entry.address] }, now);
  const [leases, chains] = [createLeases(store.db), createChainStore(store.db)];
  const lease = await leases.acquire({ chain: CHAIN, holder: "a", ttlMs: 600_000, listVersion: "v0", revision: 0 });
  if (lease === null) throw new Error("nobody leads it");
  await chains.begin(lease, [windowBlock(109)]);
  const blocks = Array.from({ length: 41 }, (_, index) => scanned(blockAt(110 + index)));
  await chains.commitBlocks(commitOf(lease, blocks, "v0"));
  await chains.commitFinalized({ lease, listVersion: "v0", number: 120, now });
  await leases.acquire({ chain: CHAIN, holder: "a", ttlMs: 600_000, listVersion: "v1", revision: 0 });
});
afterAll(async () => {
  await store.close();
  await folder.remove();
});

/** Reads whatever waits. */
async function readAll(hitsAt: number): Promise<void> {
  const claims = createRetroClaims(store.db);
  for (const { chunk } of await claims.claimable({ chains: [CHAIN], limit: 100 })) {
    const claim = await claims.claim({ chain: CHAIN, chunk, holder: "w", ttlMs: 60_000 });
    if (claim === null) throw new Error("it waits");
    const read = claim.ranges.map((range) => ({
      range,
      blocks: Array.from({ length: range.to - range.from + 1 }, (_, index) => ({
        block: blockAt(range.from + index),
        hits: range.from + index === hitsAt ? [hitOf({ chain: CHAIN, tx: "0x1" })] : [],
      })),
      parentHash: blockAt(range.from).parentHash,
      lastHash: blockAt(range.to).hash,
    }));
    await claims.commit({ claim, read, listVersion: "v1", headNumber: 150, now });
  }
}

const messages = () => store.db.selectFrom("message").selectAll().execute();

test("an entry that becomes watched is scanned from the day before its theft up to live coverage, once; its end is told once", async () => {
  const retro = retroOf();
  const plan = await retro.onWatched(wanted, NEVER);
  expect(timeOf(76)).toBe(timeOf(100) - DAY_S);
  expect(plan).toMatchObject({ ranges: [{ from: 76, to: 120 }], joinAt: 121 });
  // The caller asks again after a crash.
  expect((await retro.onWatched(wanted, NEVER))?.scanId).toBe(plan?.scanId);
  await store.db.transaction().execute((trx) => addWanted(trx, [wanted, wanted]));
  await retro.look();
  expect(await createWantedStore(store.db).list(10)).toEqual([]);
  expect(await createRetroStore(store.db).list({ limit: 10 })).toHaveLength(1);

  await retro.look();
  expect(await messages()).toEqual([]);
  await readAll(80);
  await retro.look();
  await retro.look();
  expect((await messages()).map(({ type, severity }) => [type, severity])).toEqual([["watchlist.scanned", "info"]]);
  const deliveries = await store.db.selectFrom("delivery").select(["sink", "state"]).execute();
  expect(deliveries).toEqual([{ sink: "desk", state: "pending" }]);
  expect(alarms.held()).toEqual([]);
});

test("told again after a crash between message and mark, it is one message", async () => {
  await store.db.updateTable("retro_scan").set({ told: false }).execute();
  await retroOf().look();
  expect(await messages()).toHaveLength(1);
});

test("a scan that ended without all of its blocks in the ledger is an alarm", async () => {
  await store.db.updateTable("retro_scan").set({ told: false }).execute();
  await store.db
    .updateTable("coverage")
    .set({ to_number: 119 })
    .where("scan", "<>", "live")
    .where("to_number", "=", 120)
    .execute();
  await retroOf().look();
  expect(alarms.held()).toMatchObject([{ detail: expect.stringContaining("44 of 45 blocks of ethereum covered") }]);
});

test("a scan that stands still for five minutes is an alarm until it goes on", async () => {
  const retro = retroOf();
  const [retros, claims] = [createRetroStore(store.db), createRetroClaims(store.db)];
  await retros.start(
    {
      scanId: "scan_stuck",
      chain: CHAIN,
      addresses: [entry.address],
      from: 10,
      reading: "whole",
      listVersion: "v1",
      reason: "",
      requestedBy: "us",
      now,
    },
    {
      plan: (_facts, from) => ({ ranges: [{ from, to: 11 }], joinAt: 121 }),
      cut: (ranges) => ranges.map((one) => ({ ...one, chunk: 0 })),
    },
  );
  const claim = await claims.claim({ chain: CHAIN, chunk: 0, holder: "w", ttlMs: 60_000 });
  if (claim === null) throw new Error("it waits");
  await claims.release(claim, { trouble: "the node is away", now });
  const stuck = () => alarms.held().filter(({ subject }) => subject === "retro:scan_stuck");
  await retro.look();
  expect(stuck()).toEqual([]);
  now += 301_000;
  await retro.look();
  expect(stuck()).toMatchObject([{ detail: expect.stringContaining("the node is away") }]);
  await retros.cancel("scan_stuck", now);
  await retro.look();
  expect(stuck()).toEqual([]);
});

test("an entry of a chain nobody follows is left alone, and so is one that was taken off again", async () => {
  expect(await retroOf().onWatched({ ...wanted, chain: "eip155:56" }, NEVER)).toBeNull();
  const gone = `0x${"9".repeat(40)}`;
  expect(await retroOf().onWatched({ ...wanted, address: gone }, NEVER)).toBeNull();
});

test("what else names the address of an entry that was taken off again is read again, from the first of their thefts", async () => {
  await store.db.transaction().execute((trx) => forgetScans(trx, [entry.address]));
  const later = { id: "later", date: "2026-01-12" } as Incident;
  const plan = await retroOf([incident, later]).onWatched({ ...wanted, entryId: "gone", incident: later.id }, NEVER);
  expect(plan?.ranges).toEqual([{ from: 76, to: 120 }]);
});

test("of an incident without a date, the last 30 days", async () => {
  const askedAt = (timeOf(120) + 30 * DAY_S) * 1_000;
  const before = now;
  now = askedAt;
  const plan = await retroOf([]).onWatched({ ...wanted, entryId: "undated" }, NEVER);
  now = before;
  const started = await createRetroStore(store.db).show(plan?.scanId ?? "");
  expect(started?.scan).toMatchObject({ from: 120, reason: expect.stringContaining("30 days back") });
});

test("what is wanted stays written down while the node is away", async () => {
  const away = { ...adapter, headNumber: () => Promise.reject(new Error("the node is away")) };
  await store.db.transaction().execute((trx) => addWanted(trx, [wanted]));
  const retro = retroOf([incident], away);
  await retro.look();
  expect(await createWantedStore(store.db).list(10)).toEqual([wanted]);
  await retroOf().look();
  expect(await createWantedStore(store.db).list(10)).toEqual([]);
});
