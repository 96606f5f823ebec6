/** Opening the store, however long the database takes to be there. */
import type { Logger } from "pino";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import { migrate, type OpenStore, openStore } from "../store/database.ts";
import type { Config } from "../types/config.ts";
import type { HealthCheck } from "../api/health-server.ts";

const WAIT_MS = 2_000;
const ANSWER_TIMEOUT_MS = 3_000;
const CLOSE_TIMEOUT_MS = 2_000;

/** Does the store answer now? For /readyz: a daemon that cannot write watches nothing. */
export async function checkStore(store: OpenStore | null): Promise<HealthCheck> {
  const name = "store";
  if (store === null) return { name, ok: false, detail: "waiting for the database" };
  const ping = store.ping().then(
    () => ({ name, ok: true, detail: store.where }),
    (error: unknown) => ({ name, ok: false, detail: redactText(describeError(error)) }),
  );
  const late = { name, ok: false, detail: `${store.where} did not answer within ${ANSWER_TIMEOUT_MS / 1_000} s` };
  return Promise.race([ping, sleep(ANSWER_TIMEOUT_MS).then(() => late)]);
}

/** A pool waits for its connections to come back, and one that hangs in a query never does. */
export async function closeInTime(store: OpenStore | null, log: Logger): Promise<void> {
  if (store === null) return;
  const closed = store.close().then(
    () => true,
    () => true,
  );
  if (!(await Promise.race([closed, sleep(CLOSE_TIMEOUT_MS).then(() => false)])))
    log.warn({}, "the database does not let go of our connections, leaving anyway");
}

/** A database that is away is waited for, loudly; one that refuses our schema is not. */
export async function waitForStore(config: Config, log: Logger, signal: AbortSignal): Promise<OpenStore> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const store = await openStore({ databaseUrl: config.databaseUrl, dataDir: config.dataDir });
      try {
        await migrate(store.db);
      } catch (error) {
        await store.close();
        throw error;
      }
      if (store.kind === "pglite") {
        log.warn(
          { folder: store.where },
          "embedded store: made for one machine and for trying out. It never syncs to disk, so a power loss may lose data; set DATABASE_URL for production",
        );
      }
      return store;
    } catch (error) {
      if ((error as { retryable?: unknown }).retryable !== true) throw error;
      log.error(
        { error: redactText(describeError(error)) },
        "waiting for the database, nothing is watched until it answers",
      );
      await sleep(WAIT_MS, signal);
    }
  }
}
