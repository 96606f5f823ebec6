/**
 * Answers what is asked before money moves.
 *
 * Always holds: the whole of an answer is made with one snapshot of the lists, the one in force when everything else was
 * known; nothing waits between taking it and deciding. An answer leaves once it is kept.
 */
import { randomUUID } from "node:crypto";
import { normalizeAddress, normalizeTransaction } from "../chains/registry.ts";
import { describeError, UnavailableError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { createRounds, inTime } from "../lib/rounds.ts";
import { sideBySide } from "../lib/side-by-side.ts";
import { createPauses } from "../lib/slices.ts";
import { decide } from "../screening/decide.ts";
import type { KeptAnswer } from "../store/screen-answers.ts";
import type { Exposure } from "../store/screen-facts.ts";
import type { Address, ChainId } from "../types/chain.ts";
import type { EntryMatch } from "../types/hit.ts";
import type { Log } from "../types/log.ts";
import type { Policy } from "../types/policy.ts";
import {
  type Asked,
  type AskedAddress,
  type AskedTransaction,
  type ChainStanding,
  type Finding,
  SCREEN_VERDICTS,
  type ScreenFacts,
  type ScreenVerdict,
} from "../types/screening.ts";
import type { Watchlist } from "../types/watch.ts";
import type { Actor } from "../types/watch-change.ts";
import { isWellFormed } from "../watchlist/coins.ts";
import { keyEquivalents } from "../watchlist/key-equivalents.ts";
import { isEvm } from "../watchlist/matched-on.ts";
import type { Lists } from "./lists.ts";
import { type AnswerItem, chainOf, itemOf, type ScreenAnswer } from "./screen-answer.ts";
import { findingsOfExposure, findingsOfTransaction } from "./screen-findings.ts";
import { lookUp } from "./screen-lookup.ts";
import type { Standings } from "./screen-standing.ts";
import type { AskedOfChain, ReadTransaction } from "./screen-transaction.ts";

export interface ScreenerOptions {
  readonly standings: () => Promise<Standings>;
  readonly lists: { current(): Pick<Lists, "watchlist" | "tokens" | "revision"> };
  readonly exposures: (asked: readonly AddressOnChain[]) => Promise<readonly Exposure[]>;
  readonly readTransaction: (asked: AskedOfChain, signal: AbortSignal) => Promise<ReadTransaction>;
  readonly keep: (answers: readonly KeptAnswer[]) => Promise<void>;
  /** Of configured chains, where the key of an address has more than one form. */
  readonly equivalentsOf: (chain: ChainId, address: Address, watchlist: Watchlist) => Promise<readonly Address[]>;
  /** Whether value inside contract calls is looked for; false: the operator switched it off. */
  readonly tracesWanted: (chain: ChainId) => boolean;
  readonly policy: Policy;
  readonly now: () => number;
  readonly log: Log;
}

export interface AddressOnChain {
  readonly chain: ChainId;
  readonly address: Address;
}

export type Screener = (asked: readonly Asked[], actor: Actor) => Promise<ScreenAnswer>;

// A minute of a busy pipeline; more waiting means that the store does not keep up, and then it is said.
const WAITING_MAX = 2_000;
const STORE_MS = 5_000;
// Small enough that the text of a round of full batches is written in one piece.
const ROUND_ANSWERS_MAX = 32;
const ROUNDS_AT_ONCE = 2;
// A node has other work; a deposit can wait for its block.
const TRANSACTIONS_AT_ONCE = 4;
const TRANSACTIONS_MS = 10_000;

export function createScreener(options: ScreenerOptions): Screener {
  const { standings, lists, now } = options;
  const ofStore = createStoreGuard(options);
  const exposuresOf = createRounds<readonly AddressOnChain[], readonly Exposure[]>({
    name: "what is stored about addresses",
    itemsMax: ROUND_ANSWERS_MAX,
    atOnce: ROUNDS_AT_ONCE,
    waitingMax: WAITING_MAX,
    deadlineMs: STORE_MS,
    work: (groups) => inGroups(groups, options.exposures),
  });
  const keep = createRounds<KeptAnswer, undefined>({
    name: "keeping the answer",
    itemsMax: ROUND_ANSWERS_MAX,
    atOnce: ROUNDS_AT_ONCE,
    waitingMax: WAITING_MAX,
    deadlineMs: STORE_MS,
    work: async (answers) => {
      await options.keep(answers);
      return [];
    },
  });

  async function readTransactions(items: readonly Understood[], known: Standings) {
    const signal = AbortSignal.timeout(TRANSACTIONS_MS);
    const reading = sideBySide(items, { atOnce: TRANSACTIONS_AT_ONCE, signal: NEVER }, async ({ asked, canonical }) => {
      const standing = known.chains.get(asked.chain);
      if (canonical === null || standing === undefined || !("transaction" in asked)) return null;
      const of = { chain: asked.chain, transaction: canonical, block: asked.block, standing };
      return options.readTransaction(of, signal);
    });
    return inTime(reading, { name: "reading transactions", deadlineMs: TRANSACTIONS_MS + STORE_MS });
  }

  return async (asked, actor) => {
    const items = asked.map(understand);
    const addresses = items.flatMap(({ asked: { chain }, canonical, isAddress }) =>
      isAddress && canonical !== null ? [{ chain, address: canonical }] : [],
    );
    const known = await ofStore(standings());
    const [exposures, transactions] = await Promise.all([
      addresses.length === 0 ? [] : ofStore(exposuresOf(addresses)),
      items.every(({ isAddress }) => isAddress) ? [] : ofStore(readTransactions(items, known)),
    ]);
    let exposed = 0;
    const about = items.map((item, place): About => {
      const transaction = transactions[place] ?? null;
      if (!item.isAddress || item.canonical === null) return { item, exposure: null, transaction };
      exposed += 1;
      return { item, exposure: exposures[exposed - 1] ?? null, transaction };
    });
    // From here on everything is known: one snapshot for all of it, and its version in the answer.
    const snapshot = lists.current();
    const pause = createPauses(NEVER);
    const answered: AnswerItem[] = [];
    for (const one of about) {
      answered.push(await answerItem(one, { known, snapshot, options }));
      await pause();
    }
    const answer = answerOf(answered, { known, snapshot, actor, at: now() });
    await ofStore(keep(keptOf(answer, { actor, at: Date.parse(answer.at), items })));
    return answer;
  };
}

const NEVER = new AbortController().signal;

// The same trouble for each question is worth a line a minute.
const TROUBLE_LINE_MS = 60_000;

/** Without the store nothing is known, and nothing could be kept: whoever asked has no answer, and asks again. */
function createStoreGuard({ log, now }: Pick<ScreenerOptions, "log" | "now">) {
  let toldAt = Number.NEGATIVE_INFINITY;
  return async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (isBug(error)) throw error;
      if (now() - toldAt >= TROUBLE_LINE_MS) {
        toldAt = now();
        log.error({ error: redactText(describeError(error)) }, "screening has no answer: the store is away");
      }
      throw new UnavailableError("no answer: the store is away", { cause: error });
    }
  };
}

