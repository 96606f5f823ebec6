/**
 * One leader per chain: a row with holder and epoch. Time decides who may take over; the epoch, checked in the
 * transaction of every write, decides whose writes count. A leader that slept through its lease writes nothing.
 */
import { sql, type Transaction } from "kysely";
import { AppError } from "../lib/errors.ts";
import type { Lease } from "../types/checkpoint.ts";
import type { Db } from "./database.ts";
import type { Database } from "./schema.ts";

/** Another daemon leads this chain now. */
export class FencedError extends AppError {
  override readonly code = "fenced";
}

/** The list changed between match and commit: the block must be matched again. */
export class ListChangedError extends AppError {
  override readonly code = "list_changed";
  override readonly retryable = true;
}

export interface Leases {
  /**
   * Takes a free or expired chain; null while another holder's lease runs. Throws ListChangedError when the store's
   * watchlists are not at `revision` any more: what is matched with an old list would be missed.
   */
  acquire(options: {
    chain: string;
    holder: string;
    ttlMs: number;
    listVersion: string;
    revision: number;
  }): Promise<Lease | null>;
  /** False: lost to another holder. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  /** Lets another daemon take over at once. */
  release(lease: Lease): Promise<void>;
}

export function createLeases(db: Db): Leases {
  return {
    acquire: ({ revision, ...options }) =>
      db.transaction().execute(async (trx) => {
        // Shared: a change of the lists waits for this, and whoever comes after it sees it.
        const row = await trx.selectFrom("watch_state").select("revision").forShare().executeTakeFirstOrThrow();
        if (row.revision !== revision)
          throw new ListChangedError(`the watchlists are at revision ${row.revision}, not at ${revision} any more`);
        return takeLease(trx, options);
      }),

    async renew(lease, ttlMs) {
      const result = await sql`
        update chain_lease set expires_at = now() + ${ttlMs} * interval '1 millisecond'
        where chain = ${lease.chain} and holder = ${lease.holder} and epoch = ${lease.epoch} returning chain`.execute(
        db,
      );
      return result.rows.length === 1;
    },

    async release(lease) {
      await sql`
        update chain_lease set expires_at = now() - interval '1 second'
        where chain = ${lease.chain} and holder = ${lease.holder} and epoch = ${lease.epoch}`.execute(db);
    },
  };
}

async function takeLease(
  trx: Transaction<Database>,
  { chain, holder, ttlMs, listVersion }: { chain: string; holder: string; ttlMs: number; listVersion: string },
): Promise<Lease | null> {
  const result = await sql<{ epoch: number }>`
    insert into chain_lease as held (chain, holder, epoch, expires_at, list_version, finalized_number)
    values (${chain}, ${holder}, 1, now() + ${ttlMs} * interval '1 millisecond', ${listVersion}, -1)
    on conflict (chain) do update
      set holder = excluded.holder, epoch = held.epoch + 1, expires_at = excluded.expires_at, list_version = excluded.list_version
      -- The same holder is a restarted daemon: its data folder's lock shows that the one before is gone.
      where held.expires_at < now() or held.holder = excluded.holder
    returning epoch`.execute(trx);
  const row = result.rows[0];
  return row === undefined ? null : { chain, holder, epoch: row.epoch };
}

/**
 * Locks the chain's row for the rest of the transaction. All writes of a chain are so serial, and a hit's events get
 * rising `seq`s in the order they happened. Throws FencedError when the lease is no longer ours.
 */
export async function holdLease(
  trx: Transaction<Database>,
  lease: Lease,
): Promise<{ listVersion: string; finalizedNumber: number }> {
  const row = await trx
    .selectFrom("chain_lease")
    .selectAll()
    .where("chain", "=", lease.chain)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined || row.holder !== lease.holder || row.epoch !== lease.epoch) {
    throw new FencedError(`another daemon leads ${lease.chain} now`, {
      details: { chain: lease.chain, ourEpoch: lease.epoch, epoch: row?.epoch },
    });
  }
  return { listVersion: row.list_version, finalizedNumber: row.finalized_number };
}

/** The same, and the list the caller matched with must still be the chain's. Throws ListChangedError. */
export async function holdForMatching(
  trx: Transaction<Database>,
  commit: { lease: Lease; listVersion: string },
): Promise<{ finalizedNumber: number }> {
  const { listVersion, finalizedNumber } = await holdLease(trx, commit.lease);
  if (listVersion !== commit.listVersion)
    throw new ListChangedError(`the watchlist of ${commit.lease.chain} changed while its blocks were matched`);
  return { finalizedNumber };
}
