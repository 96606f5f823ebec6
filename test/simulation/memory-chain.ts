/** The chain's part of the store in memory: leases, checkpoints, hits and their events. */
import { assert } from "../../src/lib/assert.ts";
import { encodeHit, matchDigest } from "../../src/store/codec.ts";
import type { ChainStore, CommitBlocks } from "../../src/store/chain-store.ts";
import { FencedError, type Leases, ListChangedError } from "../../src/store/leases.ts";
import type { BlockRef } from "../../src/types/chain.ts";
import type { Lease, ScannedBlock, WindowBlock } from "../../src/types/checkpoint.ts";
import type { Hit } from "../../src/types/hit.ts";
import {
  addUnchecked,
  changeCoverage,
  checkBlocks,
  doubtHits,
  settleDisputed,
  storeDisputed,
  uncheckedKey,
  uncheckedOf,
} from "./memory-trust.ts";
import { addEvents, type NewEvent, toldBlock } from "./memory-events.ts";
import { settleMined, settleUnmined } from "./memory-pending.ts";
import type { CoverageRow, HitRow, LeaseRow, MemoryTables } from "./memory-tables.ts";

/** `now` is the database's clock. */
export function createMemoryLeases(tables: MemoryTables, now: () => number): Leases {
  const ours = ({ chain, holder, epoch }: Lease) => {
    const row = tables.lease.get(chain);
    return row?.holder === holder && row.epoch === epoch;
  };
  return {
    async acquire({ chain, holder, ttlMs, listVersion }) {
      const held = tables.lease.get(chain);
      if (held !== undefined && held.expiresAt >= now() && held.holder !== holder) return null;
      const epoch = (held?.epoch ?? 0) + 1;
      const finalizedNumber = held?.finalizedNumber ?? -1;
      tables.lease.put(chain, { chain, holder, epoch, expiresAt: now() + ttlMs, listVersion, finalizedNumber });
      return { chain, holder, epoch };
    },
    async renew(lease, ttlMs) {
      if (!ours(lease)) return false;
      tables.lease.change(lease.chain, { expiresAt: now() + ttlMs });
      return true;
    },
    async release(lease) {
      if (ours(lease)) tables.lease.change(lease.chain, { expiresAt: now() - 1_000 });
    },
  };
}

export function hold(tables: MemoryTables, lease: Lease): LeaseRow {
  const row = tables.lease.get(lease.chain);
  if (row === undefined || row.holder !== lease.holder || row.epoch !== lease.epoch)
    throw new FencedError(`another daemon leads ${lease.chain} now`);
  return row;
}

export function holdForMatching(
  tables: MemoryTables,
  { lease, listVersion }: Pick<CommitBlocks, "lease" | "listVersion">,
): LeaseRow {
  const row = hold(tables, lease);
  if (row.listVersion !== listVersion) throw new ListChangedError(`the watchlist of ${lease.chain} changed`);
  return row;
}

