/**
 * Goal: whatever a mempool and a chain do in whatever order, each alert ends as what the two hold in the end.
 * Method: a small chain with a pool, changed at random; the real reader of the mempool, the real fold, the store in memory
 * (held to the real one's promises by conformance). When all is quiet, the world is asked what must be told.
 */
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { foldAlert } from "../../src/alerts/fold.ts";
import type { FoldContext } from "../../src/alerts/state.ts";
import { createMempoolReader } from "../../src/ingest/mempool-loop.ts";
import { alertIdOf } from "../../src/lib/ids.ts";
import type { MempoolSource, PendingTransaction, TransactionFate } from "../../src/types/chain.ts";
import type { Lease } from "../../src/types/checkpoint.ts";
import type { Hit } from "../../src/types/hit.ts";
import { blockAt, commitOf, hitOf, scanned, windowBlock } from "../conformance/store-facts.ts";
import { context as unitContext } from "../unit/alerts/make.ts";
import { createMemoryStore, type MemoryStore } from "./memory-store.ts";

const CHAIN = "test:orders";
const SUBJECT = "0xthief";
const never = new AbortController().signal;

interface Tx {
  readonly hash: string;
  readonly slot: string;
  /** Asks a token (`calldata`, then a log), or pays itself. */
  readonly asks: boolean;
  /** Mined without effect. */
  readonly fails: boolean;
}

interface SimBlock {
  readonly number: number;
  readonly hash: string;
  readonly txs: readonly Tx[];
}

class PoolWorld {
  readonly all = new Map<string, Tx>();
  readonly pool = new Map<string, Tx>();
  chain: SimBlock[] = [{ number: 9, hash: "0xa9", txs: [] }];
  /** In the order in which they came. */
  arrivals: Tx[] = [];
  branch = 0;

  submit(slot: string, of: { asks: boolean; fails: boolean }): void {
    const tx = { hash: `0x${this.all.size}`, slot, ...of };
    this.all.set(tx.hash, tx);
    if (this.usedBy(slot) !== null) return;
    this.enter(tx);
  }

  enter(tx: Tx): void {
    this.pool.set(tx.slot, tx);
    this.arrivals.push(tx);
  }

  usedBy(slot: string): { tx: Tx; block: SimBlock } | null {
    for (const block of this.chain) for (const tx of block.txs) if (tx.slot === slot) return { tx, block };
    return null;
  }

  /** A block with these; whoever waited with their slots is out. */
  mine(txs: readonly Tx[]): SimBlock {
    const number = (this.chain.at(-1)?.number ?? 0) + 1;
    const block = { number, hash: `0x${this.branch}b${number}`, txs };
    this.chain.push(block);
    for (const { slot } of txs) this.pool.delete(slot);
    return block;
  }

  /** The last blocks are gone; their transactions wait again, or are lost. */
  reorg(depth: number, areBack: boolean): void {
    const gone = this.chain.splice(Math.max(1, this.chain.length - depth));
    this.branch += 1;
    for (const tx of gone.flatMap(({ txs }) => txs)) if (areBack && !this.pool.has(tx.slot)) this.enter(tx);
  }

  /** What a person would say of it; null: nobody can have seen it. */
  stageOf(tx: Tx): "included" | "pending" | "retracted" {
    if (this.usedBy(tx.slot)?.tx === tx) return tx.fails ? "retracted" : "included";
    return this.pool.get(tx.slot) === tx ? "pending" : "retracted";
  }

  source(): MempoolSource {
    return {
      trust: { proven: false, operators: ["us"], missing: [], traced: false },
      take: async (wants) => {
        // Somebody else's: a pool that lives.
        wants({ hash: "0xstranger", slots: ["stranger/0"], transfers: [] });
        return this.arrivals.splice(0).map(pendingOf).filter(wants);
      },
      fateOf: async ({ hash, slots: [slot] }): Promise<TransactionFate> => {
        if (slot === undefined) throw new Error(`${hash} has no slot`);
        const tx = this.pool.get(slot);
        if (tx?.hash === hash) return { at: "pool", transaction: pendingOf(tx) };
        const used = this.usedBy(slot);
        if (used === null) return { at: "nowhere" };
        const { number, hash: blockHash } = used.block;
        const block = { number, hash: blockHash };
        return used.tx.hash === hash ? { at: "block", block } : { at: "replaced", by: used.tx.hash, block };
      },
      skipped: () => 0,
      onHint: () => undefined,
    };
  }
}

function hitFor({ hash, asks }: Tx, inBlock: boolean): Hit {
  return hitOf({ chain: CHAIN, tx: hash, key: !asks ? "native" : inBlock ? "log:0" : "calldata" });
}

function pendingOf(tx: Tx): PendingTransaction {
  return { hash: tx.hash, slots: [tx.slot], transfers: [hitFor(tx, false).transfer] };
}

