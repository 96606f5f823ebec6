/** What the delivery worker does with an older revision where the sink keeps one thing per alert. */
import { describe, expect, test } from "@jest/globals";
import { createWorkers } from "../../../src/daemon/workers.ts";
import type { DueDelivery } from "../../../src/types/delivery.ts";
import type { SendOutcome, Sink } from "../../../src/types/sink.ts";
import { createMemoryStore } from "../../simulation/memory-store.ts";

const NOW = 1_795_000_000_000;
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A sink whose answers the test gives one by one, in any order. */
function openWorld(keepsState: boolean) {
  const store = createMemoryStore(() => NOW);
  const asked: { body: string; answer: (outcome: SendOutcome) => void }[] = [];
  const sink: Sink = {
    name: "pager",
    kind: "test",
    keepsState,
    describe: () => "test",
    send: ({ body }) => new Promise((answer) => void asked.push({ body, answer })),
    close: () => Promise.resolve(),
  };
  const workers = createWorkers({
    alerts: store.alerts,
    deliveries: store.deliveries,
    fold: () => {
      throw new Error("nothing is folded here");
    },
    sinks: new Map([["pager", sink]]),
    lanes: new Map(),
    queuedSinks: [],
    retryScale: 1,
    clock: { now: () => NOW },
    random: () => 0.5,
    log: silent,
    onWork: () => undefined,
    onAttempt: () => undefined,
  });
  async function revision(of: number, alertId = "alr_1"): Promise<DueDelivery> {
    const [type, webhookId] = ["alert.updated", `msg_${alertId}_${of}`] as const;
    const message = { webhookId, type, body: `${alertId} ${of}`, severity: "high", alertId, revision: of } as const;
    await store.alerts.addMessage(message, ["pager"], NOW);
    const due = await store.deliveries.due({ dueBefore: NOW, limit: 100, sinks: ["pager"] });
    return due.find((one) => one.webhookId === webhookId) as DueDelivery;
  }
  const send = (delivery: DueDelivery) => workers.send(delivery, new AbortController().signal);
  const results = async ({ deliveryId }: DueDelivery) =>
    (await store.deliveries.attempts(deliveryId)).map(({ result }) => result);
  return { asked, revision, send, results };
}

const DELIVERED: SendOutcome = { result: "delivered", status: 202, excerpt: "" };
const turn = () => new Promise((done) => setImmediate(done));

describe("a sink that keeps state", () => {
  test("is not sent a revision older than one it has; that is recorded and not tried again", async () => {
    const { asked, revision, send, results } = openWorld(true);
    const [first, second] = [await revision(1), await revision(2)];
    const newer = send(second);
    const older = send(first);
    await turn();
    // The older one waits: it must not arrive behind the newer one.
    expect(asked.map(({ body }) => body)).toEqual(["alr_1 2"]);
    asked[0]?.answer(DELIVERED);
    await Promise.all([newer, older]);
    expect(asked).toHaveLength(1);
    expect([await results(second), await results(first)]).toEqual([["delivered"], ["superseded"]]);
  });

  test("is sent the older one where the newer one failed, and another alert does not wait", async () => {
    const { asked, revision, send } = openWorld(true);
    const sent = [await revision(2), await revision(1), await revision(1, "alr_2")].map(send);
    await turn();
    expect(asked.map(({ body }) => body)).toEqual(["alr_1 2", "alr_2 1"]);
    asked[0]?.answer({ result: "retry", status: 500, error: "answered 500", afterMs: null, excerpt: "" });
    await sent[0];
    await turn();
    expect(asked.map(({ body }) => body)).toEqual(["alr_1 2", "alr_2 1", "alr_1 1"]);
    for (const { answer } of asked) answer(DELIVERED);
    await Promise.all(sent);
  });
});

test("a sink without state is sent every revision, side by side", async () => {
  const { asked, revision, send, results } = openWorld(false);
  const [first, second] = [await revision(1), await revision(2)];
  const sent = [send(second), send(first)];
  await turn();
  expect(asked).toHaveLength(2);
  for (const { answer } of asked) answer(DELIVERED);
  await Promise.all(sent);
  expect([await results(first), await results(second)]).toEqual([["delivered"], ["delivered"]]);
});