function isBug(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}

/** Many askers' lists as one, and its results handed back to each. */
async function inGroups<I, O>(
  groups: readonly (readonly I[])[],
  work: (all: readonly I[]) => Promise<readonly O[]>,
): Promise<readonly (readonly O[])[]> {
  const results = await work(groups.flat());
  let from = 0;
  return groups.map(({ length }) => {
    from += length;
    return results.slice(from - length, from);
  });
}

interface Understood {
  readonly asked: Asked;
  readonly isAddress: boolean;
  /** Null: the text is none of that chain's. */
  readonly canonical: string | null;
  readonly hasAdapter: boolean;
}

function understand(asked: Asked): Understood {
  return "transaction" in asked ? understandTransaction(asked) : understandAddress(asked);
}

function understandAddress(asked: AskedAddress): Understood {
  const { chain, address } = asked;
  const normal = normalizeAddress(chain, address);
  if (normal !== "noAdapter") return { asked, isAddress: true, canonical: normal, hasAdapter: true };
  // Lists name addresses of chains that nobody here reads, as they are written.
  return { asked, isAddress: true, canonical: isWellFormed(chain, address) ? address : null, hasAdapter: false };
}

function understandTransaction(asked: AskedTransaction): Understood {
  const { chain, transaction } = asked;
  const normal = normalizeTransaction(chain, transaction);
  if (normal !== "noAdapter") return { asked, isAddress: false, canonical: normal, hasAdapter: true };
  return { asked, isAddress: false, canonical: transaction, hasAdapter: false };
}

/** An item with all that had to be waited for. */
interface About {
  readonly item: Understood;
  readonly exposure: Exposure | null;
  readonly transaction: ReadTransaction | null;
}

interface Knowing {
  readonly known: Standings;
  readonly snapshot: ReturnType<ScreenerOptions["lists"]["current"]>;
  readonly options: ScreenerOptions;
}

