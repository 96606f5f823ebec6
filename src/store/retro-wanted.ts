/** Whose past is still to be asked for: written with the change that watches them, so that no crash between the two forgets it. */
import type { Transaction } from "kysely";
import type { Address, ChainId } from "../types/chain.ts";
import type { Db } from "./database.ts";
import { inChunks } from "./outbox.ts";
import type { Database } from "./schema.ts";

export interface WantedPast {
  readonly chain: ChainId;
  readonly entryId: string;
  readonly address: Address;
  readonly incident: string;
  /** The block from which live coverage was promised; null: nothing was. */
  readonly joinAt: number | null;
  /** Of the watchlists, with the change that asks for it. */
  readonly revision: number;
}

export async function addWanted(trx: Transaction<Database>, wanted: readonly WantedPast[]): Promise<void> {
  const each = new Map(wanted.map((one) => [`${one.chain} ${one.entryId}`, one]));
  for (const chunk of inChunks([...each.values()]))
    await trx
      .insertInto("retro_wanted")
      .values(
        chunk.map(({ chain, entryId, address, incident, joinAt, revision }) => ({
          chain,
          entry_id: entryId,
          address,
          incident,
          join_at: joinAt,
          revision,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(["chain", "entry_id"]).doUpdateSet((eb) => ({
          join_at: eb.ref("excluded.join_at"),
          revision: eb.ref("excluded.revision"),
        })),
      )
      .execute();
}

export interface WantedStore {
  /** Some of them, in an order of their own. */
  list(limit: number): Promise<WantedPast[]>;
  /** What was asked for again since stays. */
  remove(of: Pick<WantedPast, "chain" | "entryId" | "revision">): Promise<void>;
}

export function createWantedStore(db: Db): WantedStore {
  return {
    async list(limit) {
      const rows = await db
        .selectFrom("retro_wanted")
        .selectAll()
        .orderBy("chain")
        .orderBy("entry_id")
        .limit(limit)
        .execute();
      return rows.map(({ chain, entry_id: entryId, address, incident, join_at: joinAt, revision }) => ({
        chain,
        entryId,
        address,
        incident,
        joinAt,
        revision,
      }));
    },
    async remove({ chain, entryId, revision }) {
      await db
        .deleteFrom("retro_wanted")
        .where("chain", "=", chain)
        .where("entry_id", "=", entryId)
        .where("revision", "=", revision)
        .execute();
    },
  };
}
