/** Transactions of the mempool: their hits, how they end, and that a block wins every race. */
import { describe, expect, test } from "@jest/globals";
import type { BlockTrust } from "../../src/types/chain.ts";
import type { Lease } from "../../src/types/checkpoint.ts";
import type { Hit, HitEvent } from "../../src/types/hit.ts";
import type { EndedPending, FoundPending } from "../../src/store/pending-store.ts";
import type { StoreUnderTest } from "./store.ts";
import { begun, eventsOf } from "./store-chain.ts";
import { blockAt, commitOf, hitOf, NOW, scanned, windowBlock } from "./store-facts.ts";

type GetStore = () => StoreUnderTest;

const SEEN: BlockTrust = { proven: false, operators: ["us"], missing: [], traced: false };

function found(hits: readonly Hit[], was: FoundPending["was"] = null): FoundPending {
  const hash = hits[0]?.transfer.txHash ?? "";
  return { hash, slots: [`0xthief/${hash}`, `coin/${hash}`], was, hits };
}

function pendingOf(lease: Lease, ...all: FoundPending[]) {
  return { lease, listVersion: "v1", found: all, trust: SEEN, now: NOW };
}

function ended(hash: string, how: EndedPending["how"], over: Partial<EndedPending> = {}): EndedPending {
  return { hash, was: "pending", how, by: null, block: null, ...over };
}

async function statesOf({ pending }: StoreUnderTest, { chain }: Lease): Promise<Record<string, string>> {
  return Object.fromEntries((await pending.load(chain)).map(({ hash, state }) => [hash, state]));
}

const kindsOf = (events: readonly HitEvent[]) => events.map(({ kind, hit }) => [kind, hit?.transfer.key ?? null]);

export function pendingConformance(getStore: GetStore): void {
  describe("mempool", () => {
    seenTests(getStore);
    endTests(getStore);
    blockTests(getStore);
    disputeTests(getStore);
    guardTests(getStore);
  });
}

function seenTests(getStore: GetStore): void {
  test("a pending hit is one event without a block, with all its facts; the same again is none", async () => {
    const { pending } = getStore();
    const lease = await begun(getStore(), "test:pending");
    const hit = hitOf({ chain: lease.chain, tx: "0xp1", amount: 2n ** 200n });
    expect(await pending.commitPending(pendingOf(lease, found([hit])))).toEqual({ hits: 1 });
    expect(await pending.commitPending(pendingOf(lease, found([hit], "pending")))).toEqual({ hits: 0 });
    expect(await pending.load(lease.chain)).toEqual([
      { hash: "0xp1", slots: ["0xthief/0xp1", "coin/0xp1"], state: "pending" },
    ]);
    expect(await eventsOf(getStore(), hit.alertId)).toEqual([
      {
        seq: expect.any(Number),
        hitId: hit.hitId,
        alertId: hit.alertId,
        kind: "pending",
        block: null,
        hit,
        trust: SEEN,
        reason: null,
        link: null,
        late: false,
        retroactive: false,
        at: NOW,
      },
    ]);
  });

  test("a pending hit that a changed list tells differently is told again, in the alert it began", async () => {
    const { pending } = getStore();
    const lease = await begun(getStore(), "test:pending-relabelled");
    const hit = hitOf({ chain: lease.chain, tx: "0xp1" });
    const again = { ...hitOf({ chain: lease.chain, tx: "0xp1", label: "another" }), alertId: "alr_another" };
    await pending.commitPending(pendingOf(lease, found([hit])));
    await pending.commitPending(pendingOf(lease, found([again], "pending")));
    expect((await eventsOf(getStore(), hit.alertId)).map(({ kind }) => kind)).toEqual(["pending", "pending"]);
    expect(await eventsOf(getStore(), "alr_another")).toEqual([]);
  });
}

