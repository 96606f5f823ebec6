/**
 * The screening of a daemon without its chains: the real route, people, store, lists of any size and their swaps. How the
 * chains stand is made up, as of a daemon that follows them without trouble.
 */
import Fastify, { type FastifyInstance } from "fastify";
import { addGroup } from "../../src/api/calls.ts";
import { addScreenRoutes } from "../../src/api/screen-routes.ts";
import { createAdapter } from "../../src/chains/registry.ts";
import { makeToken } from "../../src/daemon/actors.ts";
import { createScreenCalls } from "../../src/daemon/screen-calls.ts";
import { createScreener } from "../../src/daemon/screener.ts";
import type { Standings } from "../../src/daemon/screen-standing.ts";
import { createTransactionReader } from "../../src/daemon/screen-transaction.ts";
import { runThrough } from "../../src/lib/slices.ts";
import type { Db } from "../../src/store/database.ts";
import { createPeople } from "../../src/store/people.ts";
import { createScreenAnswers } from "../../src/store/screen-answers.ts";
import { readExposures } from "../../src/store/screen-facts.ts";
import type { ChainConfig } from "../../src/types/config.ts";
import { DEFAULT_POLICY } from "../../src/types/policy.ts";
import type { ChainStanding } from "../../src/types/screening.ts";
import { addChanges, createChangedWatchlist, noChanges } from "../../src/watchlist/changed-watchlist.ts";
import { NO_OWN } from "../../src/watchlist/own-index.ts";
import type { WatchlistSnapshot } from "../../src/watchlist/snapshot.ts";
import { BITCOIN, ETHEREUM, isSwingListed, LIST, POLYGON, SWING_LIST, swingEntries, versionOf } from "./world.ts";

export interface Serving {
  readonly url: string;
  readonly token: string;
  /** Puts the next list in force; since when on the machine's monotonic clock (ns). */
  swap(): { readonly version: string; readonly at: bigint };
  /** Of the list in force. */
  version(): string;
  stop(): Promise<void>;
}

/** Room that a watchlist needs for what the swaps add. */
export const SWING_ROOM = 1_000;

const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const CHAINS = [ETHEREUM, POLYGON, BITCOIN];
const HEADS = [LIST, SWING_LIST].map((list) => ({
  list,
  version: "1",
  incident: {
    id: "bench",
    name: "Bench",
    kind: "theft",
    date: null,
    attribution: null,
    attributionBasis: null,
    disputed: false,
    lossUsd: null,
    references: [],
    note: null,
  },
}));

export async function serve({ base, db }: { base: WatchlistSnapshot; db: Db }): Promise<Serving> {
  let number = 0;
  let lists = listsOf(number, base);
  const bitcoin = bitcoinAdapter();
  const screener = createScreener({
    standings: () => Promise.resolve(standingsOf(lists.watchlist.version)),
    lists: { current: () => lists },
    exposures: (asked) => readExposures(db, asked),
    readTransaction: createTransactionReader({ db, nodesOf: () => null }),
    keep: (answers) => createScreenAnswers(db).keep(answers),
    equivalentsOf: async (chain, address, { addresses }) =>
      chain === BITCOIN ? ((await bitcoin.equivalents?.(address, addresses)) ?? []) : [],
    tracesWanted: () => true,
    policy: DEFAULT_POLICY,
    now: () => Date.now(),
    log: { ...QUIET, error: (facts, message) => console.error(message, facts) },
  });
  const people = createPeople(db);
  const { tokenId, token } = makeToken();
  const now = Date.now();
  await people.put({ name: "bench", role: "service", tokenId, token, by: "bench", now, expiresAt: now + 86_400_000 });
  const { api } = createScreenCalls({ screener, answers: createScreenAnswers(db), people, now: () => Date.now() });
  const server = Fastify({ logger: false, forceCloseConnections: true });
  addScreenRoutes(server, () => api);
  addEmptyRoute(server, token);
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    url,
    token,
    swap() {
      const next = listsOf(number + 1, base);
      number += 1;
      const at = process.hrtime.bigint();
      lists = next;
      return { version: next.watchlist.version, at };
    },
    version: () => lists.watchlist.version,
    async stop() {
      await server.close();
      await bitcoin.close();
    },
  };
}

/** What every authenticated route costs: the same server, the token compared, a small body read, nothing done. */
function addEmptyRoute(server: FastifyInstance, token: string): void {
  const actor = { name: "bench", role: "service" } as const;
  const ports = {
    personOf: (given: string) => Promise.resolve(given === token ? actor : null),
    ask: () => Promise.resolve({}),
  };
  addGroup(server, { group: "empty", ports: () => ports }, (app, ask) => {
    app.post("", (request) => ask(request, "empty", request.body));
  });
}

/** As a daemon that reads a change of the book: a few entries beside the file of all. */
function listsOf(number: number, base: WatchlistSnapshot) {
  const isListed = isSwingListed(number);
  const changed = swingEntries().map((entry) => [entry.id, isListed ? entry : null] as const);
  const changes = runThrough(addChanges(noChanges(base), changed));
  const version = versionOf(number);
  return {
    watchlist: createChangedWatchlist({ changes, heads: HEADS, own: NO_OWN, version }),
    tokens: { assetOf: (id: string) => ({ id, symbol: null, decimals: null, listed: true, dustBelow: 0n }) },
    revision: number,
  };
}

function standingsOf(version: string): Standings {
  const readAt = Date.now();
  const standing = (chain: string): ChainStanding => ({
    chain,
    readAt,
    followed: true,
    headNumber: 1_000,
    lagBlocksMax: 2,
    tipAgeMsMax: 300_000,
    covered: { from: 1, to: 1_000, toHash: "0x", toTime: readAt },
    holes: 0,
    listVersions: [version],
    trouble: null,
    trust: { quorum: 1, configured: 1, agreed: 1, missing: [], disputed: false, proven: true, traced: true },
    pastScans: 0,
  });
  return {
    readAt,
    chains: new Map(CHAINS.map((chain) => [chain, standing(chain)])),
    storeRevision: 0,
    freshness: { fresh: true, lists: [] },
    stale: [],
  };
}

/** Never asks its node anything: only what it knows of addresses is used. */
function bitcoinAdapter() {
  const node = {
    name: "bench",
    operator: "bench",
    own: true,
    http: "http://127.0.0.1:9",
    ws: null,
    maxConcurrent: 1,
    maxRequestsPerSecond: 1,
    timeoutMs: 1_000,
  };
  const chain: ChainConfig = {
    name: "bitcoin",
    id: BITCOIN,
    family: "bitcoin",
    blockTimeMs: 600_000,
    finality: { by: "depth", depth: 6 },
    windowDepth: 100,
    native: { symbol: "BTC", decimals: 8, slip44: 0, dustBelow: 0n },
    traces: "off",
    mempool: "off",
    proofs: "require",
    start: { at: "latest" },
    quorum: 1,
    nodes: [node],
  };
  return createAdapter({ chain, node, log: QUIET });
}
