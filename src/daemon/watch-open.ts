/** The watchlist calls, wired: inside a running daemon, or by the command line on the store itself. */
import type { Logger } from "pino";
import { createAlertStore } from "../store/alert-store.ts";
import type { OpenStore } from "../store/database.ts";
import { createPeople } from "../store/people.ts";
import { createReachStore } from "../store/watch-reach.ts";
import { createWatchStore } from "../store/watch-store.ts";
import { systemClock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import type { Config } from "../types/config.ts";
import { readFiles } from "./lists.ts";
import type { NamedPool } from "./pools.ts";
import { createWatchCalls, type WatchCalls } from "./watch-calls.ts";
import { previewImport } from "./watch-import.ts";
import { watchPorts } from "./watch-ports.ts";
import { createDesk, type Watch } from "./watch-service.ts";

export interface OpenWatchOptions {
  readonly config: Config;
  readonly store: OpenStore;
  /** Null: no daemon runs in this process. */
  readonly running: { readonly watch: Watch; readonly pools: readonly NamedPool[]; readonly log: Logger } | null;
}

export function openWatchCalls({ config, store, running }: OpenWatchOptions): WatchCalls {
  const watch = running?.watch.store ?? createWatchStore(store.db, watchPorts(config));
  const alerts = createAlertStore(store.db);
  const now = () => systemClock.now();
  const operationSinks = config.sinks.operations.map(({ name }) => name);

  /** The change is stored: what fails here is tried again by the daemon every second. */
  async function onChanged(): Promise<void> {
    await running?.watch.live
      .refresh()
      .catch((error: unknown) =>
        running.log.warn({ error: redactText(describeError(error)) }, "changed watchlist not read yet, trying again"),
      );
  }

  async function isOwn(chain: string, address: string): Promise<boolean> {
    if (running !== null) return running.watch.live.current().watchlist.ownOf(chain, address) !== null;
    const { own } = await readFiles(config);
    return own.some((one) => one.chain === chain && one.address === address);
  }

  const desk = createDesk({
    config,
    store,
    watch,
    isOwn,
    pools: running?.pools ?? [],
    now,
    onChanged,
  });
  return createWatchCalls({
    desk,
    store: watch,
    reach: createReachStore(store.db),
    people: createPeople(store.db),
    upgrade: async () => previewImport((await readFiles(config)).lists, watch),
    page: async (message) => void (await alerts.addMessage(message, operationSinks, now())),
    now,
  });
}
