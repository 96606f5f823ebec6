/** Leases, checkpoints, hits and their events. */
import { describe, expect, test } from "@jest/globals";
import type { Lease } from "../../src/types/checkpoint.ts";
import type { HitEvent } from "../../src/types/hit.ts";
import type { StoreUnderTest } from "./store.ts";
import { blockAt, commitOf, foldKinds, hitOf, NOW, scanned, windowBlock, ZERO } from "./store-facts.ts";

type GetStore = () => StoreUnderTest;

const TTL = { ttlMs: 60_000, listVersion: "v1", revision: 0 };

/** A chain led by `first`, known from block 9 on. */
export async function begun(store: StoreUnderTest, chain: string): Promise<Lease> {
  const lease = await store.leases.acquire({ chain, holder: "first", ...TTL });
  if (lease === null) throw new Error("a free chain is led by whoever asks");
  await store.chains.begin(lease, [windowBlock(8), windowBlock(9)]);
  return lease;
}

/** Every event the alert's fold was given, and only this alert's. */
export async function eventsOf(store: StoreUnderTest, alertId: string): Promise<HitEvent[]> {
  const seen: HitEvent[] = [];
  await store.alerts.foldAlert(alertId, (alert, events) => {
    seen.push(...events);
    return foldKinds(alert, events);
  });
  return seen;
}

export function chainConformance(getStore: GetStore): void {
  describe("leases", () => leaseTests(getStore));
  describe("checkpoint", () => checkpointTests(getStore));
  describe("hits", () => hitTests(getStore));
  describe("hits over time", () => lifeTests(getStore));
}

function leaseTests(getStore: GetStore): void {
  test("a led chain is not given to another holder until its lease ran out", async () => {
    const { leases, passTime } = getStore();
    const chain = "test:lease";
    const first = await leases.acquire({ chain, holder: "first", ttlMs: 300, listVersion: "v1", revision: 0 });
    expect(first).toEqual({ chain, holder: "first", epoch: 1 });
    expect(await leases.acquire({ chain, holder: "second", ...TTL })).toBeNull();
    await passTime(600);
    expect(await leases.acquire({ chain, holder: "second", ...TTL })).toEqual({ chain, holder: "second", epoch: 2 });
  });

  test("renewing keeps a lease alive, and fails once another holder has it", async () => {
    const { leases, passTime } = getStore();
    const chain = "test:renew";
    const first = (await leases.acquire({
      chain,
      holder: "first",
      ttlMs: 300,
      listVersion: "v1",
      revision: 0,
    })) as Lease;
    expect(await leases.renew(first, 60_000)).toBe(true);
    await passTime(600);
    expect(await leases.acquire({ chain, holder: "second", ...TTL })).toBeNull();
    await leases.release(first);
    expect(await leases.acquire({ chain, holder: "second", ...TTL })).toMatchObject({ epoch: 2 });
    expect(await leases.renew(first, 60_000)).toBe(false);
    await leases.release(first);
    expect(await leases.acquire({ chain, holder: "third", ...TTL })).toBeNull();
  });

  test("a restarted holder takes its chain back at once, under a new epoch that fences the old one", async () => {
    const { leases, chains } = getStore();
    const old = await begun(getStore(), "test:restart");
    const again = (await leases.acquire({ chain: old.chain, holder: "first", ...TTL })) as Lease;
    expect(again.epoch).toBe(old.epoch + 1);
    const blocks = [scanned(blockAt(10), [hitOf({ chain: old.chain, tx: "0x1" })])];
    await expect(chains.commitBlocks(commitOf(old, blocks))).rejects.toMatchObject({ code: "fenced" });
    await expect(chains.commitRematch(commitOf(old, blocks))).rejects.toMatchObject({ code: "fenced" });
    await expect(chains.commitFinalized({ lease: old, listVersion: "v1", number: 9, now: NOW })).rejects.toMatchObject({
      code: "fenced",
    });
    const reorg = { lease: old, ancestor: windowBlock(8), now: NOW };
    await expect(chains.commitReorg(reorg)).rejects.toMatchObject({ code: "fenced" });
    await expect(chains.begin(old, [windowBlock(10)])).rejects.toMatchObject({ code: "fenced" });
    expect((await chains.load(old.chain))?.window.map((block) => block.number)).toEqual([8, 9]);
    expect(await eventsOf(getStore(), hitOf({ chain: old.chain, tx: "0x1" }).alertId)).toEqual([]);
  });

  test("nobody writes to a chain that nobody leads", async () => {
    const lease = { chain: "test:nobody", holder: "first", epoch: 1 };
    await expect(getStore().chains.begin(lease, [windowBlock(1)])).rejects.toMatchObject({ code: "fenced" });
    expect(await getStore().chains.load(lease.chain)).toBeNull();
  });
}

