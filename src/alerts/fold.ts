/**
 * Hit events -> alert revisions. Pure: the same events in the same order give the same alert, however they are grouped.
 *
 * State per hit: `pending` (in the mempool), `included` (in the block told), `disputed` (operators name different blocks),
 * `removed` (left its block or the mempool), `final`.
 * Stage of the alert: `retracted` when no hit stands, `pending` while one of them is disputed or when all standing hits
 * are pending, `final` when all are final, else `included`.
 * A revision is made when the core of the body changed: what a receiver can see, without clocks and confirmations.
 */
import { createHash } from "node:crypto";
import { webhookIdOf } from "../lib/ids.ts";
import type {
  AlertAbout,
  AlertEventType,
  AlertRecord,
  FoldResult,
  Message,
  RetractionReason,
  Severity,
  Stage,
} from "../types/alert.ts";
import { SEVERITIES } from "../types/alert.ts";
import { type BlockTrust, CALLDATA_KEY } from "../types/chain.ts";
import type { HitEvent, HitEventKind, Replacement } from "../types/hit.ts";
import { assess, type Assessment } from "./assess.ts";
import { groupingOf } from "./grouping.ts";
import { isNews } from "./news.ts";
import { paymentsOf } from "./payments.ts";
import { surelyWorth, worthOf } from "./worth.ts";
import { buildAlertData } from "./body.ts";
import type { AlertBody } from "./body-schema.ts";
import { routeFacts, sinksFor } from "./route.ts";
import type { AlertState, FoldContext, HitStanding, HitStatus } from "./state.ts";

export const EMPTY_STATE: AlertState = {
  hits: new Map(),
  retractedAt: null,
  retraction: null,
  replacedBy: null,
  replaces: null,
  lastCore: "",
  lastStage: null,
  sentTo: [],
};

/** What an event does to a hit that stands as given; null: nothing (an event for a hit never told, or told already). */
const MOVES: Record<HitStatus | "unknown", Record<MoveKind, HitStatus | null>> = {
  unknown: {
    pending: "pending",
    included: "included",
    rematched: "included",
    retold: null,
    withdrawn: null,
    disputed: "disputed",
    removed: null,
    superseded: null,
    final: null,
    agreed: null,
    vouched: null,
    contradicted: null,
  },
  pending: {
    pending: "pending",
    included: "included",
    rematched: "included",
    retold: "pending",
    withdrawn: "removed",
    disputed: "disputed",
    removed: "removed",
    superseded: "removed",
    final: null,
    agreed: null,
    vouched: null,
    contradicted: null,
  },
  // What the mempool says of a transaction in a block is old news, and ends nothing. The same of one in a disputed block.
  included: {
    pending: null,
    included: "included",
    rematched: "included",
    retold: "included",
    withdrawn: "removed",
    disputed: "disputed",
    removed: "removed",
    superseded: null,
    final: "final",
    agreed: "included",
    vouched: "included",
    contradicted: "included",
  },
  disputed: {
    pending: null,
    included: "included",
    rematched: "disputed",
    retold: "disputed",
    withdrawn: "removed",
    disputed: "disputed",
    removed: "removed",
    superseded: null,
    final: "final",
    agreed: "included",
    vouched: "disputed",
    contradicted: "disputed",
  },
  removed: {
    pending: "pending",
    included: "included",
    rematched: "included",
    retold: null,
    withdrawn: null,
    disputed: "disputed",
    removed: null,
    superseded: null,
    final: null,
    agreed: null,
    vouched: null,
    contradicted: null,
  },
  // A final hit never leaves the chain again; a changed list may tell it differently, or not at all.
  final: {
    pending: null,
    included: "final",
    rematched: "final",
    retold: "final",
    withdrawn: "removed",
    disputed: null,
    removed: null,
    superseded: null,
    final: null,
    agreed: null,
    vouched: "final",
    contradicted: "final",
  },
};

/** `linked` is about the transaction, not about where a hit stands. */
type MoveKind = Exclude<HitEventKind, "linked">;

export function applyEvent(state: AlertState, event: HitEvent): AlertState {
  return event.kind === "linked" ? linked(state, event) : moved(state, event, event.kind);
}

/** Two transactions that replace each other in turn: only the last word counts. */
function linked(state: AlertState, { link }: HitEvent): AlertState {
  if (link === null) return state;
  const { as, other } = link;
  const forgetOther = (known: Replacement | null) => (known?.transaction === other.transaction ? null : known);
  return as === "replacedBy"
    ? { ...state, replacedBy: other, replaces: forgetOther(state.replaces) }
    : { ...state, replaces: other, replacedBy: forgetOther(state.replacedBy) };
}

