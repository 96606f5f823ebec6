/** Rows of formats that know nothing of our words: what they do not say comes from the importer. */
import type { ChainId } from "../../types/chain.ts";
import type { ListHead, ReadContext, SourceInput } from "../../types/watchlist-format.ts";
import type { EntryBasis, EntryConfidence, EntryDefault, EntryDirection, EntryRole, Tlp } from "../../types/watch.ts";
import { cleanRef, cleanText } from "../clean-text.ts";
import { type ChainAnswer, chainOf } from "../coins.ts";
import { createProblems, showFound } from "../problems.ts";
import { readRow } from "./native-entry.ts";

/** Absent and null: the file does not say. Texts may have any length and any spaces. */
export interface ForeignRow {
  readonly line: number;
  readonly address: string;
  /** A chain the file names; else `coin`, else the form of the address decides. */
  readonly chain?: ChainId | null;
  readonly coin?: string | null;
  readonly label?: string | null;
  readonly role?: EntryRole | null;
  readonly basis?: EntryBasis | null;
  readonly confidence?: EntryConfidence | null;
  /** A whole number as text. */
  readonly independentSources?: string | null;
  readonly sanctioned?: { readonly list: string; readonly source: string } | null;
  readonly default?: EntryDefault | null;
  readonly direction?: EntryDirection | null;
  readonly custodian?: string | null;
  readonly note?: string | null;
  readonly firstSeenTx?: string | null;
  /** Beside the importer's own source. */
  readonly sources?: readonly SourceInput[];
  readonly tlp?: Tlp | null;
  readonly validFrom?: string | null;
  readonly validUntil?: string | null;
  readonly case?: string | null;
  readonly addedBy?: string | null;
  readonly givenConfidence?: string | null;
}

/** Adds the row, or says what is wrong with it. */
export function addForeignRow(row: ForeignRow, context: ReadContext): void {
  const answer = chainFor(row, context);
  if (answer === null) return;
  const problems = createProblems(context.options.file);
  const place = { path: [], lineOf: () => row.line, problems };
  const entry = readRow(withDefaults(row, answer.chain, context), null, place);
  for (const { line, field, found, allowed } of problems.list()) context.refuse({ line, field, found, allowed });
  if (entry !== null) context.add(entry);
}

/** A row that the file takes back: its address may be watched from an earlier version. */
export function withdrawForeignRow(row: ForeignRow & { readonly reason: string }, context: ReadContext): void {
  const answer = chainFor(row, context);
  if (answer === null) return;
  context.withdraw({ line: row.line, chain: answer.chain, address: row.address, reason: row.reason });
}

function chainFor(row: ForeignRow, context: ReadContext): ChainAnswer | null {
  if (row.chain != null) return { chain: row.chain, warning: null };
  const answer = chainOf(row.coin ?? null, row.address);
  if (answer === null) {
    const found = row.coin == null ? showFound(row.address) : `${showFound(row.address)} of ${showFound(row.coin)}`;
    context.refuse({
      line: row.line,
      field: "address",
      found,
      allowed: "an address of a known form, or one with its chain",
    });
    return null;
  }
  if (answer.warning !== null)
    context.warn({ line: row.line, field: "chain", found: answer.warning, allowed: "a coin whose addresses look so" });
  return answer;
}

/** The head of a file that has none of ours. `version`: the day it says it is of. */
export function headOf({ options }: ReadContext, version: string | null): ListHead {
  return { list: options.list, incident: options.incident, version: version ?? options.today };
}

/** In the shape of a native row, so that one check holds for all formats. */
function withDefaults(row: ForeignRow, chain: ChainId, { options }: ReadContext): Record<string, unknown> {
  const sanctioned =
    row.sanctioned ??
    (options.sanctionsList === null ? null : { list: options.sanctionsList, source: cleanRef(options.source) });
  const label = cleanText(row.label, 200) ?? cleanText(options.incident.name, 200);
  const sources = row.sources ?? [];
  const given: SourceInput = { ref: options.source, label: sources.length === 0 ? label : null, quoted: null };
  return {
    chain,
    address: row.address,
    role: row.role ?? options.role,
    label,
    basis: sanctioned === null ? (row.basis ?? options.basis) : "sanctions",
    confidence: sanctioned === null ? (row.confidence ?? options.confidence) : "confirmed",
    independentSources: row.independentSources ?? "1",
    sanctioned,
    default: sanctioned === null ? (row.default ?? "on") : "on", // a sanctioned address is never switched off
    direction: row.direction,
    custodian: cleanText(row.custodian, 100),
    note: cleanText(row.note, 1000),
    firstSeenTx: row.firstSeenTx,
    sources: [...sources.filter(({ ref }) => ref !== given.ref), given].map((source) => ({
      ref: cleanRef(source.ref),
      label: cleanText(source.label, 300),
      quoted: cleanText(source.quoted, 400),
    })),
    tlp: row.tlp,
    validFrom: row.validFrom,
    validUntil: row.validUntil,
    case: cleanText(row.case, 100),
    addedBy: cleanText(row.addedBy, 100),
    givenConfidence: cleanText(row.givenConfidence, 40),
  };
}
