/** Fallback sinks and replays, on a real store. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type AlertStore, createAlertStore } from "../../src/store/alert-store.ts";
import { migrate, type OpenStore, openStore } from "../../src/store/database.ts";
import { createDeliveryMoves, type DeliveryMoves, type ReplayOptions } from "../../src/store/delivery-moves.ts";
import { createDeliveryStore, type DeliveryStore } from "../../src/store/delivery-store.ts";
import { createOutbox } from "../../src/store/outbox.ts";
import type { Severity } from "../../src/types/alert.ts";
import { createTempDir } from "../support/temp-dir.ts";

const NOW = 1_795_000_000_000;
const folder = createTempDir("moves");
let store: OpenStore;
let alerts: AlertStore;
let deliveries: DeliveryStore;
let moves: DeliveryMoves;

beforeAll(async () => {
  store = await openStore({ databaseUrl: null, dataDir: folder.path });
  await migrate(store.db);
  alerts = createAlertStore(store.db);
  deliveries = createDeliveryStore(store.db);
  moves = createDeliveryMoves(store.db);
}, 60_000);
afterAll(async () => {
  await store?.close();
  await folder.remove();
});

async function tell(
  id: string,
  sinks: readonly string[],
  { severity = "critical", at = NOW }: { severity?: Severity; at?: number } = {},
) {
  const body = JSON.stringify({ type: "alert.created", replay: false, data: { id } });
  const message = { webhookId: `msg_${id}`, type: "alert.created", body, severity, alertId: `alr_${id}`, revision: 1 };
  await alerts.addMessage({ ...message, type: "alert.created" }, sinks, at);
}

async function deliver(sink: string, webhookId: string) {
  const due = await deliveries.due({ dueBefore: NOW * 2, limit: 1_000, sinks: [sink] });
  const delivery = due.find((one) => one.webhookId === webhookId);
  if (delivery === undefined) throw new Error(`nothing of ${webhookId} is due at ${sink}`);
  const attempt = { at: NOW, durationMs: 1, result: "delivered", status: 204, error: null, excerpt: "" } as const;
  await deliveries.record({ delivery, attempt, after: { state: "delivered" }, queued: false });
}

const at = (sink: string) => deliveries.list({ limit: 1_000, offset: 0, sink });
const jobsTo = async (sink: string) =>
  (await createOutbox(store.db).claim({ limit: 10_000, now: NOW, claimMs: 0 })).filter(
    ({ queue }) => queue === `deliveries-${sink}`,
  );

describe("a fallback sink", () => {
  const handOver = (over: Partial<Parameters<DeliveryMoves["fallBack"]>[0]> = {}) =>
    moves.fallBack({ sink: "desk", to: "pager", from: 0, before: NOW + 1, now: NOW, queued: true, ...over });

  test("gets severe deliveries that are not delivered in time, once, and the first sink keeps its own", async () => {
    await tell("late", ["desk"]);
    await tell("low", ["desk"], { severity: "medium" });
    await tell("arrived", ["desk"]);
    await deliver("desk", "msg_arrived");
    await tell("young", ["desk"], { at: NOW + 1 });
    await tell("ancient", ["desk"], { at: NOW - 1_000 });
    expect(await handOver({ from: NOW })).toBe(1);
    expect(await handOver({ from: NOW })).toBe(0);
    expect(await at("pager")).toMatchObject([{ webhookId: "msg_late", state: "pending", fallbackFor: "desk" }]);
    expect((await at("desk")).find((one) => one.webhookId === "msg_late")).toMatchObject({ state: "pending" });
    expect(await jobsTo("pager")).toHaveLength(1);
  });

  test("is not told twice what it was told anyway, and gets what was refused for good", async () => {
    await tell("both", ["desk", "pager"]);
    await tell("dead", ["desk"]);
    const due = await deliveries.due({ dueBefore: NOW, limit: 100, sinks: ["desk"] });
    const delivery = due.find((one) => one.webhookId === "msg_dead");
    const attempt = { at: NOW, durationMs: 1, result: "rejected", status: 410, error: "gone", excerpt: "" } as const;
    if (delivery !== undefined)
      await deliveries.record({ delivery, attempt, after: { state: "dead", reason: "rejected" }, queued: false });
    expect(await handOver({ from: NOW })).toBe(1);
    const there = (await at("pager")).filter(({ webhookId }) => ["msg_both", "msg_dead"].includes(webhookId));
    expect(there.map(({ webhookId, fallbackFor }) => `${webhookId} ${fallbackFor}`).toSorted()).toEqual([
      "msg_both null",
      "msg_dead desk",
    ]);
  });
});

describe("a replay", () => {
  const replay = (over: Partial<ReplayOptions> = {}) =>
    moves.replay({
      filter: { since: NOW + 10_000 },
      to: null,
      sinks: ["siem", "new"],
      replayId: "one",
      now: NOW + 90_000,
      after: null,
      limit: 100,
      dryRun: false,
      ...over,
    });
  const bodies = async (sink: string) => {
    const due = await deliveries.due({ dueBefore: NOW * 2, limit: 1_000, sinks: [sink] });
    return due.map(({ body }) => JSON.parse(body) as { replay: boolean; data: { id: string } });
  };

  beforeAll(async () => {
    for (const [index, id] of ["r1", "r2", "r3"].entries()) await tell(id, ["siem"], { at: NOW + 10_000 + index });
    for (const id of ["r1", "r2", "r3"]) await deliver("siem", `msg_${id}`);
  });

  test("counts without sending when it is a dry run", async () => {
    expect(await replay({ dryRun: true })).toEqual({ messages: 3, deliveries: 3, next: null });
    expect(await bodies("siem")).toEqual([]);
  });

  test("sends the same body again, marked, under an id of its own, to those that were sent it", async () => {
    expect(await replay({ filter: { since: NOW + 10_001, until: NOW + 10_002 } })).toMatchObject({ messages: 1 });
    expect(await bodies("siem")).toEqual([{ type: "alert.created", replay: true, data: { id: "r2" } }]);
    const again = (await at("siem")).find(({ replayOf }) => replayOf === "msg_r2");
    expect(again).toMatchObject({ alertId: "alr_r2", state: "pending", attempts: 0 });
    expect(again?.webhookId).not.toBe("msg_r2");
    expect((await jobsTo("siem")).map(({ payload }) => payload)).toContainEqual({
      deliveryId: again?.deliveryId,
      attemptNo: 0,
    });
    // The alert shows each revision once.
    await deliver("siem", again?.webhookId ?? "");
  });

  test("a replay is not replayed, and a second one is another message", async () => {
    expect(await replay({ filter: { ids: ["alr_r2"] }, replayId: "two" })).toMatchObject({ messages: 1 });
    const again = (await at("siem")).filter(({ replayOf }) => replayOf === "msg_r2");
    expect(new Set(again.map(({ webhookId }) => webhookId)).size).toBe(2);
    for (const { webhookId } of again.filter(({ state }) => state === "pending")) await deliver("siem", webhookId);
  });

  test("goes to a new sink page by page, oldest first, and finds ids of every kind", async () => {
    const first = await replay({ to: "new", limit: 2, replayId: "three" });
    expect(first).toMatchObject({ messages: 2, deliveries: 2 });
    expect(await replay({ to: "new", limit: 2, replayId: "three", after: first.next })).toMatchObject({
      messages: 1,
      next: null,
    });
    expect((await bodies("new")).map(({ data }) => data.id).toSorted()).toEqual(["r1", "r2", "r3"]);
    const [delivery] = (await at("siem")).filter(({ webhookId }) => webhookId === "msg_r1");
    for (const id of ["msg_r1", "alr_r1", delivery?.deliveryId ?? ""])
      expect(await replay({ filter: { ids: [id] }, dryRun: true })).toMatchObject({ messages: 1 });
    expect(await replay({ filter: { ids: ["msg_nobody"] }, dryRun: true })).toMatchObject({ messages: 0 });
  });

  test("takes blocks: alerts with a hit in them", async () => {
    const hit = {
      hit_id: "hit_1",
      alert_id: "alr_r3",
      chain: "eip155:1",
      tx_hash: "0x1",
      block_number: 500,
      block_hash: "0xb",
      state: "final" as const,
      match_digest: "",
      payload: "{}",
      created_at: NOW,
    };
    await store.db
      .insertInto("hit")
      .values({ ...hit, recorded_rule: null, recorded_reason: null, block: null, trust: null, retro_scan: null })
      .execute();
    const of = (from: number, to: number, chain = "eip155:1") =>
      replay({ filter: { blocks: { chain, from, to } }, dryRun: true });
    expect(await of(400, 500)).toMatchObject({ messages: 1 });
    expect(await of(501, 900)).toMatchObject({ messages: 0 });
    expect(await of(400, 600, "eip155:56")).toMatchObject({ messages: 0 });
  });

  test("no operational message is replayed, and what waits is not made to fall back", async () => {
    const type = "system.degraded";
    await alerts.addMessage(
      { webhookId: "msg_system", type, body: "{}", severity: "high", alertId: null, revision: 0 },
      ["siem"],
      NOW + 10_003,
    );
    expect(await replay({ dryRun: true })).toMatchObject({ messages: 3 });
    await replay({ filter: { ids: ["alr_r1"] }, replayId: "four" });
    const before = (await at("pager")).length;
    await moves.fallBack({ sink: "siem", to: "pager", from: NOW + 90_000, before: NOW * 2, now: NOW, queued: false });
    expect(await at("pager")).toHaveLength(before);
  });
});
