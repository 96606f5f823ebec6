/**
 * Own addresses of the operator's database: waited for at the start, read again now and then. Whatever goes wrong later,
 * those that were known stay: without them an alert would no longer say that a customer is touched.
 */
import type { Logger } from "pino";
import { normalizeAddress } from "../chains/registry.ts";
import { ConfigError, describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import { createPauses } from "../lib/slices.ts";
import type { Db } from "../store/database.ts";
import { highestCount, rememberCount } from "../store/own-counts.ts";
import type { Config, OwnDatabaseConfig } from "../types/config.ts";
import type { FileProblem } from "../types/watchlist-format.ts";
import { readOwnDatabase } from "../watchlist/own-database.ts";
import { NO_OWN, type OwnIndex } from "../watchlist/own-index.ts";
import { isLargeLoss } from "../watchlist/own-rules.ts";
import { describeProblem } from "../watchlist/problems.ts";
import type { Alarms } from "./alarms.ts";
import type { LiveLists } from "./live-lists.ts";

const WAIT_MS = 2_000;
const MINUTE_MS = 60_000;
const SHOWN_MAX = 5;
const ACCEPT = "If that is right: heistwatch own accept";
const SUBJECT = "own:database";

/** Throws ConfigError for rows that are wrong, and UnavailableError where the database does not answer. */
export async function readOwnOnce({ watchlists: { ownDatabase } }: Config, signal: AbortSignal): Promise<OwnIndex> {
  if (ownDatabase === null) return NO_OWN;
  const { own, problems } = await readOwnDatabase(ownDatabase, { normalizeAddress, signal });
  if (problems.length > 0) throw new ConfigError(`Own addresses cannot be used as they are: ${wordsOf(problems)}`);
  return own;
}

export interface OwnReading {
  /** Remembers how many there were, beyond a restart. */
  readonly db: Db;
  readonly now: () => number;
}

/**
 * A database that is away is waited for, loudly: what is matched without its addresses names no customer. Throws ConfigError
 * where somebody has to do something: a wrong query or row, or too few addresses.
 */
export async function waitForOwnDatabase(
  config: Config,
  { db, now, log }: OwnReading & { readonly log: Logger },
  signal: AbortSignal,
): Promise<OwnIndex> {
  if (config.watchlists.ownDatabase === null) return NO_OWN;
  for (;;) {
    signal.throwIfAborted();
    try {
      const own = await readOwnOnce(config, signal);
      const highest = await highestCount(db, { source: "database", now: now() });
      const lost = Math.max(0, (highest ?? 0) - own.count);
      if (highest !== null && isLargeLoss({ lost, of: highest })) throw new ConfigError(tooFew(own, highest));
      await rememberCount(db, { source: "database", count: own.count, now: now() });
      log.info({ addresses: own.count }, "own addresses read from the database");
      return own;
    } catch (error) {
      if ((error as { retryable?: unknown }).retryable !== true) throw error;
      log.error(
        { error: redactText(describeError(error)) },
        "waiting for the database of own addresses, nothing is watched until it answers",
      );
      await sleep(WAIT_MS, signal);
    }
  }
}

function tooFew({ count }: OwnIndex, highest: number): string {
  return `The database of own addresses gives ${count}; in the last seven days it gave up to ${highest}. ${ACCEPT}`;
}

export interface OwnDatabaseOptions extends OwnReading {
  readonly database: OwnDatabaseConfig;
  /** As read at the start. */
  readonly start: OwnIndex;
  readonly live: Pick<LiveLists, "refreshOwn">;
  readonly alarms: Alarms;
  readonly log: Pick<Logger, "info" | "error">;
}

export async function runOwnDatabase(options: OwnDatabaseOptions, signal: AbortSignal): Promise<void> {
  const everyMs = options.database.refreshMinutes * MINUTE_MS;
  let known = options.start;
  await sleep(everyMs, signal);
  while (!signal.aborted) {
    const next = await refreshOwn(known, options, signal);
    // What failed is tried again soon, however seldom it is read.
    await sleep(next === null ? Math.min(everyMs, MINUTE_MS) : everyMs, signal);
    known = next ?? known;
  }
}

/** What is known afterwards; null: it was not read or not taken over, and an alarm says why. */
export async function refreshOwn(
  known: OwnIndex,
  { database, live, alarms, db, now, log }: OwnDatabaseOptions,
  signal: AbortSignal,
): Promise<OwnIndex | null> {
  const refuse = (severity: "high" | "critical", why: string) => {
    const detail = `The own addresses of the database are not read again, the ${known.count} known ones stay in use: ${why}`;
    log.error({ why }, "own addresses not read again, what was known stays");
    alarms.raise({ subject: SUBJECT, kind: "system", severity, graceMs: 0, detail });
    return null;
  };
  try {
    const { own, problems } = await readOwnDatabase(database, { normalizeAddress, signal });
    if (problems.length > 0) return refuse("critical", wordsOf(problems));
    if (own.digest !== known.digest) {
      const lost = await countLost(known, own, signal);
      // Null: a person said that what comes next is right.
      const highest = await highestCount(db, { source: "database", now: now() });
      if (highest !== null && isLargeLoss({ lost, of: known.count }))
        return refuse("critical", `${lost} of them are gone from it. ${ACCEPT}`);
      if (highest !== null && isLargeLoss({ lost: highest - own.count, of: highest }))
        return refuse("critical", tooFew(own, highest));
      await live.refreshOwn({ database: own });
      log.info({ addresses: own.count, lost }, "changed own addresses are in force");
    }
    await rememberCount(db, { source: "database", count: own.count, now: now() });
    alarms.clear(SUBJECT);
    return own;
  } catch (error) {
    if (signal.aborted) return null;
    return refuse("high", redactText(describeError(error)));
  }
}

async function countLost(known: OwnIndex, next: OwnIndex, signal: AbortSignal): Promise<number> {
  const pause = createPauses(signal);
  let lost = 0;
  for (const { chain, address } of known.all()) {
    if (next.of(chain, address) === null) lost += 1;
    await pause();
  }
  return lost;
}

function wordsOf(problems: readonly FileProblem[]): string {
  const more = problems.length > SHOWN_MAX ? `; and ${problems.length - SHOWN_MAX} more` : "";
  return `${problems.slice(0, SHOWN_MAX).map(describeProblem).join("; ")}${more}`;
}
