/** Scans of the past and the ledger, on each database: who may read what, what is stored, what is claimed of it. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { chunksOf, planScan } from "../../src/ingest/backfill.ts";
import { createAlertStore } from "../../src/store/alert-store.ts";
import { createChainStore } from "../../src/store/chain-store.ts";
import { reportCoverage } from "../../src/store/coverage-report.ts";
import { migrate, type OpenStore } from "../../src/store/database.ts";
import { createLeases } from "../../src/store/leases.ts";
import { recordList } from "../../src/store/list-members.ts";
import { forgetScans } from "../../src/store/rewatched.ts";
import { createRetroClaims } from "../../src/store/retro-claims.ts";
import { createRetroStore } from "../../src/store/retro-store.ts";
import { sleep } from "../../src/lib/sleep.ts";
import type { Lease } from "../../src/types/checkpoint.ts";
import type { Hit } from "../../src/types/hit.ts";
import type { Claim, ReadRange } from "../../src/types/retro.ts";
import { blockAt, commitOf, foldKinds, hitOf, NOW, scanned, windowBlock } from "./store-facts.ts";

const RULE = { plan: planScan, cut: chunksOf };
const THIEF = "0xthief";
const TTL_MS = 60_000;

/** Reads a claim from the conformance chain: `hits` by block number. */
function readOf(claim: Claim, hits: ReadonlyMap<number, readonly Hit[]> = new Map()): ReadRange[] {
  return claim.ranges.map((range) => {
    const numbers = Array.from({ length: range.to - range.from + 1 }, (_, index) => range.from + index);
    const blocks = numbers.map((number) => ({ block: blockAt(number), hits: hits.get(number) ?? [] }));
    return { range, blocks, parentHash: blockAt(range.from).parentHash, lastHash: blockAt(range.to).hash };
  });
}

