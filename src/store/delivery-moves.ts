/** Deliveries that come about without an alert changing: to a fallback sink, and as replays of what was told before. */
import { type ExpressionBuilder, sql } from "kysely";
import { deliveryIdOf, hashId } from "../lib/ids.ts";
import type { JobLane } from "../types/queue-names.ts";
import { deliveryJob } from "./alert-messages.ts";
import type { Db } from "./database.ts";
import { addToOutbox } from "./outbox.ts";
import type { Database } from "./schema.ts";

/** Which messages of alerts to send again; all that is given must hold. */
export interface ReplayFilter {
  /** Ids of deliveries, messages (`webhook-id`) or alerts. */
  readonly ids?: readonly string[] | undefined;
  /** When the message was made, unix milliseconds: from, and before. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Alerts with a hit in these blocks, both ends included. */
  readonly blocks?: { readonly chain: string; readonly from: number; readonly to: number } | undefined;
}

export interface ReplayPage {
  /** Messages sent again, and to how many sinks in all. */
  readonly messages: number;
  readonly deliveries: number;
  /** Where the next page starts; null: that was the last one. */
  readonly next: ReplayCursor | null;
}

export interface ReplayCursor {
  readonly createdAt: number;
  readonly webhookId: string;
}

export interface ReplayOptions {
  readonly filter: ReplayFilter;
  /** To this sink, whether it was ever sent them or not. Null: to those of `sinks` that were. */
  readonly to: string | null;
  /** Sinks of alerts, as configured. */
  readonly sinks: readonly string[];
  /** Part of every new id: two replays of one message are two messages. */
  readonly replayId: string;
  readonly now: number;
  readonly after: ReplayCursor | null;
  readonly limit: number;
  /** Only count. */
  readonly dryRun: boolean;
}

export interface DeliveryMoves {
  /**
   * Severe deliveries of a sink that were made between `from` and `before` and are not delivered go to its fallback too,
   * each once. One that was replayed does not: nobody waits for it. Answers how many are new there.
   */
  fallBack(of: {
    sink: string;
    to: string;
    from: number;
    before: number;
    now: number;
    queued: boolean;
  }): Promise<number>;
  /** One page of messages, oldest first, each as a new message marked `replay: true`. */
  replay(options: ReplayOptions): Promise<ReplayPage>;
}

// However severe a replay is: what happens now goes first.
const OLD_NEWS: JobLane = 2;
const SEVERE = ["critical", "high"];
// A page is one transaction; what is behind it in the outbox waits for no longer than that.
const FALLBACK_BATCH = 500;

