/** What the store knows when somebody asks before money moves, and the answers it keeps; on both databases. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createAlertStore } from "../../src/store/alert-store.ts";
import { createChainStore } from "../../src/store/chain-store.ts";
import { migrate } from "../../src/store/database.ts";
import { createLeases } from "../../src/store/leases.ts";
import { createScreenAnswers, type KeptAnswer } from "../../src/store/screen-answers.ts";
import { readBlockStanding, readExposures, readHitsOf, readStandings } from "../../src/store/screen-facts.ts";
import type { Lease } from "../../src/types/checkpoint.ts";
import type { Hit } from "../../src/types/hit.ts";
import { blockAt, commitOf, foldKinds, hitOf, NOW, scanned, windowBlock, ZERO } from "../conformance/store-facts.ts";
import { onEachStore, type StoreToTest } from "../support/each-store.ts";

const kept = (place: number, more: Partial<KeptAnswer> = {}): KeptAnswer => ({
  answerId: `scr_${String(place).padStart(32, "0")}`,
  at: NOW + place,
  actor: "pipeline",
  role: "service",
  verdict: "clear",
  items: 1,
  listVersion: "wl_1",
  subjects: ["eip155:1/0xa"],
  payload: JSON.stringify({ text: "quote ' \" \\ \\u0000 \n ü" }),
  ...more,
});

onEachStore("screening", (name, open) => {
  describe(name, () => {
    let store: StoreToTest;
    const db = () => store.opened.db;
    beforeAll(async () => {
      store = await open();
      await migrate(db());
    }, 60_000);
    afterAll(() => store.close());

    async function lead(chain: string): Promise<Lease> {
      const options = { chain, holder: "us", ttlMs: 60_000, listVersion: "v1", revision: 0 };
      const lease = await createLeases(db()).acquire(options);
      if (lease === null) throw new Error("the lease is free");
      return lease;
    }
    async function follow(chain: string, hits: readonly Hit[] = []): Promise<Lease> {
      const lease = await lead(chain);
      const chains = createChainStore(db());
      await chains.begin(lease, [windowBlock(8), windowBlock(9)]);
      await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), hits), scanned(blockAt(11))]));
      return lease;
    }

    test("a chain is told by its lease, its coverage and its last block, all of one moment", async () => {
      const lease = await follow("test:standing");
      const chains = createChainStore(db());
      const standing = async () => (await readStandings(db(), ["test:standing"]))[0];
      const sound = {
        chain: "test:standing",
        isLed: true,
        covered: { from: 10, to: 11, hash: "0xa11", timestamp: 1_795_000_011 },
        holes: 0,
        listVersions: ["v1"],
        agreed: 1,
        proven: true,
        traced: false,
        pastScans: 0,
      };
      expect(await standing()).toEqual(sound);
      expect(await readStandings(db(), ["test:never"])).toEqual([
        { ...sound, chain: "test:never", isLed: false, covered: null, listVersions: [], agreed: 0, proven: false },
      ]);
      await db().updateTable("chain_lease").set({ list_version: "v2" }).where("chain", "=", "test:standing").execute();
      const again = [scanned(blockAt(11))];
      await chains.commitRematch({ lease, scanned: again, listVersion: "v2", headNumber: 11, now: NOW });
      expect(await standing()).toMatchObject({ listVersions: ["v1", "v2"] });
      // What is final stands by the list of its day.
      await chains.commitFinalized({ lease, listVersion: "v2", number: 10, now: NOW });
      expect(await standing()).toMatchObject({ listVersions: ["v2"] });
      const wanted = {
        entry_id: "list/test:standing/0xa",
        address: "0xa",
        incident: "heist",
        join_at: null,
        revision: 1,
      };
      await db()
        .insertInto("retro_wanted")
        .values({ chain: "test:standing", ...wanted })
        .execute();
      expect(await standing()).toMatchObject({ pastScans: 1 });
      await createLeases(db()).release(lease);
      expect(await standing()).toMatchObject({ isLed: false });
    });

    test("a block is scanned where the ledger has it, with the hash of the window", async () => {
      await follow("test:block");
      const of = (number: number) => readBlockStanding(db(), { chain: "test:block", number });
      expect(await of(10)).toEqual({ isScanned: true, hash: "0xa10" });
      expect(await of(9)).toEqual({ isScanned: false, hash: "0xa9" });
      expect(await of(12)).toEqual({ isScanned: false, hash: null });
    });

    test("an address is exposed by alerts that name it on either side, not by what is recorded or taken back", async () => {
      const chain = "test:exposure";
      const [paid, taken] = [hitOf({ chain, tx: "0x1" }), hitOf({ chain, tx: "0x2", subject: "0xother" })];
      const recorded = hitOf({ chain, tx: "0x3", recordedOnly: ZERO });
      await follow(chain, [paid, taken, recorded]);
      await db().updateTable("hit").set({ state: "removed" }).where("hit_id", "=", taken.hitId).execute();
      const ask = (address: string, on = chain) => readExposures(db(), [{ chain: on, address }]);
      const unfolded = { alertId: paid.alertId, kind: null, severity: null, action: null, stage: null };
      expect(await ask("0xsomebody")).toEqual([{ alerts: [unfolded], isCut: false }]);
      await createAlertStore(db()).foldAlert(paid.alertId, foldKinds);
      const [exposure] = await ask("0xthief");
      expect(exposure?.alerts).toMatchObject([{ alertId: paid.alertId, stage: "included" }]);
      const none = { alerts: [], isCut: false };
      expect(await ask("0xnobody")).toEqual([none]);
      expect(await ask("0xsomebody", "test:another")).toEqual([none]);
      const both = [
        { chain, address: "0xnobody" },
        { chain, address: "0xsomebody" },
      ];
      expect((await readExposures(db(), both)).map(({ alerts }) => alerts.length)).toEqual([0, 1]);
      expect((await readHitsOf(db(), { chain, transaction: "0x1" })).map(({ hit }) => hit)).toEqual([paid]);
      expect(await readHitsOf(db(), { chain, transaction: "0x2" })).toEqual([]);
    });

    test("answers are kept as they left, found by who asked about what and when, and pruned by age", async () => {
      const answers = createScreenAnswers(db());
      await answers.keep([
        kept(1),
        kept(2, { actor: "ann", subjects: ["eip155:1/0xa", "eip155:1/0xB"], verdict: "hold" }),
        kept(3, { subjects: [] }),
      ]);
      const ids = async (of: Parameters<typeof answers.list>[0]) => (await answers.list(of)).map(({ at }) => at - NOW);
      expect(await ids({ limit: 10 })).toEqual([3, 2, 1]);
      expect(await ids({ limit: 10, subject: "eip155:1/0xa" })).toEqual([2, 1]);
      expect(await ids({ limit: 10, subject: "eip155:1/0xb" })).toEqual([]);
      expect(await ids({ limit: 10, actor: "ann", verdict: "hold" })).toEqual([2]);
      expect(await ids({ limit: 10, verdict: "review" })).toEqual([]);
      expect(await ids({ limit: 10, since: NOW + 2, until: NOW + 3 })).toEqual([2]);
      const [last] = await answers.list({ limit: 1 });
      expect(await ids({ limit: 10, before: last })).toEqual([2, 1]);
      const { answer, ...head } = (await answers.show(kept(1).answerId)) ?? { answer: null };
      const { subjects: _subjects, payload, ...expected } = kept(1);
      expect(head).toEqual(expected);
      expect(answer).toEqual(JSON.parse(payload));
      expect(await answers.prune({ before: NOW + 3, limit: 1 })).toBe(1);
      expect(await ids({ limit: 10 })).toEqual([3, 2]);
      expect(await answers.prune({ before: NOW + 3, limit: 10 })).toBe(1);
      expect(await answers.show(kept(1).answerId)).toBeNull();
      expect(await ids({ limit: 10 })).toEqual([3]);
    });
  });
});
