/** Alerts, messages, deliveries and the outbox. */
import { describe, expect, test } from "@jest/globals";
import type { AttemptRecord, DueDelivery } from "../../src/types/delivery.ts";
import type { Message } from "../../src/types/alert.ts";
import type { StoreUnderTest } from "./store.ts";
import { begun, eventsOf } from "./store-chain.ts";
import { blockAt, commitOf, foldKinds, hitOf, NOW, scanned } from "./store-facts.ts";

type GetStore = () => StoreUnderTest;

const DELIVERED: AttemptRecord = {
  at: NOW,
  durationMs: 40,
  result: "delivered",
  status: 204,
  error: null,
  excerpt: "",
};
const FAILED: AttemptRecord = { ...DELIVERED, result: "retry", status: 503, error: "HTTP 503", excerpt: "<html>" };

export function workConformance(getStore: GetStore): void {
  describe("folding", () => foldTests(getStore));
  describe("deliveries", () => deliveryTests(getStore));
  describe("redrive and counts", () => redriveTests(getStore));
  describe("outbox", () => outboxTests(getStore));
}

/** An alert with one event that waits to be folded. */
async function hitOn(store: StoreUnderTest, chain: string): Promise<string> {
  const lease = await begun(store, chain);
  const hit = hitOf({ chain, tx: "0x1" });
  await store.chains.commitBlocks(commitOf(lease, [scanned(blockAt(10), [hit])]));
  return hit.alertId;
}

function messageTo(label: string): Message {
  return {
    webhookId: `msg_${label}`,
    type: "system.degraded",
    body: label,
    severity: "high",
    alertId: null,
    revision: 0,
  };
}

/** A pending delivery of a message of its own, to a sink of its own. */
async function pendingTo(store: StoreUnderTest, label: string): Promise<DueDelivery> {
  await store.alerts.addMessage(messageTo(label), [label], NOW);
  const [due] = await store.deliveries.due({ dueBefore: NOW, limit: 10, sinks: [label] });
  if (due === undefined) throw new Error("a new delivery is due at once");
  return due;
}

async function revisionTo(store: StoreUnderTest, of: { alertId: string; revision: number; sink: string }) {
  const { alertId, revision, sink } = of;
  const message = { ...messageTo(`${alertId}_${revision}`), alertId, revision };
  await store.alerts.addMessage(message, [sink, `${sink}-too`], NOW);
  const due = await store.deliveries.due({ dueBefore: NOW, limit: 10, sinks: [sink] });
  const delivery = due.find((one) => one.webhookId === message.webhookId);
  if (delivery === undefined) throw new Error("a new delivery is due at once");
  return delivery;
}

async function waitingJobs(store: StoreUnderTest, now = NOW) {
  return store.outbox.claim({ limit: 100_000, now, claimMs: 0 });
}

