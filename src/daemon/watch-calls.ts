/** What people ask of the watchlists, by command line and by HTTP: arguments checked, the caller known, the desk asked. */
import { z } from "zod";
import { AppError } from "../lib/errors.ts";
import { endOf } from "../lib/moments.ts";
import type { People } from "../store/people.ts";
import type { ReachStore } from "../store/watch-reach.ts";
import type { WatchStore } from "../store/watch-store.ts";
import {
  ENTRY_BASES,
  ENTRY_DEFAULTS,
  ENTRY_DIRECTIONS,
  ENTRY_ROLES,
  TLP_LEVELS,
  type WatchEntry,
} from "../types/watch.ts";
import { type Actor, PERSON_ROLES, type PersonRole } from "../types/watch-change.ts";
import { REVIEW_AGAIN_MAX_MS, SUPPRESS_MAX_MS } from "../watchlist/change-rules.ts";
import { momentField } from "../watchlist/fields.ts";
import type { Freshness } from "../watchlist/freshness.ts";
import { makeToken } from "./actors.ts";
import { BadCallError } from "./checked.ts";
import { createPersonCalls, type PersonCalls, slug } from "./person-calls.ts";
import type { GivenInput, GivenOutcome } from "./watch-given.ts";
import type { ImportedList } from "./watch-import.ts";
import { watchMessage } from "./watch-message.ts";
import type { WatchDesk } from "./watch-desk.ts";
import type { Message } from "../types/alert.ts";

export interface WatchCallDeps {
  readonly desk: WatchDesk;
  readonly store: WatchStore;
  readonly reach: ReachStore;
  readonly people: People;
  /** Entries that somebody should look at again, the next first. */
  readonly reviews: (limit: number) => Promise<readonly WatchEntry[]>;
  /** What the files would change now. */
  readonly upgrade: () => Promise<readonly ImportedList[]>;
  /** Whether the lists are as new as they must be. */
  readonly freshness: () => Promise<Freshness>;
  readonly importGiven: (actor: Actor, input: GivenInput) => Promise<GivenOutcome>;
  readonly page: (message: Message) => Promise<void>;
  readonly now: () => number;
}

const text = (lengthMax: number) => z.string().trim().min(1).max(lengthMax);
const entryId = text(400);
const why = text(1_000);
const limit = z.int().min(1).max(10_000).default(100);
const ref = z.string().regex(/^[ -~]{1,400}$/);

const moment = momentField.refine((value) => !Number.isNaN(endOf(value)), "a day or moment that exists");

const addInput = z.strictObject({
  address: z.string().regex(/^[!-~]{1,128}$/),
  incident: slug,
  chain: z
    .string()
    .regex(/^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/)
    .optional(),
  role: z.enum(ENTRY_ROLES).optional(),
  label: text(200).optional(),
  basis: z.enum(ENTRY_BASES).optional(),
  sources: z.array(ref).max(20).optional(),
  independentSources: z.int().min(1).max(1_000).optional(),
  sanctioned: z.strictObject({ list: text(100), source: ref }).optional(),
  direction: z.enum(ENTRY_DIRECTIONS).optional(),
  note: text(1_000).optional(),
  case: text(100).optional(),
  tlp: z.enum(TLP_LEVELS).optional(),
  validUntil: moment.optional(),
  why: why.optional(),
  override: why.optional(),
});
const patch = z
  .strictObject({
    role: z.enum(ENTRY_ROLES),
    label: text(200),
    basis: z.enum(ENTRY_BASES),
    independentSources: z.int().min(1).max(1_000),
    direction: z.enum(ENTRY_DIRECTIONS),
    default: z.enum(ENTRY_DEFAULTS),
    note: text(1_000),
    case: text(100),
    tlp: z.enum(TLP_LEVELS),
    contract: z.boolean(),
    validUntil: moment.nullable(),
  })
  .partial();

