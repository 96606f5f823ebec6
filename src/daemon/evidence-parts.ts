/** What the store knows of an alert -> the parts of its evidence bundle, the chain's proof aside. Pure. */
import type { AlertState, HitStanding } from "../alerts/state.ts";
import type { BundleParts, BundleTransfer } from "../evidence/bundle.ts";
import type { StoredDelivery } from "../store/delivery-store.ts";
import type { AlertRecord, Message } from "../types/alert.ts";
import type { AttemptRecord } from "../types/delivery.ts";
import type { EntryMatch } from "../types/hit.ts";
import type { TriageCase } from "../types/triage.ts";
import type { HitValue } from "../types/value.ts";
import type { AuditRecord } from "../types/watch-change.ts";

export interface AlertFacts {
  readonly alert: AlertRecord;
  readonly state: AlertState;
  readonly chainName: string;
  /** Distinct operators of the chain in the configuration. */
  readonly configured: number;
  readonly messages: readonly Message[];
  readonly deliveries: readonly (StoredDelivery & { readonly tried: readonly AttemptRecord[] })[];
  readonly triage: TriageCase | null;
  readonly history: readonly AuditRecord[];
}

/** The proof, and what it lacks, are the chain's to add. */
export function partsOf(facts: AlertFacts): BundleParts {
  const { alert, messages, deliveries, triage, history } = facts;
  const told = toldHits(facts.state);
  const block = told.find((standing) => standing.block !== null)?.block ?? null;
  // Transfers of a transaction are in one block; during a reorg some may still be told of the block before.
  const here = told.filter((standing) => (standing.block?.hash ?? null) === (block?.hash ?? null));
  return {
    alert: alertPart(facts),
    block: block === null ? null : { number: block.number, hash: block.hash, timestamp: block.timestamp },
    transfers: here.map(transferPart),
    trust: trustPart(here, facts.configured),
    proof: null,
    lacks:
      here.length === told.length
        ? []
        : [`${told.length - here.length} more transfers of the alert are told of another block, and are left out.`],
    revisions: messages.map(({ revision, webhookId, type, body }) => ({ revision, webhookId, type, body })),
    deliveries: deliveries.map(deliveryPart),
    triage: { case: triage === null ? null : caseOf(triage), history: history.map(actPart) },
    flow: null,
  };
  function alertPart({ chainName }: AlertFacts): BundleParts["alert"] {
    const { alertId, chain, txHash, subject, kind, stage, severity, action, summary, revision } = alert;
    return {
      alertId,
      chain: { id: chain, name: chainName },
      transaction: txHash,
      subject,
      kind,
      stage,
      severity,
      action,
      summary,
      revision,
      createdAt: isoOf(alert.createdAt),
      updatedAt: isoOf(alert.updatedAt),
    };
  }
}

/** What stands and is told; of an alert that was taken back, all that it told. */
function toldHits({ hits }: AlertState): HitStanding[] {
  const all = [...hits.values()];
  const standing = all.filter(({ status, hit }) => status !== "removed" && hit.recordedOnly === null);
  return standing.length > 0 ? standing : all;
}

function transferPart({ hit, status }: HitStanding): BundleTransfer {
  const { hitId, transfer, asset, own, value, matches } = hit;
  const { key, category, txHash, txIndex, from, to, amount } = transfer;
  return {
    hitId,
    key,
    category,
    txHash,
    txIndex,
    from,
    to,
    asset: { id: asset.id, symbol: asset.symbol, decimals: asset.decimals, listed: asset.listed },
    amount: amount.toString(),
    status,
    own:
      own === null
        ? null
        : {
            side: own.side,
            address: own.address.address,
            customerRef: own.address.customerRef,
            wallet: own.address.wallet,
          },
    value: valuePart(value),
    matches: matches.map(matchPart),
  };
}