function foldTests(getStore: GetStore): void {
  test("folding twice applies every event once", async () => {
    const { alerts } = getStore();
    const alertId = await hitOn(getStore(), "test:fold-twice");
    const results = await Promise.all([alerts.foldAlert(alertId, foldKinds), alerts.foldAlert(alertId, foldKinds)]);
    expect(new Set(results.map((result) => result?.record.revision ?? null))).toEqual(new Set([1, null]));
    const stored = await alerts.show(alertId);
    expect(stored?.alert).toEqual(results.find((result) => result !== null)?.record);
    expect(stored?.messages).toEqual([results.find((result) => result !== null)?.message]);
  });

  test("a fold that throws leaves everything as it was", async () => {
    const { alerts } = getStore();
    const alertId = await hitOn(getStore(), "test:fold-throws");
    const broken = alerts.foldAlert(alertId, () => {
      throw new Error("broken");
    });
    await expect(broken).rejects.toThrow("broken");
    expect(await alerts.show(alertId)).toBeNull();
    expect(await eventsOf(getStore(), alertId)).toMatchObject([{ kind: "included" }]);
  });

  test("an alert without events is not made by folding it", async () => {
    const { alerts } = getStore();
    expect(await alerts.foldAlert("alr_none", foldKinds)).toBeNull();
    expect(await alerts.show("alr_none")).toBeNull();
  });

  test("a folded message is one pending delivery and one job for each sink, due at once", async () => {
    const { alerts, deliveries } = getStore();
    const alertId = await hitOn(getStore(), "test:fold-sinks");
    await alerts.foldAlert(alertId, foldKinds);
    const stored = await deliveries.list({ limit: 10, offset: 0, alertId });
    expect(new Set(stored.map(({ sink, state, attempts }) => `${sink} ${state} ${attempts}`))).toEqual(
      new Set(["desk pending 0", "siem pending 0"]),
    );
    const jobs = await waitingJobs(getStore());
    for (const { deliveryId, sink } of stored) {
      const payload = { deliveryId, attemptNo: 0 };
      expect(jobs).toContainEqual(
        expect.objectContaining({ queue: `deliveries-${sink}`, jobId: `${deliveryId}-0`, payload, runAt: NOW }),
      );
      const body = (await alerts.show(alertId))?.messages[0]?.body;
      expect(await deliveries.pending(deliveryId)).toMatchObject({ sink, body, attemptNo: 0, nextAttemptAt: NOW });
    }
  });

  test("a message that is stored already is not stored again", async () => {
    const { alerts, deliveries } = getStore();
    expect(await alerts.addMessage(messageTo("once"), ["once"], NOW)).toBe(true);
    expect(await alerts.addMessage(messageTo("once"), ["once"], NOW)).toBe(false);
    expect(await deliveries.list({ limit: 10, offset: 0, sink: "once" })).toHaveLength(1);
    expect((await waitingJobs(getStore())).map((job) => job.queue)).not.toContain("deliveries-once");
  });
}

