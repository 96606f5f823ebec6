/** Opening the store, however long the database takes to be there. */
import type { Logger } from "pino";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import { migrate, type OpenStore, openStore } from "../store/database.ts";
import type { Config } from "../types/config.ts";

const WAIT_MS = 2_000;

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