function endTests(getStore: GetStore): void {
  test("a replaced transaction is told, and both alerts of one subject point at each other", async () => {
    const { pending } = getStore();
    const lease = await begun(getStore(), "test:replaced");
    const { chain } = lease;
    const [old, other, rival, stranger] = [
      hitOf({ chain, tx: "0xold" }),
      hitOf({ chain, tx: "0xold", key: "calldata", subject: "0xdesk" }),
      hitOf({ chain, tx: "0xnew" }),
      hitOf({ chain, tx: "0xelse" }),
    ];
    await pending.commitPending(pendingOf(lease, found([old, other]), found([rival]), found([stranger])));
    const all = [old, other, rival, stranger];
    for (const hit of all) await eventsOf(getStore(), hit.alertId);
    expect(
      await pending.commitEnded({ lease, ended: [ended("0xold", "replaced", { by: "0xnew" })], now: NOW }),
    ).toEqual({ hits: 2 });
    const [ofOld, ofOther, ofRival, ofStranger] = await Promise.all(
      all.map((hit) => eventsOf(getStore(), hit.alertId)),
    );
    const replacedBy = { as: "replacedBy", other: { transaction: "0xnew", alertId: rival.alertId } };
    expect(ofOld).toMatchObject([
      { kind: "removed", reason: "replaced", block: null },
      { kind: "linked", link: replacedBy },
    ]);
    expect(ofOther).toMatchObject([
      { kind: "removed", reason: "replaced" },
      { kind: "linked", link: replacedBy },
    ]);
    const replaces = { as: "replaces", other: { transaction: "0xold", alertId: old.alertId } };
    expect(ofRival).toMatchObject([{ kind: "linked", link: replaces }]);
    expect(ofStranger).toEqual([]);
    expect(await statesOf(getStore(), lease)).toEqual({ "0xold": "replaced", "0xnew": "pending", "0xelse": "pending" });
  });

  test("a replacement that nobody watches has no alert to point at", async () => {
    const { pending } = getStore();
    const lease = await begun(getStore(), "test:cancelled");
    const hit = hitOf({ chain: lease.chain, tx: "0xold" });
    await pending.commitPending(pendingOf(lease, found([hit])));
    await pending.commitEnded({ lease, ended: [ended("0xold", "replaced", { by: "0xcancel" })], now: NOW });
    const link = { as: "replacedBy", other: { transaction: "0xcancel", alertId: null } };
    expect((await eventsOf(getStore(), hit.alertId)).at(-1)).toMatchObject({ kind: "linked", link });
  });

  test("a dropped transaction that is seen again is told again, and in a block it is the same alert", async () => {
    const { pending, chains } = getStore();
    const lease = await begun(getStore(), "test:dropped");
    const hit = hitOf({ chain: lease.chain, tx: "0xp1" });
    await pending.commitPending(pendingOf(lease, found([hit])));
    await pending.commitEnded({ lease, ended: [ended("0xp1", "dropped")], now: NOW });
    await pending.commitPending(pendingOf(lease, found([hit], "dropped")));
    await pending.commitEnded({ lease, ended: [ended("0xp1", "dropped")], now: NOW });
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [hit])]));
    const events = await eventsOf(getStore(), hit.alertId);
    expect(events.map(({ kind, reason }) => [kind, reason])).toEqual([
      ["pending", null],
      ["removed", "dropped"],
      ["pending", null],
      ["removed", "dropped"],
      ["included", null],
    ]);
    expect(await statesOf(getStore(), lease)).toEqual({ "0xp1": "included" });
  });

  test("what was replaced or dropped long ago is forgotten, what waits is not", async () => {
    const { pending } = getStore();
    const lease = await begun(getStore(), "test:prune");
    const hits = ["0xa", "0xb", "0xc"].map((tx) => hitOf({ chain: lease.chain, tx }));
    await pending.commitPending(pendingOf(lease, ...hits.map((hit) => found([hit]))));
    const ends = [ended("0xa", "dropped"), ended("0xb", "replaced", { by: "0xc" })];
    await pending.commitEnded({ lease, ended: ends, now: NOW });
    await pending.prune({ lease, changedBefore: NOW });
    expect(Object.keys(await statesOf(getStore(), lease))).toEqual(["0xa", "0xb", "0xc"]);
    await pending.prune({ lease, changedBefore: NOW + 1 });
    expect(await statesOf(getStore(), lease)).toEqual({ "0xc": "pending" });
  });
}