function deliveryTests(getStore: GetStore): void {
  test("of two workers that made the same attempt, one records it", async () => {
    const { deliveries } = getStore();
    const delivery = await pendingTo(getStore(), "twice");
    const after = { state: "pending", nextAttemptAt: NOW + 5_000 } as const;
    const answers = await Promise.all([
      deliveries.record({ delivery, attempt: DELIVERED, after: { state: "delivered" }, queued: true }),
      deliveries.record({ delivery, attempt: FAILED, after, queued: true }),
    ]);
    expect(new Set(answers)).toEqual(new Set([false, true]));
    expect(await deliveries.attempts(delivery.deliveryId)).toHaveLength(1);
  });

  test("a delivered delivery stays delivered whatever a late worker says", async () => {
    const { deliveries } = getStore();
    const delivery = await pendingTo(getStore(), "late");
    await deliveries.record({ delivery, attempt: DELIVERED, after: { state: "delivered" }, queued: true });
    const after = { state: "pending", nextAttemptAt: NOW + 5_000 } as const;
    expect(await deliveries.record({ delivery, attempt: FAILED, after, queued: true })).toBe(false);
    expect(await deliveries.pending(delivery.deliveryId)).toBeNull();
    const [stored] = await deliveries.list({ limit: 10, offset: 0, sink: "late" });
    expect(stored).toMatchObject({ state: "delivered", attempts: 1, deliveredAt: NOW + 40, nextAttemptAt: null });
  });

  test("an attempt that was recorded as failed is not recorded again, not even as delivered", async () => {
    const { deliveries } = getStore();
    const delivery = await pendingTo(getStore(), "stale");
    const after = { state: "pending", nextAttemptAt: NOW + 5_000 } as const;
    expect(await deliveries.record({ delivery, attempt: FAILED, after, queued: true })).toBe(true);
    const late = { delivery, attempt: DELIVERED, after: { state: "delivered" }, queued: true } as const;
    expect(await deliveries.record(late)).toBe(false);
    expect(await deliveries.pending(delivery.deliveryId)).toMatchObject({ attemptNo: 1, nextAttemptAt: NOW + 5_000 });
    expect(await deliveries.attempts(delivery.deliveryId)).toEqual([FAILED]);
  });

  test("a failed attempt is due again at its time, as a job of the next attempt", async () => {
    const { deliveries } = getStore();
    const delivery = await pendingTo(getStore(), "again");
    const after = { state: "pending", nextAttemptAt: NOW + 5_000 } as const;
    expect(await deliveries.record({ delivery, attempt: FAILED, after, queued: true })).toBe(true);
    const sinks = ["again"];
    expect(await deliveries.due({ dueBefore: NOW + 4_999, limit: 10, sinks })).toEqual([]);
    expect(await deliveries.due({ dueBefore: NOW + 5_000, limit: 10, sinks })).toEqual([
      { ...delivery, attemptNo: 1, scheduleAttempt: 1, nextAttemptAt: NOW + 5_000 },
    ]);
    const job = { deliveryId: delivery.deliveryId, sink: "again", attemptNo: 1, nextAttemptAt: NOW + 5_000, lane: 0 };
    const page = { sinks, after: "", limit: 10 };
    expect(await deliveries.pendingJobs({ ...page, dueBefore: Number.MAX_SAFE_INTEGER })).toEqual([job]);
    expect(await deliveries.pendingJobs({ ...page, dueBefore: NOW })).toEqual([]);
    expect(await deliveries.pendingJobs({ ...page, dueBefore: NOW + 5_000, after: job.deliveryId })).toEqual([]);
    expect(await waitingJobs(getStore())).toContainEqual(
      expect.objectContaining({ jobId: `${delivery.deliveryId}-1`, runAt: NOW + 5_000 }),
    );
    expect(await deliveries.attempts(delivery.deliveryId)).toEqual([FAILED]);
  });

  test("a revision is superseded once a newer one of its alert was delivered to the same sink, and not before", async () => {
    const { deliveries } = getStore();
    const to = (revision: number, alertId = "alr_superseded") =>
      revisionTo(getStore(), { alertId, revision, sink: "stateful" });
    const first = await to(1);
    const second = await to(2);
    const third = await to(3);
    const other = await to(1, "alr_superseded_other");
    const asked = [first, second, third, other];
    const superseded = () => Promise.all(asked.map(({ deliveryId }) => deliveries.isSuperseded(deliveryId)));
    expect(await superseded()).toEqual([false, false, false, false]);
    await deliveries.record({ delivery: second, attempt: DELIVERED, after: { state: "delivered" }, queued: false });
    expect(await superseded()).toEqual([true, false, false, false]);
    const [elsewhere] = await deliveries.list({ limit: 1, offset: 0, sink: "stateful-too", alertId: "alr_superseded" });
    expect(await deliveries.isSuperseded(elsewhere?.deliveryId ?? "")).toBe(false);
  });

  test("an operational message is never superseded", async () => {
    const { deliveries } = getStore();
    const [one, two] = [await pendingTo(getStore(), "system-1"), await pendingTo(getStore(), "system-2")];
    await deliveries.record({ delivery: two, attempt: DELIVERED, after: { state: "delivered" }, queued: false });
    expect(await deliveries.isSuperseded(one.deliveryId)).toBe(false);
  });

  test("an attempt outside of the queue leaves no job", async () => {
    const delivery = await pendingTo(getStore(), "direct");
    const after = { state: "pending", nextAttemptAt: NOW + 5_000 } as const;
    await getStore().deliveries.record({ delivery, attempt: FAILED, after, queued: false });
    expect((await waitingJobs(getStore())).map((job) => job.queue)).not.toContain("deliveries-direct");
  });

  test("what is due comes by severity, then by time, of the asked sinks and severities only", async () => {
    const { alerts, deliveries } = getStore();
    for (const [index, severity] of (["critical", "info", "high"] as const).entries())
      await alerts.addMessage({ ...messageTo(`due-${severity}`), severity }, ["due"], NOW - index);
    const bodies = async (severities?: readonly ("critical" | "high")[]) =>
      (await deliveries.due({ dueBefore: NOW, limit: 10, sinks: ["due"], ...(severities && { severities }) })).map(
        (one) => one.body,
      );
    expect(await bodies()).toEqual(["due-critical", "due-high", "due-info"]);
    expect(await bodies(["critical", "high"])).toEqual(["due-critical", "due-high"]);
    expect(await deliveries.due({ dueBefore: NOW, limit: 10, sinks: [] })).toEqual([]);
    expect(await deliveries.due({ dueBefore: NOW, limit: 2, sinks: ["due"] })).toHaveLength(2);
  });
}

