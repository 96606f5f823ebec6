/** The way around the queue, under load, with a receiver that is slow and one that hangs. */
import { describe, expect, test } from "@jest/globals";
import { runDirectPath } from "../../../src/daemon/direct-path.ts";
import { createWorkers } from "../../../src/daemon/workers.ts";
import { createSinkLane } from "../../../src/deliver/lane.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { Severity } from "../../../src/types/alert.ts";
import type { SendOutcome, Sink } from "../../../src/types/sink.ts";
import { createMemoryStore } from "../../simulation/memory-store.ts";
import { waitFor } from "../../support/wait-for.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const DELIVERED: SendOutcome = { result: "delivered", status: 204, excerpt: "" };
const CONCURRENCY = 3;

function openWorld(answer: (body: string) => Promise<SendOutcome>) {
  const store = createMemoryStore(() => Date.now());
  const sent: string[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  const sink: Sink = {
    name: "desk",
    kind: "test",
    keepsState: false,
    describe: () => "test",
    async send({ body }) {
      sent.push(body);
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      try {
        return await answer(body);
      } finally {
        atOnce -= 1;
      }
    },
    close: () => Promise.resolve(),
  };
  const workers = createWorkers({
    alerts: store.alerts,
    deliveries: store.deliveries,
    fold: () => {
      throw new Error("nothing is folded here");
    },
    sinks: new Map([["desk", sink]]),
    lanes: new Map([
      ["desk", createSinkLane({ concurrency: CONCURRENCY, maxPerSecond: null, scale: 1, clock: systemClock })],
    ]),
    queuedSinks: ["desk"],
    retryScale: 1,
    clock: systemClock,
    random: () => 0.5,
    log: silent,
    onWork: () => undefined,
    onAttempt: () => undefined,
  });
  const tell = (id: string, severity: Severity) =>
    store.alerts.addMessage(
      { webhookId: `msg_${id}`, type: "alert.created", body: id, severity, alertId: `alr_${id}`, revision: 1 },
      ["desk"],
      Date.now(),
    );
  async function run(awaySince: number | null, until: () => boolean | Promise<boolean>) {
    const stopping = new AbortController();
    const running = runDirectPath(
      {
        ...store,
        workers,
        alertSinks: ["desk"],
        operationSinks: [],
        queueAwaySince: () => awaySince,
        clock: systemClock,
        log: silent,
      },
      stopping.signal,
    );
    try {
      await waitFor("the direct path", until, { timeoutMs: 30_000, intervalMs: 20 });
    } finally {
      stopping.abort();
      await running;
    }
  }
  const delivered = async () => (await store.deliveries.list({ limit: 10_000, offset: 0, state: "delivered" })).length;
  const { deliveries } = store;
  return { sent, workers, deliveries, tell, run, delivered, mostAtOnce: () => mostAtOnce };
}

const longAgo = () => Date.now() - 60_000;

describe("while the queue is away", () => {
  test("every severe delivery leaves, each once, never more at once than the sink takes; the others wait", async () => {
    const { sent, tell, run, delivered, mostAtOnce } = openWorld(
      () => new Promise((done) => setTimeout(() => done(DELIVERED), 5)),
    );
    for (let n = 0; n < 180; n += 1) await tell(`${n}`, (["critical", "high", "medium"] as const)[n % 3] ?? "info");
    await run(longAgo(), async () => (await delivered()) === 120);
    expect(sent).toHaveLength(120);
    expect(new Set(sent).size).toBe(120);
    expect(sent.every((id) => Number(id) % 3 !== 2)).toBe(true);
    expect(mostAtOnce()).toBe(CONCURRENCY);
  });

  test("a delivery that is slow does not keep the next ones waiting", async () => {
    let answer: (outcome: SendOutcome) => void = () => undefined;
    const slow = new Promise<SendOutcome>((done) => {
      answer = done;
    });
    const { tell, run, delivered } = openWorld((body) => (body === "slow" ? slow : Promise.resolve(DELIVERED)));
    await tell("slow", "critical");
    let isTold = false;
    await run(longAgo(), async () => {
      const count = await delivered();
      if (!isTold) {
        isTold = true;
        setTimeout(() => void tell("after", "critical"), 200);
      }
      // Only once the one told later has arrived does the slow one end.
      if (count === 1) answer(DELIVERED);
      return count === 2;
    });
  });

  test("a queue that is there, or away for a moment only, is left its work", async () => {
    for (const awaySince of [null, Date.now()]) {
      const { sent, tell, run } = openWorld(() => Promise.resolve(DELIVERED));
      await tell("one", "critical");
      const from = Date.now();
      await run(awaySince, () => Date.now() - from > 1_500);
      expect(sent).toEqual([]);
    }
  });

  test("the queue and the way around it do not send one delivery twice at once", async () => {
    let answer: (outcome: SendOutcome) => void = () => undefined;
    const held = new Promise<SendOutcome>((done) => {
      answer = done;
    });
    const { sent, tell, run, workers, deliveries, delivered } = openWorld(() => held);
    await tell("one", "critical");
    const [one] = await deliveries.list({ limit: 1, offset: 0 });
    const job = { deliveryId: one?.deliveryId ?? "", attemptNo: 0 };
    await run(longAgo(), async () => {
      if (sent.length > 0) {
        await workers.attempt(job, new AbortController().signal);
        answer(DELIVERED);
      }
      return (await delivered()) === 1;
    });
    expect(sent).toEqual(["one"]);
  });
});
