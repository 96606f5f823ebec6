/**
 * What must stand at the end of a run: each transfer of the final chain, read by plain JSON-RPC, against the entries in the
 * book; then the same asked of the store and of what the receivers got. Nothing here is shared with the matcher.
 */
import { getAddress } from "ethers";
import { sql } from "kysely";
import type { AlertBody } from "../../src/alerts/body-schema.ts";
import { reportCoverage } from "../../src/store/coverage-report.ts";
import type { Db } from "../../src/store/database.ts";
import type { ReceivedRequest } from "../support/receiver.ts";
import type { ForkingChain } from "./forking-chain.ts";
import { readLedger, type Told } from "./ledger.ts";
import type { Listed } from "./watch-chaos-acts.ts";
import { FINAL_BEHIND } from "./watch-chaos-world.ts";

const CHAIN = "eip155:1";

/** One transaction of the chain; each moves one amount. */
interface Moved {
  readonly hash: string;
  readonly from: string;
  readonly to: string;
  readonly amount: string;
  readonly block: { readonly number: number; readonly hash: string };
  /** Entries that name a party now, told or muted. */
  readonly naming: readonly Listed[];
  readonly isMuted: boolean;
  /** Nothing may ever have told it: it was sent after all that names it was muted. */
  readonly isNeverTold: boolean;
  readonly ownTouched: boolean;
}

export interface Truth {
  readonly head: number;
  readonly finalNumber: number;
  readonly moved: ReadonlyMap<string, Moved>;
}

interface RpcBlock {
  readonly hash: string;
  readonly transactions: readonly { hash: string; from: string; to: string; value: string }[];
}

export async function readTruth(chain: ForkingChain, book: readonly Listed[]): Promise<Truth> {
  const head = await chain.head();
  const moved = new Map<string, Moved>();
  for (let number = 0; number <= head; number += 1) {
    const block = await chain.anvil.rpc<RpcBlock>("eth_getBlockByNumber", [`0x${number.toString(16)}`, true]);
    for (const { hash, ...transaction } of block.transactions) {
      const [from, to] = [transaction.from.toLowerCase(), transaction.to.toLowerCase()];
      const named = book.filter(({ address }) => address === from || address === to);
      const naming = named.filter(({ state }) => state !== "gone");
      const isMuted = naming.length > 0 && naming.every(({ state }) => state === "muted");
      const sentAs = chain.wallets.indexOf(from);
      moved.set(hash, {
        hash,
        from,
        to,
        amount: BigInt(transaction.value).toString(),
        block: { number, hash: block.hash },
        naming,
        isMuted,
        isNeverTold: isMuted && named.length === naming.length && naming.every((one) => sentAs >= one.mutedAfter),
        ownTouched: chain.scene.own.has(from) || chain.scene.own.has(to),
      });
    }
  }
  return { head, finalNumber: head - FINAL_BEHIND, moved };
}

interface HitRow {
  readonly hit_id: string;
  readonly tx_hash: string;
  readonly state: string;
  readonly block_number: number;
  readonly block_hash: string;
  readonly recorded_rule: string | null;
  readonly retro_scan: string | null;
  readonly payload: string;
  /** In the order they were stored; null: there is none. */
  readonly events: readonly HitEventRow[] | null;
}

interface HitEventRow {
  readonly kind: string;
  readonly retroactive: boolean;
  /** It tells the hit; false: it says nothing of what it is, or that it is only recorded from there on. */
  readonly tells: boolean;
}

export interface Stored {
  readonly hits: readonly HitRow[];
  readonly scans: readonly { scan_id: string; state: string; told: boolean; blocks: number; covered: number }[];
  readonly wanted: number;
  /** By address of a listed entry: blocks that nobody scanned for it. */
  readonly holes: ReadonlyMap<string, string>;
}

