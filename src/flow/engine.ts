/**
 * The ledger of one incident over the blocks of all chains. Blocks come in any order, late ones too; whatever the order, the
 * ledger is the fold of the rules over the blocks that are known and not orphaned, each chain by height (STATE).
 *
 * Chains meet in handoffs only, and only one way: what arrives reads the order that left. So a chain that changes is folded
 * again from there, and after it every chain that reads an order which has become another one (REO-3, BRG-3).
 */
import { AppError } from "../lib/errors.ts";
import type { ChainId } from "../types/chain.ts";
import type { FlowBlock } from "../types/flow-block.ts";
import type { FlowIncident, FlowTable, Handoff, RowBefore, RowChange } from "../types/flow.ts";
import { applyBlock } from "./apply-block.ts";
import { decode, encode, isSameRow } from "./codec.ts";
import { createLedger, type Ledger, putBack, putRow } from "./ledger.ts";
import { indexOrigins, type OriginIndex } from "./work.ts";

/** A block that does not fit what is known: nothing was changed. */
export class FlowOrderError extends AppError {
  override readonly code = "flow_order";
}

/** A block in the ledger, and what it takes to undo it. */
export interface AppliedBlock {
  readonly block: FlowBlock;
  readonly journal: readonly RowBefore[];
}

/** What an operation did, for a store: rows in all, and block by block in the order of the work. */
export interface FlowStep {
  /** Rows that are not what they were. */
  readonly changes: readonly RowChange[];
  readonly undone: readonly { readonly chain: ChainId; readonly number: number; readonly hash: string }[];
  readonly applied: readonly AppliedBlock[];
}

export interface FlowEngine {
  readonly incident: FlowIncident;
  readonly ledger: Ledger;
  readonly origins: OriginIndex;
  /**
   * A block that is there already changes nothing. Throws `FlowOrderError` where it does not fit; whatever else is thrown is
   * a bug, and leaves an engine that must be restored.
   */
  apply(block: FlowBlock): FlowStep;
  /** Takes back all blocks of a chain above a height (REO). Throws `FlowOrderError` where they are forgotten. */
  orphan(chain: ChainId, toNumber: number): FlowStep;
  /** Blocks up to this height are final: they can neither be undone nor come late any more, and are let go of. */
  forget(chain: ChainId, upTo: number): void;
  /** Blocks that are not forgotten, each chain by height. */
  blocks(): FlowBlock[];
  /** Everything a later `restoreEngine` needs, as text. */
  snapshot(): string;
}

/** A cycle of orders that explain each other cannot be: whoever pays out reads an order that left before. */
const ROUNDS_MAX = 100;

interface Snapshot {
  readonly rows: readonly (readonly [table: RowBefore["table"], key: string, row: NonNullable<RowBefore["before"]>])[];
  readonly applied: readonly (readonly [ChainId, readonly AppliedBlock[]])[];
  readonly forgotten: readonly (readonly [ChainId, number])[];
}

export function createEngine(incident: FlowIncident): FlowEngine {
  return openEngine(incident, { rows: [], applied: [], forgotten: [] });
}

/** An engine as it was when its snapshot was taken, of the same incident. */
export function restoreEngine(incident: FlowIncident, snapshot: string): FlowEngine {
  return openEngine(incident, decode(snapshot) as Snapshot);
}

function openEngine(incident: FlowIncident, from: Snapshot): FlowEngine {
  const ledger = createLedger();
  for (const [table, key, row] of from.rows) putRow(ledger, table, key, row);
  const chains = new Map(from.applied.map(([chain, applied]) => [chain, [...applied]]));
  const forgotten = new Map(from.forgotten);
  const origins = indexOrigins(incident.origins);
  const fold: Fold = { ledger, incident, origins, chains };
  const floorOf = (chain: ChainId) => forgotten.get(chain) ?? -1;
  return {
    incident,
    ledger,
    origins,
    apply(block) {
      const { chain, number, hash } = block;
      const applied = appliedOn(fold, chain);
      if (applied.some((one) => one.block.number === number && one.block.hash === hash)) return NOTHING;
      expectFits(block, applied, floorOf(chain));
      return operate(fold, chain, (log) => put(fold, [block, ...takeBack(fold, { chain, from: number, log })], log));
    },
    orphan(chain, toNumber) {
      if (toNumber < floorOf(chain))
        throw new FlowOrderError("blocks that were final are taken back", { details: { chain, toNumber } });
      return operate(fold, chain, (log) => void takeBack(fold, { chain, from: toNumber + 1, log }));
    },
    forget(chain, upTo) {
      const kept = appliedOn(fold, chain).filter(({ block }) => block.number > upTo);
      chains.set(chain, kept);
      forgotten.set(chain, Math.max(upTo, floorOf(chain)));
    },
    blocks: () => [...chains.values()].flat().map(({ block }) => block),
    snapshot: () => encode({ rows: rowsOf(ledger), applied: [...chains], forgotten: [...forgotten] }),
  };
}

interface Fold {
  readonly ledger: Ledger;
  readonly incident: FlowIncident;
  readonly origins: OriginIndex;
  readonly chains: Map<ChainId, AppliedBlock[]>;
}

/** What was done in an operation so far. */
interface Log {
  readonly undone: FlowStep["undone"][number][];
  readonly applied: AppliedBlock[];
}

