/** What every command starts from: the configuration, the output, and the way to the store. */
import { existsSync } from "node:fs";
import path from "node:path";
import { loadEnv } from "../config/env-file.ts";
import { loadConfig } from "../config/load.ts";
import {
  AlreadyRunningError,
  callInstance,
  claimInstance,
  type ControlCalls,
  type Instance,
} from "../daemon/instance.ts";
import { openEvidenceCalls } from "../daemon/evidence-open.ts";
import { createOperatorCalls } from "../daemon/operator-calls.ts";
import { openScreenCalls } from "../daemon/screen-open.ts";
import { openOwnCalls } from "../daemon/own-open.ts";
import { openTriageCalls } from "../daemon/triage-open.ts";
import { openWatchCalls } from "../daemon/watch-open.ts";
import { createRecordedCalls } from "../daemon/recorded-calls.ts";
import { createRetroCalls } from "../daemon/retro-calls.ts";
import { systemClock } from "../lib/clock.ts";
import { AppError, ConfigError, UnavailableError } from "../lib/errors.ts";
import { migrate, openStore } from "../store/database.ts";
import { createDeliveryMoves } from "../store/delivery-moves.ts";
import { createDeliveryStore } from "../store/delivery-store.ts";
import type { ChainConfig, Config } from "../types/config.ts";

export const EXIT = { ok: 0, fix: 1, tryAgain: 75 } as const;

export interface GlobalOptions {
  readonly config?: string | undefined;
  readonly json?: boolean;
}

/** `--config`, else the one in this folder, else the one shipped with the package. */
export function configPath(given: string | undefined): string {
  if (given !== undefined) return path.resolve(given);
  const here = path.resolve("config/heistwatch.yaml");
  return existsSync(here) ? here : path.join(import.meta.dirname, "../../config/heistwatch.yaml");
}

export function readConfig(options: Pick<GlobalOptions, "config">): Config {
  return loadConfig({ configPath: configPath(options.config), env: loadEnv(process.cwd()) });
}

/** By the name or the CAIP-2 id it has in the configuration; throws ConfigError. */
export function chainNamed(config: Config, name: string): ChainConfig {
  const chain = config.chains.find((one) => one.name === name || one.id === name);
  if (chain !== undefined) return chain;
  throw new ConfigError(
    `no chain ${name} in the configuration; there ${config.chains.length === 1 ? "is" : "are"}: ${config.chains.map((one) => one.name).join(", ")}`,
  );
}

/**
 * Runs one operator call: on the database itself where it is a server, through the running daemon where the store is
 * embedded, and on the embedded store directly while no daemon runs.
 */
export async function callOperator(config: Config, name: string, args: object): Promise<unknown> {
  if (config.databaseUrl === null) {
    try {
      return await callInstance(config.dataDir, name, args);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
    if (!existsSync(path.join(config.dataDir, "pglite"))) {
      throw new AppError(
        `there is no store in ${config.dataDir} yet: start heistwatch once (heistwatch run), or set DATABASE_URL to the database it uses`,
      );
    }
  }
  const instance = config.databaseUrl === null ? await borrowFolder(config.dataDir) : null;
  try {
    const store = await openStore(config);
    try {
      await migrate(store.db);
      const calls: ControlCalls = {
        ...createOperatorCalls({
          deliveries: createDeliveryStore(store.db),
          moves: createDeliveryMoves(store.db),
          queuedSinks: config.sinks.alerts.map((sink) => sink.name),
          clock: systemClock,
          onWork: () => undefined,
          nodes: null,
          people: {
            ...openWatchCalls({ config, store, running: null }).calls,
            ...openTriageCalls(config, store).calls,
            ...openScreenCalls({ config, store, running: null }).calls,
            ...openOwnCalls(config, store, null).calls,
            ...openEvidenceCalls({ config, store, pools: null }).calls,
          },
        }),
        // Whoever runs beside us on this database looks each second.
        ...createRecordedCalls({ db: store.db, clock: systemClock, onWork: () => undefined }),
        ...createRetroCalls({ db: store.db, clock: systemClock, onStarted: () => undefined }),
      };
      const call = calls[name];
      if (call === undefined) throw new Error(`assertion failed: ${name} is an operator call`);
      return await call(args);
    } finally {
      await store.close();
    }
  } finally {
    await instance?.close();
  }
}

/** For one command, while no daemon runs there. Throws a retryable error where one starts just now. */
export async function borrowFolder(dataDir: string): Promise<Instance> {
  try {
    return await claimInstance(dataDir);
  } catch (cause) {
    if (!(cause instanceof AlreadyRunningError)) throw cause;
    throw new UnavailableError("a heistwatch starts just now: ask again in a moment", { cause });
  }
}

/** Asks the daemon that runs in the data folder: about what only a running one knows. */
export async function callDaemon(config: Config, name: string, args: object): Promise<unknown> {
  try {
    return await callInstance(config.dataDir, name, args);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    throw new UnavailableError(`no heistwatch runs in ${config.dataDir}: nodes are in use only while it does`);
  }
}
