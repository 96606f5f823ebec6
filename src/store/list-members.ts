/** Which list version named which address: without it, the list versions in the ledger would say nothing about an address. */
import { type Kysely, sql, type Transaction } from "kysely";
import type { Address, ChainId } from "../types/chain.ts";
import type { Db } from "./database.ts";
import type { Database } from "./schema.ts";

/** A list as far as its members go. */
export interface NamedList {
  readonly version: string;
  readonly chains: readonly ChainId[];
  addressesOf(chain: ChainId): Iterable<Address>;
  names(chain: ChainId, address: Address): boolean;
  /** What it was made from. Between two of one basis only what changed in the book is compared; absent: all of it is. */
  readonly madeFrom?: { readonly revision: number; readonly basis: string };
}

// Put together in some milliseconds, while others wait.
const PAGE = 1_000;

/** Writes down what is in a list, as the difference from the one before. Of a version known already, nothing. */
export function recordList(db: Db, list: NamedList, now: number): Promise<void> {
  return db.transaction().execute(async (trx) => {
    // Two daemons that start with new lists at once: one difference after the other.
    await sql`lock table list_version in share row exclusive mode`.execute(trx);
    const known = await trx.selectFrom("list_version").select("seq").where("version", "=", list.version).execute();
    if (known.length > 0) return;
    const before = await trx
      .selectFrom("list_version")
      .select(["revision", "basis"])
      .orderBy("seq", "desc")
      .limit(1)
      .executeTakeFirst();
    const { seq } = await trx
      .insertInto("list_version")
      .values({ version: list.version, at: now, revision: null, basis: null, ...list.madeFrom })
      .returning("seq")
      .executeTakeFirstOrThrow();
    const changed = before === undefined ? null : await changedSince(trx, before, list);
    if (changed !== null) return compareChanged(trx, { list, seq, changed });
    for (const chain of list.chains)
      for (const page of pagesOf(list.addressesOf(chain))) await addMembers(trx, { chain, seq, addresses: page });
    if (before !== undefined) await endMembers(trx, list, seq);
  });
}

interface Changed {
  readonly chain: ChainId;
  readonly address: Address;
}

/** Where all entries are that were changed from the list before to this one; null: nobody can tell. */
async function changedSince(
  trx: Transaction<Database>,
  before: { revision: number | null; basis: string | null },
  { madeFrom }: NamedList,
): Promise<Changed[] | null> {
  if (madeFrom === undefined || before.revision === null) return null;
  if (before.basis !== madeFrom.basis || before.revision > madeFrom.revision) return null;
  const changed = await sql<Changed>`
    select distinct entry.told ->> 'chain' as chain, entry.told ->> 'address' as address
    from watch_version
      join watch_change using (list, number)
      cross join lateral (select coalesce(watch_change.after, watch_change.before)::json as told) as entry
    where watch_version.revision > ${before.revision} and watch_version.revision <= ${madeFrom.revision}`.execute(trx);
  return changed.rows;
}

async function compareChanged(
  trx: Transaction<Database>,
  { list, seq, changed }: { list: NamedList; seq: number; changed: readonly Changed[] },
): Promise<void> {
  const addresses = new Set(changed.map(({ address }) => address));
  // An account may be matched on other chains too, and the last entry of a chain may be gone.
  for (const chain of new Set([...list.chains, ...changed.map((one) => one.chain)]))
    for (const page of pagesOf(addresses)) {
      const [named, gone] = partition(page, (address) => list.names(chain, address));
      await addMembers(trx, { chain, seq, addresses: named });
      if (gone.length > 0) await end(trx, { chain, seq, addresses: gone });
    }
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  const [first, second]: [T[], T[]] = [[], []];
  for (const one of all) (isFirst(one) ? first : second).push(one);
  return [first, second];
}

function* pagesOf(addresses: Iterable<Address>): Generator<readonly Address[]> {
  let page: Address[] = [];
  for (const address of addresses) {
    page.push(address);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

async function addMembers(
  trx: Transaction<Database>,
  { chain, seq, addresses }: { chain: ChainId; seq: number; addresses: readonly Address[] },
): Promise<void> {
  await sql`
    insert into list_member (chain, address, since_seq)
    select ${chain}, added.address, ${seq} from json_array_elements_text(${JSON.stringify(addresses)}::json) as added (address)
    on conflict (chain, address) where until_seq is null do nothing`.execute(trx);
}

/** Whoever the list before named and this one does not. */
async function endMembers(trx: Transaction<Database>, list: NamedList, seq: number): Promise<void> {
  for (let after = { chain: "", address: "" }; ; ) {
    const page = await trx
      .selectFrom("list_member")
      .select(["chain", "address"])
      .where("until_seq", "is", null)
      .where((eb) => eb(eb.refTuple("chain", "address"), ">", eb.tuple(after.chain, after.address)))
      .orderBy("chain")
      .orderBy("address")
      .limit(PAGE)
      .execute();
    const gone = page.filter(({ chain, address }) => !list.names(chain, address));
    for (const [chain, of] of Map.groupBy(gone, (row) => row.chain))
      await end(trx, { chain, seq, addresses: of.map(({ address }) => address) });
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last;
  }
}

async function end(
  trx: Transaction<Database>,
  { chain, seq, addresses }: { chain: ChainId; seq: number; addresses: readonly Address[] },
): Promise<void> {
  await trx
    .updateTable("list_member")
    .set({ until_seq: seq })
    .where("chain", "=", chain)
    .where("until_seq", "is", null)
    .where("address", "in", addresses)
    .execute();
}

/** The versions that name each address; an address no list ever named is left out. */
export async function versionsNaming(
  db: Kysely<Database>,
  of: { chain: ChainId; addresses: readonly Address[] },
): Promise<Map<Address, ReadonlySet<string>>> {
  const versions = await db.selectFrom("list_version").select(["seq", "version"]).execute();
  const rows = await sql<{ address: string; since_seq: number; until_seq: number | null }>`
    select address, since_seq, until_seq from list_member
    where chain = ${of.chain}
      and address in (select json_array_elements_text(${JSON.stringify(of.addresses)}::json))`.execute(db);
  // Many addresses, few histories: each set is made once.
  const sets = new Map<string, ReadonlySet<string>>();
  const naming = new Map<Address, ReadonlySet<string>>();
  for (const [address, spans] of Map.groupBy(rows.rows, (row) => row.address)) {
    const key = JSON.stringify(spans.map(({ since_seq, until_seq }) => `${since_seq} ${until_seq}`).toSorted());
    const isNamed = (seq: number) =>
      spans.some((span) => span.since_seq <= seq && (span.until_seq === null || seq < span.until_seq));
    const set = sets.get(key) ?? new Set(versions.filter(({ seq }) => isNamed(seq)).map(({ version }) => version));
    sets.set(key, set);
    naming.set(address, set);
  }
  return naming;
}