const slots = fc.constantFrom("a/0", "a/1", "b/0");
const step = fc.oneof(
  fc.record({ do: fc.constant("submit" as const), slot: slots, asks: fc.boolean(), fails: fc.boolean() }),
  fc.record({ do: fc.constant("drop" as const), slot: slots }),
  // `old`: not the pool's own of a slot, but one that was sent before it or elsewhere.
  fc.record({ do: fc.constant("mine" as const), take: fc.array(slots, { maxLength: 3 }), old: fc.boolean() }),
  fc.record({ do: fc.constant("reorg" as const), depth: fc.integer({ min: 1, max: 3 }), areBack: fc.boolean() }),
  fc.record({ do: fc.constant("round" as const), ms: fc.constantFrom(0, 2_000, 30_000) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Run {
  readonly world = new PoolWorld();
  now = 1_000_000;
  readonly store: MemoryStore = createMemoryStore(() => this.now);
  readonly lease: Lease;
  readonly round: () => Promise<void>;

  constructor(lease: Lease) {
    this.lease = lease;
    const reader = createMempoolReader({
      source: this.world.source(),
      blockTimeMs: 100,
      store: this.store.pending,
      lease,
      match: (transfers) => transfers.map(({ txHash, key }) => hitOf({ chain: CHAIN, tx: txHash, key })),
      listVersion: "v1",
      clock: { now: () => this.now },
      waker: { wake: () => undefined, wait: () => Promise.resolve() },
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
      onStatus: () => undefined,
      onCommitted: () => undefined,
    });
    this.round = () => reader.round(never);
  }

  async begin(): Promise<void> {
    await this.store.leases.acquire({ chain: CHAIN, holder: "us", ttlMs: 1e12, listVersion: "v1", revision: 0 });
    await this.store.chains.begin(this.lease, [{ ...windowBlock(9), scanned: true }]);
  }

  async mine(txs: readonly Tx[]): Promise<void> {
    const { number, hash } = this.world.mine(txs);
    const parentHash = this.world.chain.at(-2)?.hash ?? "";
    const hits = txs.filter(({ fails }) => !fails).map((tx) => hitFor(tx, true));
    await this.store.chains.commitBlocks(
      commitOf(this.lease, [scanned({ ...blockAt(number), hash, parentHash }, hits)]),
    );
  }

  async apply(one: Step): Promise<void> {
    switch (one.do) {
      case "submit":
        return this.world.submit(one.slot, one);
      case "drop":
        return void this.world.pool.delete(one.slot);
      case "mine": {
        const candidates = [...new Set(one.take)].map((slot) => this.candidate(slot, one.old));
        return this.mine(candidates.filter((tx) => tx !== null));
      }
      case "reorg": {
        this.world.reorg(one.depth, one.areBack);
        const { number, hash } = this.world.chain.at(-1) as SimBlock;
        await this.store.chains.commitReorg({ lease: this.lease, ancestor: { number, hash }, now: this.now });
        return;
      }
      case "round":
        this.now += one.ms;
        return this.round();
    }
  }

  candidate(slot: string, old: boolean): Tx | null {
    if (this.world.usedBy(slot) !== null) return null;
    const sent = [...this.world.all.values()].find((tx) => tx.slot === slot);
    return (old ? sent : this.world.pool.get(slot)) ?? null;
  }
}

const CONTEXT: FoldContext = unitContext();

test("whatever the mempool and the chain do, each alert ends as what they hold", async () => {
  const seen = { included: 0, pending: 0, retracted: 0, cautious: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: "max" }), async (steps) => {
      const run = new Run({ chain: CHAIN, holder: "us", epoch: 1 });
      await run.begin();
      for (const one of steps) await run.apply(one);
      // Quiet: long enough for every wait to end.
      for (let round = 0; round < 12; round += 1) {
        run.now += 5_000;
        await run.round();
      }
      const tracked = new Map((await run.store.pending.load(CHAIN)).map(({ hash, state }) => [hash, state]));
      for (const tx of run.world.all.values()) {
        const alertId = alertIdOf({ chain: CHAIN, txHash: tx.hash, subject: SUBJECT });
        const result = await run.store.alerts.foldAlert(alertId, (alert, events) => foldAlert(alert, events, CONTEXT));
        const truth = run.world.stageOf(tx);
        // The one place where caution costs truth: a replaced transaction is brought back by a block only.
        const stage = truth === "pending" && tracked.get(tx.hash) === "replaced" ? "retracted" : truth;
        if (stage !== truth) seen.cautious += 1;
        // One that came and went between two looks was never told.
        expect([tx.hash, result?.record.stage ?? "retracted"]).toEqual([tx.hash, stage]);
        if (result !== null) seen[stage] += 1;
      }
    }),
    { numRuns: 600 },
  );
  // Not all of one kind.
  for (const stage of ["included", "pending", "retracted"] as const) expect(seen[stage]).toBeGreaterThan(100);
  expect(seen.cautious).toBeLessThan(seen.pending / 5);
});
