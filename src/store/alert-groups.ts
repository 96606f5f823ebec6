/**
 * Counts alerts by group, in the transaction that stores them, and gives the digests of those that were held.
 *
 * A held alert is in its group and nowhere else: what becomes of it (final, taken back) is told by the group's digests,
 * until it is severe or large enough to be told by itself.
 */
import type { Selectable, Transaction } from "kysely";
import { hashId } from "../lib/ids.ts";
import type {
  AlertRecord,
  FoldResult,
  GroupAsk,
  GroupDigest,
  Grouping,
  GroupRule,
  Message,
  Severity,
  Stage,
} from "../types/alert.ts";
import { addDeliveries, messageOf, storeMessage } from "./alert-messages.ts";
import type { Db } from "./database.ts";
import type { AlertGroupTable } from "./group-tables.ts";
import type { Database } from "./schema.ts";

// Ten times the largest so far is news of its own.
const STANDS_OUT = 10n;
/** A critical alert is never silent for longer than this. */
const CRITICAL_DIGEST_MS = 15 * 60_000;
/** What is taken back together is told together. */
const RETRACTED_DIGEST_MS = 10_000;
const LARGEST_MAX = 20;

/** The group that holds the alert from now on; null: it is told by itself. `heldIn`: the group that held it so far. */
export async function holdingGroup(
  trx: Transaction<Database>,
  { result, heldIn }: { result: FoldResult; heldIn: string | null },
): Promise<string | null> {
  const { record, grouping } = result;
  if (grouping === null || grouping.sinks.length === 0) return null;
  if (heldIn !== null && (await isStillHeld(trx, { record, grouping, heldIn }))) return heldIn;
  if (heldIn === null && !grouping.isFirst) return null;
  for (const ask of grouping.asks) {
    const group = await openGroup(trx, { ask, grouping, severity: record.severity, now: record.updatedAt });
    if (await isHeld(trx, { group, alertId: record.alertId, ask, grouping, now: record.updatedAt }))
      return group.group_id;
  }
  return null;
}

type Group = Selectable<AlertGroupTable>;

