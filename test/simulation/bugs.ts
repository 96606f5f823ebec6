/** The mistakes the simulation must notice, each one that others have made or that is one forgotten line away. */
import type { ChainAdapter, Header } from "../../src/types/chain.ts";
import type { Lease } from "../../src/types/checkpoint.ts";
import type { Bug } from "./bug.ts";
import type { MemoryTables } from "./memory-tables.ts";
import { CHAIN } from "./people.ts";

export const BUGS: readonly Bug[] = [
  {
    name: "a missing block is taken for a reorg",
    shows: /a reorg at \d+ that never was/,
    adapter: (adapter, tables) => ({
      ...adapter,
      async headerAt(number, signal) {
        const header = await adapter.headerAt(number, signal);
        const known = tables.checkpoint.get(`${CHAIN} ${number}`);
        return header ?? (known === undefined ? null : otherThan(known));
      },
    }),
  },
  {
    name: "a missing body is taken for an empty block",
    shows: /without its hits/,
    adapter: (adapter): ChainAdapter => ({
      ...adapter,
      async blockOf(header, signal) {
        const trust = { proven: false, operators: [], missing: [], traced: false };
        return (await adapter.blockOf(header, signal)) ?? { ...header, transfers: [], trust };
      },
    }),
  },
  {
    name: "the checkpoint moves before the hits are stored",
    shows: /without its hits/,
    chains: (chains) => ({
      ...chains,
      async commitBlocks(commit) {
        await chains.commitBlocks({ ...commit, scanned: commit.scanned.map((one) => ({ ...one, hits: [] })) });
        await chains.commitRematch(commit);
      },
    }),
  },
  {
    name: "a reorg forgets the hits of the block right above the ancestor",
    shows: /still stands in the removed block|on no canonical block|its block is gone/,
    chains: (chains, tables) => ({
      ...chains,
      async commitReorg(of) {
        const spared = tables.hit
          .values()
          .filter((hit) => hit.state === "included" && hit.blockNumber === of.ancestor.number + 1);
        for (const hit of spared) tables.hit.change(hit.hitId, { blockNumber: of.ancestor.number });
        const result = await chains.commitReorg(of);
        for (const { hitId, blockNumber } of spared) tables.hit.change(hitId, { blockNumber });
        return result;
      },
    }),
  },
  {
    name: "a changed list is noted, and the window not matched again",
    shows: /matched again without its hits/,
    chains: (chains) => ({
      ...chains,
      commitRematch: (commit) =>
        chains.commitRematch({ ...commit, scanned: commit.scanned.map((one) => ({ ...one, hits: [] })) }),
    }),
  },
  {
    name: "the head is called final",
    shows: /was called final and is not/,
    adapter: (adapter) => ({ ...adapter, finalizedNumber: (signal) => adapter.headNumber(signal) }),
  },
  {
    name: "writes are not fenced",
    shows: /follows the stored tip|stale lease|that never was|window breaks|duplicate key/,
    chains: (chains, tables) => ({
      ...chains,
      commitBlocks: (commit) => chains.commitBlocks({ ...commit, lease: whoever(tables, commit.lease) }),
      commitReorg: (of) => chains.commitReorg({ ...of, lease: whoever(tables, of.lease) }),
      commitFinalized: (of) => chains.commitFinalized({ ...of, lease: whoever(tables, of.lease) }),
    }),
  },
  {
    name: "the fold applies only the newest event",
    shows: /no alert for|instead of final|never folded|tells/,
    fold: (fold) => (alert, events) => fold(alert, events.slice(-1)),
  },
  {
    name: "the fold tells a hit again as if it were another alert's first",
    shows: /has revisions/,
    fold: (fold) => (alert, events) => fold(alert === null ? null : { ...alert, revision: 0 }, events),
  },
  {
    name: "the relay deletes outbox rows before it adds their jobs",
    shows: /was deleted before its job/,
    outbox: (outbox) => ({
      ...outbox,
      async claim(options) {
        const rows = await outbox.claim(options);
        await outbox.relayed(rows.map((row) => row.id));
        return rows;
      },
    }),
  },
  {
    name: "ended jobs stay in the queue, and their ids do not name the attempt",
    shows: /delivery .* is pending/,
    keepsEnded: true,
    jobName: (id) => id.replace(/^(dlv_[^-]*)-.*/, "$1"),
  },
  {
    name: "an attempt is recorded without asking whether it is still open",
    shows: /was delivered and is pending again/,
    deliveries: (deliveries, tables) => ({
      ...deliveries,
      record(of) {
        const { deliveryId } = of.delivery;
        const attemptNo = tables.delivery.get(deliveryId)?.attemptNo ?? 0;
        tables.delivery.change(deliveryId, { state: "pending" });
        return deliveries.record({ ...of, delivery: { ...of.delivery, attemptNo } });
      },
    }),
  },
  {
    name: "a message counts as delivered whatever the receiver said",
    shows: /counts as delivered and never arrived/,
    deliveries: (deliveries) => ({
      ...deliveries,
      record: (of) => deliveries.record({ ...of, after: { state: "delivered" } }),
    }),
  },
];

function otherThan({ number, timestamp }: Header): Header {
  return { number, hash: `0xmissing${number}`, parentHash: `0xmissing${number - 1}`, timestamp };
}

/** The lease of whoever leads now. */
function whoever(tables: MemoryTables, lease: Lease): Lease {
  const row = tables.lease.get(lease.chain);
  return row === undefined ? lease : { chain: lease.chain, holder: row.holder, epoch: row.epoch };
}