export function createMemoryChainStore(tables: MemoryTables): ChainStore {
  const keyOf = (chain: string, number: number) => `${chain} ${number}`;

  function addBlock(chain: string, block: WindowBlock): void {
    const { number, hash, parentHash, timestamp, work, scanned, listVersion } = block;
    const ofWork = work === undefined ? {} : { work };
    const row = { chain, number, hash, parentHash, timestamp, ...ofWork, scanned, listVersion };
    tables.checkpoint.insert(keyOf(chain, number), row);
  }

  function extendWindow({ lease, scanned, listVersion }: CommitBlocks): void {
    let parent: BlockRef | undefined = tables.window(lease.chain).at(-1);
    for (const { block } of scanned) {
      assert(
        parent === undefined || (block.number === parent.number + 1 && block.parentHash === parent.hash),
        `block ${block.number} follows the stored tip`,
      );
      parent = block;
      addBlock(lease.chain, { ...block, scanned: true, listVersion });
    }
  }

  return {
    async load(chain) {
      const rows = tables.window(chain);
      if (rows.length === 0) return null;
      const window = rows.map(({ chain: _chain, ...block }) => block);
      return { window, finalizedNumber: tables.lease.get(chain)?.finalizedNumber ?? -1 };
    },

    begin: async (lease, window) =>
      tables.transaction(() => {
        hold(tables, lease);
        for (const block of window) addBlock(lease.chain, block);
      }),

    commitBlocks: async (commit) =>
      tables.transaction(() => {
        const { finalizedNumber } = holdForMatching(tables, commit);
        extendWindow(commit);
        storeHits(tables, commit, "included");
        settleMined(tables, commit);
        const upTo = commit.scanned.at(-1)?.block.number ?? 0;
        settleDisputed(tables, { chain: commit.lease.chain, upTo, now: commit.now });
        for (const one of commit.scanned) cover(tables, commit.lease.chain, one, commit.listVersion);
        addUnchecked(tables, commit.lease.chain, commit.scanned);
        const tip = commit.scanned.at(-1)?.block.number ?? 0;
        const lowest = Math.min(Math.max(finalizedNumber, 0), tip - commit.windowDepth);
        for (const { chain, number } of tables.window(commit.lease.chain))
          if (number < lowest) tables.checkpoint.delete(keyOf(chain, number));
      }),

    commitRematch: async (commit) =>
      tables.transaction(() => {
        holdForMatching(tables, commit);
        for (const { block } of commit.scanned) {
          const key = keyOf(commit.lease.chain, block.number);
          const known = tables.checkpoint.get(key)?.hash === block.hash;
          assert(known, `block ${block.number} matched again is still in the window`);
          tables.checkpoint.change(key, { listVersion: commit.listVersion, scanned: true });
        }
        for (const one of commit.scanned) recover(tables, commit.lease.chain, one, commit.listVersion);
        storeHits(tables, commit, "rematched");
      }),

    commitReorg: async ({ lease, ancestor, now }) =>
      tables.transaction(() => {
        assert(ancestor.number >= hold(tables, lease).finalizedNumber, "a reorg never goes below a final block");
        for (const { chain, number } of tables.window(lease.chain))
          if (number > ancestor.number) tables.checkpoint.delete(keyOf(chain, number));
        uncover(tables, lease.chain, ancestor.number);
        for (const row of uncheckedOf(tables, lease.chain))
          if (row.number > ancestor.number) tables.unchecked.delete(uncheckedKey(row));
        settleUnmined(tables, lease.chain, ancestor.number);
        const lost = (hit: HitRow) => (hit.blockNumber ?? -1) > ancestor.number;
        return { removedHits: settleHits(tables, { chain: lease.chain, which: lost, to: "removed", now }) };
      }),

    commitFinalized: async ({ lease, listVersion, number, now }) =>
      tables.transaction(() => {
        if (number <= holdForMatching(tables, { lease, listVersion }).finalizedNumber) return { finalHits: 0 };
        tables.lease.change(lease.chain, { finalizedNumber: number });
        for (const row of tables.pending.values())
          if (row.chain === lease.chain && row.blockNumber !== null && row.blockNumber <= number)
            tables.pending.delete(`${lease.chain} ${row.hash}`);
        settleDisputed(tables, { chain: lease.chain, upTo: number, now });
        const settled = (hit: HitRow) => (hit.blockNumber ?? number) <= number;
        return { finalHits: settleHits(tables, { chain: lease.chain, which: settled, to: "final", now }) };
      }),

    commitDisputed: async (commit) =>
      tables.transaction(() => {
        holdForMatching(tables, commit);
        if (commit.doubtedAbove !== null)
          doubtHits(tables, { chain: commit.lease.chain, above: commit.doubtedAbove, now: commit.now });
        storeDisputed(tables, commit);
      }),

    unchecked: async ({ chain, operator, contradicted, limit }) =>
      uncheckedOf(tables, chain)
        .filter((row) => row.operator === operator && row.contradicted === contradicted)
        .slice(0, limit)
        .map(({ chain: _chain, ...row }) => row),

    async uncheckedBy(chain) {
      const kinds = new Map(
        uncheckedOf(tables, chain).map(({ operator, contradicted }) => [
          `${operator} ${contradicted}`,
          { operator, contradicted },
        ]),
      );
      return [...kinds.values()];
    },

    commitChecked: async ({ lease, ...checked }) =>
      tables.transaction(() => {
        hold(tables, lease);
        checkBlocks(tables, { chain: lease.chain, ...checked });
      }),
  };
}

