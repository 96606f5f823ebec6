/**
 * One file of an import format to checked rows with canonical addresses, piece by piece: memory holds a chunk and what
 * the format must remember, and other work runs between chunks. Rows come in batches; whether they may be used is known
 * at the end, when the whole file was read.
 */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { setImmediate as letOthersRun } from "node:timers/promises";
import { describeError } from "../lib/errors.ts";
import type {
  FileProblem,
  FormatReader,
  ImportFormat,
  ImportOptions,
  LineProblem,
  ListHead,
  ReadContext,
  WatchEntryInput,
  WithdrawnInput,
} from "../types/watchlist-format.ts";
import { canonicalAddress, type NormalizeAddress, notAnAddress } from "./addresses.ts";
import { isWellFormed } from "./coins.ts";
import { createTextDecoder, detectEncoding, type Encoding, EncodingError, SAMPLE_BYTES } from "./decode-text.ts";
import { chunksOf, wholeFile } from "./files.ts";
import { createProblems, escapeInvisible, showFound } from "./problems.ts";

/** Steps of a format's finish between two pauses. */
const STEPS = 32;

export interface ReadOptions {
  readonly format: ImportFormat;
  readonly options: ImportOptions;
  readonly normalizeAddress: NormalizeAddress;
}

/** What is known once the file was read. */
export interface ReadEnd {
  /** Null: the file as a whole cannot be used. */
  readonly head: ListHead | null;
  /** By line. Each kept a row out, or the whole file when `head` is null. */
  readonly problems: readonly FileProblem[];
  readonly problemCount: number;
  /** Told, their rows kept. */
  readonly warnings: readonly FileProblem[];
  /** Rows the file takes back, with canonical addresses. */
  readonly withdrawn: readonly WithdrawnInput[];
  /** Rows of chains that no adapter reads yet. */
  readonly noAdapter: number;
  /** Of the bytes that were read: for the record, and for signatures. */
  readonly sha256: string;
  readonly blake2b512: Uint8Array;
  readonly bytes: number;
}

type Batch = readonly WatchEntryInput[];

/** Never throws, whatever the file: `head` is null and `problems` say why. */
export async function* readListFile(file: string, read: ReadOptions): AsyncGenerator<Batch, ReadEnd> {
  const session = createSession(read);
  const digests = createDigests();
  try {
    yield* readInto(file, read, session, digests);
  } catch (error) {
    session.fail(wholeFile(file, foundOf(error), allowedOf(error, read.format)));
  }
  return { ...session.end(), ...digests.end() };
}

async function* readInto(file: string, read: ReadOptions, session: Session, digests: Digests): AsyncGenerator<Batch> {
  const info = await stat(file);
  // /dev/zero and pipes have no end.
  if (!info.isFile()) throw new Unreadable("something that is not a regular file", "a regular file");
  if (info.size > read.format.maxBytes) throw tooLarge(read.format);
  const encoding = await encodingOf(file, read.format);
  const reader = read.format.createReader(session.context);
  const decoder = createTextDecoder(encoding);
  for await (const chunk of chunksOf(file)) {
    // Asked again: the file may have grown.
    if (digests.add(chunk) > read.format.maxBytes) throw tooLarge(read.format);
    if (!session.context.failed) reader.write(decoder.decode(chunk));
    if (session.pending() > 0) yield session.take();
  }
  if (!session.context.failed) reader.write(decoder.end());
  if (!session.context.failed) yield* finish(reader, session);
}

async function* finish(reader: FormatReader, session: Session): AsyncGenerator<Batch> {
  const steps = reader.finish();
  for (let count = 1; ; count += 1) {
    const step = steps.next();
    if (step.done === true) {
      session.head = step.value;
      break;
    }
    if (count % STEPS !== 0) continue;
    await letOthersRun();
    if (session.pending() > 0) yield session.take();
  }
  if (session.pending() > 0) yield session.take();
}

/** Reads the file once more where only its last byte can tell UTF-8 from a code page. */
async function encodingOf(file: string, format: ImportFormat): Promise<Encoding> {
  if (format.encoding === "utf-8") return "utf-8";
  let isFirst = true;
  const decoder = createTextDecoder("utf-8");
  try {
    for await (const chunk of chunksOf(file)) {
      const detected = isFirst ? detectEncoding(chunk.subarray(0, SAMPLE_BYTES)) : null;
      if (detected !== null) return detected;
      isFirst = false;
      decoder.decode(chunk);
    }
    decoder.end();
    return "utf-8";
  } catch (error) {
    if (error instanceof EncodingError && error.message !== "UTF-32") return "windows-1252";
    throw error;
  }
}