function valuePart(value: HitValue | undefined): BundleTransfer["value"] {
  if (value === undefined) return null;
  const none = { usdPerUnit: null, source: null, updatedAt: null, comparedWith: null, note: null };
  if (value.usdCents === null) return { ...none, usdCents: null, why: value.why };
  const { usdCents, usdPerUnit, source, updatedAt, comparedWith, note } = value;
  return {
    usdCents: usdCents.toString(),
    why: null,
    usdPerUnit,
    source,
    updatedAt: updatedAt === null ? null : isoOf(updatedAt * 1_000),
    comparedWith,
    note,
  };
}

function matchPart({ side, basis, ended, incident, entry }: EntryMatch): BundleTransfer["matches"][number] {
  const { id, list, chain, address, label, role, confidence, independentSources, sanctioned, note } = entry;
  return {
    side,
    basis,
    ended: ended ?? false,
    incident:
      incident === null
        ? null
        : {
            id: incident.id,
            name: incident.name,
            date: incident.date,
            attribution: incident.attribution,
            attributionBasis: incident.attributionBasis,
            disputed: incident.disputed,
          },
    entry: {
      id,
      list,
      version: entry.listVersion,
      chain,
      address,
      label,
      role,
      incident: entry.incident,
      basis: entry.basis,
      confidence,
      independentSources,
      sanctioned: sanctioned === null ? null : { list: sanctioned.list, source: sanctioned.source },
      note,
      case: entry.case ?? null,
      addedBy: entry.addedBy ?? null,
      addedAt: entry.addedAt === undefined ? null : isoOf(entry.addedAt),
      validFrom: entry.validFrom ?? null,
      validUntil: entry.validUntil ?? null,
      sources: entry.sources.map(({ ref, label: name, quoted }) => ({ ref, label: name, quoted: quoted ?? null })),
    },
  };
}

/** The least that is known of any of them: one block, told at several moments. */
function trustPart(told: readonly HitStanding[], configured: number): BundleParts["trust"] {
  const all = told.map(({ trust }) => trust);
  const shared = (pick: (trust: HitStanding["trust"]) => readonly string[]) =>
    (all[0] === undefined ? [] : [...pick(all[0])]).filter((name) => all.every((trust) => pick(trust).includes(name)));
  const any = (pick: (trust: HitStanding["trust"]) => readonly string[]) => [...new Set(all.flatMap(pick))];
  return {
    operators: shared((trust) => trust.operators),
    missing: any((trust) => trust.missing),
    disputing: any((trust) => trust.disputing ?? []),
    configured,
    proven: all.every(({ proven }) => proven),
    traced: all.every(({ traced }) => traced),
    inputsTold: all.some(({ inputsTold }) => inputsTold === true),
  };
}

function deliveryPart(delivery: AlertFacts["deliveries"][number]): BundleParts["deliveries"][number] {
  const { deliveryId, webhookId, replayOf, revision, sink, fallbackFor, state, deadReason } = delivery;
  return {
    deliveryId,
    webhookId,
    replayOf,
    revision,
    sink,
    fallbackFor,
    state,
    deadReason,
    createdAt: isoOf(delivery.createdAt),
    deliveredAt: delivery.deliveredAt === null ? null : isoOf(delivery.deliveredAt),
    attempts: delivery.tried.map(({ at, durationMs, result, status, error }) => ({
      at: isoOf(at),
      durationMs,
      result,
      status,
      error,
    })),
  };
}

function actPart({ at, actor, action, why, before, after }: AuditRecord): BundleParts["triage"]["history"][number] {
  return { at: isoOf(at), actor, action, why, before: sideOf(before), after: sideOf(after) };
}

/** As `caseText` wrote it. */
function sideOf(side: unknown): ReturnType<typeof caseOf> | null {
  return side === null ? null : caseOf(side as TriageCase);
}

function caseOf({ state, version, assignee, dueAt, reason }: Omit<TriageCase, "alertId" | "changedAt">) {
  return { state, version, assignee, dueAt: dueAt === null ? null : isoOf(dueAt), reason };
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