function redriveTests(getStore: GetStore): void {
  test("a redriven dead letter starts its schedule again and keeps its history", async () => {
    const { deliveries } = getStore();
    const delivery = await pendingTo(getStore(), "dead");
    const after = { state: "dead", reason: "rejected" } as const;
    await deliveries.record({ delivery, attempt: { ...FAILED, result: "rejected" }, after, queued: true });
    expect(await deliveries.pending(delivery.deliveryId)).toBeNull();
    expect(await deliveries.list({ limit: 10, offset: 0, sink: "dead" })).toMatchObject([
      { state: "dead", deadReason: "rejected", lastError: "HTTP 503" },
    ]);
    expect(await deliveries.redrive({ sink: "dead", now: NOW + 9_000, queuedSinks: ["dead"] })).toBe(1);
    const pending = await deliveries.pending(delivery.deliveryId);
    expect(pending).toMatchObject({ attemptNo: 1, scheduleAttempt: 0, nextAttemptAt: NOW + 9_000 });
    expect(await waitingJobs(getStore(), NOW + 9_000)).toContainEqual(
      expect.objectContaining({
        queue: "deliveries-dead",
        payload: { deliveryId: delivery.deliveryId, attemptNo: 1 },
        runAt: NOW + 9_000,
      }),
    );
    expect(await deliveries.attempts(delivery.deliveryId)).toHaveLength(1);
  });

  test("without names only dead letters are redriven; a named one may also wait, and is never a delivered one", async () => {
    const { deliveries } = getStore();
    const sent = await pendingTo(getStore(), "redrive-sent");
    const waiting = await pendingTo(getStore(), "redrive-waiting");
    await deliveries.record({ delivery: sent, attempt: DELIVERED, after: { state: "delivered" }, queued: true });
    const of = { now: NOW + 1, queuedSinks: [] };
    for (const { sink } of [sent, waiting]) expect(await deliveries.redrive({ ...of, sink })).toBe(0);
    expect(await deliveries.redrive({ ...of, deliveryIds: [sent.deliveryId, waiting.deliveryId] })).toBe(1);
    expect(await deliveries.pending(waiting.deliveryId)).toMatchObject({ nextAttemptAt: NOW + 1 });
    expect((await waitingJobs(getStore())).map((job) => job.queue)).not.toContain("deliveries-redrive-waiting");
  });

  test("a broken sink is asked with its most severe delivery that was due first", async () => {
    const { alerts, deliveries } = getStore();
    expect(await deliveries.probeOf("probed")).toBeNull();
    for (const [index, severity] of (["low", "high", "high", "medium"] as const).entries())
      await alerts.addMessage({ ...messageTo(`probed-${index}`), severity }, ["probed"], NOW - index);
    expect(await deliveries.probeOf("probed")).toMatchObject({ body: "probed-2", attemptNo: 0 });
  });

  test("a sink that is back has everything due at once, retractions first, then by severity, as new jobs", async () => {
    const { alerts, deliveries } = getStore();
    const later = await pendingTo(getStore(), "back");
    const after = { state: "pending", nextAttemptAt: NOW + 3_600_000 } as const;
    await deliveries.record({ delivery: later, attempt: FAILED, after, queued: true });
    const others = [
      ["back-low", "low", "system.degraded"],
      ["back-taken", "info", "alert.retracted"],
      ["back-worst", "critical", "system.degraded"],
    ] as const;
    for (const [label, severity, type] of others)
      await alerts.addMessage({ ...messageTo(label), severity, type }, ["back"], NOW);
    await pendingTo(getStore(), "not-back");
    const now = NOW + 60_000;
    expect(await deliveries.hasten({ sink: "back", now, queued: true })).toBe(4);
    const due = await deliveries.due({ dueBefore: now, limit: 10, sinks: ["back"] });
    expect(new Set(due.map((one) => one.body))).toEqual(new Set(["back", "back-low", "back-taken", "back-worst"]));
    expect(due.find((one) => one.body === "back")).toMatchObject({ attemptNo: 1, nextAttemptAt: now });
    const bodyOf = new Map(due.map((one) => [one.deliveryId, one.body]));
    const jobs = (await waitingJobs(getStore(), now)).filter((job) => job.jobId.endsWith(`-r${now}`));
    expect(jobs.map(({ payload }) => bodyOf.get((payload as { deliveryId: string }).deliveryId))).toEqual([
      "back-taken",
      "back-worst",
      "back",
      "back-low",
    ]);
    expect(jobs.map(({ queue }) => queue)).toEqual(Array<string>(4).fill("deliveries-back"));
    const before = (await waitingJobs(getStore(), now)).length;
    expect(await deliveries.hasten({ sink: "back", now: now + 1, queued: false })).toBe(4);
    expect(await waitingJobs(getStore(), now)).toHaveLength(before);
  });

  test("counts tell what waits and what is dead, and how old the oldest is that waits", async () => {
    const { alerts, deliveries } = getStore();
    const dead = await pendingTo(getStore(), "counted");
    const after = { state: "dead", reason: "exhausted" } as const;
    await deliveries.record({ delivery: dead, attempt: FAILED, after, queued: true });
    expect((await deliveries.counts()).get("counted")).toEqual({ pending: 0, dead: 1, oldestPendingAt: null });
    await alerts.addMessage(messageTo("counted-2"), ["counted"], NOW + 7);
    expect((await deliveries.counts()).get("counted")).toEqual({ pending: 1, dead: 1, oldestPendingAt: NOW + 7 });
  });
}