function checkpointTests(getStore: GetStore): void {
  test("blocks come back as they were stored, the latest last", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:blocks");
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10)), scanned(blockAt(11))]));
    const known = { scanned: true, listVersion: "v1" };
    expect(await chains.load(lease.chain)).toEqual({
      window: [windowBlock(8), windowBlock(9), { ...windowBlock(10), ...known }, { ...windowBlock(11), ...known }],
      finalizedNumber: -1,
    });
  });

  test("a block's work comes back to the last digit, and none where there was none", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:work");
    const work = 2n ** 255n + 1n;
    await chains.commitBlocks(commitOf(lease, [scanned({ ...blockAt(10), work })]));
    const window = (await chains.load(lease.chain))?.window;
    expect(window?.map((block) => block.work)).toEqual([undefined, undefined, work]);
  });

  test("a block that does not follow the tip is refused, and nothing of its batch is stored", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:gap");
    const hit = hitOf({ chain: lease.chain, tx: "0x1" });
    for (const wrong of [blockAt(12), blockAt(11, { branch: "b" })]) {
      const commit = commitOf(lease, [scanned(blockAt(10), [hit]), scanned(wrong)]);
      await expect(chains.commitBlocks(commit)).rejects.toThrow("follows the stored tip");
    }
    await expect(chains.begin(lease, [windowBlock(7), windowBlock(8)])).rejects.toThrow();
    expect((await chains.load(lease.chain))?.window.map((block) => block.number)).toEqual([8, 9]);
    expect(await eventsOf(getStore(), hit.alertId)).toEqual([]);
  });

  test("a list that changed between match and commit refuses the blocks", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:list");
    const commit = commitOf(lease, [scanned(blockAt(10))], "v0");
    await expect(chains.commitBlocks(commit)).rejects.toMatchObject({ code: "list_changed" });
    await expect(chains.commitRematch(commit)).rejects.toMatchObject({ code: "list_changed" });
  });

  test("the window loses blocks only when they are both final and deep enough", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:prune");
    const numbers = async () => (await chains.load(lease.chain))?.window.map((block) => block.number);
    const commit = (number: number) => ({ ...commitOf(lease, [scanned(blockAt(number))]), windowDepth: 2 });
    await chains.commitBlocks(commit(10));
    await chains.commitBlocks(commit(11));
    expect(await numbers()).toEqual([8, 9, 10, 11]);
    await chains.commitFinalized({ lease, listVersion: "v1", number: 9, now: NOW });
    await chains.commitBlocks(commit(12));
    expect(await numbers()).toEqual([9, 10, 11, 12]);
    await chains.commitFinalized({ lease, listVersion: "v1", number: 12, now: NOW });
    await chains.commitBlocks(commit(13));
    expect(await numbers()).toEqual([11, 12, 13]);
    expect((await chains.load(lease.chain))?.finalizedNumber).toBe(12);
  });

  test("finality never goes back, and no reorg goes below it", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:final");
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10))]));
    await chains.commitFinalized({ lease, listVersion: "v1", number: 10, now: NOW });
    expect(await chains.commitFinalized({ lease, listVersion: "v1", number: 9, now: NOW })).toEqual({ finalHits: 0 });
    expect((await chains.load(lease.chain))?.finalizedNumber).toBe(10);
    await expect(chains.commitReorg({ lease, ancestor: windowBlock(9), now: NOW })).rejects.toThrow("final");
    expect((await chains.load(lease.chain))?.window.at(-1)?.number).toBe(10);
  });
}