export async function readStored(db: Db, book: readonly Listed[]): Promise<Stored> {
  const hits = await sql<HitRow>`
    select hit_id, tx_hash, state, block_number, block_hash, recorded_rule, retro_scan, payload,
      (select json_agg(json_build_object('kind', kind, 'retroactive', retroactive,
         'tells', coalesce(payload::jsonb -> 'recordedOnly' = 'null', false)) order by seq)
       from hit_event where hit_event.hit_id = hit.hit_id) as events
    from hit`.execute(db);
  const scans = await sql<Stored["scans"][number]>`
    select scan_id, state, told, blocks, (select coalesce(sum(to_number - from_number + 1), 0) from coverage
      where coverage.scan = retro_scan.scan_id)::int as covered from retro_scan`.execute(db);
  const wanted = await sql<{ count: number }>`select count(*)::int as count from retro_wanted`.execute(db);
  const holes = new Map<string, string>();
  for (const { address, state } of book) {
    if (state === "gone") continue;
    const report = await reportCoverage(db, { chain: CHAIN, block: null, address: getAddress(address) });
    if (report.holes.length > 0) holes.set(address, JSON.stringify(report.holes));
  }
  return { hits: hits.rows, scans: scans.rows, wanted: wanted.rows[0]?.count ?? -1, holes };
}

/**
 * How often it is told to be in a block: once where all is well. Whoever is told that it is in one is told so again by
 * nothing but `included`; where it was only recorded before, `rematched` tells it as well.
 */
function standingOf({ events }: HitRow): number {
  let standing = 0;
  for (const { kind, tells } of events ?? []) {
    if (kind === "removed" || kind === "withdrawn") standing -= 1;
    else if (tells && (kind === "included" || (kind === "rematched" && standing === 0))) standing += 1;
  }
  return standing;
}

/** Told first by a scan of the past, also where it was recorded live, unless it was taken back since. */
function isToldByScan({ events }: HitRow): boolean {
  return events?.findLast(({ kind }) => kind === "included")?.retroactive ?? false;
}

function storyOf({ events }: HitRow): string {
  return (events ?? []).map(({ kind, retroactive }) => (retroactive ? `${kind} by a scan` : kind)).join(", ");
}

/** Where the store differs from the chain. Empty: each transfer is in it once, as it should be. */
export function compareStore({ hits, scans, wanted, holes }: Stored, truth: Truth): string[] {
  const problems: string[] = [];
  const standing = new Map<string, HitRow[]>();
  for (const row of hits) {
    if (row.state === "removed") {
      if (standingOf(row) !== 0) problems.push(`${row.tx_hash}: removed, yet told ${standingOf(row)} times`);
    } else standing.set(row.tx_hash, [...(standing.get(row.tx_hash) ?? []), row]);
  }
  for (const [hash, rows] of standing)
    if (truth.moved.get(hash)?.naming.length === 0 || !truth.moved.has(hash))
      problems.push(`${hash}: stands as ${rows[0]?.state}, but nothing names it`);
  for (const moved of truth.moved.values()) {
    if (moved.naming.length === 0) continue;
    const rows = standing.get(moved.hash) ?? [];
    if (rows.length !== 1) problems.push(`${about(moved)}: ${rows.length} hits`);
    for (const row of rows) problems.push(...compareHit(row, moved, truth).map((text) => `${about(moved)}: ${text}`));
  }
  for (const { scan_id: scan, state, told, blocks, covered } of scans)
    if (state !== "done" || !told || blocks !== covered)
      problems.push(`scan ${scan}: ${state}, told ${told}, ${covered} of ${blocks} blocks`);
  if (wanted !== 0) problems.push(`${wanted} scans of the past are still wanted`);
  for (const [address, blocks] of holes) problems.push(`${address}: not scanned in ${blocks}`);
  return problems;
}

function compareHit(row: HitRow, moved: Moved, { finalNumber }: Truth): string[] {
  const problems: string[] = [];
  const state = moved.block.number <= finalNumber ? "final" : "included";
  if (row.state !== state) problems.push(`${row.state}, not ${state}`);
  if (row.block_number !== moved.block.number || row.block_hash !== moved.block.hash)
    problems.push(`in block ${row.block_number}, not ${moved.block.number}`);
  const isTold = row.recorded_rule === null;
  if (!moved.isMuted && !isTold) problems.push(`only recorded: ${row.recorded_rule}`);
  if (moved.isNeverTold && isTold) problems.push("told, though all that names it is muted");
  if (standingOf(row) !== (isTold ? 1 : 0)) problems.push(`told ${standingOf(row)} times: ${storyOf(row)}`);
  const { matches } = JSON.parse(row.payload) as { matches: { entry: { id: string } }[] };
  problems.push(
    ...compareEntries(
      matches.map(({ entry }) => entry.id),
      moved,
    ),
  );
  return problems;
}

