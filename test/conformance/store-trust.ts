/** Disputed hits, blocks an operator has yet to name, evidence against nodes. */
import { describe, expect, test } from "@jest/globals";
import type { Lease } from "../../src/types/checkpoint.ts";
import { begun, eventsOf } from "./store-chain.ts";
import type { StoreUnderTest } from "./store.ts";
import { blockAt, commitOf, hitOf, NOW, scanned, windowBlock, ZERO } from "./store-facts.ts";

type GetStore = () => StoreUnderTest;

const disputedOf = (lease: Lease, blocks: Parameters<typeof commitOf>[1], doubtedAbove: number | null = null) => {
  const { windowDepth: _windowDepth, ...commit } = commitOf(lease, blocks);
  return { ...commit, doubtedAbove };
};
const without = (number: number, ...missing: string[]) => {
  const block = blockAt(number);
  return { ...block, trust: { ...block.trust, missing } };
};

export function trustConformance(getStore: GetStore): void {
  describe("disputed blocks", () => disputeTests(getStore));
  describe("blocks an operator missed", () => missedTests(getStore));
  test("evidence against a node is kept, the newest first", async () => {
    const { evidence } = getStore();
    const one = { chain: "test:evidence", node: "liar", operator: "x", why: "w", asked: "a", answered: '{"ä":1}' };
    await evidence.add({ ...one, at: NOW });
    await evidence.add({ ...one, at: NOW + 1 });
    await evidence.add({ ...one, node: "other", at: NOW + 2 });
    expect(await evidence.list({ node: "liar", limit: 5 })).toEqual([
      { ...one, at: NOW + 1 },
      { ...one, at: NOW },
    ]);
    expect(await evidence.list({ node: "liar", limit: 1 })).toHaveLength(1);
  });
}

function disputeTests(getStore: GetStore): void {
  test("the hits of both sides are told as disputed; what the agreed block holds is included, the rest is removed", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:dispute");
    const [left, right, both] = ["0x1", "0x2", "0x3"].map((tx) => hitOf({ chain: lease.chain, tx })) as [
      ReturnType<typeof hitOf>,
      ReturnType<typeof hitOf>,
      ReturnType<typeof hitOf>,
    ];
    const a = blockAt(10);
    const b = blockAt(10, { branch: "b", on: "a" });
    await chains.commitDisputed(disputedOf(lease, [scanned(a, [left, both]), scanned(b, [right, both])]));
    // Read again after a restart: nothing new.
    await chains.commitDisputed(disputedOf(lease, [scanned(b, [right, both])]));
    expect((await chains.load(lease.chain))?.window.at(-1)?.number).toBe(9);
    for (const hit of [left, right, both])
      expect(await eventsOf(getStore(), hit.alertId)).toMatchObject([{ kind: "disputed", hit: { hitId: hit.hitId } }]);
    await chains.commitBlocks(commitOf(lease, [scanned(b, [right, both])]));
    const included = { kind: "included", block: { hash: b.hash } };
    expect(await eventsOf(getStore(), left.alertId)).toMatchObject([{ kind: "removed" }]);
    expect(await eventsOf(getStore(), right.alertId)).toMatchObject([included]);
    expect(await eventsOf(getStore(), both.alertId)).toMatchObject([included]);
    expect(await chains.commitFinalized({ lease, listVersion: "v1", number: 10, now: NOW })).toEqual({ finalHits: 2 });
  });

  test("our own hits come into doubt where a side does not have their block, and stand again when all agree on it", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:doubt");
    const [below, above] = [hitOf({ chain: lease.chain, tx: "0x1" }), hitOf({ chain: lease.chain, tx: "0x2" })];
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [below]), scanned(blockAt(11), [above])]));
    for (const hit of [below, above]) await eventsOf(getStore(), hit.alertId);
    await chains.commitDisputed(disputedOf(lease, [], 10));
    expect(await eventsOf(getStore(), below.alertId)).toEqual([]);
    expect(await eventsOf(getStore(), above.alertId)).toMatchObject([{ kind: "disputed", hit: null }]);
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(12))]));
    expect(await eventsOf(getStore(), above.alertId)).toMatchObject([{ kind: "agreed", hit: null }]);
  });

  test("a reorg to the other side removes what came into doubt", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:doubt-lost");
    const hit = hitOf({ chain: lease.chain, tx: "0x1" });
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [hit])]));
    await chains.commitDisputed(disputedOf(lease, [], 9));
    await chains.commitReorg({ lease, ancestor: blockAt(9), now: NOW });
    await chains.commitBlocks(commitOf(lease, [scanned(blockAt(10, { branch: "b", on: "a" }))]));
    const kinds = (await eventsOf(getStore(), hit.alertId)).map(({ kind }) => kind);
    expect(kinds).toEqual(["included", "disputed", "removed"]);
  });

  test("disputed blocks are refused from a stale leader, and a recorded-only hit in them is no event", async () => {
    const { chains, leases } = getStore();
    const lease = await begun(getStore(), "test:dispute-lease");
    const hit = hitOf({ chain: lease.chain, tx: "0x1", amount: 0n, recordedOnly: ZERO });
    await chains.commitDisputed(disputedOf(lease, [scanned(blockAt(10), [hit])]));
    await leases.acquire({ chain: lease.chain, holder: "first", ttlMs: 60_000, listVersion: "v1", revision: 0 });
    const told = hitOf({ chain: lease.chain, tx: "0x2" });
    const stale = chains.commitDisputed(disputedOf(lease, [scanned(blockAt(10), [told])]));
    await expect(stale).rejects.toMatchObject({ code: "fenced" });
    for (const each of [hit, told]) expect(await eventsOf(getStore(), each.alertId)).toEqual([]);
  });
}