function hitTests(getStore: GetStore): void {
  test("a hit is one event with all its facts, amounts to the last digit", async () => {
    const lease = await begun(getStore(), "test:hit");
    const hit = hitOf({ chain: lease.chain, tx: "0x1", amount: 2n ** 255n + 1n });
    const block = blockAt(10);
    await getStore().chains.commitBlocks({ ...commitOf(lease, [scanned(block, [hit])]), headNumber: 12 });
    const { number, hash, timestamp } = block;
    expect(await eventsOf(getStore(), hit.alertId)).toEqual([
      {
        seq: expect.any(Number),
        hitId: hit.hitId,
        alertId: hit.alertId,
        kind: "included",
        block: { number, hash, timestamp, confirmations: 3 },
        hit,
        trust: block.trust,
        reason: null,
        link: null,
        late: false,
        retroactive: false,
        at: NOW,
      },
    ]);
  });

  test("a recorded-only hit is no event, not when it comes, goes, or becomes final", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:recorded");
    const hit = hitOf({ chain: lease.chain, tx: "0x1", amount: 0n, recordedOnly: ZERO });
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [hit])]));
    expect(await chains.commitReorg({ lease, ancestor: windowBlock(9), now: NOW })).toEqual({ removedHits: 1 });
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10, { branch: "b", on: "a" }), [hit])]));
    expect(await chains.commitFinalized({ lease, listVersion: "v1", number: 10, now: NOW })).toEqual({ finalHits: 1 });
    expect(await eventsOf(getStore(), hit.alertId)).toEqual([]);
  });

  test("a hit matched again is an event when it is told differently, and none when it is not", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:rematch");
    const [same, relabelled, found] = [
      hitOf({ chain: lease.chain, tx: "0x1" }),
      hitOf({ chain: lease.chain, tx: "0x2" }),
      hitOf({ chain: lease.chain, tx: "0x3" }),
    ];
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [same, relabelled])]));
    for (const hit of [same, relabelled]) await eventsOf(getStore(), hit.alertId);
    const again = [same, hitOf({ chain: lease.chain, tx: "0x2", label: "another" }), found];
    await chains.commitRematch(commitOf(lease, [scanned(blockAt(10), again)]));
    expect(await eventsOf(getStore(), same.alertId)).toEqual([]);
    expect(await eventsOf(getStore(), relabelled.alertId)).toMatchObject([{ kind: "rematched" }]);
    expect(await eventsOf(getStore(), found.alertId)).toMatchObject([{ kind: "included" }]);
  });

  test("the ledger names the list a block was matched with last; what stands beside it keeps its own", async () => {
    const { chains, leases, coverage } = getStore();
    const lease = await begun(getStore(), "test:rematch-ledger");
    await chains.commitBlocks(
      commitOf(
        lease,
        [10, 11, 12, 13].map((number) => scanned(blockAt(number))),
      ),
    );
    const next = await leases.acquire({ ...lease, ttlMs: 60_000, listVersion: "v2", revision: 0 });
    if (next === null) throw new Error("the holder takes its own chain back");
    const other = { ...blockAt(12), trust: { ...blockAt(12).trust, operators: ["them"] } };
    await chains.commitRematch(commitOf(next, [scanned(blockAt(11)), scanned(other)], "v2"));
    const told = (await coverage(lease.chain)).flatMap(({ from, to, listVersion, operators }) =>
      Array.from({ length: to - from + 1 }, (_, index) => [from + index, listVersion, operators.join(" ")]),
    );
    expect(told).toEqual([
      [10, "v1", "us"],
      [11, "v2", "us"],
      [12, "v2", "them us"],
      [13, "v1", "us"],
    ]);
  });

  test("a block matched again that is not in the window is refused as a whole", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:rematch-gone");
    const hit = hitOf({ chain: lease.chain, tx: "0x1" });
    const blocks = [scanned(blockAt(9), [hit]), scanned(blockAt(9, { branch: "b" }), [hit])];
    await expect(chains.commitRematch(commitOf(lease, blocks))).rejects.toThrow("still in the window");
    expect((await chains.load(lease.chain))?.window.at(-1)).toEqual(windowBlock(9));
    expect(await eventsOf(getStore(), hit.alertId)).toEqual([]);
  });
}

