/**
 * Goal: a flood pages a few times, hides nothing that is severe, and loses nothing.
 * Method: hits through the real fold into PGlite and Postgres; the clock is the events'.
 */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { digestMessage } from "../../src/alerts/digest.ts";
import { digestBody } from "../../src/alerts/body-schema.ts";
import { foldAlert } from "../../src/alerts/fold.ts";
import { createStateCodec } from "../../src/alerts/state-codec.ts";
import type { FoldContext } from "../../src/alerts/state.ts";
import { alertIdOf } from "../../src/lib/ids.ts";
import { releaseAlert, storeDigests } from "../../src/store/alert-groups.ts";
import { createAlertStore } from "../../src/store/alert-store.ts";
import * as codec from "../../src/store/codec.ts";
import { migrate, type OpenStore } from "../../src/store/database.ts";
import { addHitEvents } from "../../src/store/hit-rows.ts";
import { DEFAULT_POLICY } from "../../src/types/policy.ts";
import type { Hit } from "../../src/types/hit.ts";
import { onEachStore, type StoreToTest } from "../support/each-store.ts";
import { entry, entryMatch, ETH, hit, NOW, SANCTIONED } from "../unit/alerts/make.ts";

const PEOPLE = "desk";
const MACHINE = "siem";
const HOUR = 3_600_000;

interface World {
  /** Folds one alert: a payment of the entry to an own address. */
  pay(of: Payment): Promise<string>;
  take(alertId: string, at: number): Promise<void>;
  /** The list says another incident now. */
  rename(alertId: string, at: number): Promise<void>;
  digests(at: number): Promise<number>;
  /** Messages a sink was given, oldest first: alert ids, and digests by what they hold. */
  told(sink: string): Promise<string[]>;
}

interface Payment {
  /** Names the entry, and so keeps tests apart. */
  readonly by: string;
  readonly to: number;
  readonly amount?: bigint;
  readonly at?: number;
  readonly sanctioned?: boolean;
}

const codecOf = createStateCodec(codec);
const context: FoldContext = {
  chainName: () => "ethereum",
  operatorsConfigured: () => 1,
  sinks: [PEOPLE, MACHINE],
  newsSinks: new Set([PEOPLE]),
  groupingSinks: new Set([PEOPLE]),
  routes: [],
  policy: DEFAULT_POLICY,
  minSeverity: "info",
  ...codecOf,
};

function worldOf({ db }: OpenStore): World {
  const alerts = createAlertStore(db);
  let payments = 0;

  async function fold(alertId: string): Promise<void> {
    await alerts.foldAlert(alertId, (alert, events) => foldAlert(alert, events, context));
  }

  return {
    async pay({ by, to, amount = 10n ** 18n, at = NOW, sanctioned = false }) {
      payments += 1;
      const told = paymentOf({ by, to, amount, sanctioned, txHash: `0x${by}${payments}` });
      const trust = JSON.stringify({ proven: true, operators: ["self"], missing: [], traced: true });
      const block = JSON.stringify({ number: 1, hash: "0x1", timestamp: at / 1000, confirmations: 1 });
      const event = { hitId: told.hitId, alertId: told.alertId, kind: "included", block, trust, late: false } as const;
      await db.transaction().execute((trx) => addHitEvents(trx, [{ ...event, payload: codec.encodeHit(told) }], at));
      await fold(told.alertId);
      return told.alertId;
    },
    async take(alertId, at) {
      const row = await db
        .selectFrom("hit_event")
        .select("hit_id")
        .where("alert_id", "=", alertId)
        .executeTakeFirstOrThrow();
      const event = { hitId: row.hit_id, alertId, kind: "removed", block: "null", payload: null, trust: null } as const;
      await db.transaction().execute((trx) => addHitEvents(trx, [{ ...event, late: false, reason: "reorg" }], at));
      await fold(alertId);
    },
    async rename(alertId, at) {
      const row = await db
        .selectFrom("hit_event")
        .select(["hit_id", "payload", "block", "trust"])
        .where("alert_id", "=", alertId)
        .executeTakeFirstOrThrow();
      const before = codec.decodeHit(row.payload ?? "");
      const matches = before.matches.map((match) => ({ ...match, entry: { ...match.entry, incident: "renamed" } }));
      const payload = codec.encodeHit({ ...before, matches });
      const { hit_id: hitId, block, trust } = row;
      const event = { hitId, alertId, kind: "rematched", block, payload, trust, late: false } as const;
      await db.transaction().execute((trx) => addHitEvents(trx, [event], at));
      await fold(alertId);
    },
    digests: (at) => storeDigests(db, { now: at, limit: 1_000, makeMessage: (digest) => digestMessage(digest, at) }),
    async told(sink) {
      const rows = await db
        .selectFrom("delivery")
        .innerJoin("message", "message.webhook_id", "delivery.webhook_id")
        .select(["alert_id", "type", "body"])
        .where("sink", "=", sink)
        .orderBy("delivery.created_at")
        .execute();
      return rows.map(({ alert_id, type, body }) => {
        if (type !== "group.digest") return `${alert_id ?? ""} ${type}`;
        const { held, closed } = digestBody.parse(JSON.parse(body)).data.detail;
        return `digest of ${String(held)}${closed === true ? ", closed" : ""}`;
      });
    },
  };
}

