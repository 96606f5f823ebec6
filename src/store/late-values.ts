/** Hits whose value nobody could tell when they were stored: found again, and retold once somebody can. */
import { sql } from "kysely";
import type { Hit, HitBlock } from "../types/hit.ts";
import { decodeHit, encodeHit } from "./codec.ts";
import type { Db } from "./database.ts";
import { addHitEvents, bareEvent } from "./hit-rows.ts";

export interface LateHit {
  readonly hit: Hit;
  /** As it is stored: what is stored since is not overwritten. */
  readonly payload: string;
  readonly block: HitBlock;
}

export interface LateValues {
  /** Told hits in a block whose value is unknown for a passing reason, stored since then, the oldest first. */
  due(of: { since: number; limit: number }): Promise<LateHit[]>;
  /** Stores what is known now. True: a value, which is told; false: none, or told otherwise or taken back meanwhile. */
  settle(late: LateHit, valued: Hit, now: number): Promise<boolean>;
}

const IN_BLOCK = ["included", "final", "disputed"] as const;

export function createLateValues(db: Db): LateValues {
  return {
    async due({ since, limit }) {
      const rows = await db
        .selectFrom("hit")
        .select((eb) => [
          "payload",
          "block_hash",
          eb
            .selectFrom("hit_event")
            .select("hit_event.block")
            .whereRef("hit_event.hit_id", "=", "hit.hit_id")
            .where("hit_event.payload", "is not", null)
            .where("hit_event.block", "!=", "null")
            .orderBy("hit_event.seq", "desc")
            .limit(1)
            .as("told_block"),
        ])
        // In the words of the index, or it is not used.
        .where(sql<boolean>`payload like '%"passing":true%'`)
        .where("created_at", ">=", since)
        .where("state", "in", IN_BLOCK)
        .where("recorded_rule", "is", null)
        .orderBy("created_at")
        .limit(limit)
        .execute();
      return rows.flatMap(({ payload, block_hash, told_block }) => {
        const block = told_block === null ? null : (JSON.parse(told_block) as HitBlock | null);
        return block === null || block.hash !== block_hash ? [] : [{ hit: decodeHit(payload), payload, block }];
      });
    },

    settle: ({ payload: before }, valued, now) =>
      db.transaction().execute(async (trx) => {
        const payload = encodeHit(valued);
        const row = await trx
          .updateTable("hit")
          .set({ payload })
          .where("hit_id", "=", valued.hitId)
          .where("payload", "=", before)
          .where("state", "in", IN_BLOCK)
          .returning(["hit_id", "alert_id"])
          .executeTakeFirst();
        if (row === undefined || valued.value?.usdCents == null) return false;
        const event = bareEvent({ hitId: row.hit_id, alertId: row.alert_id, kind: "retold" });
        await addHitEvents(trx, [{ ...event, payload }], now);
        return true;
      }),
  };
}
