/** The calls about own addresses, wired: inside a running daemon, or by the command line on the store itself. */
import { normalizeAddress } from "../chains/registry.ts";
import { systemClock } from "../lib/clock.ts";
import type { OpenStore } from "../store/database.ts";
import { createOwnStore } from "../store/own-store.ts";
import { createPeople } from "../store/people.ts";
import type { Config } from "../types/config.ts";
import { joinOwn, type OwnIndex } from "../watchlist/own-index.ts";
import { readFiles } from "./lists.ts";
import type { LiveLists } from "./live-lists.ts";
import { createOwnCalls } from "./own-calls.ts";
import { readOwnOnce } from "./own-database-sync.ts";
import { createOwnDesk } from "./own-desk.ts";
import type { PersonCalls } from "./person-calls.ts";

const NEVER = new AbortController().signal;

/** Own addresses of files and the database, read once: where no daemon runs that has them. */
export async function readKeptOwn(config: Config): Promise<OwnIndex> {
  const [files, database] = await Promise.all([readFiles(config), readOwnOnce(config, NEVER)]);
  return joinOwn(files.own, database);
}

/** `live` null: no daemon runs in this process. */
export function openOwnCalls(config: Config, { db }: OpenStore, live: LiveLists | null): PersonCalls {
  const store = createOwnStore(db);
  const kept = async () => live?.kept() ?? (await readKeptOwn(config));
  const now = () => systemClock.now();
  const operationSinks = config.sinks.operations.map(({ name }) => name);
  return createOwnCalls({
    desk: createOwnDesk({ store, normalizeAddress, kept, operationSinks, now }),
    store,
    people: createPeople(db),
    kept,
    chains: config.chains,
    now,
  });
}
