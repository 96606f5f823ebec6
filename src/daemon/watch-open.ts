/** The watchlist calls, wired: inside a running daemon, or by the command line on the store itself. */
import type { Logger } from "pino";
import { createAlertStore } from "../store/alert-store.ts";
import type { OpenStore } from "../store/database.ts";
import { createOwnStore } from "../store/own-store.ts";
import { createPeople } from "../store/people.ts";
import { createReachStore } from "../store/watch-reach.ts";
import { entriesToReview } from "../store/watch-due.ts";
import { createWatchStore } from "../store/watch-store.ts";
import { systemClock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import type { Config } from "../types/config.ts";
import { joinOwn, type OwnIndex } from "../watchlist/own-index.ts";
import { createHygiene, createListHygiene } from "./address-hygiene.ts";
import { readFiles } from "./lists.ts";
import { loadGivenOwn } from "./own-given-sync.ts";
import { readKeptOwn } from "./own-open.ts";
import type { NamedPool } from "./pools.ts";
import type { PersonCalls } from "./person-calls.ts";
import { readFreshness } from "./watch-care.ts";
import { createWatchCalls } from "./watch-calls.ts";
import { importGiven } from "./watch-given.ts";
import { previewImport } from "./watch-import.ts";
import { watchPorts } from "./watch-ports.ts";
import { createDesk, type Watch } from "./watch-service.ts";

const NEVER = new AbortController().signal;

export interface OpenWatchOptions {
  readonly config: Config;
  readonly store: OpenStore;
  /** Null: no daemon runs in this process. */
  readonly running: { readonly watch: Watch; readonly pools: readonly NamedPool[]; readonly log: Logger } | null;
}

export function openWatchCalls({ config, store, running }: OpenWatchOptions): PersonCalls {
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

  let read: Promise<OwnIndex> | null = null;
  /** As a daemon has them; where none runs, read once for the one call this process makes. */
  async function own(): Promise<OwnIndex> {
    if (running !== null) return running.watch.live.current().own;
    read ??= Promise.all([readKeptOwn(config), loadGivenOwn(createOwnStore(store.db), NEVER)]).then(([kept, given]) =>
      joinOwn(kept, given.addresses.own),
    );
    return read;
  }

  const desk = createDesk({
    config,
    store,
    watch,
    hygieneOf: createHygiene({ own, withEnds: (ends) => watch.withEnds(ends) }),
    // Only a running daemon has nodes to ask what is touched.
    ownOf: (chain, address) => running?.watch.live.current().watchlist.ownOf(chain, address) ?? null,
    pools: running?.pools ?? [],
    now,
    onChanged,
  });
  const refusedOf = createListHygiene(own);
  return createWatchCalls({
    desk,
    store: watch,
    reach: createReachStore(store.db),
    people: createPeople(store.db),
    reviews: (limit) => entriesToReview(store.db, limit),
    upgrade: async () => previewImport((await readFiles(config)).lists, { store: watch, now, refusedOf }),
    freshness: () => readFreshness({ db: store.db, rules: config.watchlists.rules, now }),
    importGiven: (actor, input) =>
      importGiven(actor, input, {
        store: watch,
        operationSinks,
        now,
        rules: config.watchlists.rules,
        isOwn: async (chain, address) => (await own()).of(chain, address) !== null,
        refusedOf,
        onChanged,
      }),
    page: async (message) => void (await alerts.addMessage(message, operationSinks, now())),
    now,
  });
}
