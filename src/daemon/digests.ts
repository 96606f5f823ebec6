/**
 * Tells what groups hold back and, once a day, what was only recorded; prunes what was recorded long ago. Any number of
 * daemons may look: each digest is stored once.
 */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { Clock } from "../lib/clock.ts";
import type { PaymentDay } from "../types/payment.ts";
import type { Log } from "../types/log.ts";
import { digestMessage, recordedMessage } from "../alerts/digest.ts";
import { type SumRouting, tellSum } from "../alerts/payment-sums.ts";
import { storeDigests } from "../store/alert-groups.ts";
import type { Db } from "../store/database.ts";
import { pruneReads } from "../store/alert-reads.ts";
import { storeSums } from "../store/payment-sums.ts";
import { pruneRecorded, tellRecordedDay } from "../store/recorded.ts";

const POLL_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BATCH = 20;
const PRUNE_BATCH = 5_000;

export interface DigestOptions {
  readonly db: Db;
  /** Sinks that take alerts of a group together. */
  readonly sinks: readonly string[];
  /** Where sums of payments go. */
  readonly routing: SumRouting;
  /** Recorded hits are kept for so long. */
  readonly recordedDays: number;
  /** Who read what is kept for so long. */
  readonly readDays: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Outbox rows were written. */
  readonly onWork: () => void;
}

export async function runDigests(options: DigestOptions, signal: AbortSignal): Promise<void> {
  let failing = false;
  let hourlyAt = 0;
  while (!signal.aborted) {
    try {
      const now = options.clock.now();
      let stored = await storeDigests(options.db, {
        now,
        limit: BATCH,
        makeMessage: (digest) => digestMessage(digest, now),
      });
      const tell = (day: PaymentDay) => tellSum(day, options.routing, now);
      stored += await storeSums(options.db, { now, limit: BATCH, tell });
      if (now >= hourlyAt) {
        if (await tellYesterday(options, now)) stored += 1;
        await prune(options, now, signal);
        hourlyAt = now + HOUR_MS;
      }
      if (stored > 0) options.onWork();
      failing = false;
    } catch (error) {
      if (!failing) options.log.warn({ error: redactText(describeError(error)) }, "digests not stored, trying again");
      failing = true;
    }
    await sleep(POLL_MS, signal);
  }
}

/** The last whole day, UTC. */
export async function tellYesterday({ db, sinks }: DigestOptions, now: number): Promise<boolean> {
  const to = Math.floor(now / DAY_MS) * DAY_MS;
  const from = to - DAY_MS;
  const name = new Date(from).toISOString().slice(0, 10);
  return tellRecordedDay(db, {
    day: { name, from, to },
    now,
    sinks,
    makeMessage: (counts) => recordedMessage({ day: name, counts }, now),
  });
}

async function prune(
  { db, recordedDays, readDays, log }: DigestOptions,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  const pruneAll = async (before: number, pruneSome: typeof pruneReads): Promise<number> => {
    let pruned = 0;
    for (let last = PRUNE_BATCH; last === PRUNE_BATCH && !signal.aborted; pruned += last)
      last = await pruneSome(db, { before, limit: PRUNE_BATCH });
    return pruned;
  };
  await pruneAll(now - readDays * DAY_MS, pruneReads);
  const pruned = await pruneAll(now - recordedDays * DAY_MS, pruneRecorded);
  if (pruned > 0) log.info({ pruned, recordedDays }, "recorded transfers past their time deleted, their counts kept");
}