const NOTHING: FlowStep = { changes: [], undone: [], applied: [] };

function appliedOn({ chains }: Fold, chain: ChainId): AppliedBlock[] {
  const applied = chains.get(chain) ?? [];
  chains.set(chain, applied);
  return applied;
}

/** Undoes the blocks of a chain from a height on, the last first; these blocks. */
function takeBack(fold: Fold, { chain, from, log }: { chain: ChainId; from: number; log: Log }): FlowBlock[] {
  const applied = appliedOn(fold, chain);
  const taken: FlowBlock[] = [];
  for (let last = applied.at(-1); last !== undefined && last.block.number >= from; last = applied.at(-1)) {
    putBack(fold.ledger, last.journal);
    log.undone.push({ chain, number: last.block.number, hash: last.block.hash });
    taken.push(last.block);
    applied.pop();
  }
  return taken;
}

/** Applies blocks of one chain on top of it, by height. */
function put(fold: Fold, blocks: readonly FlowBlock[], log: Log): void {
  for (const block of blocks.toSorted((a, b) => a.number - b.number)) {
    const { journal } = fold.ledger.recorder.recording(() => applyBlock({ ...fold, block }));
    appliedOn(fold, block.chain).push({ block, journal });
    log.applied.push({ block, journal });
  }
}

/** Does `work` on one chain, then folds again every chain that reads an order which is another one now, until none does. */
function operate(fold: Fold, first: ChainId, work: (log: Log) => void): FlowStep {
  const { ledger } = fold;
  const log: Log = { undone: [], applied: [] };
  const { journal } = ledger.recorder.recording(() => {
    const stale = new Map<ChainId, number>();
    let changed = ledger.recorder.recording(() => work(log)).journal;
    let chain = first;
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      markReaders(fold, { changed, chain, stale });
      const [next] = stale;
      if (next === undefined) return;
      const [reader, from] = next;
      stale.delete(reader);
      chain = reader;
      changed = ledger.recorder.recording(() => put(fold, takeBack(fold, { chain: reader, from, log }), log)).journal;
    }
    throw new Error("assertion failed: orders of bridges explain each other");
  });
  return { ...log, changes: changesOf(ledger, journal) };
}

/** Notes from which height on other chains read what a chain has changed. */
function markReaders(
  { ledger, chains }: Fold,
  { changed, chain, stale }: { changed: readonly RowBefore[]; chain: ChainId; stale: Map<ChainId, number> },
): void {
  for (const order of changedOrders(ledger, changed)) {
    for (const [other, applied] of chains) {
      const reader = other === chain ? undefined : applied.find(({ block }) => reads(block, order))?.block;
      if (reader !== undefined) stale.set(other, Math.min(stale.get(other) ?? Infinity, reader.number));
    }
  }
}

function rowsOf({ rows }: Ledger): Snapshot["rows"] {
  return (Object.keys(rows) as FlowTable[]).flatMap((table) =>
    [...rows[table].entries()].map(([key, row]): Snapshot["rows"][number] => [table, key, row]),
  );
}

/** One block a height, on the parent it names, above what is forgotten. */
function expectFits(block: FlowBlock, applied: readonly AppliedBlock[], forgotten: number): void {
  const { chain, number, hash } = block;
  const refuse = (why: string) => {
    throw new FlowOrderError(why, { details: { chain, number, hash } });
  };
  if (number <= forgotten) refuse("a block comes later than its chain can be folded again: recompute");
  for (const { block: other } of applied) {
    if (other.number === number) refuse("another block stands at this height: it must be orphaned first");
    if (other.number === number - 1 && other.hash !== block.parentHash) refuse("a block has another parent");
    if (other.number === number + 1 && other.parentHash !== hash) refuse("a block is not the parent of its successor");
  }
}

/** Orders that came, went, or are worth something else now: what was and what is. */
function changedOrders(ledger: Ledger, touched: readonly RowBefore[]): Handoff[] {
  return touched.flatMap(({ table, key, before }) => {
    if (table !== "handoffs") return [];
    const after = ledger.rows.handoffs.get(key);
    // What was given back changes the books of its own chain only.
    const plain = (row: Handoff | undefined) => (row === undefined ? undefined : { ...row, refunded: 0n, refunds: 0 });
    const was = before as Handoff | undefined;
    return isSameRow(plain(was), plain(after)) ? [] : [was, after].flatMap((row) => row ?? []);
  });
}

/** Whether a block may be paid by an order. */
function reads(block: FlowBlock, { key, destination }: Handoff): boolean {
  if (block.transactions.some(({ bridge }) => bridge.some((event) => event.key === key && event.direction !== "out")))
    return true;
  const address = destination?.keyless === undefined || destination.chain !== block.chain ? null : destination.address;
  if (address === null) return false;
  return block.kind === "utxo"
    ? block.transactions.some(({ outputs }) => outputs.some((output) => output.address === address))
    : block.transactions.some(({ legs }) => legs.some(({ to }) => to === address));
}

function changesOf(ledger: Ledger, journal: readonly RowBefore[]): RowChange[] {
  return journal.flatMap((row) => {
    const after = ledger.rows[row.table].get(row.key);
    return isSameRow(row.before, after) ? [] : [{ ...row, after }];
  });
}
