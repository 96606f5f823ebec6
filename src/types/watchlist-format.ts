/** What a watchlist file format hands over: rows as written, and everything that is wrong with the file. */
import type { ChainId } from "./chain.ts";
import type { EntryBasis, EntryConfidence, EntryDefault, EntryDirection, EntryRole, Incident, Tlp } from "./watch.ts";

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
  /** Who may see it, by the Traffic Light Protocol; absent: nothing was said. */
  readonly tlp?: Tlp | null | undefined;
  /** UTC, ISO 8601: a day or a moment. */
  readonly validFrom?: string | null | undefined;
  readonly validUntil?: string | null | undefined;
  /** The investigator's case. */
  readonly case?: string | null | undefined;
  readonly addedBy?: string | null | undefined;
  /** The confidence as the file has it: a GraphSense id, a STIX number. */
  readonly givenConfidence?: string | null | undefined;
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

/** A format the daemon reads its own lists from. Pure: text in, rows and numbered problems out. Never throws. */
export interface WatchlistFormat {
  readonly name: string;
  /** With the dot. No two formats share one. */
  readonly extensions: readonly string[];
  /** A larger file is refused before it is read. */
  readonly maxBytes: number;
  /** `list` holds the rows without problems and is null when the head of the file is unusable. */
  parse(text: string, file: string): { readonly list: ListInput | null; readonly problems: readonly FileProblem[] };
}

/** What the importer says about a file of others: their formats know addresses and labels, not our lists. */
export interface ImportOptions {
  /** Shown in problems; some formats name their coin in it. */
  readonly file: string;
  /** The list this file becomes. A native file says it itself, and so the rest. */
  readonly list: string;
  readonly incident: IncidentInput;
  /** UTC, `YYYY-MM-DD`: the version of a list that carries no date. */
  readonly today: string;
  /** For rows that do not say it. */
  readonly role: EntryRole;
  readonly basis: EntryBasis;
  readonly confidence: EntryConfidence;
  /** The reference of every row: where the file comes from. */
  readonly source: string;
  /** The sanctions list this file is a copy of; null when it is none. */
  readonly sanctionsList: string | null;
}

/** A row the file itself takes back: revoked or deleted. The address is as written. */
export interface WithdrawnInput {
  readonly line: number;
  readonly chain: ChainId;
  readonly address: string;
  readonly reason: string;
}

export type LineProblem = Omit<FileProblem, "file">;

/** Where a reader puts what it finds. */
export interface ReadContext {
  readonly options: ImportOptions;
  add(row: WatchEntryInput): void;
  withdraw(row: WithdrawnInput): void;
  /** Keeps one row out: the others are good. */
  refuse(problem: LineProblem): void;
  /** The file as a whole cannot be used, not even its good rows. */
  fail(problem: LineProblem): void;
  /** Told, and the row is kept. */
  warn(problem: LineProblem): void;
  /** True after `fail`: reading on is of no use. */
  readonly failed: boolean;
}

export interface ListHead {
  readonly list: string;
  readonly version: string;
  readonly incident: IncidentInput;
}

/** Takes a text piece by piece. Never throws, whatever the text. */
export interface FormatReader {
  write(text: string): void;
  /** After the last piece. Steps are short, so that a caller can let others run between them. */
  finish(): Generator<undefined, ListHead | null>;
}

/** A format an investigator imports from. One file in `watchlist/formats/`, one line in its registry. */
export interface ImportFormat {
  /** What `--format` takes. */
  readonly name: string;
  /** What a person calls it. */
  readonly title: string;
  readonly maxBytes: number;
  /** `any`: UTF-8, UTF-16 or Windows-1252, as spreadsheets leave them. */
  readonly encoding: "utf-8" | "any";
  /** The same address may stand there several times, with several labels or sources. */
  readonly repeats: boolean;
  /** Whether the first 64 KiB of a text can be this format. Cheap, and false when in doubt. */
  looksLike(start: string): boolean;
  createReader(context: ReadContext): FormatReader;
}
