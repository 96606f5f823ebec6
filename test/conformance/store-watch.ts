/**
 * What the book of watched entries must do, on PGlite and on Postgres: with the desk, the matcher and the chain store as
 * they are, and a clock of our own.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { normalizeAddress } from "../../src/chains/registry.ts";
import { endWhatIsOver } from "../../src/daemon/watch-ends.ts";
import { createWatchDesk, type WatchDesk } from "../../src/daemon/watch-desk.ts";
import type { EntryPatch } from "../../src/daemon/watch-entry.ts";
import { retellPorts } from "../../src/daemon/watch-ports.ts";
import { matchBlock } from "../../src/match/match-block.ts";
import { createChainStore } from "../../src/store/chain-store.ts";
import { decodeHit } from "../../src/store/codec.ts";
import { migrate, type OpenStore } from "../../src/store/database.ts";
import { createLeases } from "../../src/store/leases.ts";
import { createPeople } from "../../src/store/people.ts";
import { createReachStore } from "../../src/store/watch-reach.ts";
import { createWatchStore, type WatchStore } from "../../src/store/watch-store.ts";
import type { Block } from "../../src/types/chain.ts";
import type { Lease } from "../../src/types/checkpoint.ts";
import type { OwnAddress } from "../../src/types/watch.ts";
import type { Actor, WatchedEntry } from "../../src/types/watch-change.ts";
import { actorOf, makeToken } from "../../src/daemon/actors.ts";
import { entryDigest } from "../../src/watchlist/import-rules.ts";
import { createWatchlist, isMatched } from "../../src/watchlist/snapshot.ts";
import { createTokenList } from "../../src/watchlist/tokens.ts";
import { blockAt, NOW, windowBlock } from "./store-facts.ts";
import { createOwnIndex } from "../../src/watchlist/own-index.ts";

const HOUR = 3_600_000;
const ANN: Actor = { name: "ann", role: "investigator" };
const BEN: Actor = { name: "ben", role: "approver" };
const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface World {
  readonly opened: OpenStore;
  readonly watch: WatchStore;
  readonly desk: WatchDesk;
  readonly watched: WatchedEntry[];
  now: number;
  /** In place of what the store knows. */
  reach: { readonly customers: number } | null;
}

