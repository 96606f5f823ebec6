import { expect, test } from "@jest/globals";
import { messageBody } from "../../../src/alerts/body-schema.ts";
import { beat, type BeatingChain } from "../../../src/daemon/heartbeat.ts";
import { createMemoryStore } from "../../simulation/memory-store.ts";

const NOW = 1_795_305_600_000;
const nothing = () => undefined;
const pool = { operators: ["a", "b"], quorum: 2, agreedHead: 12, missing: [], dispute: null, nodes: [] };
const status = {
  headNumber: 12,
  cursorNumber: 12,
  finalizedNumber: 3,
  tipTimestamp: 0,
  unchecked: [],
  contradicted: [],
  turnedAt: NOW,
  trouble: null,
};

async function heartbeats(chain: Partial<BeatingChain>, rounds = 1) {
  const store = createMemoryStore(() => NOW);
  let now = NOW;
  const options = {
    chains: () => [{ name: "ethereum", status, pool, ...chain }],
    alerts: store.alerts,
    deliveries: store.deliveries,
    queuedSinks: ["desk"],
    storeSinks: ["ops"],
    clock: { now: () => now },
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    onWork: nothing,
  };
  for (let round = 0; round < rounds; round += 1) {
    await beat(options);
    now += 1;
  }
  const outbox = store.tables.outbox.values().map(({ queue }) => queue);
  const deliveries = store.tables.delivery.values().map(({ sink }) => sink);
  const bodies = store.tables.message.values().map(({ body }) => messageBody.parse(JSON.parse(body)));
  return { outbox, deliveries, bodies };
}

test("a chain that moves has a heartbeat, through the queue to sinks of alerts and straight to those of operations", async () => {
  const { outbox, deliveries, bodies } = await heartbeats({});
  expect(outbox).toHaveLength(1);
  expect(deliveries.toSorted()).toEqual(["desk", "ops"]);
  expect(bodies[0]).toMatchObject({ type: "system.heartbeat", data: { detail: { cursorNumber: 12, headNumber: 12 } } });
});

test.each<[string, Partial<BeatingChain>]>([
  ["stands still", { status: { ...status, trouble: { kind: "node", detail: "away" } } }],
  ["has made no turn for over a minute", { status: { ...status, turnedAt: NOW - 60_001 } }],
  ["is led by another daemon", { status: null }],
])("a chain that %s has none", async (_what, chain) => {
  expect((await heartbeats(chain)).deliveries).toEqual([]);
});

test("a sink that is away gets no heap of old heartbeats", async () => {
  const { deliveries } = await heartbeats({}, 100);
  expect(deliveries.filter((sink) => sink === "desk")).toHaveLength(60);
});
