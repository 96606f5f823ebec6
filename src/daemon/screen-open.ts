/** Screening, wired: inside a running daemon, or by the command line on the store itself, which can only look at answers. */
import { systemClock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { OpenStore } from "../store/database.ts";
import { createPeople } from "../store/people.ts";
import { createScreenAnswers, type ScreenAnswers } from "../store/screen-answers.ts";
import { readExposures } from "../store/screen-facts.ts";
import type { Config } from "../types/config.ts";
import type { Log } from "../types/log.ts";
import { lineOf, type Parts } from "./parts.ts";
import type { PersonCalls } from "./person-calls.ts";
import { createScreenCalls } from "./screen-calls.ts";
import { createScreener, type Screener } from "./screener.ts";
import { createStandings } from "./screen-standing.ts";
import { createTransactionReader } from "./screen-transaction.ts";

export interface OpenScreeningOptions {
  readonly config: Config;
  readonly store: OpenStore;
  /** Null: no daemon runs in this process. */
  readonly running: (Pick<Parts, "pools" | "lines" | "watch"> & { readonly log: Log }) | null;
}

export function openScreenCalls({ config, store, running }: OpenScreeningOptions): PersonCalls {
  return createScreenCalls({
    screener: running === null ? null : openScreener(config, store, running),
    answers: createScreenAnswers(store.db),
    people: createPeople(store.db),
    now: () => systemClock.now(),
  });
}

function openScreener(
  config: Config,
  { db }: OpenStore,
  running: NonNullable<OpenScreeningOptions["running"]>,
): Screener {
  const { pools, lines, watch } = running;
  const now = () => systemClock.now();
  const poolOf = (chain: string) => pools.find(({ pool }) => pool.chainId === chain)?.pool ?? null;
  const chains = config.chains.flatMap((chain) => {
    const pool = poolOf(chain.id);
    const line = lineOf({ lines }, chain.name);
    if (pool === null || line === null) return [];
    return [{ config: chain, pool, leading: () => (line.leads() ? line.status() : null) }];
  });
  const { live } = watch;
  return createScreener({
    standings: createStandings({
      db,
      chains,
      rules: config.watchlists.rules,
      revision: () => watch.store.revision(),
      lists: live,
      now,
    }),
    lists: live,
    exposures: (asked) => readExposures(db, asked),
    readTransaction: createTransactionReader({ db, nodesOf: poolOf }),
    keep: (answers) => createScreenAnswers(db).keep(answers),
    equivalentsOf: async (chain, address, { addresses }) =>
      (await poolOf(chain)?.equivalents?.(address, addresses)) ?? [],
    tracesWanted: (id) => config.chains.find((chain) => chain.id === id)?.traces !== "off",
    policy: config.policy,
    now,
    log: running.log,
  });
}

const DAY_MS = 86_400_000;
const PRUNE_EVERY_MS = 3_600_000;
const PRUNE_BATCH = 1_000;

/** Deletes kept answers whose time is over, in small batches, for as long as the daemon runs. */
export async function runScreenRetention(
  { answers, days, now, log }: { answers: ScreenAnswers; days: number; now: () => number; log: Log },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      let pruned = 0;
      for (let last = PRUNE_BATCH; last === PRUNE_BATCH && !signal.aborted; pruned += last)
        last = await answers.prune({ before: now() - days * DAY_MS, limit: PRUNE_BATCH });
      if (pruned > 0) log.info({ pruned, days }, "screening answers past their time deleted");
    } catch (error) {
      log.warn({ error: redactText(describeError(error)) }, "screening answers not pruned, trying again");
    }
    await sleep(PRUNE_EVERY_MS, signal);
  }
}
