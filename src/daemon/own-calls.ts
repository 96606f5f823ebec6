/** What people ask of own addresses, by command line and by HTTP: arguments checked, the caller known, the desk asked. */
import { z } from "zod";
import { normalizeAddress } from "../chains/registry.ts";
import type { OwnStore } from "../store/own-store.ts";
import type { People } from "../store/people.ts";
import type { OwnAddress } from "../types/watch.ts";
import type { PersonRole } from "../types/watch-change.ts";
import type { OwnIndex } from "../watchlist/own-index.ts";
import type { OwnDesk } from "./own-desk.ts";
import { createPersonCalls, type PersonCalls } from "./person-calls.ts";

/** Read by one call with all the rest of it: a batch stays below a second of work. Larger lists come in several. */
const BATCH_MAX = 10_000;

const why = z.string().trim().min(1).max(1_000);
/** Each is checked as the row of a file is, so that every problem is told at once, with its row. */
const addresses = z.array(z.unknown()).min(1).max(BATCH_MAX);
const place = z
  .string()
  .max(200)
  .regex(/^[^/]+\/.+$/, "<chain>/<address>")
  .transform((text) => ({ chain: text.slice(0, text.indexOf("/")), address: text.slice(text.indexOf("/") + 1) }));

const schemas = {
  "own.add": z.strictObject({ addresses, replace: z.boolean().default(false), why: why.optional() }),
  "own.remove": z.strictObject({ addresses, acceptLoss: z.boolean().default(false), why }),
  "own.accept": z.strictObject({ why }),
  "own.list": z.strictObject({
    limit: z.int().min(1).max(10_000).default(100),
    after: place.optional(),
    customer: z.string().min(1).max(400).optional(),
  }),
  "own.show": z.strictObject({ address: z.string().regex(/^[!-~]{1,128}$/) }),
} as const;

export type OwnCall = keyof typeof schemas;

/** The least role that may ask; `own-rules.ts` says more about each change. */
const LEAST_ROLE: Readonly<Record<OwnCall, PersonRole>> = {
  "own.add": "investigator",
  "own.remove": "approver",
  "own.accept": "admin",
  "own.list": "viewer",
  "own.show": "viewer",
};

export const OWN_CALLS = Object.keys(schemas) as OwnCall[];

export interface OwnCallDeps {
  readonly desk: OwnDesk;
  readonly store: OwnStore;
  readonly people: People;
  /** Of files and the database. */
  readonly kept: () => Promise<OwnIndex>;
  readonly chains: readonly { readonly id: string }[];
  readonly now: () => number;
}

/** One address on one chain, and where it is known from. */
export interface ShownOwn extends OwnAddress {
  /** What a file or the database says stands before what people gave. */
  readonly from: "kept" | "given";
}

export interface OwnPage {
  readonly addresses: readonly OwnAddress[];
  /** How many people have given in all. */
  readonly count: number;
  /** Given back as `after` it brings the next page; null: this was the last. */
  readonly next: string | null;
}

export function createOwnCalls(deps: OwnCallDeps): PersonCalls {
  const { desk, store } = deps;
  return createPersonCalls(
    {
      schemas,
      leastRole: LEAST_ROLE,
      handlers: {
        "own.add": (args, actor) => desk.add(actor, args),
        "own.remove": (args, actor) => desk.remove(actor, args),
        "own.accept": async (args, actor) => {
          await desk.acceptDatabase(actor, args);
          return { accepted: true };
        },
        "own.list": async ({ limit, after, customer }): Promise<OwnPage> => {
          const found = await store.list({ limit, after, customer });
          const last = found.length < limit ? undefined : found.at(-1);
          const next = last === undefined ? null : `${last.chain}/${last.address}`;
          return { addresses: found, count: (await store.state()).addresses, next };
        },
        "own.show": ({ address }) => show(deps, address),
      },
    },
    deps,
  );
}

async function show({ store, kept, chains }: OwnCallDeps, text: string): Promise<ShownOwn[]> {
  const spellings = new Set(chains.map(({ id }) => canonical(id, text)));
  const known = await kept();
  const standing = chains.flatMap(({ id }) => known.of(id, canonical(id, text)) ?? []);
  const given = (
    await Promise.all([...spellings, text].map((address) => store.list({ limit: 1_000, address })))
  ).flat();
  const shown = new Map<string, ShownOwn>();
  for (const own of given) shown.set(`${own.chain}/${own.address}`, { ...own, from: "given" });
  for (const own of standing) shown.set(`${own.chain}/${own.address}`, { ...own, from: "kept" });
  return [...shown.values()];
}

/** As it is stored; as it was written where it is no address there. */
function canonical(chain: string, text: string): string {
  const answer = normalizeAddress(chain, text);
  return answer === null || answer === "noAdapter" ? text : answer;
}
