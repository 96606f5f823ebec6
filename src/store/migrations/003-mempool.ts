/** The mempool: hits without a block, why a hit was removed, and the transactions that are waited for. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table hit alter column block_number drop not null`,
  `alter table hit alter column block_hash drop not null`,
  `alter table hit drop constraint hit_state_check`,
  `alter table hit add constraint hit_state_check check (state in ('pending', 'included', 'removed', 'final', 'disputed'))`,
  // What a mined, replaced or dropped transaction was told of.
  `create index hit_transaction on hit (tx_hash)`,
  `alter table hit_event add column reason text`,
  `alter table hit_event add column link text`,
  // Until now only a reorg removed a hit; some of its events may not be folded yet.
  `update hit_event set reason = 'reorg' where kind = 'removed'`,
  `create table pending_transaction (
    chain text not null,
    tx_hash text not null,
    slot text not null,
    state text not null check (state in ('pending', 'included', 'unmined', 'replaced', 'dropped')),
    block_number int8,
    changed_at int8 not null,
    primary key (chain, tx_hash)
  )`,
];