export function watchConformance(
  name: string,
  open: () => Promise<{ opened: OpenStore; close: () => Promise<void> }>,
): void {
  describe(`${name} keeps the book of what is watched`, () => {
    let world: World;
    let close: () => Promise<void> = () => Promise.resolve();
    let serial = 0;
    let chain = "";
    /** Of this test alone. */
    const address = (index = 0) => `0x${String(serial * 100 + index).padStart(40, "0")}`;
    const incident = () => `heist-${serial}`;
    const idOf = (index = 0) => `operator-${incident()}/${chain}/${address(index)}`;

    beforeAll(async () => {
      const made = await open();
      close = made.close;
      await migrate(made.opened.db);
      world = worldOf(made.opened);
    }, 120_000);
    afterAll(() => close());
    beforeEach(() => {
      serial += 1;
      chain = `eip155:${7_000 + serial}`;
      world.now += 48 * HOUR;
      world.watched.length = 0;
    });

    async function lead(): Promise<Lease> {
      const revision = await world.watch.revision();
      const lease = await createLeases(world.opened.db).acquire({
        chain,
        holder: "us",
        ttlMs: 60_000,
        listVersion: `v${revision}`,
        revision,
      });
      return lease as Lease;
    }

    const chains = () => createChainStore(world.opened.db);
    async function begun(): Promise<Lease> {
      const lease = await lead();
      await chains().begin(lease, [windowBlock(8), windowBlock(9)]);
      return lease;
    }

    /** A block that pays from the address to a customer, matched as the store says now. */
    async function commitOf(lease: Lease, number: number, index = 0) {
      const { revision, lists } = await world.watch.read();
      const loaded = lists.map((list) => ({
        ...list,
        file: "",
        entries: list.entries.map((entry) => ({ entry, hasAdapter: true })),
      }));
      const own: OwnAddress = { chain, address: OWN, customerRef: "customer-1", wallet: "deposit" };
      const watchlist = createWatchlist({ lists: loaded, own: createOwnIndex([own]), enable: [] });
      const block = blockWith(number, { chain, from: address(index) });
      const hits = matchBlock(block, { chain, watchlist, tokens: TOKENS });
      const scanned = [{ block, hits, late: false }];
      return { lease, scanned, listVersion: `v${revision}`, headNumber: number, windowDepth: 64, now: world.now };
    }
    const eventsOf = async () =>
      (
        await world.opened.db
          .selectFrom("hit_event")
          .innerJoin("hit", "hit.hit_id", "hit_event.hit_id")
          .select(["hit_event.kind", "hit_event.reason", "hit_event.late"])
          .where("hit.chain", "=", chain)
          .orderBy("hit_event.seq")
          .execute()
      ).map(({ kind, reason, late }) =>
        [kind, ...(reason === null ? [] : [reason]), ...(late ? ["late"] : [])].join(" "),
      );
    const add = (actor = ANN, index = 0) =>
      world.desk.add(actor, { address: address(index), incident: incident(), chain });
    const pagesOf = async (text: string) =>
      (await world.opened.db.selectFrom("message").select("body").where("body", "like", `%${text}%`).execute()).length;

    test("an entry added twice at once is there once, and one of the two is told so", async () => {
      const both = await Promise.allSettled([add(ANN), add(BEN)]);
      expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      expect(await world.watch.entriesAt(address())).toHaveLength(1);
    });

    test("every block from the one that an addition answers is matched with it, and whoever scans the past hears of it", async () => {
      const lease = await begun();
      for (const number of [10, 11, 12]) await chains().commitBlocks(await commitOf(lease, number));
      const listVersion = `v${await world.watch.revision()}`;
      await chains().commitFinalized({ lease, listVersion, number: 10, now: world.now });
      const outcome = await add();
      expect(outcome).toMatchObject({ done: "applied", live: [{ chain, fromBlock: 11 }] });
      expect(world.watched).toMatchObject([{ entry: { id: idOf() }, joinAt: 11 }]);
    });

    test("a leader with the old list commits no block, and calls none final", async () => {
      const lease = await begun();
      const old = await commitOf(lease, 10);
      await chains().commitBlocks(old);
      const next = await commitOf(lease, 11);
      await add();
      const refused = { code: "list_changed" };
      await expect(chains().commitBlocks(next)).rejects.toMatchObject(refused);
      const final = { lease, listVersion: old.listVersion, number: 10, now: world.now };
      await expect(chains().commitFinalized(final)).rejects.toMatchObject(refused);
      const leases = createLeases(world.opened.db);
      const stale = { chain, holder: "us", ttlMs: 60_000, listVersion: old.listVersion };
      const revision = Number(old.listVersion.slice(1));
      await expect(leases.acquire({ ...stale, revision })).rejects.toMatchObject(refused);
      // Taken over with the new list, the same blocks go in.
      await chains().commitBlocks(await commitOf(await lead(), 11));
    });

    test("what was told before a dispute stays told and holds nothing; what comes during it is told when it ends", async () => {
      await add();
      const lease = await begun();
      await chains().commitBlocks(await commitOf(lease, 10));
      await world.desk.dispute(ANN, { entryId: idOf(), why: "market maker" });
      const during = await lead();
      await chains().commitBlocks(await commitOf(during, 11));
      await chains().commitBlocks(await commitOf(during, 12));
      const listVersion = `v${await world.watch.revision()}`;
      await chains().commitFinalized({ lease: during, listVersion, number: 11, now: world.now });
      expect(await eventsOf()).toEqual(["included", "retold", "final"]);
      expect(await pagesOf(`ann disputes ${idOf()}`)).toBe(1);

      world.now += 4 * HOUR - 1;
      await endWhatIsOver(importing());
      expect(await eventsOf()).toHaveLength(3);
      world.now += 1;
      await endWhatIsOver(importing());
      const events = await eventsOf();
      expect(events.slice(0, 3)).toEqual(["included", "retold", "final"]);
      // The one of block 10 as before; that of 11 told and final; that of 12 told.
      expect(events.slice(3).toSorted()).toEqual(["final", "included late", "included late", "retold"]);
      await expect(world.desk.dispute(ANN, { entryId: idOf(), why: "again" })).rejects.toThrow("last 24 h");
      world.now += 20 * HOUR;
      expect(await world.desk.dispute(ANN, { entryId: idOf(), why: "again" })).toMatchObject({ done: "applied" });
    });

    test("a withdrawn entry takes back its hits, also final ones, and only those that nothing else names", async () => {
      await add();
      await add(ANN, 1);
      const lease = await begun();
      for (const [index, number] of [10, 11].entries())
        await chains().commitBlocks(await commitOf(lease, number, index));
      const listVersion = `v${await world.watch.revision()}`;
      await chains().commitFinalized({ lease, listVersion, number: 11, now: world.now });
      // Listed after the block was final: what is stored does not say so.
      await world.desk.add(BEN, { address: address(), incident: `${incident()}-b`, chain });
      for (const index of [0, 1]) await world.desk.undo(ANN, { entryId: idOf(index) });
      expect(await eventsOf()).toEqual([
        "included",
        "included",
        "final",
        "final",
        "retold",
        "withdrawn entryWithdrawn",
      ]);
      const impact = await createReachStore(world.opened.db).ofEntry(idOf());
      expect([impact.hits, impact.customers]).toEqual([1, ["customer-1"]]);
      // What stands on the other entry now goes with it.
      await world.desk.undo(BEN, { entryId: `operator-${incident()}-b/${chain}/${address()}` });
      expect((await eventsOf()).slice(-2)).toEqual(["withdrawn entryWithdrawn", "withdrawn entryWithdrawn"]);
    });

    test("a corrected entry is told beside what else names the address, as that is matched", async () => {
      await add();
      const lease = await begun();
      await chains().commitBlocks(await commitOf(lease, 10));
      const listVersion = `v${await world.watch.revision()}`;
      await chains().commitFinalized({ lease, listVersion, number: 10, now: world.now });
      const other = (suffix: string) => `operator-${incident()}-${suffix}/${chain}/${address()}`;
      for (const suffix of ["b", "c", "d"])
        await world.desk.add(BEN, { address: address(), incident: `${incident()}-${suffix}`, chain });
      const approved = async (entryId: string, patch: EntryPatch) => {
        const asked = await world.desk.change(ANN, { entryId, patch, why: "looked at" });
        await world.desk.approve(BEN, asked as { proposalId: string; changeHash: string });
      };
      await approved(other("b"), { default: "off" });
      await approved(other("c"), { direction: "to_only" });
      const entries = async () => {
        const [row] = await world.opened.db.selectFrom("hit").select("payload").where("chain", "=", chain).execute();
        return decodeHit(row?.payload ?? "").matches.map(({ entry }) => entry.id);
      };
      expect(await entries()).toEqual([idOf()]);
      // The corrected entry does not name the sender any more: one of the three does.
      await approved(idOf(), { direction: "to_only" });
      expect(await entries()).toEqual([other("d")]);
      expect(await eventsOf()).toEqual(["included", "final", "retold"]);
    });

    test("a hit told again is what matching its block again would give: one version, one incident, no second revision", async () => {
      await add();
      const lease = await begun();
      await chains().commitBlocks(await commitOf(lease, 10));
      await world.desk.change(ANN, { entryId: idOf(), patch: { label: "named" }, why: "known now" });
      const rematch = await commitOf(await lead(), 10);
      const [stored] = await world.opened.db.selectFrom("hit").select("payload").where("chain", "=", chain).execute();
      expect(decodeHit(stored?.payload ?? "")).toEqual(rematch.scanned[0]?.hits[0]);
      await chains().commitRematch(rematch);
      expect(await eventsOf()).toEqual(["included", "retold"]);
    });

    test("after every change what is not final is matched again, also where the list is what it was before", async () => {
      await add();
      const lease = await begun();
      for (const number of [10, 11]) await chains().commitBlocks(await commitOf(lease, number));
      const listVersion = `v${await world.watch.revision()}`;
      await chains().commitFinalized({ lease, listVersion, number: 10, now: world.now });
      await world.desk.dispute(ANN, { entryId: idOf(), why: "market maker" });
      world.now += 4 * HOUR;
      await endWhatIsOver(importing());
      const { window = [] } = (await chains().load(chain)) ?? {};
      const versions = window.map((block) => [block.number, block.listVersion]);
      expect(versions).toContainEqual([10, listVersion]);
      expect(versions).toContainEqual([11, expect.stringMatching(/^outdated-/)]);
    });

    test("a removal waits for another name, is bound to its hash, and is done once", async () => {
      await add();
      const asked = await world.desk.remove(ANN, { entryId: idOf(), why: "wrong" });
      const again = await world.desk.remove(BEN, { entryId: idOf(), why: "wrong too" });
      expect(again).toMatchObject({ done: "proposed", proposalId: (asked as { proposalId: string }).proposalId });
      const { proposalId, changeHash } = asked as { proposalId: string; changeHash: string };
      const approve = (actor: Actor, hash = changeHash) => world.desk.approve(actor, { proposalId, changeHash: hash });
      await expect(approve(ANN)).rejects.toThrow("this needs approver");
      await expect(approve({ name: "ANN", role: "admin" })).rejects.toThrow("who proposed it cannot approve it");
      await expect(approve(BEN, "0".repeat(64))).rejects.toThrow("not the change you looked at");
      // Somebody disputes it meanwhile: what was proposed is still the same.
      await world.desk.dispute(BEN, { entryId: idOf(), why: "wrong" });
      const both = await Promise.allSettled([approve(BEN), approve({ name: "cid", role: "admin" })]);
      expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      expect(await world.watch.entriesAt(address())).toEqual([]);
      const [record] = await world.watch.history({ entryId: idOf(), limit: 1 });
      expect(record).toMatchObject({
        action: "remove",
        actor: "ann",
        changeHash,
        before: [{ id: idOf() }],
        after: [null],
      });
    });

    test("an approval leaves a dispute that began since as it is", async () => {
      await add();
      const patch = { independentSources: 1, basis: "explorer" } as const;
      const asked = await world.desk.change(ANN, { entryId: idOf(), patch, why: "one post" });
      await world.desk.dispute(BEN, { entryId: idOf(), why: "wrong" });
      await world.desk.approve(BEN, asked as { proposalId: string; changeHash: string });
      const [entry] = await world.watch.entriesAt(address());
      expect(entry).toMatchObject({ basis: "explorer", muted: { why: "disputed", by: "ben" } });
      // Still known to end by itself.
      world.now += 4 * HOUR;
      await endWhatIsOver(importing());
      expect((await world.watch.entriesAt(address()))[0]?.muted).toBeUndefined();
    });

    test("an approval of an entry that is another one by now is refused, and so is one after 24 h", async () => {
      await add();
      const ids = async () =>
        (await world.desk.remove(ANN, { entryId: idOf(), why: "wrong" })) as { proposalId: string; changeHash: string };
      const first = await ids();
      await world.desk.change(ANN, { entryId: idOf(), patch: { label: "another" }, why: "named" });
      await expect(world.desk.approve(BEN, first)).rejects.toMatchObject({ code: "changed_meanwhile" });
      const second = await ids();
      world.now += 24 * HOUR;
      await expect(world.desk.approve(BEN, second)).rejects.toThrow("has expired");
      await endWhatIsOver(importing());
      expect((await world.watch.proposal(second.proposalId))?.state).toBe("expired");
      expect(await world.watch.entriesAt(address())).toHaveLength(1);
    });

    test("an address that touches too many is recorded only, is asked for again each day, and tells once confirmed", async () => {
      world.reach = { customers: 26 };
      const outcome = (await add()) as { done: string; proposalId: string; changeHash: string };
      world.reach = null;
      expect(outcome.done).toBe("recorded");
      await chains().commitBlocks(await commitOf(await begun(), 10));
      expect(await eventsOf()).toEqual([]);
      world.now += 24 * HOUR;
      await endWhatIsOver(importing());
      const waiting = (await world.watch.proposals({ state: "open", limit: 10 })).find(({ change }) =>
        change.entries.some(({ entryId }) => entryId === idOf()),
      );
      expect(waiting?.proposalId).not.toBe(outcome.proposalId);
      await world.desk.approve(BEN, { proposalId: waiting?.proposalId ?? "", changeHash: waiting?.changeHash ?? "" });
      expect(await eventsOf()).toEqual(["included late"]);
    });

    test("versions stay what they were, tell their difference both ways, and nobody can change them or the audit trail", async () => {
      await add();
      await world.desk.change(ANN, { entryId: idOf(), patch: { label: "b" }, why: "better" });
      await add(ANN, 1);
      await world.desk.undo(ANN, { entryId: idOf(1) });
      const list = `operator-${incident()}`;
      expect((await world.watch.versions(list)).map(({ number, action }) => [number, action])).toEqual([
        [1, "add"],
        [2, "change"],
        [3, "add"],
        [4, "undo"],
      ]);
      expect(new Set((await world.watch.versions(list)).map(({ version }) => version)).size).toBe(4);
      const label = (entry: { label: string } | null) => entry?.label ?? null;
      const diff = async (from: number, to: number) =>
        (await world.watch.diff({ list, from, to })).map(({ before, after }) => [label(before), label(after)]);
      expect(await diff(0, 1)).toEqual([[null, "Added by ann"]]);
      expect(await diff(1, 4)).toEqual([["Added by ann", "b"]]);
      expect(await diff(4, 1)).toEqual([["b", "Added by ann"]]);
      for (const table of ["watch_version", "watch_change", "watch_audit"]) {
        for (const change of [`delete from ${table}`, `update ${table} set list = 'x'`, `truncate ${table}`])
          await expect(sql.raw(change).execute(world.opened.db)).rejects.toThrow(/kept as they are|column "list"/);
      }
      expect(await world.watch.versions(list)).toHaveLength(4);
    });

    test("a token is its person's while it lives, and a wrong one is nobody's", async () => {
      const people = createPeople(world.opened.db);
      const { tokenId, token } = makeToken();
      const of = { name: `p${serial}`, role: "approver", tokenId, token, by: "root", now: world.now } as const;
      await people.put({ ...of, expiresAt: world.now + HOUR });
      expect(await actorOf(people, { token }, world.now)).toEqual({ name: of.name, role: "approver" });
      const wrong = [token.replace(/.$/, (last) => (last === "0" ? "1" : "0")), makeToken().token, "", `${token}\n`];
      for (const one of wrong) await expect(actorOf(people, { token: one }, world.now)).rejects.toThrow("not valid");
      await expect(actorOf(people, { token, name: "ben" }, world.now)).rejects.toThrow("not ben's");
      await expect(actorOf(people, { token }, world.now + HOUR)).rejects.toThrow("not valid");
      await people.revoke(of.name, world.now);
      await expect(actorOf(people, { token }, world.now)).rejects.toThrow("not valid");
      const stored = JSON.stringify(await world.opened.db.selectFrom("watch_person").selectAll().execute());
      expect(stored).not.toContain(token);
    });

    const importing = () => ({ store: world.watch, operationSinks: ["pager"], now: () => world.now, log: LOG });
  });
}