function missedTests(getStore: GetStore): void {
  const unchecked = (chain: string, contradicted = false) =>
    getStore().chains.unchecked({ chain, operator: "b", contradicted, limit: 10 });

  test("blocks scanned without an operator wait for it, lowest first, until it names them", async () => {
    const { chains, coverage } = getStore();
    const lease = await begun(getStore(), "test:missed");
    const { chain } = lease;
    const hit = hitOf({ chain, tx: "0x1" });
    const blocks = [without(10, "b"), without(11, "b"), without(12, "b"), without(13, "b", "c")];
    await chains.commitBlocks(
      commitOf(
        lease,
        blocks.map((block) => scanned(block, block.number === 11 ? [hit] : [])),
      ),
    );
    await eventsOf(getStore(), hit.alertId);
    expect((await unchecked(chain)).map(({ number, hash }) => [number, hash])).toEqual(
      blocks.map(({ number, hash }) => [number, hash]),
    );
    expect((await chains.uncheckedBy(chain)).map(({ operator }) => operator).toSorted()).toEqual(["b", "c"]);
    const checked = { lease, operator: "b", contradicted: [], now: NOW };
    await chains.commitChecked({ ...checked, vouched: [blockAt(10), blockAt(11), blockAt(12)] });
    expect((await unchecked(chain)).map(({ number }) => number)).toEqual([13]);
    expect(await eventsOf(getStore(), hit.alertId)).toMatchObject([
      { kind: "vouched", hit: null, trust: { operators: ["b"] } },
    ]);
    const ranges = await coverage(chain);
    const vouchers = (number: number) => ranges.filter(({ from, to }) => from <= number && number <= to);
    for (const number of [10, 11, 12]) expect(vouchers(number)).toMatchObject([{ operators: ["b", "us"] }]);
    expect(vouchers(13)).toMatchObject([{ operators: ["us"] }]);
  });

  test("an operator that names another block in place of a final one contradicts its hits, once", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:contradicted");
    const hit = hitOf({ chain: lease.chain, tx: "0x1" });
    await chains.commitBlocks(commitOf(lease, [scanned(without(10, "b"), [hit])]));
    await chains.commitFinalized({ lease, listVersion: "v1", number: 10, now: NOW });
    await chains.commitChecked({ lease, operator: "b", vouched: [], contradicted: [blockAt(10)], now: NOW });
    const events = await eventsOf(getStore(), hit.alertId);
    expect(events.map(({ kind }) => kind)).toEqual(["included", "final", "contradicted"]);
    expect(events.at(-1)).toMatchObject({ hit: null, trust: { disputing: ["b"] } });
    expect(await unchecked(lease.chain)).toEqual([]);
    expect(await unchecked(lease.chain, true)).toMatchObject([{ number: 10, operator: "b", contradicted: true }]);
    await chains.commitChecked({ lease, operator: "b", vouched: [blockAt(10)], contradicted: [], now: NOW });
    expect(await chains.uncheckedBy(lease.chain)).toEqual([]);
  });

  test("blocks that leave the chain wait for nobody", async () => {
    const { chains } = getStore();
    const lease = await begun(getStore(), "test:missed-reorg");
    await chains.commitBlocks(commitOf(lease, [scanned(without(10, "b")), scanned(without(11, "b"))]));
    await chains.commitReorg({ lease, ancestor: windowBlock(10), now: NOW });
    expect((await unchecked(lease.chain)).map(({ number }) => number)).toEqual([10]);
  });
}
