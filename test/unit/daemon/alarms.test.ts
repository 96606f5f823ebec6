import { describe, expect, test } from "@jest/globals";
import { systemBody } from "../../../src/alerts/body-schema.ts";
import { watchChain, watchSink } from "../../../src/daemon/alarm-rules.ts";
import { type Condition, createAlarms } from "../../../src/daemon/alarms.ts";
import type { ChainConfig } from "../../../src/types/config.ts";

function alarmsAt(start = Date.UTC(2026, 10, 22)) {
  let now = start;
  let drawn = 0;
  const alarms = createAlarms({ clock: { now: () => now }, random: () => `r${(drawn += 1)}` });
  const due = () => alarms.due().map((message) => systemBody.parse(JSON.parse(message.body)));
  return { alarms, due, pass: (ms: number) => (now += ms), types: () => due().map(({ type }) => type) };
}

const chain = (over: Partial<Condition> = {}): Condition => ({
  subject: "chain:ethereum",
  kind: "system",
  severity: "critical",
  detail: "the node is away",
  graceMs: 30_000,
  ...over,
});

describe("a condition", () => {
  test("is told when it has held for its grace, once", () => {
    const { alarms, types, pass } = alarmsAt();
    alarms.raise(chain());
    pass(29_999);
    expect(types()).toEqual([]);
    pass(1);
    expect(types()).toEqual(["system.degraded"]);
    pass(60_000);
    alarms.raise(chain());
    expect(types()).toEqual([]);
  });

  test("raised again and again keeps its beginning: a new detail does not start the grace anew", () => {
    const { alarms, due, pass } = alarmsAt();
    for (let second = 0; second < 30; second += 1) {
      alarms.raise(chain({ detail: `try ${second}` }));
      pass(1_000);
    }
    const [told] = due();
    expect(told?.data).toMatchObject({ summary: "try 29", severity: "critical", subject: "chain:ethereum" });
    expect(told?.data.since).toBe("2026-11-22T00:00:00.000Z");
  });

  test("that is over is told recovered, once, with how long it was", () => {
    const { alarms, due, types, pass } = alarmsAt();
    alarms.raise(chain({ graceMs: 0 }));
    expect(types()).toEqual(["system.degraded"]);
    pass(90_000);
    alarms.clear("chain:ethereum");
    alarms.clear("chain:ethereum");
    const told = due();
    expect(told.map(({ type }) => type)).toEqual(["system.recovered"]);
    expect(told[0]?.data).toMatchObject({ severity: "info", summary: "Over after 90 s: the node is away" });
    expect(due()).toEqual([]);
  });

  test("that is over within its grace was nothing", () => {
    const { alarms, types, pass } = alarmsAt();
    alarms.raise(chain());
    pass(10_000);
    alarms.clear("chain:ethereum");
    pass(60_000);
    expect(types()).toEqual([]);
    alarms.raise(chain());
    pass(29_000);
    expect(types()).toEqual([]);
  });

  test("that comes back is told again, after its recovery", () => {
    const { alarms, types, pass } = alarmsAt();
    alarms.raise(chain({ graceMs: 0 }));
    types();
    alarms.clear("chain:ethereum");
    alarms.raise(chain({ graceMs: 0 }));
    expect(types()).toEqual(["system.recovered", "system.degraded"]);
    pass(1);
    expect(types()).toEqual([]);
  });

  test("of one subject says nothing about another; a sink has words of its own", () => {
    const { alarms, types } = alarmsAt();
    alarms.raise(chain({ graceMs: 0 }));
    alarms.raise(chain({ subject: "sink:siem", kind: "endpoint", graceMs: 0 }));
    expect(types()).toEqual(["system.degraded", "endpoint.failing"]);
    alarms.clear("sink:siem");
    expect(types()).toEqual(["endpoint.recovered"]);
    expect(alarms.held().map(({ subject }) => subject)).toEqual(["chain:ethereum"]);
  });

  test("each message has an id of its own, also for the same words in the same millisecond", () => {
    const { alarms } = alarmsAt();
    const ids = new Set<string>();
    for (let round = 0; round < 5; round += 1) {
      alarms.raise(chain({ graceMs: 0 }));
      alarms.due().forEach(({ webhookId }) => ids.add(webhookId));
      alarms.clear("chain:ethereum");
      alarms.due().forEach(({ webhookId }) => ids.add(webhookId));
    }
    expect(ids.size).toBe(10);
    for (const id of ids) expect(id).toMatch(/^msg_[0-9a-z]{26}$/);
  });
});

describe("the rules", () => {
  const ethereum = { name: "ethereum", blockTimeMs: 12_000 } as ChainConfig;
  const status = {
    headNumber: 5,
    cursorNumber: 3,
    finalizedNumber: 1,
    tipTimestamp: 0,
    unchecked: [],
    contradicted: [],
    turnedAt: 0,
  };

  test("a chain in trouble is told after its grace, a contradicted final block at once", () => {
    const { alarms, types, pass } = alarmsAt();
    watchChain(alarms, ethereum, { ...status, trouble: { kind: "node", detail: "away" } });
    pass(299_000);
    expect(types()).toEqual([]);
    watchChain(alarms, ethereum, { ...status, trouble: { kind: "tooDeep", detail: "other final block" } });
    expect(types()).toEqual(["system.degraded"]);
    watchChain(alarms, ethereum, { ...status, trouble: null });
    expect(types()).toEqual(["system.recovered"]);
  });

  test("a sink is failing from the fourth failure on, and recovered by one delivery", () => {
    const { alarms, types } = alarmsAt();
    const failed = (failures: number) =>
      watchSink(alarms, { sink: "siem", delivered: false, gone: false, failures, error: "HTTP 500" });
    for (const failures of [1, 2, 3]) failed(failures);
    expect(types()).toEqual([]);
    failed(4);
    expect(types()).toEqual(["endpoint.failing"]);
    watchSink(alarms, { sink: "siem", delivered: true, gone: false, failures: 0, error: "" });
    expect(types()).toEqual(["endpoint.recovered"]);
  });

  test("a sink that refuses for good is failing at once: it is not tried a second time", () => {
    const { alarms, due } = alarmsAt();
    watchSink(alarms, { sink: "siem", delivered: false, gone: true, failures: 1, error: "HTTP 410" });
    expect(due().map(({ data }) => data.summary)).toEqual([expect.stringContaining("refused for good: HTTP 410")]);
  });
});