async function answerItem({ item, exposure, transaction }: About, knowing: Knowing): Promise<AnswerItem> {
  const { known, snapshot, options } = knowing;
  const { asked, canonical, isAddress, hasAdapter } = item;
  const { findings, matches } = await findAbout({ item, exposure, transaction }, knowing);
  const facts: ScreenFacts = {
    invalid: canonical === null ? (isAddress ? "invalidAddress" : "invalidTransaction") : null,
    chain: chainFacts(known.chains.get(asked.chain), hasAdapter),
    lists: {
      version: snapshot.watchlist.version,
      revision: snapshot.revision,
      storeRevision: known.storeRevision,
      stale: known.stale,
    },
    findings,
    transaction: isAddress ? null : (transaction?.standing ?? NOT_READ),
    tracesWanted: options.tracesWanted(asked.chain),
    now: known.readAt,
  };
  return itemOf({
    asked,
    canonical,
    decision: decide(facts),
    matches,
    alerts: transaction?.alerts ?? exposure?.alerts ?? [],
    hasMoreAlerts: exposure?.isCut ?? false,
    block: transaction?.standing.block ?? null,
  });
}

const NOT_READ = { gap: "notSeenYet", block: null, detail: "" } as const;

function chainFacts(standing: ChainStanding | undefined, hasAdapter: boolean): ScreenFacts["chain"] {
  return standing ?? (hasAdapter ? "notConfigured" : "noAdapter");
}

async function findAbout(
  { item: { asked, canonical }, exposure, transaction }: About,
  { snapshot, options }: Knowing,
): Promise<{ findings: readonly Finding[]; matches: readonly EntryMatch[] }> {
  const { watchlist, tokens } = snapshot;
  const { policy } = options;
  if (canonical === null) return { findings: [], matches: [] };
  if ("transaction" in asked)
    return transaction === null
      ? { findings: [], matches: [] }
      : findingsOfTransaction(transaction, { chain: asked.chain, watchlist, tokens, policy });
  const { chain, direction, usdCents = null } = asked;
  const equivalent = await equivalentsOf({ chain, address: canonical }, { watchlist, options });
  const of = { chain, address: canonical, direction, usdCents, equivalent, watchlist, policy, now: options.now() };
  const { matches, findings } = lookUp(of);
  return { matches, findings: [...findings, ...findingsOfExposure(exposure)] };
}

/** Of the same chain: what the lists name under another form of the same key. */
async function equivalentsOf(
  { chain, address }: AddressOnChain,
  { watchlist, options }: { watchlist: Watchlist; options: ScreenerOptions },
): Promise<Address[]> {
  if (isEvm(chain)) return [];
  const ofKey = keyEquivalents(chain, address).filter((one) => one.chain === chain);
  const all = [...ofKey.map((one) => one.address), ...(await options.equivalentsOf(chain, address, watchlist))];
  return [...new Set(all)].filter((one) => one !== address);
}

function answerOf(
  items: readonly AnswerItem[],
  { known, snapshot, actor, at }: Pick<Knowing, "known" | "snapshot"> & { actor: Actor; at: number },
): ScreenAnswer {
  const { freshness, chains } = known;
  return {
    answerId: `scr_${randomUUID().replaceAll("-", "")}`,
    at: new Date(at).toISOString(),
    askedBy: actor.name,
    verdict: strongestOf(items),
    lists: {
      version: snapshot.watchlist.version,
      revision: snapshot.revision,
      fresh: freshness.fresh,
      aged: freshness.lists,
    },
    chains: [...new Set(items.map(({ chain }) => chain))].map((chain) => chainOf(chain, chains.get(chain))),
    items,
  };
}

function strongestOf(items: readonly AnswerItem[]): ScreenVerdict {
  const rank = (verdict: ScreenVerdict) => SCREEN_VERDICTS.indexOf(verdict);
  return items.reduce<ScreenVerdict>((best, { verdict }) => (rank(verdict) > rank(best) ? verdict : best), "clear");
}

// No address of any chain has other signs, and a database takes no NUL: nobody's question may spoil what others are answered.
const SUBJECT = /^[!-~]+$/;

function keptOf(
  answer: ScreenAnswer,
  { actor, at, items }: { actor: Actor; at: number; items: readonly Understood[] },
): KeptAnswer {
  const subjects = items.flatMap(({ asked, canonical }) => {
    const text = "transaction" in asked ? asked.transaction : asked.address;
    return [text, ...(canonical === null ? [] : [canonical])]
      .filter((one) => SUBJECT.test(one))
      .map((one) => `${asked.chain}/${one}`);
  });
  return {
    answerId: answer.answerId,
    at,
    actor: actor.name,
    role: actor.role,
    verdict: answer.verdict,
    items: items.length,
    listVersion: answer.lists.version,
    subjects: [...new Set(subjects)],
    payload: JSON.stringify(answer),
  };
}
