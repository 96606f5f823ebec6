/** For a store that replays what was recorded, block by block, whatever lies between. */
import type { Db } from "./database.ts";

/** Forgets where a chain stands, not what was found in it: the next block need not be the child of the last. */
export async function forgetPlace(db: Db, chain: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx.deleteFrom("checkpoint").where("chain", "=", chain).execute();
    await trx.deleteFrom("chain_lease").where("chain", "=", chain).execute();
  });
}
