import { expect, test } from "@jest/globals";
import { createMetrics, type Metrics } from "../../../src/daemon/metrics.ts";
import type { ChainStatus } from "../../../src/ingest/loop-state.ts";
import type { NodeState, NodeStatus, PoolStatus } from "../../../src/types/nodes.ts";

function nodeIn(state: NodeState, more: Partial<NodeStatus> = {}): NodeStatus {
  return {
    name: "a-1",
    operator: "a",
    own: true,
    state,
    since: 0,
    detail: "",
    head: 12,
    latencyMs: 250,
    requests: 1,
    errors: 0,
    drainedUntil: null,
    ...more,
  };
}

function poolWith(more: Partial<PoolStatus> = {}): PoolStatus {
  return { operators: ["a", "b"], quorum: 2, agreedHead: 11, missing: [], dispute: null, nodes: [], ...more };
}

const DISPUTE = {
  height: 11,
  since: 0,
  sides: [
    { hash: "0x1", operators: ["a"] },
    { hash: "0x2", operators: ["b"] },
  ],
};

/** Samples of these metrics as Prometheus reads them, without help and type lines. */
async function samples(metrics: Metrics, prefix: string): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text.split("\n").filter((line) => line.startsWith(`heistwatch_${prefix}`));
}

test("who is missing, who is still to be compared and whether they disagree: a sample each, also when it is over", async () => {
  const metrics = createMetrics("1");
  metrics.pool("eth", poolWith({ missing: [{ operator: "b", since: 1, why: "away" }], dispute: DISPUTE }), ["a"]);
  expect(await samples(metrics, "pool_")).toEqual([
    'heistwatch_pool_agreed_head_number{chain="eth"} 11',
    'heistwatch_pool_operator_missing{chain="eth",operator="a"} 0',
    'heistwatch_pool_operator_missing{chain="eth",operator="b"} 1',
    'heistwatch_pool_disputed{chain="eth"} 1',
    'heistwatch_pool_operator_unchecked{chain="eth",operator="a"} 1',
    'heistwatch_pool_operator_unchecked{chain="eth",operator="b"} 0',
  ]);
  metrics.pool("eth", poolWith({ agreedHead: 12 }), []);
  expect(await samples(metrics, "pool_")).toEqual([
    'heistwatch_pool_agreed_head_number{chain="eth"} 12',
    'heistwatch_pool_operator_missing{chain="eth",operator="a"} 0',
    'heistwatch_pool_operator_missing{chain="eth",operator="b"} 0',
    'heistwatch_pool_disputed{chain="eth"} 0',
    'heistwatch_pool_operator_unchecked{chain="eth",operator="a"} 0',
    'heistwatch_pool_operator_unchecked{chain="eth",operator="b"} 0',
  ]);
});

test("a node is in one state at a time, and its answers are told in seconds", async () => {
  const metrics = createMetrics("1");
  const inState = async () => (await samples(metrics, "node_state")).filter((line) => line.endsWith(" 1"));
  for (const state of ["ok", "failing", "lagging", "down", "quarantined", "drained"] as const) {
    metrics.pool("eth", poolWith({ nodes: [nodeIn(state)] }), []);
    expect(await inState()).toEqual([`heistwatch_node_state{chain="eth",node="a-1",state="${state}"} 1`]);
  }
  expect(await samples(metrics, "node_head")).toEqual(['heistwatch_node_head_number{chain="eth",node="a-1"} 12']);
  expect(await samples(metrics, "node_latency")).toEqual([
    'heistwatch_node_latency_seconds{chain="eth",node="a-1"} 0.25',
  ]);
});

test("a chain that stands still because operators disagree says so, and only that", async () => {
  const metrics = createMetrics("1");
  const status = (trouble: ChainStatus["trouble"]): ChainStatus => ({
    headNumber: 12,
    cursorNumber: 10,
    finalizedNumber: 5,
    tipTimestamp: 1,
    unchecked: [],
    contradicted: [],
    turnedAt: 0,
    trouble,
  });
  const troubles = async () => (await samples(metrics, "chain_trouble")).filter((line) => line.endsWith(" 1"));
  metrics.chainStatus("eth", status({ kind: "dispute", detail: "a and b differ" }));
  expect(await troubles()).toEqual(['heistwatch_chain_trouble{chain="eth",kind="dispute"} 1']);
  metrics.chainStatus("eth", status(null));
  expect(await troubles()).toEqual([]);
});
