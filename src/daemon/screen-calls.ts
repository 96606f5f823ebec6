/** What is asked before money moves, and what was answered, by command line and by HTTP. */
import { z } from "zod";
import { NotFoundError, UnavailableError } from "../lib/errors.ts";
import type { People } from "../store/people.ts";
import type { KeptHead, ScreenAnswers } from "../store/screen-answers.ts";
import { SCREEN_DIRECTIONS, SCREEN_VERDICTS } from "../types/screening.ts";
import type { PersonRole } from "../types/watch-change.ts";
import { createPersonCalls, type PersonCalls } from "./person-calls.ts";
import type { Screener } from "./screener.ts";

export interface ScreenCallDeps {
  /** Null: no daemon runs in this process, and only a running one follows chains. */
  readonly screener: Screener | null;
  readonly answers: ScreenAnswers;
  readonly people: People;
  readonly now: () => number;
}

export interface KeptPage {
  readonly answers: readonly KeptHead[];
  /** Given back as `after` it brings the next page; null: this was the last. */
  readonly next: string | null;
}

export const SCREEN_ITEMS_MAX = 1_000;
// The longest address of any chain, and some: what is longer is none, and need not be kept a thousand times over.
const TEXT_MAX = 256;

const chain = z.string().regex(/^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/, "a CAIP-2 id such as eip155:1");
const text = z.string().min(1).max(TEXT_MAX);
const item = z.union(
  [
    z.strictObject({
      chain,
      address: text,
      direction: z.enum(SCREEN_DIRECTIONS),
      usdCents: z
        .string()
        .regex(/^\d{1,20}$/)
        .transform(BigInt)
        .optional(),
    }),
    z.strictObject({ chain, transaction: text, block: z.int().nonnegative().optional() }),
  ],
  "chain, address and direction (deposit or withdrawal), and usdCents as digits where known; or chain and transaction, and block where known",
);
const time = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], "a time such as 2026-11-22T10:00:00Z, or a day")
  .transform((said) => Date.parse(said));
const place = z
  .string()
  .regex(/^\d{1,15}-scr_[0-9a-f]{32}$/)
  .transform((said) => ({ at: Number.parseInt(said, 10), answerId: said.slice(said.indexOf("-") + 1) }));

const schemas = {
  "screen.ask": z.strictObject({ items: z.array(item).min(1).max(SCREEN_ITEMS_MAX) }),
  "screen.list": z
    .strictObject({
      limit: z.int().min(1).max(1_000).default(50),
      after: place.optional(),
      chain: chain.optional(),
      about: text.optional(),
      by: z.string().min(1).max(64).optional(),
      verdict: z.enum(SCREEN_VERDICTS).optional(),
      since: time.optional(),
      until: time.optional(),
    })
    .refine(({ chain: on, about }) => (on === undefined) === (about === undefined), "chain and about go together"),
  "screen.show": z.strictObject({ answerId: z.string().regex(/^scr_[0-9a-f]{32}$/) }),
};
type ScreenCall = keyof typeof schemas;

export const SCREEN_LEAST_ROLE: Readonly<Record<ScreenCall, PersonRole>> = {
  "screen.ask": "service",
  "screen.list": "viewer",
  "screen.show": "viewer",
};

export function createScreenCalls({ screener, answers, people, now }: ScreenCallDeps): PersonCalls {
  const handlers: Parameters<typeof createPersonCalls<typeof schemas>>[0]["handlers"] = {
    "screen.ask": ({ items }, actor) => {
      if (screener === null) throw new UnavailableError("no heistwatch runs here: only a running one follows chains");
      return screener(items, actor);
    },
    async "screen.list"({ after, chain: on, about, by, ...rest }): Promise<KeptPage> {
      const subject = about === undefined ? undefined : `${on ?? ""}/${about}`;
      const kept = await answers.list({ ...rest, before: after, subject, actor: by });
      const last = kept.at(-1);
      return {
        answers: kept,
        next: last === undefined || kept.length < rest.limit ? null : `${last.at}-${last.answerId}`,
      };
    },
    async "screen.show"({ answerId }) {
      const kept = await answers.show(answerId);
      if (kept === null) throw new NotFoundError(`there is no answer ${answerId} (any more)`);
      return kept;
    },
  };
  return createPersonCalls({ schemas, leastRole: SCREEN_LEAST_ROLE, handlers }, { people, now });
}
