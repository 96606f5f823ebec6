/** What the store knows about chains, addresses and transactions that somebody asks about before money moves. */
import { type Kysely, sql } from "kysely";
import type { Action, AlertKind, Severity, Stage } from "../types/alert.ts";
import type { Address, ChainId } from "../types/chain.ts";
import type { Hit } from "../types/hit.ts";
import { decodeHit } from "./codec.ts";
import { LIVE } from "./coverage.ts";
import type { Database, HitTable } from "./schema.ts";

/** One chain, as far as the store can tell. Null: never followed. */
export interface StoredStanding {
  readonly chain: ChainId;
  /** Somebody holds the chain now. */
  readonly isLed: boolean;
  readonly covered: {
    readonly from: number;
    readonly to: number;
    readonly hash: string;
    readonly timestamp: number;
  } | null;
  readonly holes: number;
  /** Of the blocks that are not final, or of the last one where all are. */
  readonly listVersions: readonly string[];
  readonly agreed: number;
  readonly proven: boolean;
  readonly traced: boolean;
  /** Scans of the past that run, or that wait to be planned. */
  readonly pastScans: number;
}

interface StandingRow {
  readonly chain: string;
  readonly led: boolean | null;
  readonly from_number: number | null;
  readonly to_number: number | null;
  readonly scanned: number | null;
  readonly hash: string | null;
  readonly timestamp: number | null;
  readonly versions: string | null;
  readonly agreed: number | null;
  readonly proven: boolean | null;
  readonly traced: boolean | null;
  readonly past_scans: number;
}

/** All in one statement: what it tells of a chain was true at one moment. */
export async function readStandings(db: Kysely<Database>, chains: readonly ChainId[]): Promise<StoredStanding[]> {
  const { rows } = await sql<StandingRow>`
    select asked.chain, lease.expires_at > now() as led,
      live.from_number, live.to_number, live.scanned, tip.hash, tip.timestamp,
      newest.versions, newest.agreed, newest.proven, newest.traced,
      (select count(*) from retro_scan where chain = asked.chain and state = 'running')
        + (select count(*) from retro_wanted where chain = asked.chain) as past_scans
    from json_array_elements_text(${JSON.stringify(chains)}::json) as asked (chain)
      left join chain_lease as lease on lease.chain = asked.chain
      left join lateral (
        select min(from_number) as from_number, max(to_number) as to_number,
          sum(to_number - from_number + 1)::int8 as scanned
        from coverage where coverage.chain = asked.chain and scan = ${LIVE}
      ) as live on true
      left join checkpoint as tip on tip.chain = asked.chain and tip.number = live.to_number and tip.scanned
      left join lateral (
        select json_agg(distinct list_version)::text as versions, bool_and(proven) as proven, bool_and(traced) as traced,
          min(coalesce(array_length(string_to_array(nullif(operators, ''), ','), 1), 0)) as agreed
        from coverage
        where coverage.chain = asked.chain and scan = ${LIVE}
          and to_number >= least(lease.finalized_number + 1, live.to_number)
      ) as newest on true`.execute(db);
  return rows.map(standingOf);
}

function standingOf(row: StandingRow): StoredStanding {
  const { chain, from_number: from, to_number: to, hash, timestamp } = row;
  const isScanned = from !== null && to !== null && hash !== null && timestamp !== null;
  return {
    chain,
    isLed: row.led ?? false,
    covered: isScanned ? { from, to, hash, timestamp } : null,
    holes: isScanned ? Math.max(0, to - from + 1 - (row.scanned ?? 0)) : 0,
    listVersions: JSON.parse(row.versions ?? "[]") as string[],
    agreed: row.agreed ?? 0,
    proven: row.proven ?? false,
    traced: row.traced ?? false,
    pastScans: row.past_scans,
  };
}

/** An alert that is about an address or a transaction, without its story. */
export interface KnownAlert {
  readonly alertId: string;
  /** Null: its hits are stored, and folded in a moment. */
  readonly kind: AlertKind | null;
  readonly severity: Severity | null;
  readonly action: Action | null;
  readonly stage: Stage | null;
}

export interface Exposure {
  /** The newest first. */
  readonly alerts: readonly KnownAlert[];
  /** There are more than are named. */
  readonly isCut: boolean;
}

