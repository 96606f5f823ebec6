/**
 * The ledger of one incident: its tables, the indexes over them, and the few ways in which amounts are booked.
 * Rows are replaced, never changed, so that a journal may keep the old ones.
 */
import type { Address, AssetId, ChainId } from "../types/chain.ts";
import type {
  EdgeNode,
  FlowEdge,
  FlowRows,
  FlowTable,
  FlowTask,
  FlowTotals,
  RowBefore,
  TrailEnd,
} from "../types/flow.ts";
import { createRows, Recorder, type Rows } from "./table.ts";
import { createEdgeIndex, createGroupIndex, type EdgeIndex, type GroupIndex } from "./row-index.ts";

export type Tables = { readonly [T in FlowTable]: Rows<FlowRows[T]> };

export interface Ledger {
  readonly rows: Tables;
  readonly recorder: Recorder;
  /** Keys of positions by chain and owner. */
  readonly holdings: GroupIndex;
  /** Keys of edges into a node, in order. */
  readonly edgesTo: EdgeIndex;
  /** Keys of deliveries by handoff. */
  readonly deliveriesOf: GroupIndex;
  /** Keys of handoffs that no event names on the other side, by chain and address they pay to (BRG-6). */
  readonly keyless: GroupIndex;
  positionsOn(chain: ChainId): number;
}

export function createLedger(): Ledger {
  const recorder = new Recorder();
  const holdings = createGroupIndex();
  const edgesTo = createEdgeIndex();
  const deliveriesOf = createGroupIndex();
  const keyless = createGroupIndex();
  const counts = new Map<ChainId, number>();
  const rows: Tables = {
    positions: createRows("positions", recorder, (key, before, after) => {
      const row = after ?? before;
      if (row === undefined || (before === undefined) === (after === undefined)) return;
      counts.set(row.chain, (counts.get(row.chain) ?? 0) + (after === undefined ? -1 : 1));
      if (row.owner !== null) holdings.change(row.chain, row.owner, key, after !== undefined);
    }),
    ends: createRows("ends", recorder),
    totals: createRows("totals", recorder),
    handoffs: createRows("handoffs", recorder, (key, before, after) => {
      const { destination } = after ?? before ?? { destination: null };
      if (destination?.keyless === undefined || destination.address === null) return;
      if ((before === undefined) !== (after === undefined))
        keyless.change(destination.chain, destination.address, key, after !== undefined);
    }),
    deliveries: createRows("deliveries", recorder, (key, before, after) => {
      const row = after ?? before;
      if (row !== undefined && (before === undefined) !== (after === undefined))
        deliveriesOf.change("", row.handoff, key, after !== undefined);
    }),
    edges: createRows("edges", recorder, (key, before, after) => {
      if (before === undefined && after !== undefined) edgesTo.add(nodeKeyOf(after.chain, after.to), key);
      if (before !== undefined && after === undefined) edgesTo.remove(nodeKeyOf(before.chain, before.to), key);
    }),
    hits: createRows("hits", recorder),
    senders: createRows("senders", recorder),
    receivers: createRows("receivers", recorder),
    mixers: createRows("mixers", recorder),
    coinjoins: createRows("coinjoins", recorder),
    tasks: createRows("tasks", recorder),
    chains: createRows("chains", recorder),
  };
  const positionsOn = (chain: ChainId) => counts.get(chain) ?? 0;
  return { rows, recorder, holdings, edgesTo, deliveriesOf, keyless, positionsOn };
}

/** Puts rows back to what they were, the last touched first. */
export function putBack(ledger: Ledger, journal: readonly RowBefore[]): void {
  for (const { table, key, before } of journal.toReversed()) putRow(ledger, table, key, before);
}

export function putRow(ledger: Ledger, table: FlowTable, key: string, row: FlowRows[FlowTable] | undefined): void {
  const rows = ledger.rows[table] as Rows<FlowRows[FlowTable]>;
  if (row === undefined) rows.delete(key);
  else rows.set(key, row);
}

export function positionKeyOf(of: { chain: ChainId; holder: string; asset: AssetId }): string {
  return `${of.chain}|${of.holder}|${of.asset}`;
}

/** Handoffs lie between chains: their node is the same seen from both. */
export function nodeKeyOf(chain: ChainId, { holder, asset }: EdgeNode): string {
  return holder.startsWith("handoff:") ? holder : `${chain}|${holder}|${asset}`;
}

export function edgeKeyOf({ chain, block, txIndex, place }: FlowEdge): string {
  return `${chain}|${block}|${txIndex}|${place}`;
}

export function senderKeyOf(chain: ChainId, address: Address): string {
  return `${chain}|${address}`;
}

export function bookEnd({ rows }: Ledger, end: TrailEnd): void {
  if (end.tainted === 0n) return;
  const key = `${end.chain}|${end.asset}|${end.kind}|${end.ref}`;
  const before = rows.ends.get(key)?.tainted ?? 0n;
  rows.ends.set(key, { ...end, tainted: before + end.tainted });
}

export type Booking = { readonly chain: ChainId; readonly asset: AssetId } & Partial<
  Pick<FlowTotals, "injected" | "convIn" | "convOut">
>;

export function bookTotals(
  { rows }: Ledger,
  { chain, asset, injected = 0n, convIn = 0n, convOut = 0n }: Booking,
): void {
  if (injected === 0n && convIn === 0n && convOut === 0n) return;
  const key = `${chain}|${asset}`;
  const before = rows.totals.get(key);
  rows.totals.set(key, {
    chain,
    asset,
    injected: (before?.injected ?? 0n) + injected,
    convIn: (before?.convIn ?? 0n) + convIn,
    convOut: (before?.convOut ?? 0n) + convOut,
  });
}

/** One task for one thing to look at; its taint adds up. */
export function bookTask({ rows }: Ledger, task: FlowTask): void {
  const key = `${task.chain}|${task.kind}|${task.about}|${task.asset}`;
  const before = rows.tasks.get(key);
  rows.tasks.set(key, before === undefined ? task : { ...before, tainted: before.tainted + task.tainted });
}
