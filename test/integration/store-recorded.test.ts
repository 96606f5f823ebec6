/** Hits that are only recorded: listed, told after all, told once a day in sum, pruned with their counts kept. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { recordedMessage } from "../../src/alerts/digest.ts";
import { messageBody } from "../../src/alerts/body-schema.ts";
import { createAlertStore } from "../../src/store/alert-store.ts";
import { createChainStore } from "../../src/store/chain-store.ts";
import { migrate, type OpenStore, openStore } from "../../src/store/database.ts";
import { createLeases } from "../../src/store/leases.ts";
import {
  countRecorded,
  listRecorded,
  prunedTotals,
  pruneRecorded,
  tellRecorded,
  tellRecordedDay,
} from "../../src/store/recorded.ts";
import type { Hit } from "../../src/types/hit.ts";
import { blockAt, commitOf, foldKinds, hitOf, NOW, scanned, windowBlock, ZERO } from "../conformance/store-facts.ts";
import { createTempDir } from "../support/temp-dir.ts";

const DAY = 86_400_000;
const DUST = { rule: "dust", reason: "Too little." } as const;
let folder: ReturnType<typeof createTempDir>;
let store: OpenStore;
beforeAll(async () => {
  folder = createTempDir("recorded");
  store = await openStore({ databaseUrl: null, dataDir: folder.path });
  await migrate(store.db);
});
afterAll(async () => {
  await store.close();
  await folder.remove();
});

/** Commits the hits in block 10 of a chain of their own, final or not. */
async function stored(chain: string, hits: readonly Hit[], state: "included" | "final" = "final"): Promise<void> {
  const lease = await createLeases(store.db).acquire({
    chain,
    holder: "us",
    ttlMs: 60_000,
    listVersion: "v1",
    revision: 0,
  });
  if (lease === null) throw new Error("the lease is free");
  const chains = createChainStore(store.db);
  await chains.begin(lease, [windowBlock(8), windowBlock(9)]);
  await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), hits)]));
  await store.db.updateTable("hit").set({ state }).where("chain", "=", chain).execute();
}

describe("recorded hits", () => {
  test("are listed by rule and entry, without those that were told", async () => {
    const told = hitOf({ chain: "test:list", tx: "0x1" });
    const zero = hitOf({ chain: "test:list", tx: "0x2", recordedOnly: ZERO });
    const dust = hitOf({ chain: "test:list", tx: "0x3", recordedOnly: DUST });
    await stored("test:list", [told, zero, dust]);
    const ids = async (of: { rule?: "dust"; entry?: string }) =>
      (await listRecorded(store.db, { limit: 10, offset: 0, ...of })).map(({ hit }) => hit.hitId).toSorted();
    expect(await ids({ entry: "list/test:list/0xthief" })).toEqual([zero.hitId, dust.hitId].toSorted());
    expect(await ids({ rule: "dust", entry: "list/test:list/0xthief" })).toEqual([dust.hitId]);
    expect(await ids({ entry: "list/other" })).toEqual([]);
  });

  test("are told where somebody asks, once they are final, and once", async () => {
    const zero = hitOf({ chain: "test:tell", tx: "0x1", recordedOnly: ZERO });
    await stored("test:tell", [zero], "included");
    const tell = () => tellRecorded(store.db, { hitId: zero.hitId, now: NOW });
    expect(await tell()).toBe("not final yet");
    await store.db.updateTable("hit").set({ state: "final" }).where("chain", "=", "test:tell").execute();
    expect(await tell()).toBe("told");
    expect(await tell()).toBe("told before");
    expect(await tellRecorded(store.db, { hitId: "hit_none", now: NOW })).toBe("unknown");
    const folded = await createAlertStore(store.db).foldAlert(zero.alertId, foldKinds);
    expect(folded?.record.summary).toBe("included final");
  });

  test("of entries that are muted wait for a person's decision about the entry", async () => {
    const muted = hitOf({ chain: "test:muted", tx: "0x1", recordedOnly: { rule: "entryMuted", reason: "Disputed." } });
    await stored("test:muted", [muted]);
    expect(await tellRecorded(store.db, { hitId: muted.hitId, now: NOW })).toBe("muted");
  });

  test("are told in sum once a day, whoever comes first", async () => {
    await stored("test:day", [
      hitOf({ chain: "test:day", tx: "0x1", recordedOnly: ZERO }),
      hitOf({ chain: "test:day", tx: "0x1", key: "log:1", recordedOnly: ZERO }),
    ]);
    const from = Math.floor(NOW / DAY) * DAY;
    const tell = () =>
      tellRecordedDay(store.db, {
        day: { name: "2026-11-22", from, to: from + DAY },
        now: NOW + DAY,
        sinks: ["desk"],
        makeMessage: (counts) => recordedMessage({ day: "2026-11-22", counts }, NOW + DAY),
      });
    expect(await Promise.all([tell(), tell()])).toEqual(expect.arrayContaining([true, false]));
    const { body } = await store.db
      .selectFrom("message")
      .select("body")
      .where("type", "=", "group.digest")
      .executeTakeFirstOrThrow();
    const { data } = messageBody.parse(JSON.parse(body));
    expect(data).toMatchObject({ severity: "info", detail: { "test:day zeroValue": 2 } });
  });

  test("are pruned after their time, with their counts kept; muted, unsettled and told ones stay", async () => {
    const chain = "test:prune";
    const gone = ["0x1", "0x2", "0x3"].map((tx) => hitOf({ chain, tx, recordedOnly: DUST }));
    const muted = hitOf({ chain, tx: "0x4", recordedOnly: { rule: "entryMuted", reason: "Disputed." } });
    const told = hitOf({ chain, tx: "0x5" });
    await stored(chain, [...gone, muted, told]);
    await store.db.updateTable("hit").set({ created_at: 1_000 }).where("chain", "=", chain).execute();
    expect(await pruneRecorded(store.db, { before: 1_000, limit: 10 })).toBe(0);
    expect(await pruneRecorded(store.db, { before: 1_001, limit: 2 })).toBe(2);
    expect(await pruneRecorded(store.db, { before: 1_001, limit: 2 })).toBe(1);
    const left = await store.db.selectFrom("hit").select("hit_id").where("chain", "=", chain).execute();
    expect(left.map((row) => row.hit_id).toSorted()).toEqual([muted.hitId, told.hitId].toSorted());
    const links = await store.db.selectFrom("hit_entry").select("hit_id").execute();
    expect(links.map((row) => row.hit_id)).not.toContain(gone[0]?.hitId);
    expect(await prunedTotals(store.db)).toEqual([{ chain, rule: "dust", hits: 3 }]);
    expect(await countRecorded(store.db, { from: 1_000, to: 1_001 })).toEqual([
      { chain, rule: "entryMuted", hits: 1, transactions: 1 },
    ]);
  });
});
