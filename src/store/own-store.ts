/**
 * Own addresses that people gave. `write` holds the one lock all changes take; every change is kept for ever with what was
 * before, which is also what a daemon reads to follow them.
 */
import { randomUUID } from "node:crypto";
import type { Transaction } from "kysely";
import type { OwnChange, OwnState } from "../types/own.ts";
import type { OwnAddress } from "../types/watch.ts";
import type { Db } from "./database.ts";
import type { OwnAddressTable } from "./own-tables.ts";
import { inChunks } from "./outbox.ts";
import { rememberCount } from "./own-counts.ts";
import type { Database } from "./schema.ts";

type OwnKey = Pick<OwnAddress, "chain" | "address">;

/** Inside one transaction, under the lock. */
export interface OwnBook {
  /** For what must be written in the same transaction. */
  readonly trx: Transaction<Database>;
  readonly state: OwnState;
  /** Those of them that people gave, by `ownKey`. */
  known(keys: readonly OwnKey[]): Promise<ReadonlyMap<string, OwnAddress>>;
  apply(changes: readonly OwnChange[], now: number): Promise<OwnState>;
}

export interface OwnStore {
  state(): Promise<OwnState>;
  /** Each once. Changes made meanwhile may be in it or not: `changedSince` tells them. */
  pages(): AsyncGenerator<readonly OwnAddress[], void>;
  /** In order, all of one moment. */
  changedSince(revision: number): Promise<{ readonly state: OwnState; readonly changes: readonly OwnChange[] }>;
  /** In the order of chain and address, those after `after`. */
  list(of: {
    limit: number;
    after?: OwnKey | undefined;
    customer?: string | undefined;
    address?: string | undefined;
  }): Promise<OwnAddress[]>;
  write<T>(work: (book: OwnBook) => Promise<T>): Promise<T>;
}

// Read and checked in some milliseconds, while others wait.
const PAGE = 1_000;

export function ownKey({ chain, address }: OwnKey): string {
  return `${chain}/${address}`;
}

export function createOwnStore(db: Db): OwnStore {
  const list: OwnStore["list"] = async ({ limit, after, customer, address }) => {
    const rows = await db
      .selectFrom("own_address")
      .selectAll()
      .$if(customer !== undefined, (query) => query.where("customer_ref", "=", customer ?? ""))
      .$if(address !== undefined, (query) => query.where("address", "=", address ?? ""))
      .$if(after !== undefined, (query) =>
        query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple("chain", "address"), ">", tuple(after?.chain ?? "", after?.address ?? "")),
        ),
      )
      .orderBy("chain")
      .orderBy("address")
      .limit(limit)
      .execute();
    return rows.map(addressOf);
  };
  return {
    state: () => readState(db),
    list,

    async *pages() {
      for (let after: OwnKey | undefined; ; ) {
        const page = await list({ limit: PAGE, after });
        yield page;
        after = page.at(-1);
        if (after === undefined || page.length < PAGE) return;
      }
    },

    changedSince: (revision) =>
      db
        .transaction()
        .setIsolationLevel("repeatable read")
        .execute(async (trx) => {
          const rows = await trx
            .selectFrom("own_change")
            .select(["chain", "address", "before", "after"])
            .where("revision", ">", revision)
            .orderBy("revision")
            .execute();
          return { state: await readState(trx), changes: rows.map(changeOf) };
        }),

    write: (work) =>
      db.transaction().execute(async (trx) => {
        await trx.selectFrom("own_state").select("one").forUpdate().executeTakeFirstOrThrow();
        const state = await readState(trx);
        return work({
          trx,
          state,
          known: (keys) => readKnown(trx, keys),
          apply: (changes, now) => applyChanges(trx, { state, changes, now }),
        });
      }),
  };
}

function readState(db: Db | Transaction<Database>): Promise<OwnState> {
  return db.selectFrom("own_state").select(["revision", "mark", "addresses"]).executeTakeFirstOrThrow();
}

async function readKnown(
  trx: Transaction<Database>,
  keys: readonly OwnKey[],
): Promise<ReadonlyMap<string, OwnAddress>> {
  const known = new Map<string, OwnAddress>();
  for (const chunk of inChunks(keys)) {
    const rows = await trx
      .selectFrom("own_address")
      .selectAll()
      .where(({ eb, refTuple, tuple }) =>
        eb(
          refTuple("chain", "address"),
          "in",
          chunk.map(({ chain, address }) => tuple(chain, address)),
        ),
      )
      .execute();
    for (const row of rows) known.set(ownKey(row), addressOf(row));
  }
  return known;
}

async function applyChanges(
  trx: Transaction<Database>,
  { state, changes, now }: { state: OwnState; changes: readonly OwnChange[]; now: number },
): Promise<OwnState> {
  const revision = state.revision + 1;
  for (const chunk of inChunks(changes)) {
    await trx
      .deleteFrom("own_address")
      .where(({ eb, refTuple, tuple }) =>
        eb(
          refTuple("chain", "address"),
          "in",
          chunk.map(({ chain, address }) => tuple(chain, address)),
        ),
      )
      .execute();
    const kept = chunk.flatMap(({ after }) => (after === null ? [] : [rowOf(after)]));
    if (kept.length > 0) await trx.insertInto("own_address").values(kept).execute();
    await trx
      .insertInto("own_change")
      .values(
        chunk.map(({ chain, address, before, after }) => ({
          revision,
          chain,
          address,
          before: before === null ? null : JSON.stringify(before),
          after: after === null ? null : JSON.stringify(after),
        })),
      )
      .execute();
  }
  const grown = changes.filter(({ before }) => before === null).length;
  const lost = changes.filter(({ after }) => after === null).length;
  const next = { revision, mark: randomUUID(), addresses: state.addresses + grown - lost };
  await trx.updateTable("own_state").set(next).execute();
  for (const count of [state.addresses, next.addresses]) await rememberCount(trx, { source: "given", count, now });
  return next;
}

function rowOf({ chain, address, customerRef, wallet }: OwnAddress): OwnAddressTable {
  return { chain, address, customer_ref: customerRef, wallet };
}

function addressOf({ chain, address, customer_ref, wallet }: OwnAddressTable): OwnAddress {
  return { chain, address, customerRef: customer_ref, wallet: wallet as OwnAddress["wallet"] };
}

function changeOf(row: { chain: string; address: string; before: string | null; after: string | null }): OwnChange {
  const parse = (text: string | null) => (text === null ? null : (JSON.parse(text) as OwnAddress));
  return { chain: row.chain, address: row.address, before: parse(row.before), after: parse(row.after) };
}
