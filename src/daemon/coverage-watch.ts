/** Looks for blocks below the cursor that nobody scanned: each minute, and whenever metrics are asked for. */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import { countHoles, LIVE } from "../store/coverage.ts";
import type { Db } from "../store/database.ts";
import type { ChainConfig } from "../types/config.ts";
import type { Log } from "../types/log.ts";
import { watchCoverage } from "./alarm-rules.ts";
import type { Alarms } from "./alarms.ts";
import type { Metrics } from "./metrics.ts";

export interface CoverageWatchOptions {
  readonly db: Db;
  readonly chains: readonly ChainConfig[];
  readonly isFollowed: (chain: string) => boolean;
  readonly metrics: Metrics;
  readonly alarms: Alarms;
  readonly log: Log;
}

// A hole is a bug, not a race: a minute is soon enough.
const LOOK_MS = 60_000;

export async function runCoverageWatch(options: CoverageWatchOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(LOOK_MS, signal);
    if (signal.aborted) return;
    try {
      await lookAtCoverage(options);
    } catch (error) {
      options.log.warn({ error: redactText(describeError(error)) }, "coverage not looked at");
    }
  }
}

export async function lookAtCoverage({ db, chains, isFollowed, metrics, alarms }: CoverageWatchOptions): Promise<void> {
  for (const chain of chains.filter(({ name }) => isFollowed(name))) {
    const holes = await holesOf(db, chain.id);
    metrics.gaps(chain.name, holes);
    watchCoverage(alarms, chain.name, holes);
  }
}

async function holesOf(db: Db, chain: string): Promise<number> {
  const range = await db
    .selectFrom("coverage")
    .select((eb) => [eb.fn.min("from_number").as("from"), eb.fn.max("to_number").as("to")])
    .where("chain", "=", chain)
    // A scan of the past reaches further down than was ever followed.
    .where("scan", "=", LIVE)
    .executeTakeFirst();
  if (range === undefined || range.from === null) return 0;
  return countHoles(db, { chain, from: range.from, to: range.to });
}
