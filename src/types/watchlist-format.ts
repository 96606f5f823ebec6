/** What a watchlist file format hands over: rows as written, and everything that is wrong with the file. */
import type { ChainId } from "./chain.ts";
import type { EntryBasis, EntryConfidence, EntryDefault, EntryDirection, EntryRole, Incident } from "./watch.ts";

/** One thing a person must fix in a file. `line` counts from 1; 0 means the file as a whole. */
export interface FileProblem {
  readonly file: string;
  readonly line: number;
  /** Path inside the file, for example `entries[3].role`; empty for the file as a whole. */
  readonly field: string;
  /** What stands there: one line, shortened, safe to print. */
  readonly found: string;
  /** What may stand there. */
  readonly allowed: string;
}

export interface SourceInput {
  readonly ref: string;
  readonly label: string | null;
  /** What the opened source itself quotes: often the official page. */
  readonly quoted: string | null;
}

/** A checked row. The address is still the text of the file: only its chain can say what is canonical. */
export interface WatchEntryInput {
  readonly line: number;
  readonly chain: ChainId;
  readonly address: string;
  readonly role: EntryRole;
  readonly label: string;
  readonly basis: EntryBasis;
  readonly confidence: EntryConfidence;
  readonly independentSources: number;
  readonly sanctioned: { readonly list: string; readonly source: string } | null;
  readonly default: EntryDefault;
  readonly direction: EntryDirection;
  readonly custodian: string | null;
  /** Whether a contract stands at the address, where known. */
  readonly contract?: boolean | undefined;
  readonly note: string | null;
  readonly firstSeenTx: string | null;
  readonly accountType: "wallet" | "token_account" | null;
  /** The wallet a token account belongs to. */
  readonly owner: string | null;
  readonly sources: readonly SourceInput[];
}

/** The facts of an incident that a list carries beyond what an alert needs. */
export interface IncidentInput extends Incident {
  readonly lossUsd: number | null;
  readonly references: readonly string[];
  readonly note: string | null;
}

export interface ListInput {
  readonly list: string;
  readonly version: string;
  readonly incident: IncidentInput;
  readonly entries: readonly WatchEntryInput[];
}

/** One watchlist file format. Pure: text in, rows and numbered problems out. Never throws, whatever the text. */
export interface WatchlistFormat {
  readonly name: string;
  /** With the dot. No two formats share one. */
  readonly extensions: readonly string[];
  /** A larger file is refused before it is read. */
  readonly maxBytes: number;
  /** `list` holds the rows without problems and is null when the head of the file is unusable. */
  parse(text: string, file: string): { readonly list: ListInput | null; readonly problems: readonly FileProblem[] };
}
