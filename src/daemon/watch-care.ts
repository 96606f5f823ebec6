/** Beside the lines: tells what is due of the watchlists, counts it, and says which lists are stale. */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { Db } from "../store/database.ts";
import { importedVersions } from "../store/list-versions.ts";
import { countDue } from "../store/watch-due.ts";
import type { ListRules } from "../types/config.ts";
import type { Log } from "../types/log.ts";
import { describeStale, type Freshness, freshnessOf } from "../watchlist/freshness.ts";
import type { Alarms } from "./alarms.ts";
import type { Metrics } from "./metrics.ts";
import { type DueDeps, tellWhatIsDue } from "./watch-due.ts";
import { versionOfDay } from "./watch-entry.ts";

export interface CareOptions extends DueDeps {
  readonly rules: ReadonlyMap<string, ListRules>;
  readonly alarms: Alarms;
  readonly metrics: Pick<Metrics, "watchDue" | "staleLists">;
  readonly log: Log;
}

const LOOK_MS = 5_000;

export async function runWatchCare(options: CareOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await tellWhatIsDue(options);
      options.metrics.watchDue(await countDue(options.db, options.now()));
      tellStale(await readFreshness(options), options);
    } catch (error) {
      options.log.warn({ error: redactText(describeError(error)) }, "watchlists not looked after, trying again");
    }
    await sleep(LOOK_MS, signal);
  }
}

/** Of the lists as they were last imported, whichever process did it. */
export async function readFreshness({
  db,
  rules,
  now,
}: {
  readonly db: Db;
  readonly rules: ReadonlyMap<string, ListRules>;
  readonly now: () => number;
}): Promise<Freshness> {
  return freshnessOf({ rules, versions: await importedVersions(db, [...rules.keys()]), today: versionOfDay(now()) });
}

function tellStale({ lists }: Freshness, { alarms, metrics }: Pick<CareOptions, "alarms" | "metrics">): void {
  metrics.staleLists(lists.filter(({ fresh }) => !fresh).length);
  for (const one of lists) {
    const subject = `watchlist:${one.list}:stale`;
    if (one.fresh) alarms.clear(subject);
    else
      alarms.raise({
        subject,
        kind: "system",
        severity: "high",
        graceMs: 0,
        detail: `Watchlist stale: ${describeStale(one)}. What it names is still watched; who was listed since is not.`,
      });
  }
}