function paymentOf(of: Required<Pick<Payment, "by" | "to" | "amount" | "sanctioned">> & { txHash: string }): Hit {
  const base = hit({ amount: of.amount });
  const own = `0x${of.to.toString(16).padStart(40, "0")}`;
  const listed = entry({
    id: `list/${of.by}`,
    incident: of.by,
    ...(of.sanctioned ? { basis: "sanctions", sanctioned: SANCTIONED } : {}),
  });
  return {
    ...base,
    hitId: `hit_${of.txHash}`,
    alertId: alertIdOf({ chain: base.chain, txHash: of.txHash, subject: own }),
    transfer: { ...base.transfer, txHash: of.txHash, to: own },
    matches: [{ ...entryMatch(), entry: listed }],
    own: { side: "to", address: { chain: base.chain, address: own, customerRef: `c-${of.to}`, wallet: "deposit" } },
    subject: own,
  };
}

function suite(name: string, open: () => Promise<StoreToTest>): void {
  describe(`groups on ${name}`, () => {
    let store: StoreToTest;
    let world: World;
    beforeAll(async () => {
      store = await open();
      await migrate(store.opened.db);
    });
    afterAll(() => store.close());
    /** Each test sees its own messages only. */
    async function fresh(): Promise<World> {
      await store.opened.db.deleteFrom("delivery").execute();
      world = worldOf(store.opened);
      return world;
    }

    test("one party: five by themselves, then a digest at once, at tenfold and at the window's end", async () => {
      const { pay, digests, told } = await fresh();
      for (let at = 0; at < 16; at += 1) {
        await pay({ by: "rep", to: 1, at: NOW + at });
        await digests(NOW + at);
      }
      expect(await digests(NOW + HOUR - 1)).toBe(0);
      await digests(NOW + HOUR);
      const people = await told(PEOPLE);
      expect(people.filter((one) => one.endsWith("alert.created"))).toHaveLength(5);
      expect(people.filter((one) => one.startsWith("digest"))).toEqual([
        "digest of 1",
        "digest of 10",
        "digest of 11, closed",
      ]);
      expect((await told(MACHINE)).filter((one) => one.endsWith("alert.created"))).toHaveLength(16);
      // The next hour begins anew.
      const next = await pay({ by: "rep", to: 1, at: NOW + HOUR + 1 });
      expect(await told(PEOPLE)).toContain(`${next} alert.created`);
    });

    test("one entry: twenty parties by themselves, then together; ten times the largest is told by itself", async () => {
      const { pay, digests, told } = await fresh();
      for (let to = 1; to <= 30; to += 1) await pay({ by: "fan", to, at: NOW });
      const large = await pay({ by: "fan", to: 31, amount: 10n * 10n ** 18n, at: NOW });
      const notSo = await pay({ by: "fan", to: 32, amount: 99n * 10n ** 18n, at: NOW });
      await digests(NOW + 1);
      const people = await told(PEOPLE);
      expect(people.filter((one) => one.endsWith("alert.created"))).toHaveLength(21);
      expect(people).toContain(`${large} alert.created`);
      expect(people).not.toContain(`${notSo} alert.created`);
      expect(people.at(-1)).toBe("digest of 11");
    });

    test("a severe alert after a flood of harmless ones is told at once", async () => {
      const { pay, told } = await fresh();
      for (let at = 0; at < 40; at += 1) await pay({ by: "mix", to: at, amount: ETH.dustBelow - 1n });
      const severe = await pay({ by: "mix", to: 1, sanctioned: true });
      expect(await told(PEOPLE)).toEqual([`${severe} alert.created`]);
    });

    test("what is held stays held when it is final or taken back, and the digest says so; what was told is taken back by itself", async () => {
      const { pay, take, digests, told } = await fresh();
      const ids: string[] = [];
      for (let at = 0; at < 8; at += 1) ids.push(await pay({ by: "back", to: 1 }));
      await digests(NOW);
      await take(ids[0] as string, NOW + 1);
      await take(ids[7] as string, NOW + 1);
      expect(await digests(NOW + 2)).toBe(0);
      await digests(NOW + 10_001);
      const people = (await told(PEOPLE)).slice(5);
      expect(people).toEqual(["digest of 3", `${ids[0]} alert.retracted`, "digest of 3"]);
      expect((await told(MACHINE)).filter((one) => one.endsWith("alert.retracted"))).toHaveLength(2);
    });

    test("a held alert that a person asks for is sent by itself, and its later revisions too", async () => {
      const { pay, take, told } = await fresh();
      let last = "";
      for (let at = 0; at < 6; at += 1) last = await pay({ by: "ask", to: 1 });
      expect(await told(PEOPLE)).not.toContain(`${last} alert.created`);
      expect(await releaseAlert(store.opened.db, { alertId: last, now: NOW + 1 })).toEqual([PEOPLE]);
      expect(await releaseAlert(store.opened.db, { alertId: last, now: NOW + 2 })).toBeNull();
      await take(last, NOW + 3);
      expect((await told(PEOPLE)).slice(5)).toEqual([`${last} alert.created`, `${last} alert.retracted`]);
    });

    test("a held alert that belongs to no full group any more is told whole to people, though it is no news", async () => {
      const { pay, rename, told } = await fresh();
      let last = "";
      let first = "";
      for (let at = 0; at < 6; at += 1) {
        last = await pay({ by: "name", to: 1 });
        if (first === "") first = last;
      }
      expect(await told(PEOPLE)).toHaveLength(5);
      await rename(last, NOW + 1);
      // Told before, by itself: a new name is no news.
      await rename(first, NOW + 1);
      expect((await told(PEOPLE)).slice(5)).toEqual([`${last} alert.updated`]);
      expect((await told(MACHINE)).slice(6).toSorted()).toEqual(
        [`${first} alert.updated`, `${last} alert.updated`].toSorted(),
      );
    });

    test("a flood of sanctioned dust and one real payment: at most 30 messages, all stored", async () => {
      const count = Number(process.env["DUST_PAYMENTS"] ?? 120);
      const { pay, digests, told } = await fresh();
      let real = "";
      for (let to = 1; to <= count; to += 1) {
        if (to === Math.floor(count / 2)) real = await pay({ by: "dust", to: 1_000_000, sanctioned: true });
        await pay({ by: "dust", to, amount: ETH.dustBelow - 1n, sanctioned: true, at: NOW + to });
        if (to % 10 === 1) await digests(NOW + to);
      }
      await digests(NOW + HOUR + count);
      const people = await told(PEOPLE);
      expect(people.length).toBeLessThanOrEqual(30);
      expect(people).toContain(`${real} alert.created`);
      expect((await told(MACHINE)).filter((one) => one.endsWith("alert.created"))).toHaveLength(count + 1);
      const { stored } = await store.opened.db
        .selectFrom("alert")
        .where("summary", "like", "%")
        .where("alert_id", "in", (eb) =>
          eb.selectFrom("alert_group_member").select("alert_id").where("held", "=", true),
        )
        .select((eb) => eb.fn.countAll<number>().as("stored"))
        .executeTakeFirstOrThrow();
      expect(stored).toBeGreaterThanOrEqual(count);
    });
  });
}

onEachStore("groups", suite);
