/**
 * Looks over the store's shoulder: what must hold at every single write, checked the moment it is done, whoever made
 * it and whether or not that daemon lives to hear of it.
 */
import type { ChainStore } from "../../src/store/chain-store.ts";
import type { DeliveryStore } from "../../src/store/delivery-store.ts";
import type { Outbox } from "../../src/store/outbox.ts";
import type { Block, BlockRef } from "../../src/types/chain.ts";
import type { Lease } from "../../src/types/checkpoint.ts";
import type { CoreStore, MemoryStore } from "./memory-store.ts";
import type { HitRow, MemoryTables } from "./memory-tables.ts";
import { expectedHits } from "./oracle.ts";
import { CHAIN, type ListEdition } from "./people.ts";
import type { World } from "./world.ts";

export interface AuditorOptions {
  readonly store: MemoryStore;
  readonly world: World;
  readonly acceptedJobs: ReadonlySet<string>;
  readonly editions: Editions;
  readonly onViolation: (text: string) => void;
  readonly onFencedWrite: () => void;
}

/** Which editions of the list each block was matched with, by block hash: noted here, since only the store's callers know. */
export interface Editions {
  readonly ofVersion: (version: string) => ListEdition;
  /** Since the block was last added: a block that left and came back was matched anew. */
  readonly current: Map<string, ListEdition>;
  readonly ever: Map<string, ListEdition>;
}

export function watchStore({
  store,
  world,
  acceptedJobs,
  editions,
  onViolation,
  onFencedWrite,
}: AuditorOptions): CoreStore {
  const { tables } = store;
  const chains = countFenced(store.chains, onFencedWrite);
  return {
    ...store,
    chains: watchChains(chains, { tables, world, editions, onViolation }),
    deliveries: watchDeliveries(store.deliveries, { tables, onViolation }),
    outbox: watchOutbox(store.outbox, { tables, acceptedJobs, onViolation }),
  };
}

function countFenced(chains: ChainStore, onFencedWrite: () => void): ChainStore {
  const counting =
    <Of, T>(write: (of: Of) => Promise<T>) =>
    async (of: Of): Promise<T> => {
      try {
        return await write(of);
      } catch (error) {
        if ((error as { code?: unknown }).code === "fenced") onFencedWrite();
        throw error;
      }
    };
  return {
    ...chains,
    commitBlocks: counting(chains.commitBlocks),
    commitRematch: counting(chains.commitRematch),
    commitReorg: counting(chains.commitReorg),
    commitFinalized: counting(chains.commitFinalized),
  };
}

interface Watching {
  readonly tables: MemoryTables;
  readonly world: World;
  readonly editions: Editions;
  readonly onViolation: (text: string) => void;
}

