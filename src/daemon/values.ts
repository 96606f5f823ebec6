/** Who says what hits are worth, wired to the chains' own nodes and the lists in force. */
import type { Logger } from "pino";
import type { Clock } from "../lib/clock.ts";
import type { Db } from "../store/database.ts";
import { createLateValues } from "../store/late-values.ts";
import type { Config } from "../types/config.ts";
import type { Log } from "../types/log.ts";
import type { PriceFeeds } from "../types/price-feeds.ts";
import type { Service } from "../types/service.ts";
import type { Valuer } from "../types/valuer.ts";
import { createPriceBook } from "../value/price-book.ts";
import { createValuer } from "../value/value-hits.ts";
import { runLateValues } from "./late-values.ts";
import type { Lists } from "./lists.ts";
import { loopService } from "./loop-service.ts";
import type { NamedPool } from "./pools.ts";

export interface Valuers {
  /** For what happens now: a block waits for it this short while at most. */
  readonly live: Valuer;
  /** For the past: rounds of years ago take a few dozen questions, behind live requests. */
  readonly past: Valuer;
}

// A price must not delay an alert that people wait for: a feed of an own node answers in milliseconds.
const LIVE_TIMEOUT_MS = 1_500;
const PAST_TIMEOUT_MS = 10_000;

export interface ValuerParts {
  /** Null: values are not looked up. */
  readonly feeds: PriceFeeds | null;
  readonly pools: readonly NamedPool[];
  readonly lists: { current(): Lists };
  readonly clock: Clock;
  readonly log: Log;
}

export function createValuers(config: Config, { feeds, pools, lists, clock, log }: ValuerParts): Valuers | null {
  if (feeds === null) return null;
  const book = createPriceBook({
    chains: pools.map(({ chain, pool }) => ({ id: pool.chainId, name: chain, callers: () => pool.ownCallers() })),
    feeds,
    maxAgeS: config.prices.maxAgeHours * 3_600,
    now: () => clock.now(),
    log,
  });
  const shared = { book, tokens: () => lists.current().tokens, log };
  return {
    live: createValuer({ ...shared, timeoutMs: LIVE_TIMEOUT_MS }),
    past: createValuer({ ...shared, timeoutMs: PAST_TIMEOUT_MS }),
  };
}

/** What runs beside the lines: values that could not be told in time are told late. */
export function valueServices(
  valuers: Valuers | null,
  { db, clock, log, onWork }: { db: Db; clock: Clock; log: Logger; onWork: () => void },
): Service[] {
  if (valuers === null) return [];
  const options = {
    store: createLateValues(db),
    valuer: valuers.past,
    now: () => clock.now(),
    log: log.child({ stage: "value" }),
    onWork,
  };
  return [loopService("late-values", (loop) => runLateValues(options, loop))];
}