export function createDeliveryMoves(db: Db): DeliveryMoves {
  return {
    fallBack: ({ sink, to, from, before, now, queued }) =>
      db.transaction().execute(async (trx) => {
        const unheard = await trx
          .updateTable("delivery")
          .set({ fallback_at: now })
          .where("delivery_id", "in", (query) =>
            query
              .selectFrom("delivery as late")
              .innerJoin("message", "message.webhook_id", "late.webhook_id")
              .select("late.delivery_id")
              .where("late.sink", "=", sink)
              .where("late.created_at", ">=", from)
              .where("late.created_at", "<", before)
              .where("late.state", "<>", "delivered")
              .where("late.fallback_at", "is", null)
              .where("late.severity", "in", SEVERE)
              .where("message.replay_of", "is", null)
              .orderBy("late.created_at")
              .limit(FALLBACK_BATCH),
          )
          .returning(["webhook_id", "severity", "lane"])
          .execute();
        if (unheard.length === 0) return 0;
        const taken = await trx
          .insertInto("delivery")
          .values(
            unheard.map(({ webhook_id: webhookId, severity, lane }) => ({
              ...newDelivery({ webhookId, sink: to, severity, lane, now }),
              fallback_for: sink,
            })),
          )
          // It was told there anyway.
          .onConflict((conflict) => conflict.columns(["webhook_id", "sink"]).doNothing())
          .returning(["delivery_id", "lane"])
          .execute();
        if (queued)
          await addToOutbox(
            trx,
            taken.map((row) => firstJob({ deliveryId: row.delivery_id, sink: to, lane: row.lane, now })),
          );
        return taken.length;
      }),

    replay: (options) =>
      db.transaction().execute(async (trx) => {
        const { filter, to, sinks, replayId, now, after, limit, dryRun } = options;
        const told = await trx
          .selectFrom("message")
          .selectAll()
          .select((eb) => sinksOf(eb).as("sinks"))
          .where((eb) => eb.and(conditions(eb, filter, after)))
          .orderBy("created_at")
          .orderBy("webhook_id")
          .limit(limit)
          .execute();
        const last = told.at(-1);
        const next =
          last === undefined || told.length < limit ? null : { createdAt: last.created_at, webhookId: last.webhook_id };
        const again = told
          .map((row) => ({ row, targets: to === null ? row.sinks.filter((sink) => sinks.includes(sink)) : [to] }))
          .filter(({ targets }) => targets.length > 0);
        const count = again.reduce((sum, { targets }) => sum + targets.length, 0);
        if (dryRun || again.length === 0) return { messages: again.length, deliveries: count, next };
        const idOf = (webhookId: string) => hashId("msg", [webhookId, replayId]);
        await trx
          .insertInto("message")
          .values(
            again.map(({ row: { sinks: _sinks, ...row } }) => ({
              ...row,
              webhook_id: idOf(row.webhook_id),
              body: markReplayed(row.body),
              created_at: now,
              replay_of: row.webhook_id,
            })),
          )
          .execute();
        const deliveries = again.flatMap(({ row, targets }) =>
          targets.map((sink) =>
            newDelivery({ webhookId: idOf(row.webhook_id), sink, severity: row.severity, lane: OLD_NEWS, now }),
          ),
        );
        await trx.insertInto("delivery").values(deliveries).execute();
        await addToOutbox(
          trx,
          deliveries.map((row) => firstJob({ deliveryId: row.delivery_id, sink: row.sink, lane: row.lane, now })),
        );
        return { messages: again.length, deliveries: count, next };
      }),
  };
}

type MessageBuilder = ExpressionBuilder<Database, "message">;

/** Names of the sinks a message was made for. */
const sinksOf = (eb: MessageBuilder) =>
  eb
    .selectFrom("delivery")
    .whereRef("delivery.webhook_id", "=", "message.webhook_id")
    .select(sql<string[]>`coalesce(array_agg(delivery.sink order by delivery.sink), '{}')`.as("names"))
    .$asScalar()
    .$notNull();

function conditions(eb: MessageBuilder, { ids, since, until, blocks }: ReplayFilter, after: ReplayCursor | null) {
  const all = [eb("message.alert_id", "is not", null), eb("message.replay_of", "is", null)];
  if (since !== undefined) all.push(eb("message.created_at", ">=", since));
  if (until !== undefined) all.push(eb("message.created_at", "<", until));
  if (after !== null)
    all.push(
      sql<boolean>`(message.created_at, message.webhook_id) > (${after.createdAt}, ${after.webhookId})` as never,
    );
  if (ids !== undefined) {
    const ofDelivery = eb.selectFrom("delivery").select("delivery.webhook_id").where("delivery_id", "in", ids);
    all.push(
      eb.or([
        eb("message.webhook_id", "in", ids),
        eb("message.alert_id", "in", ids),
        eb("message.webhook_id", "in", ofDelivery),
      ]) as never,
    );
  }
  if (blocks !== undefined) {
    const inBlocks = eb
      .selectFrom("hit")
      .select("hit.alert_id")
      .where("hit.chain", "=", blocks.chain)
      .where("hit.block_number", ">=", blocks.from)
      .where("hit.block_number", "<=", blocks.to);
    all.push(eb("message.alert_id", "in", inBlocks));
  }
  return all;
}

/** Everything else stays as it was told. */
function markReplayed(body: string): string {
  return JSON.stringify({ ...(JSON.parse(body) as object), replay: true });
}

function newDelivery(of: { webhookId: string; sink: string; severity: string; lane: JobLane; now: number }) {
  return {
    delivery_id: deliveryIdOf(of),
    webhook_id: of.webhookId,
    sink: of.sink,
    severity: of.severity,
    lane: of.lane,
    state: "pending" as const,
    attempt_no: 0,
    next_attempt_at: of.now,
    created_at: of.now,
  };
}

function firstJob({ now, ...of }: { deliveryId: string; sink: string; lane: JobLane; now: number }) {
  return deliveryJob({ ...of, attemptNo: 0, runAt: now });
}