function lifeTests(getStore: GetStore): void {
  test("a reorg removes exactly the hits above the ancestor, and a hit that comes back keeps its alert", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:reorg");
    const [stays, leaves] = [hitOf({ chain: lease.chain, tx: "0x1" }), hitOf({ chain: lease.chain, tx: "0x2" })];
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [stays]), scanned(blockAt(11), [leaves])]));
    expect(await chains.commitReorg({ lease, ancestor: blockAt(10), now: NOW })).toEqual({ removedHits: 1 });
    expect((await chains.load(lease.chain))?.window.at(-1)?.number).toBe(10);
    // Another list would call it another alert now: an alert's id is fixed when it is made.
    const back = { ...leaves, alertId: "alr_other" };
    const place = blockAt(11, { branch: "b", on: "a" });
    await chains.commitBlocks(commitOf(lease, [scanned(place, [back])]));
    expect(await eventsOf(getStore(), "alr_other")).toEqual([]);
    expect(await eventsOf(getStore(), stays.alertId)).toMatchObject([{ kind: "included" }]);
    const events = await eventsOf(getStore(), leaves.alertId);
    expect(events).toMatchObject([
      { kind: "included", block: { hash: "0xa11" } },
      { kind: "removed", block: { number: 11, hash: "0xa11" }, hit: null, trust: null },
      { kind: "included", block: { hash: "0xb11" }, hit: { alertId: leaves.alertId } },
    ]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq).toSorted((a, b) => a - b));
  });

  test("a final hit is told once and stays final whatever is matched again", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:final-hit");
    const hit = hitOf({ chain: lease.chain, tx: "0x1" });
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [hit]), scanned(blockAt(11))]));
    expect(await chains.commitFinalized({ lease, listVersion: "v1", number: 10, now: NOW })).toEqual({ finalHits: 1 });
    const relabelled = hitOf({ chain: lease.chain, tx: "0x1", label: "another" });
    await chains.commitRematch(commitOf(lease, [scanned(blockAt(10), [relabelled])]));
    expect(await chains.commitFinalized({ lease, listVersion: "v1", number: 11, now: NOW })).toEqual({ finalHits: 0 });
    expect(await chains.commitReorg({ lease, ancestor: blockAt(11), now: NOW })).toEqual({ removedHits: 0 });
    const kinds = (await eventsOf(getStore(), hit.alertId)).map(({ kind }) => kind);
    expect(kinds).toEqual(["included", "final", "rematched"]);
  });

  test("a told hit that turns into a recorded-only one is told so once", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:silenced");
    const hit = hitOf({ chain: lease.chain, tx: "0x1" });
    const silent = hitOf({ chain: lease.chain, tx: "0x1", amount: 0n, recordedOnly: ZERO });
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [hit])]));
    await chains.commitReorg({ lease, ancestor: blockAt(9), now: NOW });
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10, { branch: "b", on: "a" }), [silent])]));
    await chains.commitRematch(commitOf(lease, [scanned(blockAt(10, { branch: "b", on: "a" }), [silent])]));
    await chains.commitFinalized({ lease, listVersion: "v1", number: 10, now: NOW });
    const events = await eventsOf(getStore(), hit.alertId);
    expect(events.map(({ kind }) => kind)).toEqual(["included", "removed", "included"]);
    expect(events.at(-1)?.hit?.recordedOnly).toEqual(ZERO);
  });

  test("the events of one block are one job for each alert, named after the alert's last event", async () => {
    const { chains, alerts, outbox } = getStore();
    const lease = await begun(getStore(), "test:jobs");
    const hits = ["native", "log:1", "log:2"].map((key) => hitOf({ chain: lease.chain, tx: "0x1", key }));
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), hits)]));
    const alertId = hits[0]?.alertId ?? "";
    const unfolded = await alerts.unfoldedJobs({ olderThan: NOW, limit: 10_000 });
    const job = unfolded.find((one) => one.alertId === alertId);
    expect(await alerts.unfoldedJobs({ olderThan: NOW - 1, limit: 10_000 })).not.toContainEqual(job);
    const rows = (await outbox.claim({ limit: 10_000, now: NOW, claimMs: 1 })).filter((row) => row.queue === "hits");
    const ours = rows.filter((row) => (row.payload as { alertId: string }).alertId === alertId);
    expect(ours).toMatchObject([{ jobId: job?.jobId, payload: { alertId }, runAt: NOW }]);
    const events = await eventsOf(getStore(), alertId);
    expect(new Set(events.map(({ hit }) => hit?.transfer.key))).toEqual(new Set(["log:1", "log:2", "native"]));
    expect(job?.jobId).toBe(`${alertId}-${Math.max(...events.map(({ seq }) => seq))}`);
    expect(await alerts.unfoldedJobs({ olderThan: NOW, limit: 10_000 })).not.toContainEqual(job);
  });
}