const schemas = {
  "watch.import": z.strictObject({
    list: z.unknown(),
    from: text(400),
    acceptShrink: z.boolean(),
    canaries: z.array(text(200)).max(50),
    ageMaxDays: z.int().min(1).max(36_500).nullable(),
    override: why.optional(),
    why: why.optional(),
    signature: z
      .strictObject({ text: z.string().max(16_384), blake2b512: z.string().regex(/^[0-9a-f]{128}$/) })
      .optional(),
    dryRun: z.boolean(),
  }),
  "watch.preview": addInput,
  "watch.add": addInput,
  "watch.change": z.strictObject({ entryId, patch, why }),
  "watch.review": z.strictObject({
    entryId,
    againMs: z.int().min(3_600_000).max(REVIEW_AGAIN_MAX_MS).nullable().default(null),
    why,
  }),
  "watch.reviews": z.strictObject({ limit }),
  "watch.remove": z.strictObject({ entryId, why }),
  "watch.suppress": z.strictObject({ entryId, forMs: z.int().min(60_000).max(SUPPRESS_MAX_MS), why }),
  "watch.dispute": z.strictObject({ entryId, why }),
  "watch.undo": z.strictObject({ entryId }),
  "watch.approve": z.strictObject({ proposalId: text(64), changeHash: z.string().regex(/^[0-9a-f]{64}$/) }),
  "watch.reject": z.strictObject({ proposalId: text(64), why }),
  "watch.proposals": z.strictObject({
    state: z.enum(["open", "approved", "rejected", "expired", "void"]).optional(),
    limit,
  }),
  "watch.proposal": z.strictObject({ proposalId: text(64) }),
  "watch.show": z.strictObject({ address: z.string().min(1).max(400) }),
  "watch.search": z.strictObject({ text: text(200), limit }),
  "watch.list": z.strictObject({}),
  "watch.versions": z.strictObject({ list: text(100) }),
  "watch.diff": z.strictObject({ list: text(100), from: z.int().nonnegative(), to: z.int().nonnegative() }),
  "watch.history": z.strictObject({ entryId: entryId.optional(), limit }),
  "watch.impact": z.strictObject({ entryId }),
  "watch.upgrade": z.strictObject({}),
  "watch.freshness": z.strictObject({}),
  "people.add": z.strictObject({ name: slug, role: z.enum(PERSON_ROLES) }),
  "people.revoke": z.strictObject({ name: slug }),
  "people.list": z.strictObject({}),
} as const;

export type WatchCall = keyof typeof schemas;
type Args<N extends WatchCall> = z.output<(typeof schemas)[N]>;
type Handlers = { readonly [N in WatchCall]: (args: Args<N>, actor: Actor) => Promise<unknown> };

/** The least role that may ask; the desk's rules say more about each change. */
export const LEAST_ROLE: Readonly<Record<WatchCall, PersonRole>> = {
  "watch.import": "investigator",
  "watch.preview": "investigator",
  "watch.add": "investigator",
  "watch.change": "investigator",
  "watch.review": "investigator",
  "watch.reviews": "viewer",
  "watch.remove": "investigator",
  "watch.suppress": "investigator",
  "watch.dispute": "investigator",
  "watch.undo": "investigator",
  "watch.approve": "approver",
  "watch.reject": "investigator",
  "watch.proposals": "viewer",
  "watch.proposal": "viewer",
  "watch.show": "viewer",
  "watch.search": "viewer",
  "watch.list": "viewer",
  "watch.versions": "viewer",
  "watch.diff": "viewer",
  "watch.history": "viewer",
  "watch.impact": "viewer",
  "watch.upgrade": "viewer",
  "watch.freshness": "viewer",
  "people.add": "admin",
  "people.revoke": "admin",
  "people.list": "viewer",
};

export const WATCH_CALLS = Object.keys(schemas) as WatchCall[];

// A year, as long as a key may live; then a new one is made.
const TOKEN_LIFE_MS = 365 * 24 * 60 * 60_000;