function blockTests(getStore: GetStore): void {
  test("in a block the real movement is told first, then what was only asked for is superseded", async () => {
    const { pending, chains } = getStore();
    const lease = await begun(getStore(), "test:superseded");
    const { chain } = lease;
    const [native, asked, logged] = ["native", "calldata", "log:0"].map((key) => hitOf({ chain, tx: "0xp1", key }));
    if (native === undefined || asked === undefined || logged === undefined) throw new Error("three hits");
    await pending.commitPending(pendingOf(lease, found([native, asked])));
    await eventsOf(getStore(), native.alertId);
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [native, logged])]));
    const events = await eventsOf(getStore(), native.alertId);
    expect(new Set(kindsOf(events.slice(0, 2)))).toEqual(
      new Set([
        ["included", "native"],
        ["included", "log:0"],
      ]),
    );
    expect(events.slice(2)).toMatchObject([{ kind: "superseded", hitId: asked.hitId, block: null, hit: null }]);
  });

  test("a block ends the wait of its transactions only, and its end begins it again", async () => {
    const { pending, chains } = getStore();
    const lease = await begun(getStore(), "test:unmined");
    const [mined, waits] = [hitOf({ chain: lease.chain, tx: "0xp1" }), hitOf({ chain: lease.chain, tx: "0xp2" })];
    await pending.commitPending(pendingOf(lease, found([mined]), found([waits])));
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [mined])]));
    expect(await statesOf(getStore(), lease)).toEqual({ "0xp1": "included", "0xp2": "pending" });
    await chains.commitReorg({ lease, ancestor: windowBlock(9), now: NOW });
    expect(await statesOf(getStore(), lease)).toEqual({ "0xp1": "unmined", "0xp2": "pending" });
    await pending.commitPending(pendingOf(lease, found([mined], "unmined")));
    const events = await eventsOf(getStore(), mined.alertId);
    expect(events.map(({ kind, reason }) => [kind, reason])).toEqual([
      ["pending", null],
      ["included", null],
      ["removed", "reorg"],
      ["pending", null],
    ]);
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10, { branch: "b", on: "a" }), [mined])]));
    await chains.commitFinalized({ lease, listVersion: "v1", number: 10, now: NOW });
    expect(await statesOf(getStore(), lease)).toEqual({ "0xp2": "pending" });
    expect((await eventsOf(getStore(), mined.alertId)).map(({ kind }) => kind)).toEqual(["included", "final"]);
  });

  test("a transaction in a block without effect is superseded once that block is scanned, not before", async () => {
    const { pending, chains } = getStore();
    const lease = await begun(getStore(), "test:no-effect");
    const [fails, ancient] = [hitOf({ chain: lease.chain, tx: "0xp1" }), hitOf({ chain: lease.chain, tx: "0xp2" })];
    await pending.commitPending(pendingOf(lease, found([fails]), found([ancient])));
    const inBlock = (number: number, hash: string) => ended("0xp1", "included", { block: { number, hash } });
    const end = (...all: EndedPending[]) => pending.commitEnded({ lease, ended: all, now: NOW });
    expect(await end(inBlock(10, "0xa10"))).toEqual({ hits: 0 });
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10))]));
    // Another branch, and a block below the start, which was never scanned.
    expect(await end(inBlock(10, "0xb10"), inBlock(9, "0xa9"))).toEqual({ hits: 0 });
    expect(await statesOf(getStore(), lease)).toEqual({ "0xp1": "pending", "0xp2": "pending" });
    expect(await end(inBlock(10, "0xa10"))).toEqual({ hits: 1 });
    // Older than everything that is still known.
    expect(await end(ended("0xp2", "included", { block: { number: 3, hash: "0xa3" } }))).toEqual({ hits: 1 });
    expect((await eventsOf(getStore(), fails.alertId)).map(({ kind }) => kind)).toEqual(["pending", "superseded"]);
    await chains.commitReorg({ lease, ancestor: windowBlock(9), now: NOW });
    expect((await statesOf(getStore(), lease))["0xp1"]).toBe("unmined");
  });
}

