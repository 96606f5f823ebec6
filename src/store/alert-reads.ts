/** Who read which alerts, and what they asked for: written before anybody sees the answer. */
import type { Db } from "./database.ts";

export interface AlertRead {
  readonly at: number;
  readonly actor: string;
  readonly call: string;
  readonly asked: unknown;
  readonly alerts: number;
  /** The first thousand. */
  readonly alertIds: readonly string[];
}

export interface AlertReads {
  add(read: AlertRead): Promise<void>;
  /** Newest first. */
  list(of: { limit: number; alertId?: string | undefined; actor?: string | undefined }): Promise<AlertRead[]>;
}

/** A page of more than that is told by what was asked. */
const IDS_MAX = 1_000;

export function createAlertReads(db: Db): AlertReads {
  return {
    async add({ at, actor, call, asked, alerts, alertIds }) {
      const ids = JSON.stringify(alertIds.slice(0, IDS_MAX));
      await db
        .insertInto("alert_read")
        .values({ at, actor, call, asked: JSON.stringify(asked), alerts, alert_ids: ids })
        .execute();
    },

    async list({ limit, alertId, actor }) {
      let query = db.selectFrom("alert_read").selectAll().orderBy("seq", "desc").limit(limit);
      // An id has no sign that means something to `like` but the underscore, which stands for itself too.
      if (alertId !== undefined) query = query.where("alert_ids", "like", `%${JSON.stringify(alertId)}%`);
      if (actor !== undefined) query = query.where("actor", "=", actor);
      return (await query.execute()).map((row) => ({
        at: row.at,
        actor: row.actor,
        call: row.call,
        asked: JSON.parse(row.asked) as unknown,
        alerts: row.alerts,
        alertIds: JSON.parse(row.alert_ids) as string[],
      }));
    },
  };
}

/** How many were deleted. */
export async function pruneReads(db: Db, { before, limit }: { before: number; limit: number }): Promise<number> {
  const old = db.selectFrom("alert_read").select("seq").where("at", "<", before).orderBy("at").limit(limit);
  const { numDeletedRows } = await db.deleteFrom("alert_read").where("seq", "in", old).executeTakeFirst();
  return Number(numDeletedRows);
}