function moved(state: AlertState, event: HitEvent, kind: MoveKind): AlertState {
  const before = state.hits.get(event.hitId);
  const status = MOVES[before?.status ?? "unknown"][kind];
  if (status === null) return state;
  const standing = standingAfter(before, event, status);
  if (standing === undefined) return state;
  const hits = new Map(state.hits).set(event.hitId, { ...standing, status });
  const stands = standingHits(hits).length > 0;
  if (stands) return { ...state, hits, retractedAt: null, retraction: null, replacedBy: null };
  const reason: RetractionReason = event.reason ?? "recomputed";
  return { ...state, hits, retractedAt: event.at, retraction: reason };
}

function standingAfter(before: HitStanding | undefined, event: HitEvent, status: HitStatus): HitStanding | undefined {
  const { hit, block, trust, late } = event;
  if (hit === null) return before && { ...before, trust: trustAfter(before.trust, event) };
  if (event.kind === "retold") return before && { ...before, hit };
  return { hit, block, trust: trust ?? UNTRUSTED, late, ...retroactiveOf(event), status };
}

// A customer's money that moved this long ago may still be with the customer.
const OWN_TOUCHED_DAYS = 30;

/**
 * What only scans of the past found, and nobody can act on any more, is kept and told by the summary of the scan. Decided
 * when it is found, so that whoever was told of it is told of everything that comes after.
 */
function retroactiveOf({ retroactive, hit, block, at }: HitEvent): Pick<HitStanding, "retroactive"> {
  if (!retroactive) return {};
  const since = at / 1_000 - OWN_TOUCHED_DAYS * 86_400;
  const isFresh = hit !== null && hit.own !== null && block !== null && block.timestamp >= since;
  return { retroactive: isFresh ? "fresh" : "history" };
}

/** What an event without a hit of its own changes about who vouches for the block. */
function trustAfter(trust: BlockTrust, { kind, trust: about }: HitEvent): BlockTrust {
  if (kind === "agreed") return { ...trust, disputing: [] };
  if (about === null) return trust;
  const missing = trust.missing.filter((name) => !about.operators.includes(name));
  const disputing = [...new Set([...(trust.disputing ?? []), ...(about.disputing ?? [])])];
  return {
    ...trust,
    missing: missing.filter((name) => !disputing.includes(name)),
    operators: [...new Set([...trust.operators, ...about.operators])],
    disputing: disputing.filter((name) => !about.operators.includes(name)),
  };
}

const UNTRUSTED: BlockTrust = { proven: false, operators: [], missing: [], traced: false };

function standingHits(hits: ReadonlyMap<string, HitStanding>): HitStanding[] {
  return [...hits.values()].filter(({ status, hit }) => status !== "removed" && hit.recordedOnly === null);
}

/** In the order of the transaction. A retracted alert still tells what it was about, but not what was only asked for. */
function toldHits(hits: ReadonlyMap<string, HitStanding>): HitStanding[] {
  const standing = standingHits(hits);
  if (standing.length > 0) return standing.toSorted(byPlace);
  const all = [...hits.values()].toSorted(byPlace);
  const happened = all.filter(({ hit }) => hit.transfer.key !== CALLDATA_KEY);
  return happened.length > 0 ? happened : all;
}

export function stageOf(state: AlertState): Stage {
  const standing = standingHits(state.hits);
  if (standing.length === 0) return "retracted";
  if (standing.some(({ status }) => status === "disputed")) return "pending";
  if (standing.every(({ status }) => status === "pending")) return "pending";
  return standing.every(({ status }) => status === "final") ? "final" : "included";
}

/** Folds events into the stored alert (null before its first). `events` is not empty and in order. */
export function foldAlert(alert: AlertRecord | null, events: readonly HitEvent[], context: FoldContext): FoldResult {
  const last = events.at(-1);
  if (last === undefined) throw new Error("assertion failed: a fold has events");
  const before = alert === null ? EMPTY_STATE : context.decode(alert.state);
  const after = events.reduce(applyEvent, before);
  if (after.hits.size === 0) throw new Error("assertion failed: an alert's first event brings its hit");
  const stage = stageOf(after);
  const told = toldHits(after.hits);
  const disputed = told.some(({ status }) => status === "disputed");
  const hits = told.map(({ hit }) => hit);
  const assessment = assess(hits, { stage, disputed, policy: context.policy });
  const data = buildAlertData({ alertId: last.alertId, told, stage, disputed, assessment, state: after }, context);
  const core = coreOf(data, told);
  const changed = core !== before.lastCore;
  const revision = (alert?.revision ?? 0) + (changed ? 1 : 0);
  const { wasSent: _older, ...kept } = after;
  const already = sinksBefore(alert, before, context);
  const sentTo = [...new Set([...already, ...sinksNow({ told, assessment, context })])];
  const state: AlertState = { ...kept, lastCore: core, lastStage: stage, sentTo };
  const first = told[0]?.hit;
  if (first === undefined) throw new Error("assertion failed: an alert tells at least one hit");
  const record: AlertRecord = {
    alertId: last.alertId,
    chain: first.chain,
    txHash: first.transfer.txHash,
    subject: first.subject,
    revision,
    kind: assessment.kind,
    stage,
    severity: assessment.severity,
    action: assessment.action,
    summary: data.summary,
    state: context.encode(state),
    createdAt: alert?.createdAt ?? events[0]?.at ?? last.at,
    updatedAt: last.at,
  };
  const about = aboutOf(before, told);
  if (!changed) return { record, message: null, sinks: [], quiet: [], grouping: null, about, payments: [] };
  const message = messageOf({
    record,
    data: { ...data, revision },
    core,
    type: typeOf(before.lastStage, stage),
    at: last.at,
  });
  const sinks = context.sinks.filter((sink) => sentTo.includes(sink));
  const grouping = groupingOf({
    hits,
    subject: first.subject,
    severity: assessment.severity,
    usdCents: surelyWorth(worthOf(hits)),
    isFirst: already.length === 0,
    sinks: sinks.filter((sink) => context.groupingSinks.has(sink)),
  });
  const isHistory = told.every(({ retroactive }) => retroactive === "history");
  const payments = isHistory
    ? []
    : paymentsOf({ ...record, hits, block: told[0]?.block ?? null, policy: context.policy });
  const news = isNews({ before: alert, lastStage: before.lastStage, record, gainedHit: about.gainedHit });
  const quiet = news ? [] : already.filter((sink) => context.newsSinks.has(sink));
  return { record, message, sinks, quiet, grouping, about, payments };
}