function outboxTests(getStore: GetStore): void {
  test("a claimed row is nobody else's until its claim ran out", async () => {
    const { outbox } = getStore();
    await hitOn(getStore(), "test:claim");
    const at = NOW + 60_000;
    const claimed = await outbox.claim({ limit: 100_000, now: at, claimMs: 1_000 });
    const ids = claimed.map((row) => row.id);
    expect(new Set(claimed.map((row) => row.lane)).size).toBeGreaterThan(1);
    expect(claimed).toEqual(claimed.toSorted((a, b) => a.lane - b.lane || a.id - b.id));
    expect(await outbox.claim({ limit: 100_000, now: at + 999, claimMs: 1_000 })).toEqual([]);
    expect(await outbox.claim({ limit: 100_000, now: at + 1_000, claimMs: 1_000 })).toEqual(claimed);
    await outbox.unclaim(ids);
    expect(await outbox.claim({ limit: 1, now: at + 1_001, claimMs: 1_000 })).toEqual(claimed.slice(0, 1));
    await outbox.unclaim(ids);
  });

  test("relayed rows are gone, and the last id never goes back", async () => {
    const { outbox } = getStore();
    await hitOn(getStore(), "test:relayed");
    const rows = await outbox.claim({ limit: 100_000, now: NOW + 120_000, claimMs: 1_000 });
    const ids = rows.map((row) => row.id);
    const [first, rest] = [ids.slice(0, 1), ids.slice(1)];
    await outbox.relayed(rest.length > 0 ? rest : first);
    const last = Math.max(...(rest.length > 0 ? rest : first));
    expect(await outbox.lastRelayedId()).toBe(last);
    await outbox.relayed(first);
    await outbox.relayed([]);
    expect(await outbox.lastRelayedId()).toBe(last);
    expect(await outbox.waiting()).toBe(0);
  });
}
