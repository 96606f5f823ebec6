/**
 * Counts payments in the transaction that stores their alert, and tells the sums that are more than their parts. A fold only
 * marks the days its payment counts for; they are looked at together, so a flood of payments costs each of them a row.
 */
import { type Selectable, sql, type Transaction } from "kysely";
import type { Message, Payment, Severity, SeverityLadder } from "../types/alert.ts";
import type { PaymentDay } from "../types/payment.ts";
import { storeMessage } from "./alert-messages.ts";
import type { Db } from "./database.ts";
import type { PaymentSumTable, PaymentTable } from "./payment-tables.ts";
import type { Database } from "./schema.ts";

const DAY_MS = 24 * 60 * 60_000;
/** Of those that are looked at: a look at ten thousand payments takes a moment, and not one for each that comes. */
const LOOK_AGAIN_MS = 10_000;
// The largest ones: no number of small payments pushes them out.
const PAYMENTS_MAX = 10_000;

/** Those of an alert as they are now, none where it does not stand. Days change only where they do. */
export async function countPayments(
  trx: Transaction<Database>,
  { alertId, payments, now }: { alertId: string; payments: readonly Payment[]; now: number },
): Promise<void> {
  const before = await trx.selectFrom("payment").selectAll().where("alert_id", "=", alertId).execute();
  const rows = payments.map(rowOf);
  const known = new Set(before.map(textOf));
  const wanted = new Set(rows.map(textOf));
  const gone = before.filter((row) => !wanted.has(textOf(row)));
  const fresh = rows.filter((row) => !known.has(textOf(row)));
  if (gone.length + fresh.length === 0) return;
  for (const { sum_key: sumKey } of gone)
    await trx.deleteFrom("payment").where("alert_id", "=", alertId).where("sum_key", "=", sumKey).execute();
  if (fresh.length > 0) await trx.insertInto("payment").values(fresh).execute();
  await markDays(trx, [...gone, ...fresh], now);
}

/** 24 hours that a payment belongs to end on its day or the next. In order: two folds never wait for each other crosswise. */
async function markDays(trx: Transaction<Database>, rows: readonly PaymentTable[], now: number): Promise<void> {
  const days = new Map(
    rows.flatMap(({ sum_key, at }) =>
      [0, 1].map((next) => {
        const day = dayOf(at) + next;
        return [`${sum_key} ${day}`, { sum_key, day, due_at: now }] as const;
      }),
    ),
  );
  const marked = [...days].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  await trx
    .insertInto("payment_sum")
    .values(marked)
    .onConflict((conflict) =>
      conflict.columns(["sum_key", "day"]).doUpdateSet({
        due_at: sql<number>`coalesce(payment_sum.due_at, excluded.due_at + ${LOOK_AGAIN_MS}::int8)`,
      }),
    )
    .execute();
}

export interface ToldSum {
  readonly message: Message;
  readonly sinks: readonly string[];
  readonly severity: Severity | null;
}

/** Looks at the days that are due, each once by whichever process. How many were told. */
export async function storeSums(
  db: Db,
  { now, limit, tell }: { now: number; limit: number; tell: (day: PaymentDay) => ToldSum | null },
): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const due = await trx
      .selectFrom("payment_sum")
      .selectAll()
      .where("due_at", "<=", now)
      .orderBy("due_at")
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .execute();
    let stored = 0;
    for (const row of due) {
      const payments = await paymentsFor(trx, row);
      const told = tell({
        sumKey: row.sum_key,
        day: row.day,
        payments,
        toldSeverity: row.told_severity as Severity | null,
        toldSinks: JSON.parse(row.sinks) as string[],
        told: row.told,
      });
      if (told !== null) {
        await storeMessage(trx, { message: told.message, sinks: told.sinks, now, queued: true });
        stored += 1;
      }
      await settle(trx, row, { told, isEmpty: payments.every(({ at }) => dayOf(at) !== row.day) });
    }
    return stored;
  });
}

/** A day that nothing ends on is forgotten, unless something was told of it. */
async function settle(
  trx: Transaction<Database>,
  row: Selectable<PaymentSumTable>,
  { told, isEmpty }: { told: ToldSum | null; isEmpty: boolean },
): Promise<void> {
  const { sum_key: sumKey, day } = row;
  if (told === null && row.told === 0 && isEmpty) {
    await trx.deleteFrom("payment_sum").where("sum_key", "=", sumKey).where("day", "=", day).execute();
    return;
  }
  const news =
    told === null ? {} : { told: row.told + 1, told_severity: told.severity, sinks: JSON.stringify(told.sinks) };
  await trx
    .updateTable("payment_sum")
    .set({ due_at: null, ...news })
    .where("sum_key", "=", sumKey)
    .where("day", "=", day)
    .execute();
}

async function paymentsFor(
  trx: Transaction<Database>,
  { sum_key, day }: { sum_key: string; day: number },
): Promise<Payment[]> {
  const rows = await trx
    .selectFrom("payment")
    .selectAll()
    .where("sum_key", "=", sum_key)
    .where("at", ">", (day - 1) * DAY_MS)
    .where("at", "<", (day + 1) * DAY_MS)
    .orderBy("usd_cents", "desc")
    .orderBy("alert_id")
    .limit(PAYMENTS_MAX)
    .execute();
  return rows.map(paymentOf);
}

function rowOf(payment: Payment): PaymentTable {
  const { alertId, incident, customerRef, own, direction, chain, at, usdCents, severity, ladder } = payment;
  return {
    alert_id: alertId,
    // JSON: no part of it can be mistaken for another.
    sum_key: JSON.stringify([incident, direction, customerRef, customerRef === null ? own : null]),
    incident,
    customer_ref: customerRef,
    own,
    direction,
    chain,
    at,
    usd_cents: usdCents.toString(),
    severity,
    ladder: JSON.stringify(ladder),
  };
}

/** Whether two rows say the same. */
function textOf(row: PaymentTable): string {
  return JSON.stringify([row.sum_key, row.own, row.chain, row.at, row.usd_cents, row.severity, row.ladder]);
}

function paymentOf(row: Selectable<PaymentTable>): Payment {
  return {
    alertId: row.alert_id,
    incident: row.incident,
    customerRef: row.customer_ref,
    own: row.own,
    direction: row.direction as Payment["direction"],
    chain: row.chain,
    at: row.at,
    usdCents: BigInt(row.usd_cents),
    severity: row.severity as Severity,
    ladder: JSON.parse(row.ladder) as SeverityLadder,
  };
}

function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}