/** Whoever was told of it is told what became of it, however little it means now and wherever it would go now. */
function sinksBefore(alert: AlertRecord | null, before: AlertState, context: FoldContext): readonly string[] {
  const toldAll = before.wasSent ?? (alert !== null && isTold(alert.severity, context));
  return before.sentTo ?? (toldAll ? context.sinks : []);
}

/** Nobody begins with what only scans of the past found and nobody can act on any more. */
function sinksNow(of: {
  told: readonly HitStanding[];
  assessment: Assessment;
  context: FoldContext;
}): readonly string[] {
  const { told, assessment, context } = of;
  const isHistory = told.every(({ retroactive }) => retroactive === "history");
  if (isHistory || !isTold(assessment.severity, context)) return [];
  const hits = told.map(({ hit }) => hit);
  return sinksFor(routeFacts(hits, assessment), context);
}

function aboutOf(before: AlertState, told: readonly HitStanding[]): AlertAbout {
  const toldBefore = new Set(toldHits(before.hits).map(({ hit }) => hit.hitId));
  const matches = told.flatMap(({ hit }) => hit.matches);
  return {
    customerRef: told.find(({ hit }) => hit.own !== null)?.hit.own?.address.customerRef ?? null,
    incidents: [...new Set(matches.map(({ entry }) => entry.incident))].toSorted(),
    gainedHit: told.some(({ status, hit }) => status !== "removed" && !toldBefore.has(hit.hitId)),
  };
}

/**
 * A digest of all a receiver can see, without clocks and confirmations, and of which hits are told, also those that
 * the body has no room for. Not of each hit's standing: the stage says that for all of them.
 */
function coreOf(data: AlertBody["data"], told: readonly HitStanding[]): string {
  const block = data.block === null ? null : { ...data.block, confirmations: 0 };
  const seen = { ...data, block, retraction: data.retraction?.reason ?? null };
  const hits = told.map(({ hit }) => hit.hitId);
  return createHash("sha256")
    .update(JSON.stringify([seen, hits]))
    .digest("hex");
}

function isTold(severity: Severity, { minSeverity }: FoldContext): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(minSeverity);
}

function typeOf(before: Stage | null, after: Stage): AlertEventType {
  if (after === "retracted") return "alert.retracted";
  if (before === null) return "alert.created";
  return after === "final" && before !== "final" ? "alert.finalized" : "alert.updated";
}

function byPlace(a: HitStanding, b: HitStanding): number {
  const keyA = a.hit.transfer.key;
  const keyB = b.hit.transfer.key;
  return keyA === keyB ? 0 : placeOf(keyA) - placeOf(keyB) || (keyA < keyB ? -1 : 1);
}

/** `native` first, then calls, then logs by number and place in a batch: near enough to the order things happened. */
function placeOf(key: string): number {
  const [kind, at = "0"] = key.split(":");
  const [number = 0, nth = 0] = at.split("-").map(Number);
  const rank = kind === "native" ? 0 : kind === "log" ? 2 : 1;
  return rank * 1e12 + number * 1e5 + nth;
}

function messageOf(of: {
  record: AlertRecord;
  data: AlertBody["data"];
  core: string;
  type: AlertEventType;
  at: number;
}): Message {
  const body: AlertBody = {
    type: of.type,
    timestamp: new Date(of.at).toISOString(),
    schemaVersion: "1",
    replay: false,
    test: false,
    data: of.data,
  };
  return {
    webhookId: webhookIdOf({ alertId: of.record.alertId, revision: of.record.revision, core: of.core }),
    type: of.type,
    body: JSON.stringify(body),
    severity: of.record.severity,
    alertId: of.record.alertId,
    revision: of.record.revision,
  };
}
