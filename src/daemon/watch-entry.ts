/** What a person says about an address, as entries of a list of ours. Pure. */
import { endOf } from "../lib/moments.ts";
import type { ChainId } from "../types/chain.ts";
import type { EntryChange, ListChange } from "../types/watch-change.ts";
import type { EntryBasis, EntryDirection, EntryRole, Tlp, WatchEntry } from "../types/watch.ts";
import type { IncidentInput } from "../types/watchlist-format.ts";
import { REVIEW_MS } from "../watchlist/change-rules.ts";

/** An address and an incident are enough; what is not said is what a lone operator at night can vouch for. */
export interface AddInput {
  readonly address: string;
  readonly incident: string;
  /** Absent: every followed chain that the address is one of. */
  readonly chain?: ChainId | undefined;
  readonly role?: EntryRole | undefined;
  readonly label?: string | undefined;
  readonly basis?: EntryBasis | undefined;
  readonly sources?: readonly string[] | undefined;
  readonly independentSources?: number | undefined;
  readonly sanctioned?: { readonly list: string; readonly source: string } | undefined;
  readonly direction?: EntryDirection | undefined;
  readonly note?: string | undefined;
  readonly case?: string | undefined;
  readonly tlp?: Tlp | undefined;
  /** UTC day or moment that exists; see WatchEntry. */
  readonly validUntil?: string | undefined;
  readonly why?: string | undefined;
  /** Why it is watched though something stands against it. */
  readonly override?: string | undefined;
}

export interface Place {
  readonly chain: ChainId;
  /** Canonical. */
  readonly address: string;
  readonly contract: boolean | null;
}

export const OPERATOR_PREFIX = "operator-";

export function operatorList(incident: string): string {
  return `${OPERATOR_PREFIX}${incident}`;
}

export function newEntry(input: AddInput, place: Place, by: { name: string; now: number }): WatchEntry {
  const list = operatorList(input.incident);
  const sources = input.sources ?? [];
  const isBacked = sources.length > 0 && input.basis !== undefined;
  return {
    id: `${list}/${place.chain}/${place.address}`,
    list,
    listVersion: "",
    chain: place.chain,
    address: place.address,
    incident: input.incident,
    role: input.role ?? "theft",
    label: input.label ?? `Added by ${by.name}`,
    basis: input.basis ?? (input.sanctioned === undefined ? "researcher" : "sanctions"),
    confidence: input.sanctioned === undefined ? "named_by_researcher" : "confirmed",
    independentSources: input.independentSources ?? 1,
    sanctioned: input.sanctioned ?? null,
    default: "on",
    direction: input.direction ?? "both",
    custodian: null,
    note: input.note ?? null,
    sources:
      sources.length > 0
        ? sources.map((ref) => ({ ref, label: null }))
        : [{ ref: `operator:${by.name}`, label: input.why ?? null }],
    addedBy: by.name,
    addedAt: by.now,
    ...(place.contract === null ? {} : { contract: place.contract }),
    ...(isBacked ? {} : { reviewBy: by.now + REVIEW_MS }),
    ...(input.case === undefined ? {} : { case: input.case }),
    ...(input.tlp === undefined ? {} : { tlp: input.tlp }),
    ...(input.validUntil === undefined ? {} : { validUntil: input.validUntil }),
  };
}

/** Why an end cannot be said of a new entry; null: it can. */
export function refusedEnd({ validUntil, sanctioned }: AddInput, now: number): string | null {
  if (validUntil === undefined) return null;
  if (sanctioned !== undefined) return SANCTIONED_END;
  return endOf(validUntil) <= now ? `it would be watched until ${validUntil}, which is over` : null;
}

/** What a person may change of an entry; `validUntil` null: it has no end any more. */
export type EntryPatch = Partial<
  Pick<
    WatchEntry,
    "role" | "label" | "basis" | "independentSources" | "direction" | "default" | "note" | "case" | "tlp" | "contract"
  >
> & { readonly validUntil?: string | null };

export function patched(before: WatchEntry, { validUntil, ...patch }: EntryPatch): WatchEntry {
  if (validUntil === undefined) return { ...before, ...patch };
  const { validUntil: _ended, ...endless } = before;
  return { ...endless, ...patch, ...(validUntil === null ? {} : { validUntil }) };
}

/** Null: whatever it changes, it may be asked for. */
export function refusedPatch(before: WatchEntry, { validUntil }: EntryPatch): string | null {
  if (before.addedBy === undefined) return "it comes with a file: change it there, or add an entry of your own";
  return validUntil != null && before.sanctioned !== null ? SANCTIONED_END : null;
}

const SANCTIONED_END = "dates never end a sanctioned entry: only its delisting does";

/** An incident nobody described yet: its name is what the operator calls it. */
export function bareIncident(id: string): IncidentInput {
  return {
    id,
    name: id,
    kind: "theft",
    date: null,
    attribution: null,
    attributionBasis: null,
    disputed: false,
    lossUsd: null,
    references: [],
    note: null,
  };
}

/** For the audit trail: also why a warning was put aside. */
export function whyOf({ why, override }: { why?: string | undefined; override?: string | undefined }): string | null {
  const told = [why, override === undefined ? undefined : `override: ${override}`].filter((one) => one !== undefined);
  return told.length === 0 ? null : told.join("; ");
}

/** The day: the store makes it unlike every version before. */
export function versionOfDay(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

export function changeOf(
  list: { readonly list: string; readonly incident: IncidentInput; readonly file: string | null },
  entries: readonly EntryChange[],
  now: number,
): ListChange {
  const { list: id, incident, file } = list;
  return { list: id, version: versionOfDay(now), incident, file, entries };
}