function compareEntries(found: readonly string[], { naming }: Moved): string[] {
  const [is, must] = [found.toSorted(), naming.map(({ id }) => id).toSorted()];
  return is.join() === must.join() ? [] : [`rests on [${is.join(", ")}], not [${must.join(", ")}]`];
}

function about({ hash, from, to, block }: Moved): string {
  return `${hash} in ${block.number} (${from} -> ${to})`;
}

/** Where what a receiver was told differs from the chain, by the highest revision of each alert. */
export function compareReceived(requests: readonly ReceivedRequest[], truth: Truth, { hits, scans }: Stored): string[] {
  const ledger = readLedger(requests, (data) => [data.transaction.hash ?? "none"]);
  const problems = [...ledger.problems];
  const told = new Map([...ledger.alerts.values()].map((one) => [one.key, one]));
  const rows = new Map(hits.filter(({ state }) => state !== "removed").map((row) => [row.tx_hash, row]));
  for (const [hash, one] of told) {
    const moved = truth.moved.get(hash);
    if (moved === undefined || moved.naming.length === 0) problems.push(...mustBeRetracted(one));
    else if (moved.isNeverTold) problems.push(`${about(moved)}: told, though all that names it is muted`);
    else if (moved.isMuted) problems.push(...mustHoldNothing(one).map((text) => `${about(moved)}: ${text}`));
  }
  for (const moved of truth.moved.values()) {
    if (moved.naming.length === 0 || moved.isMuted) continue;
    // What a scan of the past told, and nobody of ours was touched by, is told by the summary of the scan.
    const row = rows.get(moved.hash);
    const mustBeTold = moved.ownTouched || (row !== undefined && !isToldByScan(row));
    const one = told.get(moved.hash);
    if (one === undefined) problems.push(...(mustBeTold ? [`${about(moved)}: not told`] : []));
    else problems.push(...compareTold(one, moved, truth).map((text) => `${about(moved)}: ${text}`));
  }
  const summaries = new Set(requests.map(({ body }) => scanOf(body)));
  for (const { scan_id: scan, blocks } of scans)
    if (blocks > 0 && !summaries.has(scan)) problems.push(`scan ${scan}: no summary`);
  return problems;
}

function scanOf(body: unknown): string | null {
  const { type, data } = body as { type?: string; data?: { detail?: { scan?: string } } };
  return type === "watchlist.scanned" ? (data?.detail?.scan ?? null) : null;
}

function mustBeRetracted({ key, latest, messages }: Told): string[] {
  if (latest.stage === "retracted" && latest.action === "none") return [];
  return [
    `${key}: stands as ${latest.stage} at revision ${latest.revision} (${historyOf(messages)}), but nothing names it`,
  ];
}

function mustHoldNothing({ latest }: Told): string[] {
  return latest.action === "none" ? [] : [`action ${latest.action}, though all that names it is muted`];
}

function compareTold({ latest, messages }: Told, moved: Moved, { finalNumber }: Truth): string[] {
  const problems: string[] = [];
  const stage = moved.block.number <= finalNumber ? "final" : "included";
  if (latest.stage !== stage) problems.push(`told as ${latest.stage} (${historyOf(messages)}), not ${stage}`);
  if (latest.block?.number !== moved.block.number || latest.block.hash !== moved.block.hash)
    problems.push(`told in block ${latest.block?.number}`);
  const legs = latest.transfers.map(({ from, to, amount }) => `${from} ${to} ${amount}`.toLowerCase());
  if (legs.join() !== `${moved.from} ${moved.to} ${moved.amount}`) problems.push(`told as ${legs.join()}`);
  problems.push(
    ...compareEntries(
      latest.watch.map(({ entry }) => entry),
      moved,
    ),
  );
  return problems;
}

function historyOf(messages: readonly AlertBody[]): string {
  return messages
    .map(({ data }) => `${data.revision} ${data.stage} ${data.retraction?.reason ?? ""}`.trim())
    .join(", ");
}