/** Locked: one alert after the other. A window that ended is closed, with what it still has to tell. */
async function openGroup(
  trx: Transaction<Database>,
  { ask, grouping, severity, now }: { ask: GroupAsk; grouping: Grouping; severity: Severity; now: number },
): Promise<Group> {
  for (;;) {
    await trx
      .insertInto("alert_group")
      .values({
        group_id: hashId("grp", [ask.key, String(now)]),
        rule: ask.rule,
        key: ask.key,
        severity,
        about: ask.about,
        opened_at: now,
        closes_at: now + ask.windowMs,
        digest_due_at: null,
        sinks: JSON.stringify(grouping.sinks),
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const group = await trx
      .selectFrom("alert_group")
      .selectAll()
      .where("key", "=", ask.key)
      .where("closed", "=", false)
      .forUpdate()
      .executeTakeFirst();
    if (group === undefined) throw new Error("assertion failed: an alert's group is open");
    if (group.closes_at > now) return group;
    await trx
      .updateTable("alert_group")
      .set({ closed: true, digest_due_at: hasNews(group) ? now : null })
      .where("group_id", "=", group.group_id)
      .execute();
  }
}

function hasNews(group: Group): boolean {
  return group.held > group.held_told || group.retracted > group.retracted_told;
}

interface Counting {
  readonly group: Group;
  readonly alertId: string;
  readonly ask: GroupAsk;
  readonly grouping: Grouping;
  readonly now: number;
}

/** Counts the alert, once. */
async function isHeld(trx: Transaction<Database>, of: Counting): Promise<boolean> {
  const { group, alertId, ask, grouping, now } = of;
  const isKnown = await trx
    .selectFrom("alert_group_member")
    .select("subject")
    .where("group_id", "=", group.group_id)
    .where("subject", "=", grouping.subject)
    .limit(1)
    .executeTakeFirst();
  const alerts = group.alerts + 1;
  const subjects = group.subjects + (isKnown === undefined ? 1 : 0);
  const isFull = (ask.counts === "alerts" ? alerts : subjects) > ask.limit;
  const held = isFull && !(await standsOut(trx, group.group_id, grouping));
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto("alert_group_member")
    .values({
      group_id: group.group_id,
      alert_id: alertId,
      subject: grouping.subject,
      asset: grouping.asset,
      amount: grouping.amount.toString(),
      usd_cents: grouping.usdCents?.toString() ?? null,
      held,
      at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  // Counted before: it was held, and is now too large or too severe to be.
  if (numInsertedOrUpdatedRows !== 1n) return held;
  const heldCount = group.held + (held ? 1 : 0);
  await trx
    .updateTable("alert_group")
    .set({
      alerts,
      subjects,
      held: heldCount,
      digest_due_at: held ? dueAfter(group, { held: heldCount, ask, now }) : group.digest_due_at,
      sinks: JSON.stringify([...new Set([...(JSON.parse(group.sinks) as string[]), ...grouping.sinks])]),
    })
    .where("group_id", "=", group.group_id)
    .execute();
  return held;
}

/** The first one held and each tenfold are told at once; the others by the clock of the group. */
function dueAfter(group: Group, { held, ask, now }: { held: number; ask: GroupAsk; now: number }): number {
  if (ask.isUrgent && isTenfold(held)) return now;
  const atLatest =
    group.severity === "critical" ? Math.min(group.closes_at, now + CRITICAL_DIGEST_MS) : group.closes_at;
  return Math.min(group.digest_due_at ?? atLatest, atLatest);
}

/** 1, 10, 100, ... */
function isTenfold(count: number): boolean {
  return /^10*$/.test(String(count));
}

async function standsOut(trx: Transaction<Database>, groupId: string, grouping: Grouping): Promise<boolean> {
  if (!grouping.mayStandOut) return false;
  const members = trx.selectFrom("alert_group_member").where("group_id", "=", groupId);
  if (grouping.usdCents !== null) {
    const { largest } = await members.select((eb) => eb.fn.max("usd_cents").as("largest")).executeTakeFirstOrThrow();
    return largest === null || grouping.usdCents >= BigInt(largest) * STANDS_OUT;
  }
  const { largest } = await members
    .where("asset", "=", grouping.asset)
    .select((eb) => eb.fn.max("amount").as("largest"))
    .executeTakeFirstOrThrow();
  return largest === null || grouping.amount >= BigInt(largest) * STANDS_OUT;
}

/** An alert that is told under other keys than when it was held is counted anew. */
async function isStillHeld(
  trx: Transaction<Database>,
  { record, grouping, heldIn }: { record: AlertRecord; grouping: Grouping; heldIn: string },
): Promise<boolean> {
  const group = await trx
    .selectFrom("alert_group")
    .selectAll()
    .where("group_id", "=", heldIn)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (record.stage === "retracted") {
    const due = Math.min(group.digest_due_at ?? Number.MAX_SAFE_INTEGER, record.updatedAt + RETRACTED_DIGEST_MS);
    await trx
      .updateTable("alert_group")
      .set({ retracted: group.retracted + 1, digest_due_at: due })
      .where("group_id", "=", heldIn)
      .execute();
    return true;
  }
  return grouping.asks.some(({ key }) => key === group.key);
}

/** Stores the digests that are due, each with its deliveries. How many. */
export async function storeDigests(
  db: Db,
  { now, makeMessage, limit }: { now: number; makeMessage: (digest: GroupDigest) => Message; limit: number },
): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const due = await trx
      .selectFrom("alert_group")
      .selectAll()
      .where("digest_due_at", "<=", now)
      .orderBy("digest_due_at")
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .execute();
    for (const group of due) {
      const isClosed = group.closed || group.closes_at <= now;
      if (hasNews(group)) {
        const message = makeMessage(await digestOf(trx, { ...group, closed: isClosed }));
        await storeMessage(trx, { message, sinks: JSON.parse(group.sinks) as string[], now, queued: true });
      }
      await trx
        .updateTable("alert_group")
        .set({
          closed: isClosed,
          digest_due_at: null,
          digests: group.digests + (hasNews(group) ? 1 : 0),
          held_told: group.held,
          retracted_told: group.retracted,
        })
        .where("group_id", "=", group.group_id)
        .execute();
    }
    return due.length;
  });
}

async function digestOf(trx: Transaction<Database>, group: Group): Promise<GroupDigest> {
  const members = trx.selectFrom("alert_group_member").where("group_id", "=", group.group_id).where("held", "=", true);
  const totals = await members
    .select(["asset", (eb) => eb.fn.countAll<number>().as("count"), (eb) => eb.fn.sum<string>("amount").as("amount")])
    .groupBy("asset")
    .orderBy("count", "desc")
    .orderBy("asset")
    .limit(LARGEST_MAX)
    .execute();
  const largest = await members
    .innerJoin("alert", "alert.alert_id", "alert_group_member.alert_id")
    .select(["alert.alert_id", "summary", "stage"])
    .orderBy("usd_cents", (order) => order.desc().nullsLast())
    .orderBy("amount", "desc")
    .orderBy("alert.alert_id")
    .limit(LARGEST_MAX)
    .execute();
  return {
    groupId: group.group_id,
    rule: group.rule as GroupRule,
    about: group.about,
    severity: group.severity as Severity,
    number: group.digests + 1,
    openedAt: group.opened_at,
    alerts: group.alerts,
    subjects: group.subjects,
    held: group.held,
    heldSince: group.held - group.held_told,
    retracted: group.retracted,
    isClosed: group.closed,
    totals: totals.map(({ asset, count: alerts, amount }) => ({
      asset,
      count: alerts,
      amount: BigInt(amount),
    })),
    largest: largest.map(({ alert_id, summary, stage }) => ({ alertId: alert_id, stage: stage as Stage, summary })),
  };
}

/**
 * Takes an alert out of the group that holds it and sends its newest revision to the group's sinks. The sinks; null where
 * no group holds it.
 */
export async function releaseAlert(
  db: Db,
  { alertId, now }: { alertId: string; now: number },
): Promise<readonly string[] | null> {
  return db.transaction().execute(async (trx) => {
    const alert = await trx
      .selectFrom("alert")
      .innerJoin("alert_group", "alert_group.group_id", "alert.held_in")
      .select(["alert.alert_id", "alert_group.sinks"])
      .where("alert.alert_id", "=", alertId)
      .forUpdate()
      .executeTakeFirst();
    if (alert === undefined) return null;
    const message = await trx
      .selectFrom("message")
      .selectAll()
      .where("alert_id", "=", alertId)
      .where("replay_of", "is", null)
      .orderBy("revision", "desc")
      .executeTakeFirstOrThrow();
    await trx.updateTable("alert").set({ held_in: null }).where("alert_id", "=", alertId).execute();
    const sinks = JSON.parse(alert.sinks) as string[];
    await addDeliveries(trx, { message: messageOf(message), sinks, now, queued: true });
    return sinks;
  });
}