// The newest are named; who has more than this is a service, and its alerts are looked for with `alerts list`.
const ALERTS_MAX = 16;
// So many hits of one address are looked through for them.
const HITS_MAX = 256;

/** Alerts whose transfers name one of these addresses, recorded and removed hits aside; in the order asked. */
export async function readExposures(
  db: Kysely<Database>,
  asked: readonly { readonly chain: ChainId; readonly address: Address }[],
): Promise<Exposure[]> {
  if (asked.length === 0) return [];
  const { rows } = await sql<AlertRow & { place: number }>`
    select asked.place::int4 as place, found.alert_id, alert.kind, alert.severity, alert.action, alert.stage
    from json_to_recordset(${placed(asked)}::json) as asked (place int4, chain text, address text)
      cross join lateral (
        select alert_id, max(created_at) as newest from (
          (${hitsNaming("from")}) union all (${hitsNaming("to")})
        ) as named group by alert_id order by newest desc, alert_id limit ${ALERTS_MAX + 1}
      ) as found
      left join alert on alert.alert_id = found.alert_id and alert.state <> ''
    order by place, found.newest desc, found.alert_id`.execute(db);
  const byPlace = Map.groupBy(rows, ({ place }) => place);
  return asked.map((_, place) => {
    const found = byPlace.get(place) ?? [];
    return { alerts: found.slice(0, ALERTS_MAX).map(knownAlert), isCut: found.length > ALERTS_MAX };
  });
}

function placed(asked: readonly object[]): string {
  return JSON.stringify(asked.map((one, place) => ({ ...one, place })));
}

function hitsNaming(side: "from" | "to") {
  return sql`select alert_id, created_at from hit
    where chain = asked.chain and ((payload::json -> 'transfer') ->> ${sql.lit(side)}) = asked.address
      and state <> 'removed' and recorded_rule is null
    order by created_at desc limit ${HITS_MAX}`;
}

interface AlertRow {
  readonly alert_id: string;
  readonly kind: string | null;
  readonly severity: string | null;
  readonly action: string | null;
  readonly stage: string | null;
}

function knownAlert({ alert_id: alertId, kind, severity, action, stage }: AlertRow): KnownAlert {
  return {
    alertId,
    kind: kind as AlertKind | null,
    severity: severity as Severity | null,
    action: action as Action | null,
    stage: stage as Stage | null,
  };
}

/** A hit of a transaction, as it stands. */
export interface StoredHit {
  readonly hit: Hit;
  readonly state: HitTable["state"];
}

/** Hits of a transaction that were not taken back. */
export async function readHitsOf(
  db: Kysely<Database>,
  { chain, transaction }: { chain: ChainId; transaction: string },
): Promise<StoredHit[]> {
  const rows = await db
    .selectFrom("hit")
    .select(["payload", "state"])
    .where("tx_hash", "=", transaction)
    .where("chain", "=", chain)
    .where("state", "!=", "removed")
    .orderBy("hit_id")
    .execute();
  return rows.map(({ payload, state }) => ({ hit: decodeHit(payload), state }));
}

export async function readAlerts(db: Kysely<Database>, alertIds: readonly string[]): Promise<KnownAlert[]> {
  if (alertIds.length === 0) return [];
  const rows = await db
    .selectFrom("alert")
    .select(["alert_id", "kind", "severity", "action", "stage"])
    .where("alert_id", "in", alertIds)
    .where("state", "!=", "")
    .orderBy("alert_id")
    .execute();
  return rows.map(knownAlert);
}

/** How the ledger stands to one block: `hash` where it is still in the window. */
export async function readBlockStanding(
  db: Kysely<Database>,
  { chain, number }: { chain: ChainId; number: number },
): Promise<{ readonly isScanned: boolean; readonly hash: string | null }> {
  const [range, block] = await Promise.all([
    db
      .selectFrom("coverage")
      .select("scan")
      .where("chain", "=", chain)
      .where("reading", "=", "whole")
      .where("from_number", "<=", number)
      .where("to_number", ">=", number)
      .limit(1)
      .executeTakeFirst(),
    db
      .selectFrom("checkpoint")
      .select("hash")
      .where("chain", "=", chain)
      .where("number", "=", number)
      .executeTakeFirst(),
  ]);
  return { isScanned: range !== undefined, hash: block?.hash ?? null };
}
