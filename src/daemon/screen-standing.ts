/**
 * How every configured chain and the lists stand: what the store says, held against what the nodes in use say. Read again
 * when it is old, never guessed: without the store there is no standing, and so no answer.
 */
import { inTime } from "../lib/rounds.ts";
import type { Db } from "../store/database.ts";
import { readStandings, type StoredStanding } from "../store/screen-facts.ts";
import type { ChainId } from "../types/chain.ts";
import type { ChainConfig, ListRules } from "../types/config.ts";
import type { PoolStatus } from "../types/nodes.ts";
import type { ChainStanding } from "../types/screening.ts";
import type { ChainStatus } from "../ingest/loop-state.ts";
import { describeStale, type Freshness } from "../watchlist/freshness.ts";
import { readFreshness } from "./watch-care.ts";

/** What a running daemon knows of a chain beside the store. */
export interface ScreenedChain {
  readonly config: ChainConfig;
  /** Null: another daemon leads this chain, or nobody. */
  readonly leading: () => ChainStatus | null;
  readonly pool: { status(): PoolStatus; headNumber(signal: AbortSignal): Promise<number> };
}

export interface Standings {
  /** Unix ms: everything was read at this time or later. */
  readonly readAt: number;
  readonly chains: ReadonlyMap<ChainId, ChainStanding>;
  /** Of the store's watchlists. */
  readonly storeRevision: number;
  readonly freshness: Freshness;
  /** In words. */
  readonly stale: readonly string[];
}

export interface StandingOptions {
  readonly db: Db;
  readonly chains: readonly ScreenedChain[];
  readonly rules: ReadonlyMap<string, ListRules>;
  readonly revision: () => Promise<number>;
  readonly lists: { current(): { readonly revision: number }; refresh(): Promise<void> };
  readonly now: () => number;
}

// A chain's block, a list's change and a lost operator may be told this much late.
const FRESH_MS = 500;
const READ_MS = 5_000;
// Before the head is called unknown; nodes answer in milliseconds.
const HEAD_MS = 2_000;
// The store's newer lists are read within it, else they are told as not in force yet.
const LISTS_MS = 1_000;
// Half a minute behind counts as following; a chain of slow blocks may be one behind.
const LAG_MS = 30_000;
// A loop that made no turn for so long does not follow, whatever it said last; it turns every few seconds.
const TURN_MS_MAX = LAG_MS;
// Twelve mean times without a block come about once in 160,000 blocks where they are found by chance.
const STANDS_BLOCKS = 12;
const STANDS_MS_MIN = 300_000;

/** Reads at most once at a time and at most twice a second. Throws what the store throws, or UnavailableError. */
export function createStandings(options: StandingOptions): () => Promise<Standings> {
  let last: Standings | null = null;
  let reading: Promise<Standings> | null = null;
  return async () => {
    if (last !== null && options.now() - last.readAt < FRESH_MS) return last;
    reading ??= readAll(options)
      .then((read) => {
        last = read;
        return read;
      })
      .finally(() => {
        reading = null;
      });
    return inTime(reading, { name: "store", deadlineMs: READ_MS });
  };
}

async function readAll(options: StandingOptions): Promise<Standings> {
  const { db, chains, rules, lists, now } = options;
  const readAt = now();
  const ids = chains.map(({ config }) => config.id);
  const [stored, storeRevision, freshness, heads] = await Promise.all([
    readStandings(db, ids),
    options.revision(),
    readFreshness({ db, rules, now }),
    Promise.all(chains.map((chain) => headOf(chain, readAt))),
  ]);
  if (lists.current().revision < storeRevision)
    await inTime(lists.refresh(), { name: "lists", deadlineMs: LISTS_MS }).catch(() => undefined);
  const standings = chains.map((chain, place) =>
    standingOf(chain, stored[place] as StoredStanding, heads[place] as Head),
  );
  return {
    readAt,
    chains: new Map(standings.map((standing) => [standing.chain, { ...standing, readAt }])),
    storeRevision,
    freshness,
    stale: freshness.lists.filter(({ fresh }) => !fresh).map(describeStale),
  };
}

interface Head {
  readonly number: number | null;
  readonly trouble: string | null;
  readonly disputed: boolean;
}

/** Whoever leads knows; whoever stands by asks the nodes, and sees the leader's trouble by how far the store is behind. */
async function headOf({ leading, pool }: ScreenedChain, now: number): Promise<Head> {
  const status = leading();
  const disputed = pool.status().dispute !== null;
  if (status === null) {
    const number = await pool.headNumber(AbortSignal.timeout(HEAD_MS)).catch(() => null);
    return { number, trouble: null, disputed };
  }
  const stillMs = now - status.turnedAt;
  const silent = stillMs > TURN_MS_MAX ? `nothing was read for ${Math.round(stillMs / 1000)} s` : null;
  return {
    number: status.headNumber < 0 ? null : status.headNumber,
    trouble: status.trouble?.detail ?? silent,
    disputed: disputed || status.trouble?.kind === "dispute",
  };
}

function standingOf(
  { config, pool }: ScreenedChain,
  stored: StoredStanding,
  head: Head,
): Omit<ChainStanding, "readAt"> {
  const { covered, isLed, holes, listVersions, agreed, proven, traced, pastScans } = stored;
  const { operators, missing, quorum } = pool.status();
  return {
    chain: config.id,
    followed: isLed && covered !== null,
    headNumber: head.number,
    lagBlocksMax: Math.max(1, Math.floor(LAG_MS / config.blockTimeMs)),
    tipAgeMsMax: Math.max(STANDS_MS_MIN, STANDS_BLOCKS * config.blockTimeMs),
    covered:
      covered === null
        ? null
        : { from: covered.from, to: covered.to, toHash: covered.hash, toTime: covered.timestamp * 1_000 },
    holes,
    listVersions,
    trouble: head.trouble,
    trust: {
      quorum,
      configured: operators.length,
      agreed,
      missing: missing.map(({ operator }) => operator),
      disputed: head.disputed,
      proven,
      traced,
    },
    pastScans,
  };
}
