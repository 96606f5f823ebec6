/** Tells what groups hold back. Any number of daemons may look; each digest is stored once. */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../types/log.ts";
import { digestMessage } from "../alerts/digest.ts";
import { storeDigests } from "../store/alert-groups.ts";
import type { Db } from "../store/database.ts";

const POLL_MS = 1_000;
const BATCH = 20;

export async function runDigests(
  options: { db: Db; clock: Clock; log: Log; onWork: () => void },
  signal: AbortSignal,
): Promise<void> {
  const { db, clock, log } = options;
  let failing = false;
  while (!signal.aborted) {
    try {
      const now = clock.now();
      const stored = await storeDigests(db, { now, limit: BATCH, makeMessage: (digest) => digestMessage(digest, now) });
      if (stored > 0) options.onWork();
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ error: redactText(describeError(error)) }, "digests not stored, trying again");
      failing = true;
    }
    await sleep(POLL_MS, signal);
  }
}