function disputeTests(getStore: GetStore): void {
  const disputedOf = (lease: Lease, blocks: Parameters<typeof commitOf>[1]) => {
    const { windowDepth: _windowDepth, ...commit } = commitOf(lease, blocks);
    return { ...commit, doubtedAbove: null };
  };

  test("a waiting transaction in a disputed block is disputed; when that block loses, it is waited for again", async () => {
    const { pending, chains } = getStore();
    const lease = await begun(getStore(), "test:pending-disputed");
    const hit = hitOf({ chain: lease.chain, tx: "0xp1" });
    await pending.commitPending(pendingOf(lease, found([hit])));
    await chains.commitDisputed(disputedOf(lease, [scanned(blockAt(10), [hit])]));
    // Shown by the other side's pool, or by none: its disputed block is what is told.
    expect(await pending.commitPending(pendingOf(lease, found([hit], "pending")))).toEqual({ hits: 0 });
    const inBlock = ended("0xp1", "included", { block: blockAt(10) });
    expect(await pending.commitEnded({ lease, ended: [inBlock], now: NOW })).toEqual({ hits: 0 });
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10, { branch: "b", on: "a" }))]));
    expect(await statesOf(getStore(), lease)).toEqual({ "0xp1": "unmined" });
    expect(await pending.commitPending(pendingOf(lease, found([hit], "unmined")))).toEqual({ hits: 1 });
    const events = await eventsOf(getStore(), hit.alertId);
    expect(events.map(({ kind, reason }) => [kind, reason])).toEqual([
      ["pending", null],
      ["disputed", null],
      ["removed", "reorg"],
      ["pending", null],
    ]);
  });

  test("a waiting transaction whose disputed block wins is included, and no longer waited for", async () => {
    const { pending, chains } = getStore();
    const lease = await begun(getStore(), "test:pending-agreed");
    const hit = hitOf({ chain: lease.chain, tx: "0xp1" });
    await pending.commitPending(pendingOf(lease, found([hit])));
    await chains.commitDisputed(disputedOf(lease, [scanned(blockAt(10), [hit])]));
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [hit])]));
    expect(await statesOf(getStore(), lease)).toEqual({ "0xp1": "included" });
    const kinds = (await eventsOf(getStore(), hit.alertId)).map(({ kind }) => kind);
    expect(kinds).toEqual(["pending", "disputed", "included"]);
    expect(await chains.commitFinalized({ lease, listVersion: "v1", number: 10, now: NOW })).toEqual({ finalHits: 1 });
  });
}

function guardTests(getStore: GetStore): void {
  test("what a block said in the meantime stands: a move from another state than seen does nothing", async () => {
    const { pending, chains } = getStore();
    const lease = await begun(getStore(), "test:race");
    const hit = hitOf({ chain: lease.chain, tx: "0xp1" });
    await pending.commitPending(pendingOf(lease, found([hit])));
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [hit])]));
    const ends = [ended("0xp1", "dropped"), ended("0xp1", "replaced", { by: "0xnew" })];
    expect(await pending.commitEnded({ lease, ended: ends, now: NOW })).toEqual({ hits: 0 });
    for (const was of [null, "pending", "included"] as const)
      expect(await pending.commitPending(pendingOf(lease, found([hit], was)))).toEqual({ hits: 0 });
    expect((await eventsOf(getStore(), hit.alertId)).map(({ kind }) => kind)).toEqual(["pending", "included"]);
  });

  test("a stale leader and a changed list write nothing", async () => {
    const { pending, leases } = getStore();
    const lease = await begun(getStore(), "test:pending-fenced");
    const hit = hitOf({ chain: lease.chain, tx: "0xp1" });
    const stale = { ...pendingOf(lease, found([hit])), listVersion: "v0" };
    await expect(pending.commitPending(stale)).rejects.toMatchObject({ code: "list_changed" });
    await leases.acquire({ chain: lease.chain, holder: "first", ttlMs: 60_000, listVersion: "v1", revision: 0 });
    const fenced = { code: "fenced" };
    await expect(pending.commitPending(pendingOf(lease, found([hit])))).rejects.toMatchObject(fenced);
    await expect(pending.commitEnded({ lease, ended: [], now: NOW })).rejects.toMatchObject(fenced);
    await expect(pending.prune({ lease, changedBefore: NOW })).rejects.toMatchObject(fenced);
    expect(await pending.load(lease.chain)).toEqual([]);
    expect(await eventsOf(getStore(), hit.alertId)).toEqual([]);
  });
}