const OWN = `0x${"f".repeat(40)}`;
const TOKENS = createTokenList([]);

function worldOf(opened: OpenStore): World {
  const watched: WatchedEntry[] = [];
  const watch = createWatchStore(opened.db, {
    ...retellPorts([]),
    entryDigest,
    isMatched: (entry) => isMatched(entry, new Set()),
    onWatched: (_trx, entries) => {
      watched.push(...entries);
      return Promise.resolve();
    },
  });
  const reach = createReachStore(opened.db);
  const world: World = { opened, watch, watched, now: NOW, reach: null, desk: null as never };
  const desk = createWatchDesk({
    store: watch,
    reach: {
      ...reach,
      async ofAddress(of) {
        const known = await reach.ofAddress(of);
        const customers = Array.from({ length: world.reach?.customers ?? 0 }, (_, index) => `customer-${index}`);
        return { ...known, customers: [...known.customers, ...customers] };
      },
    },
    chains: [],
    normalizeAddress,
    hygieneOf: ({ text }) => Promise.resolve({ address: text, findings: [], refused: false, compliance: false }),
    isContract: () => Promise.resolve(null),
    operationSinks: ["pager"],
    now: () => world.now,
    onChanged: () => Promise.resolve(),
  });
  return Object.assign(world, { desk });
}

function blockWith(number: number, { chain, from }: { chain: string; from: string }): Block {
  const transfer = {
    key: "native",
    category: "native" as const,
    txHash: `0x${number.toString(16).padStart(64, "0")}`,
    txIndex: 0,
    from,
    to: OWN,
    assetId: `${chain}/slip44:60`,
    amount: 5n,
  };
  return { ...blockAt(number), transfers: [transfer] };
}
