/** Own addresses that people give: who may, all or nothing, in force in a running process and after a restart, audited. */
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import type { ApiPorts } from "../../src/api/calls.ts";
import { createLiveLists, type LiveLists } from "../../src/daemon/live-lists.ts";
import { followGivenOwn, type GivenOwn, loadGivenOwn, runGivenOwn } from "../../src/daemon/own-given-sync.ts";
import type { OwnOutcome } from "../../src/daemon/own-desk.ts";
import { openOwnCalls } from "../../src/daemon/own-open.ts";
import { watchPorts } from "../../src/daemon/watch-ports.ts";
import { migrate, openStore, type OpenStore } from "../../src/store/database.ts";
import { createOwnStore, type OwnStore } from "../../src/store/own-store.ts";
import { createWatchStore, type WatchStore } from "../../src/store/watch-store.ts";
import type { Config } from "../../src/types/config.ts";
import type { OwnAddress } from "../../src/types/watch.ts";
import type { PersonRole } from "../../src/types/watch-change.ts";
import { createOwnIndex } from "../../src/watchlist/own-index.ts";
import { createTokenList } from "../../src/watchlist/tokens.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";

const CHAIN = "eip155:1";
const NEVER = new AbortController().signal;
// Digits only: no letter's case carries a checksum.
const addressOf = (id: number) => `0x${id.toString().padStart(40, "0")}`;
const rowOf = (id: number, more: Partial<OwnAddress> = {}): OwnAddress => ({
  chain: CHAIN,
  address: addressOf(id),
  customerRef: `customer-${id}`,
  wallet: "deposit",
  ...more,
});
const rowsOf = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => rowOf(from + index));
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const config = {
  watchlists: { enable: [], ownDatabase: null, rules: new Map() },
  sinks: { operations: [{ name: "pager" }], alerts: [] },
  chains: [{ id: CHAIN, name: "ethereum" }],
} as unknown as Config;

let folder: TempDir;
let store: OpenStore;
let own: OwnStore;
let watch: WatchStore;
let running: AbortController;
let live: LiveLists;
let given: GivenOwn;
let api: ApiPorts;

beforeEach(async () => {
  folder = createTempDir("own-given");
  store = await openStore({ databaseUrl: null, dataDir: folder.path });
  await migrate(store.db);
  own = createOwnStore(store.db);
  watch = createWatchStore(store.db, watchPorts(config));
  await start();
}, 120_000);
afterEach(async () => {
  running.abort();
  await store.close();
  await folder.remove();
});

/** As a process does that starts now. */
async function start(): Promise<void> {
  running = new AbortController();
  given = await loadGivenOwn(own, NEVER);
  live = await createLiveLists(
    config,
    {
      store: watch,
      files: {
        own: createOwnIndex([rowOf(900_000, { wallet: "hot" })]),
        tokens: createTokenList([]),
        tokenCount: 0,
      },
      own: { database: createOwnIndex([rowOf(900_001)]), given: given.addresses.own },
      file: path.join(folder.path, "watched.entries"),
      log,
      onSwap: () => undefined,
    },
    running.signal,
  );
  api = openOwnCalls(config, store, live).api;
}

/** What the service does each second. */
async function follow(): Promise<void> {
  const next = await followGivenOwn(given, own, NEVER);
  if (next !== given) await live.refreshOwn({ given: next.addresses.own });
  given = next;
}

const ask = (call: string, args: object, role: PersonRole = "investigator") =>
  api.ask(`own.${call}`, args, { name: "ann", role }) as Promise<OwnOutcome>;
const ownOf = (id: number) => live.current().watchlist.ownOf(CHAIN, addressOf(id));
const audited = async () =>
  (await watch.history({ limit: 100 })).map(({ action, actor, why, before, after }) => ({
    action,
    actor,
    why,
    before,
    after,
  }));
const paged = async () =>
  (await store.db.selectFrom("message").select(["severity", "body"]).execute()).map((row) => row);

