/** Trust in nodes: hits that operators disagree about, blocks an operator has yet to name, evidence against nodes. */
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table hit drop constraint hit_state_check`,
  `alter table hit add constraint hit_state_check check (state in ('included', 'removed', 'final', 'disputed'))`,
  `create index hit_disputed on hit (chain, block_number) where state = 'disputed'`,
  `create table unchecked (
    chain text not null,
    number int8 not null,
    operator text not null,
    hash text not null,
    contradicted boolean not null default false,
    primary key (chain, operator, number)
  )`,
  `create table evidence (
    id bigserial primary key,
    chain text not null,
    node text not null,
    operator text not null,
    at int8 not null,
    why text not null,
    asked text not null,
    answered text not null
  )`,
  `create index evidence_node on evidence (node, id)`,
];
