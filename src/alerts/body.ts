/** The facts of an alert in the shape of docs/alert.schema.json. Pure. */
import type { Stage } from "../types/alert.ts";
import type { BlockTrust, UtxoPart, UtxoSummary } from "../types/chain.ts";
import type { EntryMatch, Hit } from "../types/hit.ts";
import type { HitValue } from "../types/value.ts";
import type { Assessment } from "./assess.ts";
import type { AlertData } from "./body-schema.ts";
import type { AlertState, FoldContext, HitStanding } from "./state.ts";
import { formatAmount, summarize } from "./text.ts";

// A body stays below the 20 kB Standard Webhooks asks for, whatever a transaction holds; the store keeps every hit.
const TRANSFERS_MAX = 16;
const WATCH_MAX = 8;
const SOURCES_MAX = 4;
const INCIDENTS_MAX = 16;
// Labels, symbols and references may be long: after so many bytes only the totals count on. The first is always told.
const TRANSFERS_BYTES_MAX = 7_500;
const WATCH_BYTES_MAX = 6_000;
const INCIDENTS_BYTES_MAX = 2_000;

export interface AlertFacts {
  readonly alertId: string;
  /** Not empty, in the order of the transaction. */
  readonly told: readonly HitStanding[];
  readonly stage: Stage;
  /** Operators name different blocks for it. Tells the two kinds of `pending` apart. */
  readonly disputed: boolean;
  readonly assessment: Assessment;
  readonly state: AlertState;
}

/** Everything but the revision, which depends on whether this differs from the last one. */
export function buildAlertData(facts: AlertFacts, context: FoldContext): AlertData {
  const { told, stage, disputed, assessment, state } = facts;
  const latest = told.reduce((a, b) => ((b.block?.number ?? -1) > (a.block?.number ?? -1) ? b : a));
  const hits = told.map(({ hit }) => hit);
  const first = hits[0] as Hit;
  const watch = watchOf(hits);
  return {
    alertId: facts.alertId,
    revision: 1,
    stage,
    kind: assessment.kind,
    severity: assessment.severity,
    action: assessment.action,
    late: told.some(({ late }) => late),
    retroactive: told.every(({ retroactive }) => retroactive !== undefined),
    summary: summarize(hits, { stage, disputed, retraction: state.retraction, wasMined: latest.block !== null }),
    chain: { id: first.chain, name: context.chainName(first.chain) },
    block: blockOf(latest, stage),
    transaction: transactionOf(first),
    transfers: withinSize(hits.slice(0, TRANSFERS_MAX).map(transferOf), TRANSFERS_BYTES_MAX),
    transfersTotal: hits.length,
    own: ownOf(hits),
    exposure: { type: "direct", hops: 1, incidents: incidentsOf(watch) },
    watch: withinSize(watch.slice(0, WATCH_MAX), WATCH_BYTES_MAX),
    watchTotal: watch.length,
    score: { ...assessment.score, reasons: [...assessment.score.reasons], caps: [...assessment.score.caps] },
    trust: trustOf(latest, { configured: context.operatorsConfigured(first.chain), disputed }),
    replacedBy: state.replacedBy,
    replaces: state.replaces,
    evidenceUrl: null,
    retraction:
      state.retraction === null || state.retractedAt === null
        ? null
        : { reason: state.retraction, at: isoOf(state.retractedAt) },
  };
}

function blockOf({ block }: HitStanding, stage: Stage): AlertData["block"] {
  if (block === null) return null;
  return {
    number: block.number,
    hash: block.hash,
    timestamp: isoOf(block.timestamp * 1000),
    confirmations: block.confirmations,
    finality: stage === "final" ? "finalized" : "latest",
  };
}

/** Withdrawals and rewards belong to a block, not to a transaction; what is not in a block has no place in one. */
function transactionOf({ transfer }: Hit): AlertData["transaction"] {
  if (transfer.category === "withdrawal" || transfer.category === "reward") return { hash: null, index: null };
  const place = { hash: transfer.txHash, index: transfer.txIndex < 0 ? null : transfer.txIndex };
  return transfer.utxo === undefined ? place : { ...place, utxo: utxoOf(transfer.utxo) };
}

function utxoOf({ inputs, outputs, fee }: UtxoSummary): NonNullable<AlertData["transaction"]["utxo"]> {
  const parts = (first: readonly UtxoPart[]) => first.map((part) => ({ ...part, amount: part.amount.toString() }));
  return {
    inputs: { count: inputs.count, amount: inputs.amount.toString(), first: parts(inputs.first) },
    outputs: {
      count: outputs.count,
      amount: outputs.amount.toString(),
      changeAmount: outputs.changeAmount.toString(),
      first: parts(outputs.first),
    },
    fee: fee?.toString() ?? null,
  };
}

/** A node may claim any block time; one that no date can show is told as the earliest date instead of throwing. */
export function isoOf(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 ? new Date(0).toISOString() : date.toISOString();
}

