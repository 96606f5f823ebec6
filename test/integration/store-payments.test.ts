/**
 * Goal: a payment in many parts is told as one, once, whatever crashes, reorgs and the order of work; and taken back.
 * Method: hits through the real fold into PGlite and Postgres, days looked at as the daemon does; the clock is the events'.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { foldAlert } from "../../src/alerts/fold.ts";
import { messageBody, type PaymentsBody } from "../../src/alerts/body-schema.ts";
import { tellSum } from "../../src/alerts/payment-sums.ts";
import { alertIdOf } from "../../src/lib/ids.ts";
import { createAlertStore } from "../../src/store/alert-store.ts";
import * as codec from "../../src/store/codec.ts";
import { migrate } from "../../src/store/database.ts";
import { addHitEvents } from "../../src/store/hit-rows.ts";
import { storeSums } from "../../src/store/payment-sums.ts";
import type { Hit } from "../../src/types/hit.ts";
import { onEachStore, type StoreToTest } from "../support/each-store.ts";
import { context, hit, NOW } from "../unit/alerts/make.ts";

const HOUR_MS = 3_600_000;
const routing = { sinks: ["desk"], routes: [], minSeverity: "info", aboveUsd: 100 } as const;

/** The thief pays 9 USD to one deposit address of a customer: harmless alone. */
function paymentOf(txHash: string, { customer, usd }: { customer: string; usd: number }): Hit {
  const base = hit({ worth: BigInt(usd * 100) });
  const own = { chain: base.chain, address: `0x${txHash}`, customerRef: customer, wallet: "deposit" } as const;
  return {
    ...base,
    hitId: `hit_${txHash}`,
    alertId: alertIdOf({ chain: base.chain, txHash, subject: own.address }),
    transfer: { ...base.transfer, txHash, to: own.address },
    own: { side: "to", address: own },
    subject: own.address,
  };
}

