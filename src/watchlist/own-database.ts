/**
 * Own addresses from a Postgres database of the operator: one query, read page by page through a cursor in a read-only
 * transaction, each row checked as a row of a file is.
 */
import pg from "pg";
import { ConfigError, describeError, UnavailableError } from "../lib/errors.ts";
import { redactText, redactUrl } from "../lib/redact.ts";
import { inSlices } from "../lib/slices.ts";
import type { OwnDatabaseConfig } from "../types/config.ts";
import type { FileProblem } from "../types/watchlist-format.ts";
import type { NormalizeAddress } from "./addresses.ts";
import { check } from "./fields.ts";
import { createOwnIndexBuilder, type OwnIndex } from "./own-index.ts";
import { addRow, type Known } from "./own-intake.ts";
import { type OwnRow, ownRowSchema } from "./own-row.ts";
import { createProblems, type Problems } from "./problems.ts";

const SOURCE = "watchlists.ownDatabase";
const COLUMNS = ["chain", "address", "customer_ref", "wallet"];
const CONNECT_TIMEOUT_MS = 10_000;
// The first page may have to sort millions; a server that hangs longer is away.
const STATEMENT_TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 5_000;
/** Some milliseconds of checking. */
const PAGE_ROWS = 500;

export interface OwnDatabaseResult {
  readonly own: OwnIndex;
  /** `line` is the row's number in the answer. */
  readonly problems: readonly FileProblem[];
}

/**
 * SQLSTATEs, or their classes, that asking again does not cure: a feature or value the server does not take, a query that
 * writes or is wrong, an access or a database that is not there.
 */
const NEEDS_A_PERSON = /^(?:0A|22|28|3D|3F|42)[0-9A-Z]{3}$|^25006$/;

/** Throws ConfigError where the query or the access is wrong, and UnavailableError where the database does not answer all of it. */
export async function readOwnDatabase(
  { url, query }: Pick<OwnDatabaseConfig, "url" | "query">,
  { normalizeAddress, signal }: { normalizeAddress: NormalizeAddress; signal: AbortSignal },
): Promise<OwnDatabaseResult> {
  const problems = createProblems(SOURCE);
  const known: Known = { builder: createOwnIndexBuilder(), sources: [SOURCE], noAdapter: 0 };
  const adding = { source: 0, known, problems, normalize: normalizeAddress };
  try {
    for await (const rows of pagesOf({ url, query, signal }, problems)) {
      signal.throwIfAborted();
      for (const row of rows) addRow(row, adding);
    }
  } catch (error) {
    signal.throwIfAborted();
    const found = `own addresses were not read from ${redactUrl(url)}: ${redactText(describeError(error))}`;
    const { code } = error as { code?: unknown };
    if (typeof code === "string" && NEEDS_A_PERSON.test(code))
      throw new ConfigError(`${found}. Correct watchlists.ownDatabase or the database; asking again does not help.`, {
        cause: error,
      });
    throw new UnavailableError(found, { cause: error });
  }
  return { own: await inSlices(known.builder.finish(), signal), problems: problems.list() };
}

interface Asked {
  readonly url: string;
  readonly query: string;
  readonly signal: AbortSignal;
}

async function* pagesOf({ url, query, signal }: Asked, problems: Problems): AsyncGenerator<OwnRow[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    application_name: "heistwatch own addresses",
    // Whatever the columns are: a reference of digits is text.
    types: { getTypeParser: () => String },
  });
  // A connection that drops between two statements emits an error; the next statement rejects.
  client.on("error", () => undefined);
  // In the middle of a query this cuts the connection: a process that stops does not wait for the answer.
  const cut = () => void client.end().catch(() => undefined);
  signal.addEventListener("abort", cut, { once: true });
  try {
    await client.connect();
    await client.query("begin isolation level repeatable read read only");
    await client.query(`declare own_addresses no scroll cursor for ${query}`);
    for (let line = 1; ; ) {
      const page = await client.query<Record<string, string | null>>(`fetch ${PAGE_ROWS} from own_addresses`);
      const columns = page.fields.map(({ name }) => name);
      if (columns.toSorted().join() !== COLUMNS.toSorted().join())
        return problems.add({
          line: 0,
          field: "",
          found: columns.join(", "),
          allowed: `the columns ${COLUMNS.join(", ")}`,
        });
      if (page.rows.length === 0) return;
      yield page.rows.flatMap((row, index) => checked(row, line + index, problems) ?? []);
      line += page.rows.length;
    }
  } finally {
    signal.removeEventListener("abort", cut);
    // Nothing was written: a connection that ends takes its transaction with it.
    await client.end();
  }
}

function checked(row: Readonly<Record<string, string | null>>, line: number, problems: Problems): OwnRow | null {
  const { chain, address, customer_ref: ref, wallet } = row;
  // As in a CSV file, an empty reference is "not known".
  const value = { chain, address, customerRef: ref || null, wallet };
  const own = check(ownRowSchema, { value, path: [], lineOf: () => line }, problems);
  return own === null ? null : { ...own, line };
}