function storeHits(
  tables: MemoryTables,
  { lease, scanned, headNumber, now }: Omit<CommitBlocks, "windowDepth">,
  kind: "included" | "rematched",
): void {
  const events: NewEvent[] = [];
  for (const one of scanned) {
    for (const found of one.hits) {
      const before = tables.hit.get(found.hitId);
      const hit: Hit = before === undefined ? found : { ...found, alertId: before.alertId };
      const digest = matchDigest(hit);
      putHit(tables, { chain: lease.chain, hit, found, digest, one });
      if (hit.recordedOnly !== null && (before === undefined || before.recordedRule !== null)) continue;
      const isNew = before === undefined || ["removed", "pending", "disputed"].includes(before.state);
      if (!isNew && before.digest === digest && before.blockHash === one.block.hash) continue;
      events.push({
        hitId: hit.hitId,
        alertId: hit.alertId,
        kind: isNew ? "included" : kind,
        block: toldBlock(one, headNumber),
        payload: encodeHit(hit),
        trust: one.block.trust,
        reason: null,
        link: null,
        late: one.late,
        at: now,
      });
    }
  }
  addEvents(tables, events);
}

interface FoundHit {
  readonly chain: string;
  readonly hit: Hit;
  /** As the matcher named it, before it was given the alert it belongs to. */
  readonly found: Hit;
  readonly digest: string;
  readonly one: ScannedBlock;
}

function putHit(tables: MemoryTables, { chain, hit, found, digest, one }: FoundHit): void {
  const before = tables.hit.get(hit.hitId);
  tables.hit.put(hit.hitId, {
    hitId: hit.hitId,
    alertId: hit.alertId,
    chain,
    movement: `${hit.transfer.txHash} ${hit.transfer.key}`,
    blockNumber: one.block.number,
    blockHash: one.block.hash,
    state: before?.state === "final" ? "final" : "included",
    recordedRule: hit.recordedOnly?.rule ?? null,
    digest,
    payload: encodeHit(found),
  });
}

interface Settle {
  readonly chain: string;
  readonly which: (hit: HitRow) => boolean;
  readonly to: "removed" | "final";
  readonly now: number;
}

function settleHits(tables: MemoryTables, { chain, which, to, now }: Settle): number {
  const rows = tables.hit.values().filter((hit) => hit.chain === chain && hit.state === "included" && which(hit));
  for (const { hitId } of rows) tables.hit.change(hitId, { state: to });
  const told = rows
    .filter((hit) => hit.recordedRule === null)
    .toSorted((a, b) => (a.blockNumber ?? -1) - (b.blockNumber ?? -1) || (a.hitId < b.hitId ? -1 : 1));
  addEvents(
    tables,
    told.map(({ hitId, alertId, blockNumber, blockHash }) => ({
      hitId,
      alertId,
      kind: to,
      block: { number: blockNumber ?? -1, hash: blockHash ?? "", timestamp: 0, confirmations: 0 },
      payload: null,
      trust: null,
      reason: to === "removed" ? "reorg" : null,
      link: null,
      late: false,
      at: now,
    })),
  );
  return rows.length;
}

const howOf = ({ trust }: ScannedBlock["block"], listVersion: string) =>
  JSON.stringify([listVersion, trust.traced, trust.proven]);

function recover(tables: MemoryTables, chain: string, { block }: ScannedBlock, listVersion: string): void {
  changeCoverage(tables, { chain, number: block.number }, (row) => ({
    ...row,
    how: howOf(block, listVersion),
    operators: [...new Set([...row.operators, ...block.trust.operators])].toSorted(),
  }));
}

function cover(tables: MemoryTables, chain: string, { block }: ScannedBlock, listVersion: string): void {
  const how = howOf(block, listVersion);
  const operators = block.trust.operators.toSorted();
  const grows = rangeEndingAt(tables, block.number - 1, { chain, how, operators });
  if (grows !== undefined) tables.coverage.change(`${chain} ${grows.from}`, { to: block.number });
  else
    tables.coverage.insert(`${chain} ${block.number}`, { chain, from: block.number, to: block.number, how, operators });
}

function rangeEndingAt(
  tables: MemoryTables,
  to: number,
  like: Pick<CoverageRow, "chain" | "how" | "operators">,
): CoverageRow | undefined {
  return tables.coverage
    .values()
    .find(
      (row) =>
        row.chain === like.chain &&
        row.to === to &&
        row.how === like.how &&
        String(row.operators) === String(like.operators),
    );
}

function uncover(tables: MemoryTables, chain: string, number: number): void {
  for (const row of tables.coverage.values()) {
    if (row.chain !== chain || row.to <= number) continue;
    if (row.from > number) tables.coverage.delete(`${chain} ${row.from}`);
    else tables.coverage.change(`${chain} ${row.from}`, { to: number });
  }
}
