/** Beside the lines: tells what is due of the watchlists, and counts it. */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import { countDue } from "../store/watch-due.ts";
import type { Log } from "../types/log.ts";
import type { Metrics } from "./metrics.ts";
import { type DueDeps, tellWhatIsDue } from "./watch-due.ts";

export interface CareOptions extends DueDeps {
  readonly metrics: Pick<Metrics, "watchDue">;
  readonly log: Log;
}

const LOOK_MS = 5_000;

export async function runWatchCare(options: CareOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await tellWhatIsDue(options);
      options.metrics.watchDue(await countDue(options.db, options.now()));
    } catch (error) {
      options.log.warn({ error: redactText(describeError(error)) }, "watchlists not looked after, trying again");
    }
    await sleep(LOOK_MS, signal);
  }
}