export function retroConformance(
  name: string,
  open: () => Promise<{ store: OpenStore; close: () => Promise<void> }>,
): void {
  describe(`scans of the past on ${name}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    const get = () => {
      const { db } = opened.store;
      return {
        db,
        retro: createRetroStore(db),
        claims: createRetroClaims(db),
        chains: createChainStore(db),
        leases: createLeases(db),
        alerts: createAlertStore(db),
      };
    };
    beforeAll(async () => {
      opened = await open();
      await migrate(opened.store.db);
      await record("old", []);
      await record("v1", [THIEF]);
      await record("v2", [THIEF, "0xother"]);
    });
    afterAll(async () => {
      await opened.store.close();
      await opened.close();
    });

    const CHAINS = Array.from({ length: 24 }, (_, index) => `retro:${index}`);
    let used = 0;
    function record(version: string, addresses: readonly string[]): Promise<void> {
      const list = {
        version,
        chains: CHAINS,
        addressesOf: () => addresses,
        names: (_chain: string, address: string) => addresses.includes(address),
      };
      return recordList(opened.store.db, list, NOW);
    }

    /** A chain followed from block 100 to 150 with a list that does not name the thief; final up to 120; v1 since. */
    async function followed(): Promise<Lease> {
      const { chains, leases } = get();
      const chain = CHAINS[used] as string;
      used += 1;
      const before = await leases.acquire({ chain, holder: "a", ttlMs: TTL_MS, listVersion: "old", revision: 0 });
      if (before === null) throw new Error("nobody leads it");
      await chains.begin(before, [windowBlock(99)]);
      const blocks = Array.from({ length: 51 }, (_, index) => scanned(blockAt(100 + index)));
      await chains.commitBlocks({ ...commitOf(before, blocks, "old"), windowDepth: 30 });
      await chains.commitFinalized({ lease: before, listVersion: "old", number: 120, now: NOW });
      const lease = await leases.acquire({ chain, holder: "a", ttlMs: TTL_MS, listVersion: "v1", revision: 0 });
      if (lease === null) throw new Error("the holder takes its own chain back");
      return lease;
    }

    const requestOf = (chain: string, more: object = {}) => ({
      scanId: `scan_${chain}_${Object.values(more).join("_")}`,
      chain,
      addresses: [THIEF],
      from: 60,
      reading: "whole" as const,
      listVersion: "v1",
      reason: "test",
      requestedBy: "us",
      now: NOW,
      ...more,
    });
    const claimOf = async (chain: string, chunk: number, holder = "w1", ttlMs = TTL_MS) => {
      const claim = await get().claims.claim({ chain, chunk, holder, ttlMs });
      if (claim === null) throw new Error(`nothing waits in chunk ${chunk}`);
      return claim;
    };
    const commit = (claim: Claim, hits?: ReadonlyMap<number, readonly Hit[]>, listVersion = "v1") =>
      get().claims.commit({ claim, read: readOf(claim, hits), listVersion, headNumber: 150, now: NOW });
    const kindsOf = async (alertId: string) => {
      const folded = await get().alerts.foldAlert(alertId, foldKinds);
      return folded === null ? [] : (JSON.parse(folded.record.state) as string[]);
    };

    test("a scan reads up to where live coverage begins, chunk by chunk, the newest first, and ends with its last", async () => {
      const { retro, claims } = get();
      const { chain } = await followed();
      const request = requestOf(chain);
      expect(await retro.start(request, RULE)).toMatchObject({
        ranges: [{ from: 60, to: 120 }],
        blocks: 61,
        joinAt: 121,
      });
      const places = await claims.claimable({ chains: [chain], limit: 10 });
      expect(places.map(({ chunk }) => chunk)).toEqual([3, 2, 1]);
      for (const { chunk } of places) await commit(await claimOf(chain, chunk));
      expect(await retro.show(request.scanId)).toMatchObject({ scan: { state: "done", blocksDone: 61, holders: [] } });
      expect(await claims.claimable({ chains: [chain], limit: 10 })).toEqual([]);
      expect(await retro.preview(requestOf(chain), RULE)).toMatchObject({ blocks: 0, joinAt: 121 });
      expect(await retro.coveredBlocks({ scanId: request.scanId, chain })).toBe(61);
    });

    test("the ledger says what was scanned for whom: live only with a list that names it, the past only where it was read", async () => {
      const { retro, db, chains } = get();
      const lease = await followed();
      const { chain } = lease;
      const asked = (block: number | null, address: string | null = THIEF) =>
        reportCoverage(db, { chain, block, address });
      expect((await asked(110)).scanned).toBe("no");
      expect((await asked(110, null)).scanned).toBe("yes");
      await retro.start(requestOf(chain), RULE);
      await commit(await claimOf(chain, 3));
      expect((await asked(110)).scanned).toBe("yes");
      expect((await asked(110, "0xother")).scanned).toBe("no");
      expect((await asked(95)).scanned).toBe("no");
      // Not matched again yet: nothing is claimed before it is done.
      expect((await asked(121)).scanned).toBe("no");
      const unfinal = Array.from({ length: 30 }, (_, index) => scanned(blockAt(121 + index)));
      await chains.commitRematch(commitOf(lease, unfinal, "v1"));
      expect((await asked(121)).scanned).toBe("yes");
      expect((await asked(null)).holes).toEqual([]);
      expect((await asked(null, null)).holes).toEqual([]);
    });

    test("what is found is told as final and retroactive; what live told already stays as it is", async () => {
      const { retro, chains, db } = get();
      const lease = await followed();
      const { chain } = lease;
      const [known, found, silent] = ["0x1", "0x2", "0x3"].map((tx) => hitOf({ chain, tx, subject: tx })) as [
        Hit,
        Hit,
        Hit,
      ];
      const recorded = { ...silent, recordedOnly: { rule: "dust" as const, reason: "small" } };
      await chains.commitBlocks(commitOf(lease, [scanned(blockAt(151), [known])], "v1"));
      await kindsOf(known.alertId);
      const request = requestOf(chain);
      await retro.start(request, RULE);
      const hits = new Map([
        [110, [known, found]],
        [111, [recorded]],
      ]);
      expect(await commit(await claimOf(chain, 3), hits)).toMatchObject({ hits: 3, fresh: 2 });
      expect(await kindsOf(known.alertId)).toEqual([]);
      expect(await kindsOf(found.alertId)).toEqual(["included", "final"]);
      expect(await kindsOf(silent.alertId)).toEqual([]);
      const events = await db.selectFrom("hit_event").selectAll().where("hit_id", "=", found.hitId).execute();
      expect(events.map(({ late, retroactive }) => [late, retroactive])).toEqual([
        [true, true],
        [true, true],
      ]);
      const row = await db.selectFrom("hit").selectAll().where("hit_id", "=", found.hitId).executeTakeFirstOrThrow();
      expect(row).toMatchObject({ state: "final", retro_scan: request.scanId, block_number: 110 });
      expect(await retro.findings(request.scanId)).toMatchObject([
        {
          address: THIEF,
          transfers: 3,
          freshTransfers: 2,
          recordedOnly: 1,
          alerts: 2,
          firstBlock: 110,
          lastBlock: 111,
        },
      ]);
    });

    test("a known hit is told again where it rests on a further entry now, in its alert; one that was only recorded is told at last", async () => {
      const { retro, chains, db } = get();
      const lease = await followed();
      const { chain } = lease;
      const [told, silent] = ["0x1", "0x2"].map((tx) => hitOf({ chain, tx, subject: tx })) as [Hit, Hit];
      const recorded = { ...silent, recordedOnly: { rule: "entryMuted" as const, reason: "muted" } };
      await chains.commitBlocks(commitOf(lease, [scanned(blockAt(151), [told, recorded])], "v1"));
      await chains.commitFinalized({ lease, listVersion: "v1", number: 151, now: NOW });
      await kindsOf(told.alertId);
      const [match] = told.matches as [Hit["matches"][number]];
      const further = (hit: Hit): Hit => ({
        ...hit,
        alertId: "alr_of_another_subject",
        matches: [...hit.matches, { ...match, entry: { ...match.entry, id: "list/further" } }],
      });
      await retro.start(requestOf(chain), RULE);
      const claim = await claimOf(chain, 3);
      expect(await commit(claim, new Map([[110, [further(told), further(silent)]]]))).toMatchObject({ fresh: 0 });

      expect(await kindsOf(told.alertId)).toEqual(["included", "final", "retold"]);
      expect(await kindsOf(silent.alertId)).toEqual(["included", "final"]);
      const [first] = await db.selectFrom("hit_event").selectAll().where("hit_id", "=", silent.hitId).execute();
      expect(first).toMatchObject({ kind: "included", late: true, retroactive: true });
      expect(JSON.parse(first?.block ?? "")).toMatchObject({ number: 110 });
      const links = db.selectFrom("hit_entry").select("hit_id").where("entry_id", "=", "list/further");
      const linked = await links.where("hit_id", "in", [told.hitId, silent.hitId]).execute();
      expect(linked).toHaveLength(2);
    });

    test("an address with a new entry: nothing that was scanned for it before counts, until it is read again", async () => {
      const { retro, chains, db } = get();
      const lease = await followed();
      const { chain } = lease;
      const unfinal = Array.from({ length: 30 }, (_, index) => scanned(blockAt(121 + index)));
      await chains.commitRematch(commitOf(lease, unfinal, "v1"));
      await chains.commitFinalized({ lease, listVersion: "v1", number: 140, now: NOW });
      await retro.start(requestOf(chain), RULE);
      for (const chunk of [3, 2, 1]) await commit(await claimOf(chain, chunk));
      const again = requestOf(chain, { nth: "again" });
      const asked = async (block: number) => (await reportCoverage(db, { chain, block, address: THIEF })).scanned;
      expect(await retro.preview(again, RULE)).toMatchObject({ ranges: [], joinAt: 121 });

      await db.transaction().execute((trx) => forgetScans(trx, [THIEF]));
      expect([await asked(70), await asked(130), await asked(140), await asked(141)]).toEqual([
        "no",
        "no",
        "no",
        "yes",
      ]);
      expect(await retro.start(again, RULE)).toMatchObject({ ranges: [{ from: 60, to: 140 }], joinAt: 141 });
      for (const chunk of [4, 3, 2, 1]) await commit(await claimOf(chain, chunk));
      expect([await asked(70), await asked(130), await asked(140)]).toEqual(["yes", "yes", "yes"]);
      expect(await retro.preview(requestOf(chain, { nth: "third" }), RULE)).toMatchObject({ ranges: [] });
    });

    test("a hit that a reorg took away and a final block holds after all is told again, under its alert", async () => {
      const { retro, chains } = get();
      const lease = await followed();
      const hit = hitOf({ chain: lease.chain, tx: "0x1", subject: "0xback" });
      await chains.commitBlocks(commitOf(lease, [scanned(blockAt(151), [hit])], "v1"));
      await chains.commitReorg({ lease, ancestor: blockAt(150), now: NOW });
      await kindsOf(hit.alertId);
      await retro.start(requestOf(lease.chain), RULE);
      const back = { ...hit, alertId: "alr_another" };
      expect(await commit(await claimOf(lease.chain, 3), new Map([[110, [back]]]))).toMatchObject({ fresh: 1 });
      expect(await kindsOf("alr_another")).toEqual([]);
      expect(await kindsOf(hit.alertId)).toEqual(["included", "removed", "included", "final"]);
    });

    test("scans of one chunk are claimed as one, and each keeps account of its own", async () => {
      const { retro } = get();
      const { chain } = await followed();
      const [wide, narrow] = [requestOf(chain), requestOf(chain, { from: 112 })];
      await retro.start(wide, RULE);
      await retro.start(narrow, RULE);
      const claim = await claimOf(chain, 3);
      expect(new Map(claim.ranges.map(({ scanId, from, to }) => [scanId, [from, to]]))).toEqual(
        new Map([
          [wide.scanId, [96, 120]],
          [narrow.scanId, [112, 120]],
        ]),
      );
      const hit = hitOf({ chain, tx: "0x1" });
      const read = readOf(claim, new Map([[115, [hit]]]));
      const stored = await get().claims.commit({ claim, read, listVersion: "v1", headNumber: 150, now: NOW });
      expect(stored).toMatchObject({ hits: 1, fresh: 1, ended: [narrow.scanId] });
      for (const { scanId } of [wide, narrow])
        expect((await retro.findings(scanId))[0]).toMatchObject({ transfers: 1 });
    });

    test("a claim is one process's until it runs out; who slept through its own stores nothing", async () => {
      const { retro, claims } = get();
      const { chain } = await followed();
      await retro.start(requestOf(chain), RULE);
      const slept = await claimOf(chain, 3, "w1", 1);
      await sleep(50);
      const taken = await claimOf(chain, 3, "w2");
      expect(await claims.claim({ chain, chunk: 3, holder: "w3", ttlMs: TTL_MS })).toBeNull();
      expect(await claims.renew(slept, TTL_MS)).toBe(false);
      await expect(commit(slept)).rejects.toMatchObject({ code: "fenced" });
      // Giving back what is not its own any more takes nothing from the other.
      await claims.release(slept, { trouble: null, now: NOW });
      expect(await claims.renew(taken, TTL_MS)).toBe(true);
      await commit(taken);
      await expect(commit(taken)).rejects.toMatchObject({ code: "fenced" });
    });

    test("a process that claims again what it slept through has two claims, and only the later one counts", async () => {
      const { retro, claims } = get();
      const { chain } = await followed();
      await retro.start(requestOf(chain), RULE);
      const slept = await claimOf(chain, 3, "w1", 1);
      await sleep(50);
      const again = await claimOf(chain, 3, "w1");
      expect(await claims.renew(slept, TTL_MS)).toBe(false);
      await expect(commit(slept)).rejects.toMatchObject({ code: "fenced" });
      await commit(again);
    });

    test("the last ranges of a scan, stored side by side, end it", async () => {
      const { retro } = get();
      for (let round = 0; round < 3; round += 1) {
        const { chain } = await followed();
        const request = requestOf(chain);
        await retro.start(request, RULE);
        const claimed = await Promise.all([1, 2, 3].map((chunk) => claimOf(chain, chunk, `w${chunk}`)));
        const ended = (await Promise.all(claimed.map((claim) => commit(claim)))).flatMap((stored) => stored.ended);
        expect(ended).toEqual([request.scanId]);
        expect((await retro.show(request.scanId))?.scan.state).toBe("done");
      }
    });

    test("a range that is given back waits for the next; with a trouble, not before a rest, and the scan says why", async () => {
      const { retro, claims } = get();
      const { chain } = await followed();
      const request = requestOf(chain);
      await retro.start(request, RULE);
      await claims.release(await claimOf(chain, 3), { trouble: null, now: NOW });
      await claims.release(await claimOf(chain, 3), { trouble: "the node is away", now: NOW });
      expect((await claims.claimable({ chains: [chain], limit: 9 })).map(({ chunk }) => chunk)).toEqual([2, 1]);
      expect((await retro.stuck({ since: NOW })).map(({ trouble }) => trouble)).toContain("the node is away");
      await commit(await claimOf(chain, 2));
      expect((await retro.show(request.scanId))?.scan.trouble).toBeNull();
    });

    test("what was matched with other lists than those in force is not stored", async () => {
      const { retro, leases, db } = get();
      const lease = await followed();
      const { chain } = lease;
      await retro.start(requestOf(chain), RULE);
      const claim = await claimOf(chain, 3);
      await leases.acquire({ chain, holder: "a", ttlMs: TTL_MS, listVersion: "v2", revision: 0 });
      const hit = hitOf({ chain, tx: "0x1" });
      await expect(commit(claim, new Map([[110, [hit]]]))).rejects.toMatchObject({ code: "list_changed" });
      expect(await db.selectFrom("hit").selectAll().where("hit_id", "=", hit.hitId).execute()).toEqual([]);
      expect(await commit(claim, new Map([[110, [hit]]]), "v2")).toMatchObject({ fresh: 1 });
      // The list names another address too, but the scan did not look for it.
      const scannedFor = async (address: string) => (await reportCoverage(db, { chain, block: 110, address })).scanned;
      expect([await scannedFor(THIEF), await scannedFor("0xother")]).toEqual(["yes", "no"]);
    });

    test("blocks that do not join those beside them are refused: below, above, and where live coverage begins", async () => {
      const { retro, claims } = get();
      const { chain } = await followed();
      await retro.start(requestOf(chain), RULE);
      const top = await claimOf(chain, 3);
      const commitWith = (claim: Claim, change: Partial<ReadRange>) =>
        claims.commit({
          claim,
          read: readOf(claim).map((one) => ({ ...one, ...change })),
          listVersion: "v1",
          headNumber: 150,
          now: NOW,
        });
      await expect(commitWith(top, { lastHash: "0xforged" })).rejects.toMatchObject({ code: "unlinked" });
      await commit(top);
      const low = await claimOf(chain, 1);
      await commit(low);
      const middle = await claimOf(chain, 2);
      await expect(commitWith(middle, { lastHash: "0xforged" })).rejects.toMatchObject({ code: "unlinked" });
      await expect(commitWith(middle, { parentHash: "0xforged" })).rejects.toMatchObject({ code: "unlinked" });
      await commit(middle);
    });

    test("blocks that are not final yet wait until they are", async () => {
      const { retro, claims, chains, leases } = get();
      const chain = CHAINS[used] as string;
      used += 1;
      const lease = await leases.acquire({ chain, holder: "a", ttlMs: TTL_MS, listVersion: "v1", revision: 0 });
      if (lease === null) throw new Error("nobody leads it");
      await chains.begin(lease, [windowBlock(98), windowBlock(99)]);
      await chains.commitBlocks(commitOf(lease, [scanned(blockAt(100))], "v1"));
      const request = requestOf(chain, { from: 90 });
      expect(await retro.start(request, RULE)).toMatchObject({ ranges: [{ from: 90, to: 99 }], finalNumber: -1 });
      expect(await claims.claimable({ chains: [chain], limit: 9 })).toEqual([]);
      expect(await claims.claim({ chain, chunk: 2, holder: "w", ttlMs: TTL_MS })).toBeNull();
      await chains.commitFinalized({ lease, listVersion: "v1", number: 97, now: NOW });
      expect((await claims.claimable({ chains: [chain], limit: 9 })).map(({ chunk }) => chunk)).toEqual([2]);
      await chains.commitFinalized({ lease, listVersion: "v1", number: 99, now: NOW });
      for (const chunk of [2, 3]) await commit(await claimOf(chain, chunk));
      expect((await retro.show(request.scanId))?.scan.state).toBe("done");
    });

    test("a cancelled scan is not read further, and what was read of it is stored and told", async () => {
      const { retro, claims } = get();
      const { chain } = await followed();
      const request = requestOf(chain);
      await retro.start(request, RULE);
      await commit(await claimOf(chain, 3));
      const running = await claimOf(chain, 2);
      expect(await retro.cancel(request.scanId, NOW)).toBe(true);
      expect(await retro.cancel(request.scanId, NOW)).toBe(false);
      await expect(commit(running)).rejects.toMatchObject({ code: "fenced" });
      expect(await claims.claimable({ chains: [chain], limit: 9 })).toEqual([]);
      expect(await retro.preview(requestOf(chain), RULE)).toMatchObject({ ranges: [{ from: 60, to: 95 }] });
    });

    test("asked for with other lists, for an address nobody watches, or of a chain nobody follows, it is refused", async () => {
      const { retro } = get();
      const { chain } = await followed();
      const refused = (more: object) => expect(retro.preview(requestOf(chain, more), RULE)).rejects;
      await refused({ listVersion: "v2" }).toThrow("other lists");
      await refused({ addresses: ["0xother"] }).toThrow("not watched");
      await refused({ from: 151 }).toThrow("not there yet");
      await refused({ chain: "retro:nobody" }).toThrow("not followed yet");
    });

    test("an address that leaves the list and comes back: each version knows whom it named", async () => {
      const { db } = get();
      const chain = CHAINS.at(-1) as string;
      const { leases, chains } = get();
      await record("gone", ["0xother"]);
      await record("back", [THIEF, "0xother"]);
      // Known already: nothing is written, and nothing is lost.
      await record("v1", [THIEF]);
      let number = 100;
      for (const version of ["v1", "gone", "back", "old"]) {
        const lease = await leases.acquire({ chain, holder: "a", ttlMs: TTL_MS, listVersion: version, revision: 0 });
        if (lease === null) throw new Error("the holder takes its own chain back");
        if (number === 100) await chains.begin(lease, [windowBlock(99)]);
        await chains.commitBlocks(commitOf(lease, [scanned(blockAt(number))], version));
        number += 1;
      }
      const verdicts = await Promise.all(
        [100, 101, 102, 103].map(async (block) => (await reportCoverage(db, { chain, block, address: THIEF })).scanned),
      );
      expect(verdicts).toEqual(["yes", "no", "yes", "no"]);
    });
  });
}