export function createWatchCalls(deps: WatchCallDeps): PersonCalls {
  const { calls, api } = createPersonCalls({ schemas, leastRole: LEAST_ROLE, handlers: createHandlers(deps) }, deps);
  return {
    calls,
    api: {
      ...api,
      async ask(name, args, actor) {
        // Signatures are public: who sends a list instead of its file could send another list with them.
        if (name === "watch.import" && typeof args === "object" && args !== null && "signature" in args)
          throw new BadCallError("a signature is checked on the file itself: import it with the command line");
        return api.ask(name, args, actor);
      },
    },
  };
}

function createHandlers(deps: WatchCallDeps): Handlers {
  const { desk, store, reach, people, reviews, upgrade, importGiven, page, now } = deps;
  return {
    "watch.import": (args, actor) => importGiven(actor, args),
    "watch.preview": (args, actor) => desk.preview(actor, args),
    "watch.add": (args, actor) => desk.add(actor, args),
    "watch.change": ({ patch: given, ...rest }, actor) => desk.change(actor, { ...rest, patch: defined(given) }),
    "watch.review": (args, actor) => desk.review(actor, args),
    "watch.reviews": (args) => reviews(args.limit),
    "watch.remove": (args, actor) => desk.remove(actor, args),
    "watch.suppress": (args, actor) => desk.suppress(actor, args),
    "watch.dispute": (args, actor) => desk.dispute(actor, args),
    "watch.undo": (args, actor) => desk.undo(actor, args),
    "watch.approve": (args, actor) => desk.approve(actor, args),
    "watch.reject": (args, actor) => desk.reject(actor, args),
    "watch.proposals": (args) => store.proposals(args),
    "watch.proposal": async ({ proposalId }) => {
      const found = await store.proposal(proposalId);
      if (found === null) throw new AppError(`there is no proposal ${proposalId}`);
      return found;
    },
    "watch.show": ({ address }) => store.entriesAt(address),
    "watch.search": (args) => store.search(args),
    "watch.list": () => store.read(),
    "watch.versions": ({ list }) => store.versions(list),
    "watch.diff": (args) => store.diff(args),
    "watch.history": (args) => store.history(args),
    "watch.impact": ({ entryId: id }) => reach.ofEntry(id),
    "watch.upgrade": () => upgrade(),
    "watch.freshness": () => deps.freshness(),
    "people.list": () => people.list(),
    "people.add": async ({ name, role }, actor) => {
      const { tokenId, token } = makeToken();
      const expiresAt = now() + TOKEN_LIFE_MS;
      await people.put({ name, role, tokenId, token, by: actor.name, now: now(), expiresAt });
      await record({ store, page, now }, { actor, action: "add person", name, detail: { role } });
      return { name, role, token, expiresAt };
    },
    "people.revoke": async ({ name }, actor) => {
      if (!(await people.revoke(name, now()))) throw new AppError(`nobody called ${name} has a token`);
      await record({ store, page, now }, { actor, action: "revoke person", name, detail: {} });
      return { name };
    },
  };
}

/** Who can approve is as weighty as what is approved: audited, and somebody else hears of it. */
async function record(
  { store, page, now }: Pick<WatchCallDeps, "store" | "page" | "now">,
  of: { actor: Actor; action: string; name: string; detail: Readonly<Record<string, string>> },
): Promise<void> {
  const { actor, action, name, detail } = of;
  await store.write((book) =>
    book.audit({
      at: now(),
      actor: actor.name,
      action,
      subject: `person:${name}`,
      why: null,
      before: null,
      after: JSON.stringify(detail),
      approver: null,
      changeHash: null,
    }),
  );
  const summary = `${actor.name}: ${action} ${name}${detail["role"] === undefined ? "" : ` (${detail["role"]})`}.`;
  await page(watchMessage({ subject: `person:${name}`, severity: "high", summary, now: now() }));
}

/** Without the fields that were not given. */
function defined<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
