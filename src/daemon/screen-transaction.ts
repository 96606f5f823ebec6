/**
 * A transaction that somebody asks about: what the store holds of it, and the transaction itself, read from its block on the
 * operator's own nodes and proven as the line proves it. Matching comes later, with whatever lists the answer is made with.
 */
import { describeError } from "../lib/errors.ts";
import { inBackfill } from "../lib/lane.ts";
import { redactText } from "../lib/redact.ts";
import type { Db } from "../store/database.ts";
import { type KnownAlert, readAlerts, readBlockStanding, readHitsOf, type StoredHit } from "../store/screen-facts.ts";
import type { Block, ChainAdapter, ChainId, Transfer } from "../types/chain.ts";
import type { ChainStanding, GapCode, TransactionBlock, TransactionStanding } from "../types/screening.ts";

export interface ReadTransaction {
  readonly standing: TransactionStanding;
  /** What it moved; empty where its block was not read. */
  readonly transfers: readonly Transfer[];
  readonly hits: readonly StoredHit[];
  readonly alerts: readonly KnownAlert[];
}

export type TransactionNodes = Pick<ChainAdapter, "placeOf" | "headerAt" | "blockOf">;

export interface TransactionOptions {
  readonly db: Db;
  /** Null: the chain is not configured. */
  readonly nodesOf: (chain: ChainId) => TransactionNodes | null;
}

export interface AskedOfChain {
  readonly chain: ChainId;
  /** As blocks write it. */
  readonly transaction: string;
  readonly block: number | undefined;
  readonly standing: ChainStanding;
}

/** Deposits of one block are asked about together: read once, a few are kept. */
const BLOCKS_MAX = 8;

export function createTransactionReader({ db, nodesOf }: TransactionOptions) {
  const blocks = new Map<string, Promise<BlockContent | null>>();

  /** The block at a height as the operators agree on it now; its content is kept by its hash. */
  async function blockAt(nodes: TransactionNodes, of: { chain: ChainId; number: number }, signal: AbortSignal) {
    const header = await nodes.headerAt(of.number, signal);
    if (header === null) return null;
    const key = `${of.chain} ${header.hash}`;
    const known = blocks.get(key);
    const content = known ?? nodes.blockOf(header, signal).then((block) => (block === null ? null : contentOf(block)));
    blocks.delete(key);
    blocks.set(key, content);
    // A failure is not kept: the next one asks again.
    if (known === undefined) content.then((read) => read ?? blocks.delete(key)).catch(() => blocks.delete(key));
    for (const oldest of blocks.keys()) if (blocks.size > BLOCKS_MAX) blocks.delete(oldest);
    return content;
  }

  async function find(asked: AskedOfChain, signal: AbortSignal): Promise<Found> {
    const { chain, transaction, standing } = asked;
    const nodes = nodesOf(chain);
    if (nodes === null) return gapOf("notConfigured");
    const place = asked.block === undefined ? await nodes.placeOf?.(transaction, signal) : { block: asked.block };
    if (place == null) return gapOf("notSeenYet");
    const { block: number } = place;
    if (number === null) return gapOf("inMempool");
    if (standing.covered === null) return gapOf("notFollowed");
    if (number > standing.covered.to) return gapOf("notScannedYet", `block ${number}`);
    const [ledger, content] = await Promise.all([
      readBlockStanding(db, { chain, number }),
      blockAt(nodes, { chain, number }, signal),
    ]);
    if (content === null) return gapOf("nodeUnavailable", `block ${number}`);
    const { block, byTransaction } = content;
    // Below what was ever followed the block is read for this answer alone; from there on the ledger has to have it.
    if (!ledger.isScanned && number >= standing.covered.from) return gapOf("coverageHole", `block ${number}`, block);
    if (ledger.hash !== null && ledger.hash !== block.hash) return gapOf("otherBlock", `block ${number}`, block);
    const transfers = byTransaction.get(transaction) ?? [];
    if (transfers.length === 0) return gapOf("movesNothing", `block ${number}`, block);
    return { standing: { gap: null, block }, transfers };
  }

  return async (asked: AskedOfChain, signal: AbortSignal): Promise<ReadTransaction> => {
    // First the store: what it knows is said whatever the nodes do.
    const hits = await readHitsOf(db, asked);
    const [alerts, found] = await Promise.all([
      readAlerts(db, [...new Set(hits.map(({ hit }) => hit.alertId))]),
      // A new block is asked for before what people ask about.
      inBackfill(() => find(asked, signal)).catch((error: unknown) => failureOf(error)),
    ]);
    return { ...found, hits, alerts };
  };
}

interface Found {
  readonly standing: TransactionStanding;
  readonly transfers: readonly Transfer[];
}

function gapOf(gap: GapCode, detail = "", block: TransactionBlock | null = null): Found {
  return { standing: { gap, block, detail }, transfers: [] };
}

/** Whatever a node does keeps a transaction from being clear, and no answer from leaving. A bug is thrown on. */
function failureOf(error: unknown): Found {
  const { code, retryable, name } = error as { code?: unknown; retryable?: unknown; name?: unknown };
  if (code === "dispute") return gapOf("disputed");
  const isExpected = typeof retryable === "boolean" || name === "TimeoutError" || name === "AbortError";
  if (!isExpected) throw error;
  return gapOf("nodeUnavailable", redactText(describeError(error)));
}

interface BlockContent {
  readonly block: TransactionBlock;
  readonly byTransaction: ReadonlyMap<string, readonly Transfer[]>;
}

function contentOf({ number, hash, timestamp, trust, transfers }: Block): BlockContent {
  const { proven, traced, operators, missing } = trust;
  return {
    block: { number, hash, timestamp, proven, traced, operators, missing },
    byTransaction: Map.groupBy(transfers, ({ txHash }) => txHash),
  };
}
