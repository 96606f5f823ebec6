/**
 * The short version of `npm run bench:screen`: every answer over HTTP is what a naive lookup says of the list it names, and
 * that list was in force between question and answer, while the lists are swapped.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { atOnce, createClient, faultsOf, type InForce, type Said, say } from "../../bench/screen/asking.ts";
import { makeQueries } from "../../bench/screen/queries.ts";
import { type Serving, serve, SWING_ROOM } from "../../bench/screen/serving.ts";
import { listedEntries } from "../../bench/screen/world.ts";
import { migrate, openStore, type OpenStore } from "../../src/store/database.ts";
import { NO_OWN } from "../../src/watchlist/own-index.ts";
import { buildWatchlist, type WatchlistSnapshot } from "../../src/watchlist/snapshot.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";

const LISTED = { evm: 5_000, bitcoin: 300 };
const QUERIES = 6_000;
const BATCH = 200;
const SWAP_EVERY_MS = 20;

let dir: TempDir;
let store: OpenStore;
let base: WatchlistSnapshot;
let serving: Serving;

beforeAll(async () => {
  dir = createTempDir("screen-naive");
  store = await openStore({ databaseUrl: null, dataDir: dir.path });
  await migrate(store.db);
  base = await buildWatchlist(
    {
      file: join(dir.path, "watched.entries"),
      lists: [],
      entries: listedEntries(LISTED),
      count: LISTED.evm + LISTED.bitcoin + SWING_ROOM,
      own: NO_OWN,
      enable: [],
    },
    new AbortController().signal,
  );
  serving = await serve({ base, db: store.db });
}, 120_000);

afterAll(async () => {
  await serving.stop();
  base.close();
  await store.close();
  await dir.remove();
});

test("random and adversarial questions are answered as a naive lookup answers them, also while lists are swapped", async () => {
  const queries = makeQueries({ count: QUERIES, seed: 7, ...LISTED });
  expect(new Set(queries.map(({ expected }) => expected.is))).toEqual(
    new Set(["invalid", "listed", "noAdapter", "swing", "unlisted"]),
  );
  const inForce: InForce[] = [{ version: serving.version(), at: process.hrtime.bigint() }];
  const swapping = setInterval(() => inForce.push(serving.swap()), SWAP_EVERY_MS);
  const client = createClient({ ...serving, connections: 8 });
  const said: Said[] = [];
  try {
    await atOnce(8, QUERIES / BATCH, async (place) => {
      said.push(await say(client, queries.slice(place * BATCH, (place + 1) * BATCH)));
    });
  } finally {
    clearInterval(swapping);
    await client.close();
  }
  expect(said.flatMap((one) => faultsOf(one, inForce))).toEqual([]);
  expect(said.reduce((sum, { items }) => sum + items, 0)).toBe(QUERIES);
  // Else the swaps were not part of it.
  expect(new Set(said.map(({ version }) => version)).size).toBeGreaterThan(3);
  const kept = await store.db.selectFrom("screen_answer").select(["answer_id"]).execute();
  expect(kept).toHaveLength(QUERIES / BATCH);
}, 120_000);