function transferOf({ hitId, transfer, asset, value }: Hit): AlertData["transfers"][number] {
  return {
    hitId,
    key: transfer.key,
    category: transfer.category,
    from: transfer.from,
    to: transfer.to,
    ...(transfer.change === true ? { change: true } : {}),
    asset: { id: asset.id, symbol: asset.symbol, decimals: asset.decimals, listed: asset.listed },
    amount: transfer.amount.toString(),
    amountDecimal: formatAmount(transfer.amount, asset.decimals),
    ...valueOf(value),
  };
}

type TransferValue = Pick<AlertData["transfers"][number], "usdCents" | "price" | "valueUnknown">;

function valueOf(value: HitValue | undefined): TransferValue {
  if (value === undefined) return { usdCents: null, price: null, valueUnknown: "not looked up" };
  if (value.usdCents === null) return { usdCents: null, price: null, valueUnknown: value.why };
  const { usdCents, usdPerUnit, source, updatedAt, comparedWith, note } = value;
  const price = {
    source,
    updatedAt: updatedAt === null ? null : isoOf(updatedAt * 1000),
    usdPerUnit,
    comparedWith,
    note,
  };
  return { usdCents: usdCents.toString(), price, valueUnknown: null };
}

function ownOf(hits: readonly Hit[]): AlertData["own"] {
  const own = hits.find((hit) => hit.own !== null)?.own;
  if (own === undefined || own === null) return null;
  const { address, customerRef, wallet } = own.address;
  return { address, role: own.side === "from" ? "sender" : "recipient", customerRef, wallet };
}

/** Each entry once, however many transfers of the transaction touch it. */
function watchOf(hits: readonly Hit[]): AlertData["watch"] {
  const entries = new Map<string, AlertData["watch"][number]>();
  for (const match of hits.flatMap((hit) => hit.matches))
    entries.set(`${match.side} ${match.entry.id}`, watchEntryOf(match));
  return [...entries.values()];
}

function incidentsOf(watch: AlertData["watch"]): string[] {
  const incidents = [...new Set(watch.map((entry) => entry.incident))];
  return withinSize(incidents.slice(0, INCIDENTS_MAX), INCIDENTS_BYTES_MAX);
}

function withinSize<T>(parts: readonly T[], bytesMax: number): T[] {
  let bytes = 0;
  return parts.filter((part, index) => {
    bytes += Buffer.byteLength(JSON.stringify(part));
    return index === 0 || bytes <= bytesMax;
  });
}

/** An entry as an alert names it. */
export function watchEntryOf({ side, entry, incident, basis, ended }: EntryMatch): AlertData["watch"][number] {
  return {
    list: entry.list,
    version: entry.listVersion,
    entry: entry.id,
    address: entry.address,
    side,
    label: entry.label,
    role: entry.role,
    incident: entry.incident,
    incidentName: incident?.name ?? null,
    attribution: incident?.attribution ?? null,
    attributionDisputed: incident?.disputed ?? false,
    basis: entry.basis,
    independentSources: entry.independentSources,
    sanctioned: entry.sanctioned,
    match: basis,
    ...(ended === undefined ? {} : { ended }),
    sources: entry.sources.slice(0, SOURCES_MAX).map((source) => source.ref),
  };
}

function trustOf(
  { trust, block, hit }: HitStanding,
  of: { configured: number; disputed: boolean },
): AlertData["trust"] {
  const { configured } = of;
  const single = configured === 1;
  const disputed = of.disputed || (trust.disputing ?? []).length > 0;
  return {
    proven: trust.proven,
    agreed: `${trust.operators.length}/${configured}`,
    verified:
      trust.proven && trust.missing.length === 0 && trust.operators.length === configured && !single && !disputed,
    singleOperator: single,
    disputed,
    traced: trust.traced,
    operators: [...trust.operators],
    missing: [...trust.missing],
    note: noteOf(trust, {
      single,
      disputed,
      checked: block !== null ? "block" : hit.transfer.utxo === undefined ? "signature" : "hash",
    }),
  };
}

function noteOf(
  trust: BlockTrust,
  { single, disputed, checked }: { single: boolean; disputed: boolean; checked: "block" | "signature" | "hash" },
): string | null {
  const { missing, disputing = [] } = trust;
  const notes: string[] = [];
  if (disputed)
    notes.push(
      disputing.length === 0
        ? "operators disagree about this block"
        : `operators disagree about this block: ${disputing.join(", ")} ${disputing.length === 1 ? "does" : "do"} not name it`,
    );
  if (missing.length > 0) notes.push(`degraded: ${missing.join(", ")} did not answer and will be asked again`);
  const inBlock = checked === "block";
  if (checked === "signature")
    notes.push("not in a block: its hash and its sender's signature were checked, nothing else is");
  else if (checked === "hash")
    notes.push("not in a block: its hash was checked, its signatures and its coins were not");
  else if (!trust.proven) notes.push("the block's content was not recomputed against its hash");
  if (inBlock && trust.inputsTold === true)
    notes.push(
      "whose the inputs were and what they brought is the node's word: the block proves only which coins were spent",
    );
  if (single) notes.push("one operator only: nobody else was asked");
  if (inBlock && !trust.traced) notes.push("the block was not traced: value moved inside contract calls is not seen");
  return notes.length === 0 ? null : `${notes.join("; ")}.`;
}