function suite(name: string, open: () => Promise<StoreToTest>): void {
  describe(`payments on ${name}`, () => {
    let store: StoreToTest;
    beforeAll(async () => {
      store = await open();
      await migrate(store.opened.db);
    }, 120_000);
    afterAll(() => store.close());
    beforeEach(async () => {
      await store.opened.db.deleteFrom("delivery").execute();
      await store.opened.db.deleteFrom("payment_sum").execute();
    });

    async function tell(kind: "included" | "removed" | "final", of: Hit, at: number): Promise<void> {
      const tells = kind === "included";
      const block = { number: 1, hash: "0x1", timestamp: at / 1_000, confirmations: 1 };
      const event = {
        hitId: of.hitId,
        alertId: of.alertId,
        kind,
        block: JSON.stringify(kind === "removed" ? null : block),
        payload: tells ? codec.encodeHit(of) : null,
        trust: tells ? JSON.stringify({ proven: true, operators: ["self"], missing: [], traced: true }) : null,
        late: false,
        ...(kind === "removed" ? { reason: "reorg" as const } : {}),
      };
      const { db } = store.opened;
      await db.transaction().execute((trx) => addHitEvents(trx, [event], at));
      await createAlertStore(db).foldAlert(of.alertId, (alert, events) => foldAlert(alert, events, context()));
    }
    const look = (now: number) =>
      storeSums(store.opened.db, { now, limit: 100, tell: (day) => tellSum(day, routing, now) });
    async function told(): Promise<PaymentsBody[]> {
      const rows = await store.opened.db
        .selectFrom("delivery")
        .innerJoin("message", "message.webhook_id", "delivery.webhook_id")
        .select("body")
        .where("type", "like", "payments.%")
        .orderBy("delivery.created_at")
        .execute();
      return rows.map(({ body }) => messageBody.parse(JSON.parse(body)) as PaymentsBody);
    }
    const typesTold = async () => (await told()).map(({ type, data }) => `${type} ${data.severity}`);
    const many = (label: string, count: number) =>
      Array.from({ length: count }, (_, index) => paymentOf(`${label}${index}`, { customer: label, usd: 9 }));

    test("many harmless ones to several addresses of one customer are told once, whoever looks and how often", async () => {
      for (const [index, one] of many("aa", 12).entries()) await tell("included", one, NOW + index * 1_000);
      await Promise.all([look(NOW + 20_000), look(NOW + 20_000)]);
      expect(await typesTold()).toEqual(["payments.summed high"]);
      expect((await told())[0]?.data).toMatchObject({ customerRef: "aa", usdCents: "10800", detail: { payments: 12 } });
      await look(NOW + HOUR_MS);
      // That they are final changes nothing.
      for (const one of many("aa", 12)) await tell("final", one, NOW + HOUR_MS);
      expect(
        await store.opened.db.selectFrom("payment_sum").select("day").where("due_at", "is not", null).execute(),
      ).toEqual([]);
      await look(NOW + 2 * HOUR_MS);
      expect(await typesTold()).toEqual(["payments.summed high"]);
    }, 120_000);

    test("are looked at once the first came, and then all ten seconds", async () => {
      const [first, ...others] = many("bb", 12) as [Hit, ...Hit[]];
      await tell("included", first, NOW);
      await look(NOW);
      for (const one of others) await tell("included", one, NOW + 1_000);
      await look(NOW + 10_999);
      expect(await typesTold()).toEqual([]);
      await look(NOW + 11_000);
      expect(await typesTold()).toEqual(["payments.summed high"]);
    }, 120_000);

    test("that leave the chain leave the sum: withdrawn below, and told again", async () => {
      const payments = many("cc", 12);
      for (const one of payments) await tell("included", one, NOW);
      await look(NOW + 20_000);
      const [first, second] = payments as [Hit, Hit];
      await tell("removed", first, NOW + 30_000);
      await look(NOW + 60_000);
      expect(await typesTold()).toEqual(["payments.summed high", "payments.withdrawn high"]);
      // The same transaction in another block, and another one lost.
      await tell("included", first, NOW + 70_000);
      await look(NOW + 90_000);
      await tell("removed", second, NOW + 100_000);
      await look(NOW + 120_000);
      expect(await typesTold()).toEqual([
        "payments.summed high",
        "payments.withdrawn high",
        "payments.summed high",
        "payments.withdrawn high",
      ]);
      expect(new Set((await told()).map(({ data }) => data.subject)).size).toBe(1);
    }, 120_000);

    test("of other customers, and of other days, do not add up; what nothing was told of is forgotten", async () => {
      for (const label of ["da", "db", "dc", "dd"]) for (const one of many(label, 4)) await tell("included", one, NOW);
      for (const one of many("de", 6)) await tell("included", one, NOW);
      for (let index = 0; index < 6; index += 1)
        await tell("included", paymentOf(`df${index}`, { customer: "de", usd: 9 }), NOW + 25 * HOUR_MS);
      await look(NOW + 30 * HOUR_MS);
      expect(await typesTold()).toEqual([]);
      const kept = await store.opened.db.selectFrom("payment_sum").select("day").execute();
      expect(kept).toHaveLength(6);
    }, 120_000);

    test("in any order end the same", async () => {
      const times = [0, 3, 30, 12, 26, 7].map((hours) => NOW + hours * HOUR_MS);
      const outcome = async (label: string, order: readonly number[]) => {
        for (const index of order) {
          for (const nth of [0, 1, 2, 3]) {
            const one = paymentOf(`${label}${index}${nth}`, { customer: label, usd: 9 });
            await tell("included", one, times[index] as number);
          }
          if (index % 2 === 0) await look(NOW + 40 * HOUR_MS);
        }
        await look(NOW + 50 * HOUR_MS);
        const rows = await store.opened.db
          .selectFrom("payment_sum")
          .select(["day", "told_severity"])
          .where("sum_key", "like", `%${label}%`)
          .where("told_severity", "is not", null)
          .orderBy("day")
          .execute();
        return rows;
      };
      const first = await outcome("ea", [0, 1, 2, 3, 4, 5]);
      expect(first).toHaveLength(2);
      expect(await outcome("eb", [5, 2, 4, 0, 3, 1])).toEqual(first);
      expect(await outcome("ec", [2, 4, 3, 5, 1, 0])).toEqual(first);
    }, 120_000);

    test("a crash between counting and telling loses nothing, one after it tells nothing twice", async () => {
      for (const one of many("fa", 12)) await tell("included", one, NOW);
      const { db } = store.opened;
      const crash = storeSums(db, {
        now: NOW + 20_000,
        limit: 100,
        tell: (day) => {
          if (day.payments.length > 0 && tellSum(day, routing, NOW) !== null) throw new Error("crashed");
          return null;
        },
      });
      await expect(crash).rejects.toThrow("crashed");
      expect(await typesTold()).toEqual([]);
      await look(NOW + 21_000);
      await look(NOW + 22_000);
      expect(await typesTold()).toEqual(["payments.summed high"]);
    }, 120_000);
  });
}

onEachStore("payments", suite);