interface Session {
  readonly context: ReadContext;
  head: ListHead | null;
  pending(): number;
  take(): Batch;
  fail(problem: FileProblem): void;
  end(): Omit<ReadEnd, keyof ReturnType<Digests["end"]>>;
}

function createSession({ options, normalizeAddress }: ReadOptions): Session {
  const problems = createProblems(options.file);
  const warnings = createProblems(options.file);
  const withdrawn: WithdrawnInput[] = [];
  let rows: WatchEntryInput[] = [];
  let rowCount = 0;
  let noAdapter = 0;
  let failed = false;

  /** The row with its canonical address, or null after telling why not. */
  function canonical<T extends WatchEntryInput | WithdrawnInput>(row: T): (T & { hasAdapter: boolean }) | null {
    const answer = canonicalAddress(normalizeAddress, row.chain, row.address);
    if (answer !== null && (answer.hasAdapter || isWellFormed(row.chain, row.address))) return { ...row, ...answer };
    const { line, chain, address } = row;
    problems.add({ line, field: "address", found: showFound(address), allowed: notAnAddress(chain) });
    return null;
  }
  const fail = (problem: LineProblem) => {
    failed = true;
    problems.add(problem);
  };
  const session: Session = {
    head: null,
    context: {
      options,
      add(input) {
        const row = canonical(input);
        if (row === null) return;
        const { hasAdapter, ...entry } = row;
        if (!hasAdapter) noAdapter += 1;
        rowCount += 1;
        rows.push(ownRow(entry));
      },
      withdraw(input) {
        const row = canonical(input);
        if (row !== null)
          withdrawn.push({ line: row.line, chain: row.chain, address: row.address, reason: row.reason });
      },
      refuse: (problem) => problems.add(problem),
      fail,
      warn: (problem) => warnings.add(problem),
      get failed() {
        return failed;
      },
    },
    pending: () => rows.length,
    take() {
      const batch = rows;
      rows = [];
      return batch;
    },
    fail,
    end() {
      // Watching nobody would look exactly like nobody moving.
      const isEmpty = rowCount === 0 && withdrawn.length === 0;
      if (isEmpty && problems.count === 0) fail(wholeFile(options.file, "no address", "at least one"));
      return {
        head: failed || isEmpty ? null : session.head,
        problems: problems.list(),
        problemCount: problems.count,
        warnings: warnings.list(),
        withdrawn,
        noAdapter,
      };
    },
  };
  return session;
}

/** Free of the chunks its texts stood in: few rows of a large file would keep most of it in memory. */
function ownRow(row: WatchEntryInput): WatchEntryInput {
  return JSON.parse(JSON.stringify(row)) as WatchEntryInput;
}

interface Digests {
  /** The bytes so far. */
  add(chunk: Uint8Array): number;
  end(): { readonly sha256: string; readonly blake2b512: Uint8Array; readonly bytes: number };
}

function createDigests(): Digests {
  const sha256 = createHash("sha256");
  const blake2b512 = createHash("blake2b512");
  let bytes = 0;
  return {
    add(chunk) {
      sha256.update(chunk);
      blake2b512.update(chunk);
      return (bytes += chunk.length);
    },
    end: () => ({ sha256: sha256.digest("hex"), blake2b512: blake2b512.digest(), bytes }),
  };
}

class Unreadable extends Error {
  readonly allowed: string;

  constructor(found: string, allowed: string) {
    super(found);
    this.allowed = allowed;
  }
}

function tooLarge({ name, maxBytes }: ImportFormat): Unreadable {
  return new Unreadable("a larger file", `at most ${maxBytes} bytes for ${name}`);
}

function foundOf(error: unknown): string {
  return error instanceof Unreadable || error instanceof EncodingError
    ? error.message
    : escapeInvisible(describeError(error));
}

function allowedOf(error: unknown, format: ImportFormat): string {
  if (error instanceof Unreadable) return error.allowed;
  if (!(error instanceof EncodingError)) return "a readable file";
  return format.encoding === "any" ? "UTF-8, UTF-16 or Windows-1252" : "UTF-8 text";
}
