/**
 * Addresses that get a new entry. What was scanned for them before found their transfers, but not under this entry: those of
 * an entry that was withdrawn were taken back, those of another one do not rest on the new one. So none of it counts any
 * more, until it is read again.
 */
import { type Kysely, sql, type Transaction } from "kysely";
import type { Address, ChainId } from "../types/chain.ts";
import type { Database } from "./schema.ts";

/** In the transaction that adds the entries. Only what a list named before was scanned for. */
export async function forgetScans(trx: Transaction<Database>, addresses: readonly Address[]): Promise<void> {
  const asked = sql`select json_array_elements_text(${JSON.stringify(addresses)}::json)`;
  await sql`
    insert into rewatched (chain, address, final_number)
    select distinct chain, address, lease.finalized_number
    from list_member join chain_lease as lease using (chain) where address in (${asked})
    on conflict (chain, address) do update set final_number = excluded.final_number`.execute(trx);
  await sql`update retro_address set stale = true where address in (${asked}) and not stale`.execute(trx);
}

/** The first block whose live scan counts, where it is not the first one of all. */
export async function liveCountsFrom(
  db: Kysely<Database>,
  of: { chain: ChainId; addresses: readonly Address[] },
): Promise<Map<Address, number>> {
  const rows = await sql<{ address: string; final_number: number }>`
    select address, final_number from rewatched
    where chain = ${of.chain}
      and address in (select json_array_elements_text(${JSON.stringify(of.addresses)}::json))`.execute(db);
  // Blocks that were not final then are matched again before they are.
  return new Map(rows.rows.map((row) => [row.address, row.final_number + 1]));
}