describe("own addresses that people give", () => {
  test("are matched after the next look, beside those of files and the database, and after a restart", async () => {
    const version = live.current().watchlist.version;
    const added = await ask("add", { addresses: rowsOf(1, 1_500), why: "new customers" });
    expect(added).toEqual({ added: 1_500, replaced: 0, removed: 0, unchanged: 0, addresses: 1_500 });
    expect(ownOf(7)).toBeNull();
    await follow();
    expect([ownOf(7), ownOf(1_500), ownOf(900_000)?.wallet, ownOf(900_001)?.customerRef]).toEqual([
      rowOf(7),
      rowOf(1_500),
      "hot",
      "customer-900001",
    ]);
    expect(live.current().own.count).toBe(1_502);
    const inForce = live.current().watchlist.version;
    expect(inForce).not.toBe(version);
    running.abort();
    await start();
    expect(ownOf(7)).toEqual(rowOf(7));
    // The same addresses have the same version: a restart matches nothing again for them.
    expect(live.current().watchlist.version).toBe(inForce);
    await follow();
    expect(live.current().watchlist.version).toBe(inForce);
  }, 120_000);

  test("are told apart from what was known: the same again changes nothing, another customer is replaced on demand", async () => {
    await ask("add", { addresses: rowsOf(1, 10) });
    const again = [...rowsOf(9, 11), rowOf(9)];
    expect(await ask("add", { addresses: again })).toMatchObject({ added: 1, unchanged: 2, addresses: 11 });
    const other = { addresses: [rowOf(1, { customerRef: "other" }), rowOf(12)] };
    await expect(ask("add", other, "admin")).rejects.toThrow("1 of them are known with another customer");
    await expect(ask("add", { ...other, replace: true })).rejects.toThrow("needs approver");
    expect(await paged()).toEqual([]);
    expect(await ask("add", { ...other, replace: true, why: "sold" }, "approver")).toMatchObject({
      added: 1,
      replaced: 1,
      addresses: 12,
    });
    await follow();
    expect([ownOf(1)?.customerRef, ownOf(12)?.customerRef]).toEqual(["other", "customer-12"]);
    expect(await paged()).toEqual([
      { severity: "high", body: expect.stringContaining("ann gave 1 own addresses another customer or wallet") },
    ]);
    expect((await audited())[0]).toEqual({
      action: "own add",
      actor: "ann",
      why: "sold",
      before: [rowOf(1), null],
      after: [rowOf(1, { customerRef: "other" }), rowOf(12)],
    });
  }, 120_000);

  test("with one wrong row of a batch nothing is taken, and each problem is told with its row", async () => {
    const addresses = [
      rowOf(1),
      rowOf(2, { wallet: "piggybank" as never }),
      rowOf(3, { address: "0x12" }),
      rowOf(1, { customerRef: "other" }),
      rowOf(900_000, { customerRef: "thief" }),
      rowOf(900_001),
    ];
    const told = await ask("add", { addresses }).catch((error: unknown) => error as Error & { code: string });
    expect(told).toMatchObject({ code: "bad_call" });
    const { message } = told as Error;
    for (const part of ["addresses:2: wallet", "addresses:3: address", "addresses:4: address", "which row 1 says"])
      expect(message).toContain(part);
    expect(message).not.toContain("addresses:1:");
    // Of what a file says only those that are right are asked about.
    await expect(ask("add", { addresses: [rowOf(1), addresses[4], addresses[5]] })).rejects.toThrow(
      /addresses:2: address: .* which a file or the database gives to "customer-900000" \(hot\)/,
    );
    await follow();
    expect([ownOf(1), (await own.state()).revision, await audited()]).toEqual([null, 0, []]);
  }, 120_000);

  test("are removed by an approver, with a page; more than a fifth in a week only where an admin says so", async () => {
    await ask("add", { addresses: rowsOf(1, 100) });
    const remove = (from: number, to: number, role: PersonRole, more = {}) =>
      ask(
        "remove",
        { addresses: rowsOf(from, to).map(({ chain, address }) => ({ chain, address })), why: "w", ...more },
        role,
      );
    await expect(remove(1, 1, "investigator")).rejects.toThrow("needs approver");
    await expect(remove(1, 21, "approver")).rejects.toThrow("79 would be left of 100");
    await expect(remove(100, 101, "approver")).rejects.toThrow("addresses:2: address");
    for (const id of Array.from({ length: 20 }, (_, index) => index + 1)) await remove(id, id, "approver");
    // Bit by bit it is no less.
    await expect(remove(21, 21, "approver")).rejects.toThrow("79 would be left of 100");
    running.abort();
    await start();
    await expect(remove(21, 21, "approver")).rejects.toThrow("79 would be left of 100");
    await expect(remove(21, 21, "approver", { acceptLoss: true })).rejects.toThrow("needs admin");
    expect(await remove(21, 60, "admin", { acceptLoss: true })).toMatchObject({ removed: 40, addresses: 40 });
    // What was accepted is not counted again.
    expect(await remove(61, 61, "approver")).toMatchObject({ removed: 1, addresses: 39 });
    await follow();
    expect([ownOf(60), ownOf(61), ownOf(62)]).toEqual([null, null, rowOf(62)]);
    expect((await paged()).filter(({ severity }) => severity === "critical")).toHaveLength(1);
    expect((await audited()).filter(({ action }) => action === "own remove")).toHaveLength(22);
    expect(await store.db.selectFrom("own_change").select("address").where("after", "is", null).execute()).toHaveLength(
      61,
    );
  }, 120_000);

  test("two at once both hold, and a store of another day is read whole", async () => {
    await Promise.all([ask("add", { addresses: rowsOf(1, 5) }), ask("add", { addresses: rowsOf(5, 9) })]);
    await follow();
    expect(Array.from({ length: 9 }, (_, index) => ownOf(index + 1)?.customerRef)).toEqual(
      Array.from({ length: 9 }, (_, index) => `customer-${index + 1}`),
    );
    // As a copy of before the second batch: the number of the last change is lower, its mark another.
    await sql`alter table own_change disable trigger keep`.execute(store.db);
    await store.db.deleteFrom("own_change").where("revision", "=", 2).execute();
    await store.db.deleteFrom("own_address").where("address", "=", addressOf(9)).execute();
    await store.db.updateTable("own_state").set({ revision: 1, mark: "copy", addresses: 8 }).execute();
    await follow();
    expect([ownOf(8)?.customerRef, ownOf(9), live.current().own.count]).toEqual(["customer-8", null, 10]);
  }, 120_000);

  test("are listed by page and customer, and shown with who says so", async () => {
    await ask("add", { addresses: rowsOf(1, 5) });
    await ask("add", { addresses: [rowOf(900_001)] });
    type Page = { addresses: OwnAddress[]; count: number; next: string | null };
    const page = (args: object) => api.ask("own.list", args, { name: "vic", role: "viewer" }) as Promise<Page>;
    const first = await page({ limit: 4 });
    expect([first.addresses.length, first.count]).toEqual([4, 6]);
    const rest = await page({ limit: 4, after: first.next ?? "" });
    expect(rest.next).toBeNull();
    expect([...first.addresses, ...rest.addresses]).toEqual([...rowsOf(1, 5), rowOf(900_001)]);
    expect((await page({ customer: "customer-3" })).addresses).toEqual([rowOf(3)]);
    const shown = (id: number) => api.ask("own.show", { address: addressOf(id) }, { name: "vic", role: "viewer" });
    expect(await shown(3)).toEqual([{ ...rowOf(3), from: "given" }]);
    expect(await shown(900_001)).toEqual([{ ...rowOf(900_001), from: "kept" }]);
    expect(await shown(77)).toEqual([]);
  }, 120_000);

  test("a running process takes them over by itself, within a second or so", async () => {
    const looping = runGivenOwn({ store: own, start: given, live, log }, running.signal);
    await ask("add", { addresses: [rowOf(42)] });
    await waitFor("the address to be in force", () => ownOf(42) !== null);
    running.abort();
    await looping;
  }, 120_000);
});