function watchChains(chains: ChainStore, { tables, world, editions, onViolation }: Watching): ChainStore {
  const check = (holds: boolean, text: string) => {
    if (!holds) onViolation(text);
  };
  const checkLease = ({ epoch, holder }: Lease) => {
    const row = tables.lease.get(CHAIN);
    check(row?.epoch === epoch && row.holder === holder, `a write with the stale lease of ${holder} was taken`);
  };
  const ourBlock = (number: number) => tables.checkpoint.get(`${CHAIN} ${number}`);

  return {
    ...chains,
    async commitBlocks(commit) {
      await chains.commitBlocks(commit);
      checkLease(commit.lease);
      const edition = editions.ofVersion(commit.listVersion);
      for (const { block } of commit.scanned) {
        editions.current.set(block.hash, edition);
        noteEdition(editions.ever, block.hash, edition);
        const missing = missingHits({ tables, world }, block, edition);
        check(missing === "", `the cursor passed block ${block.number} ${block.hash} without its hits: ${missing}`);
      }
    },
    async commitRematch(commit) {
      await chains.commitRematch(commit);
      checkLease(commit.lease);
      const edition = editions.ofVersion(commit.listVersion);
      for (const { block } of commit.scanned) {
        for (const known of [editions.current, editions.ever]) noteEdition(known, block.hash, edition);
        const missing = missingHits({ tables, world }, block, edition);
        check(missing === "", `block ${block.number} ${block.hash} was matched again without its hits: ${missing}`);
      }
    },
    async commitReorg(of) {
      const before = ourBlock(of.ancestor.number + 1);
      const result = await chains.commitReorg(of);
      checkLease(of.lease);
      check(before !== undefined, `a reorg at ${of.ancestor.number} that removes nothing`);
      check(isRealFork(world, of.ancestor, before?.hash), `a reorg at ${of.ancestor.number} that never was`);
      const left = tables.hit
        .values()
        .find((hit) => hit.state === "included" && (hit.blockNumber ?? -1) > of.ancestor.number);
      check(left === undefined, `hit ${left?.hitId} still stands in the removed block ${left?.blockNumber}`);
      return result;
    },
    async commitFinalized(of) {
      const before = tables.lease.get(CHAIN)?.finalizedNumber ?? -1;
      const result = await chains.commitFinalized(of);
      checkLease(of.lease);
      const ours = ourBlock(of.number);
      const version = tables.lease.get(CHAIN)?.listVersion;
      const unmatched = tables
        .window(CHAIN)
        .find(
          ({ number, scanned, listVersion }) =>
            scanned && number > before && number <= of.number && listVersion !== version,
        );
      check(unmatched === undefined, `block ${unmatched?.number} became final without the changed list`);
      const final = of.number <= world.finalizedNumber() && ours?.hash === world.canonicalAt(of.number)?.hash;
      check(final, `block ${of.number} ${ours?.hash} was called final and is not`);
      return result;
    },
  };
}

/** What the second edition found stays found, whoever matches again. */
function noteEdition(known: Map<string, ListEdition>, hash: string, edition: ListEdition): void {
  if (known.get(hash) !== "second") known.set(hash, edition);
}

/** The keys of the block's hits that the store does not have at this place. */
function missingHits(
  { tables, world }: Pick<Watching, "tables" | "world">,
  { hash }: Block,
  edition: ListEdition,
): string {
  const stored = new Map<string, HitRow>();
  for (const hit of tables.hit.values()) if (hit.blockHash === hash) stored.set(hit.movement, hit);
  const expected = (world.blockOf(hash)?.inclusions ?? []).flatMap((inclusion) =>
    expectedHits(inclusion, edition).map(({ transfer }) => `${inclusion.txHash} ${transfer.key}`),
  );
  return expected.filter((key) => stored.get(key)?.state !== "included").join(", ");
}

/** Another block than ours stands at that height on some branch: a block that was merely missing is no reorg. */
function isRealFork(world: World, ancestor: BlockRef, ourHash: string | undefined): boolean {
  for (const { number, hash } of world.blocks()) if (number === ancestor.number + 1 && hash !== ourHash) return true;
  return false;
}

function watchDeliveries(
  deliveries: DeliveryStore,
  { tables, onViolation }: Pick<Watching, "tables" | "onViolation">,
): DeliveryStore {
  const delivered = new Set<string>();
  return {
    ...deliveries,
    async record(of) {
      const { deliveryId } = of.delivery;
      const recorded = await deliveries.record(of);
      const row = tables.delivery.get(deliveryId);
      if (delivered.has(deliveryId) && row?.state !== "delivered")
        onViolation(`delivery ${deliveryId} was delivered and is ${row?.state} again`);
      if (row?.state === "delivered") delivered.add(deliveryId);
      return recorded;
    },
  };
}

function watchOutbox(
  outbox: Outbox,
  {
    tables,
    acceptedJobs,
    onViolation,
  }: Pick<Watching, "tables" | "onViolation"> & Pick<AuditorOptions, "acceptedJobs">,
): Outbox {
  return {
    ...outbox,
    async relayed(ids) {
      for (const id of ids) {
        const row = tables.outbox.get(String(id));
        if (row !== undefined && !acceptedJobs.has(`${row.queue} ${row.jobId}`))
          onViolation(`outbox row ${id} was deleted before its job ${row.jobId} was in the queue`);
      }
      await outbox.relayed(ids);
    },
  };
}
