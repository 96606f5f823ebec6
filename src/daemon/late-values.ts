/** Asks again what hits were worth whose value nobody could tell: each minute, for an hour. */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { LateValues } from "../store/late-values.ts";
import type { Log } from "../types/log.ts";
import type { Valuer } from "../types/valuer.ts";

export interface LateValuesOptions {
  readonly store: LateValues;
  readonly valuer: Valuer;
  readonly now: () => number;
  readonly log: Log;
  /** Alerts have to be folded. */
  readonly onWork: () => void;
}

const LOOK_MS = 60_000;
// A node that is away for longer is an alarm of its own.
const ASK_FOR_MS = 3_600_000;
const AT_ONCE = 500;

export async function runLateValues(options: LateValuesOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(LOOK_MS, signal);
    if (signal.aborted) return;
    try {
      await lookForLateValues(options, signal);
    } catch (error) {
      if (!signal.aborted)
        options.log.warn({ error: redactText(describeError(error)) }, "late values not looked for, trying again");
    }
  }
}

export async function lookForLateValues(
  { store, valuer, now, log, onWork }: LateValuesOptions,
  signal: AbortSignal,
): Promise<void> {
  const late = await store.due({ since: now() - ASK_FOR_MS, limit: AT_ONCE });
  const blocks = Map.groupBy(late, ({ hit, block }) => `${hit.chain} ${block.hash}`);
  let told = 0;
  for (const [first, ...rest] of blocks.values() as Iterable<[(typeof late)[number], ...typeof late]>) {
    const all = [first, ...rest];
    const { chain } = first.hit;
    const { hash, timestamp } = first.block;
    const moment = { chain, time: timestamp, blockHash: hash };
    const valued = await valuer.valueHits(
      all.map(({ hit }) => hit),
      moment,
      signal,
    );
    if (signal.aborted) return;
    for (const [index, hit] of valued.entries()) {
      const { value } = hit;
      // Still nobody to ask.
      if (value?.usdCents === null && value.passing === true) continue;
      if (await store.settle(all[index] as (typeof late)[number], hit, now())) told += 1;
    }
  }
  if (told === 0) return;
  log.info({ hits: told }, "values told late");
  onWork();
}
