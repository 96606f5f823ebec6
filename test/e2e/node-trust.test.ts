/**
 * Goal: whoever lies, lags, forks or is cut off: no hit is lost, nothing forged is ever called verified, and people are
 * told within 30 s who is missing and who disagrees.
 * Method: real nodes that hold the same chain, or forks of it, each behind a proxy that makes it bad in one way.
 */
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "@jest/globals";
import type { Anvil } from "../support/anvil.ts";
import type { WrittenConfig } from "../support/daemon.ts";
import { cli, cliJson, PATIENCE_MS } from "./support/heistwatch.ts";
import { liarsBeside, oldBlockAsNew } from "./support/liars.ts";
import { doubles, startTrustWorld, type TrustWorld, type WorldOptions } from "./support/trust-world.ts";

const LIMIT_MS = 180_000;
const ALARM_MS = 30_000;
// A second operator on another twin, as honest as the first.
const TWO = { nodes: { good: { operator: "us", twin: 0 }, other: { operator: "them", twin: 1 } }, twins: 2 };
// From where the daemon asks, and from where somebody else does: Linux has all of 127.0.0.0/8.
const OUR_ADDRESS = "127.0.0.1";
const ANOTHER_ADDRESS = "127.0.0.2";

let started: Promise<unknown> = Promise.resolve();

/** A world of its own each, side by side: what takes time in them is waiting. Only the starts cost, and go one by one. */
function scenario(name: string, options: WorldOptions, show: (world: TrustWorld) => Promise<void>): void {
  test.concurrent(
    name,
    async () => {
      const starting = started.then(() => startTrustWorld(options));
      started = starting.catch(() => undefined);
      const world = await starting;
      try {
        await show(world);
      } finally {
        await world.stop();
      }
    },
    LIMIT_MS,
  );
}

const LIARS = Object.keys(liarsBeside({} as Anvil, 0));

scenario(
  "liars beside one honest node: each is missing, in quarantine with its evidence or left behind, and the hit is told",
  {
    nodes: {
      honest: { operator: "us", twin: 0 },
      ...Object.fromEntries(LIARS.map((name) => [name, { operator: `op-${name}`, twin: 0 }])),
    },
    twins: 1,
  },
  async ({ twins, proxies, until, config, alerts }) => {
    const liars = liarsBeside(twins.nodes[0] as Anvil, await twins.head(0));
    // Slower than every liar: all of them are asked for the content before it is.
    proxies["honest"]?.set({ latencyMs: 400 });
    for (const [name, { faults }] of Object.entries(liars)) proxies[name]?.set(faults);
    const payments = [];
    const wanted = Object.fromEntries(Object.entries(liars).map(([name, { state }]) => [name, state]));
    const startedAt = Date.now();
    let nodes = await nodeList(config);
    const states = () => Object.fromEntries(LIARS.map((name) => [name, nodes[name]?.state]));
    while (!isDeepStrictEqual(states(), wanted) && Date.now() - startedAt < 2 * PATIENCE_MS) {
      const payment = await twins.pay();
      payments.push(payment);
      await twins.mine([payment]);
      await sleep(1_000);
      nodes = await nodeList(config);
    }
    expect(states()).toEqual(wanted);
    for (const name of LIARS.filter((one) => wanted[one] === "quarantined"))
      expect(nodes[name]?.evidence?.answered).toMatch(/./);
    expect(nodes["replays"]?.detail).toContain("another height");
    const last = await twins.pay();
    await twins.mine([last]);
    for (const { hash } of [...payments, last])
      await until(hash, `the payment ${hash}`, ({ stage }) => stage === "included");
    expect(alerts().filter(({ trust }) => trust.verified)).toEqual([]);
    expect(alerts().at(-1)?.trust.operators).toEqual(["us"]);
    expect(doubles(alerts())).toEqual([]);
  },
);

scenario(
  "KelpDAO: two poisoned nodes of one operator forge a chain for our address alone while the honest node is cut off",
  {
    nodes: {
      honest: { operator: "us", twin: 0 },
      "poisoned-1": { operator: "them", twin: 0 },
      "poisoned-2": { operator: "them", twin: 0 },
    },
    twins: 2,
  },
  async ({ twins, proxies, until, untilAlarm, alerts, config }) => {
    const [theft, forged] = [await twins.pay(), await twins.pay()];
    const startedAt = Date.now();
    proxies["honest"]?.set({ down: "halfOpen" });
    // Whoever else asks them sees the true chain, with the theft in it.
    for (const name of ["poisoned-1", "poisoned-2"])
      proxies[name]?.set({
        lie: (_true, { method, params }) => twins.nodes[1]?.rpc(method, params),
        lieTo: OUR_ADDRESS,
      });
    await twins.mine([theft], [0]);
    await twins.mine([forged], [1]);
    for (let block = 0; block < 2; block += 1) await twins.mine([], [1]);
    const seenFrom = (localAddress: string) =>
      Promise.all(
        [theft, forged].map(({ hash }) => isKnownTo({ url: proxies["poisoned-1"]?.url ?? "", localAddress, hash })),
      );
    expect(await seenFrom(OUR_ADDRESS)).toEqual([false, true]);
    expect(await seenFrom(ANOTHER_ADDRESS)).toEqual([true, false]);
    const missing = await untilAlarm("the alarm", ({ type }) => type === "system.degraded", ALARM_MS);
    expect(missing.at - startedAt).toBeLessThan(ALARM_MS);
    await until(forged.hash, "the forged payment, told as degraded", ({ trust }) => trust.missing.includes("us"));

    const backAt = Date.now();
    proxies["honest"]?.set({});
    const told = await until(theft.hash, "the theft, told as disputed", ({ stage }) => stage === "pending");
    expect(told.trust).toMatchObject({ disputed: true, verified: false });
    expect(told.action).not.toBe("hold");
    await until(forged.hash, "the forged payment in doubt", ({ stage }) => stage === "pending");
    const dispute = await untilAlarm("the dispute", ({ type }) => type === "provider.dispute");
    expect(dispute.at - backAt).toBeLessThan(ALARM_MS);

    await drain(config, "poisoned-1", "poisoned-2");
    await until(theft.hash, "the theft, included", ({ stage }) => stage === "included");
    const gone = await until(forged.hash, "the forged payment, taken back", ({ stage }) => stage === "retracted");
    expect(gone.retraction?.reason).toBe("reorg");
    const ofForged = alerts().filter(({ transaction }) => transaction.hash === forged.hash);
    expect(ofForged.filter(({ trust }) => trust.verified)).toEqual([]);
    expect(doubles(alerts())).toEqual([]);
    const refused = await cli(["node", "drain", "honest", "--for", "30m", "--config", config.configPath], config);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("only node in use")]);
  },
);

scenario(
  "an operator that is away is named in alerts and alarms, and all it missed is compared when it is back",
  TWO,
  async ({ twins, proxies, until, untilAlarm, alerts, daemon }) => {
    const before = await twins.pay();
    await twins.mine([before]);
    const sure = await until(before.hash, "the agreed alert", ({ stage }) => stage === "included");
    expect(sure.trust).toMatchObject({ proven: true, agreed: "2/2", verified: true, missing: [], disputed: false });

    proxies["other"]?.set({ down: "reset" });
    const cutAt = Date.now();
    const during = await twins.pay();
    await twins.mine([during]);
    const alarm = await untilAlarm("the alarm", ({ type }) => type === "system.degraded", ALARM_MS);
    expect(alarm.at - cutAt).toBeLessThan(ALARM_MS);
    expect(alarm.summary).toContain("goes on without them");
    const alone = await until(during.hash, "the degraded alert", ({ stage }) => stage === "included");
    expect(alone.trust).toMatchObject({ agreed: "1/2", verified: false, missing: ["them"] });
    expect(alone.trust.note).toContain("degraded");
    expect(await daemon.metric("heistwatch_pool_operator_missing", { operator: "them" })).toBe(1);
    expect(await daemon.metric("heistwatch_pool_operator_missing", { operator: "us" })).toBe(0);
    expect(await daemon.metric("heistwatch_node_state", { node: "other", state: "down" })).toBe(1);

    proxies["other"]?.set({});
    await twins.mine();
    const checked = await until(during.hash, "the compared alert", ({ trust }) => trust.verified);
    expect(checked.trust).toMatchObject({ agreed: "2/2", missing: [] });
    await untilAlarm("the all-clear", ({ type, subject }) => type === "system.recovered" && subject.includes("them"));
    expect(await daemon.metric("heistwatch_pool_operator_missing", { operator: "them" })).toBe(0);
    expect(await daemon.metric("heistwatch_pool_operator_unchecked", { operator: "them" })).toBe(0);
    expect(doubles(alerts())).toEqual([]);
  },
);

scenario(
  "liars at quorum: what became final without the missing operator is contradicted when it is back",
  {
    nodes: {
      honest: { operator: "us", twin: 0 },
      "liar-1": { operator: "x", twin: 1 },
      "liar-2": { operator: "y", twin: 1 },
    },
    twins: 2,
    chain: { finality: { by: "depth", depth: 1 } },
  },
  async ({ twins, proxies, until, untilAlarm, alerts }) => {
    proxies["honest"]?.set({ down: "reset" });
    const [theft, forged] = [await twins.pay(), await twins.pay()];
    await twins.mine([theft], [0]);
    await twins.mine([forged], [1]);
    for (let block = 0; block < 3; block += 1) await twins.mine([], [1]);
    await untilAlarm("the alarm", ({ type }) => type === "system.degraded", ALARM_MS);
    const final = await until(forged.hash, "the forged payment, final by quorum", ({ stage }) => stage === "final");
    expect(final.trust).toMatchObject({ agreed: "2/3", verified: false, missing: ["us"] });

    for (let block = 0; block < 4; block += 1) await twins.mine([], [0]);
    proxies["honest"]?.set({});
    const truth = await until(forged.hash, "the forged payment, contradicted", ({ trust }) => trust.disputed);
    expect(truth.trust.note).toContain("us does not name it");
    await untilAlarm("the dispute", ({ type, summary }) => type === "provider.dispute" && summary.includes("final"));
    expect(alerts().filter(({ trust }) => trust.verified)).toEqual([]);
  },
);

scenario(
  "an old block passed off as each new one: its hash gives it away, the others go on, and the truth is compared later",
  TWO,
  async ({ twins, proxies, until, untilAlarm, alerts, config }) => {
    const before = await twins.pay();
    await twins.mine([before]);
    await until(before.hash, "the agreed alert", ({ trust }) => trust.verified);
    const startedAt = Date.now();
    proxies["other"]?.set(oldBlockAsNew(twins.nodes[1] as Anvil, await twins.head(1)));
    const payments = [];
    for (let block = 0; block < 4; block += 1) {
      const payment = await twins.pay();
      payments.push(payment);
      await twins.mine([payment]);
    }
    const caught = await untilAlarm("the liar is named", ({ summary }) => summary.includes("its hash does not name"));
    expect(caught.at - startedAt).toBeLessThan(ALARM_MS);
    for (const { hash } of payments) {
      const alone = await until(hash, `the payment ${hash} without the liar`, ({ stage }) => stage === "included");
      expect(alone.trust).toMatchObject({ disputed: false, verified: false, operators: ["us"], missing: ["them"] });
    }
    proxies["other"]?.set({});
    await cliJson(["node", "undrain", "other"], config);
    for (const { hash } of payments) await until(hash, `the compared payment ${hash}`, ({ trust }) => trust.verified);
    expect(alerts().filter(({ stage }) => stage === "retracted")).toEqual([]);
    expect(doubles(alerts())).toEqual([]);
  },
);

scenario(
  "two operators on different forks for 30 blocks: both sides are told as disputed, then settled, each under one id",
  TWO,
  async ({ twins, proxies, until, untilAlarm, alerts, alertOf, daemon }) => {
    const both = await twins.pay();
    const [left, right] = [await payments(5), await payments(5)];
    await twins.mine([both]);
    await until(both.hash, "the agreed payment", ({ trust }) => trust.verified);
    const moved = await twins.pay();
    for (let block = 0; block < 30; block += 1) {
      const nth = (side: typeof left) => (block % 6 === 0 ? side.slice(block / 6, block / 6 + 1) : []);
      await twins.mine([...nth(left), ...(block === 3 ? [moved] : [])], [0]);
      await twins.mine([...nth(right), ...(block === 8 ? [moved] : [])], [1]);
    }
    await untilAlarm("the dispute", ({ type }) => type === "provider.dispute", ALARM_MS);
    for (const { hash } of [...left, ...right, moved]) {
      const told = await until(hash, `the disputed payment ${hash}`, ({ stage }) => stage === "pending");
      expect(told.trust).toMatchObject({ disputed: true, verified: false });
    }
    expect(alertOf(both.hash)?.stage).toBe("included");
    expect(await daemon.metric("heistwatch_pool_disputed")).toBe(1);
    expect(await daemon.metric("heistwatch_chain_trouble", { kind: "dispute" })).toBe(1);

    proxies["other"]?.pointTo(twins.nodes[0]?.url ?? "");
    await twins.mine();
    for (const { hash } of [...left, moved])
      await until(hash, `the settled payment ${hash}`, ({ stage, trust }) => stage === "included" && trust.verified);
    for (const { hash } of right) {
      const gone = await until(hash, `the payment taken back ${hash}`, ({ stage }) => stage === "retracted");
      expect(gone.retraction?.reason).toBe("reorg");
    }
    await untilAlarm(
      "the all-clear",
      ({ type, subject }) => type === "system.recovered" && subject.includes("dispute"),
    );
    expect(await daemon.metric("heistwatch_pool_disputed")).toBe(0);
    expect(doubles(alerts())).toEqual([]);

    async function payments(count: number) {
      return Promise.all(Array.from({ length: count }, () => twins.pay()));
    }
  },
);

/** Whether the node tells a client of this address that it has the transaction. */
async function isKnownTo({ url, localAddress, hash }: { url: string; localAddress: string; hash: string }) {
  const answer = await new Promise<string>((resolve, reject) => {
    const asking = request(url, { method: "POST", localAddress }, (response) => {
      text(response).then(resolve, reject);
    });
    asking.once("error", reject);
    asking.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_getTransactionByHash", params: [hash] }));
  });
  return (JSON.parse(answer) as { result: unknown }).result !== null;
}

async function drain(config: WrittenConfig, ...names: string[]): Promise<void> {
  for (const name of names) {
    const { code, stderr } = await cli(["node", "drain", name, "--for", "30m", "--config", config.configPath], config);
    expect([code, stderr]).toEqual([0, ""]);
  }
}

type ListedNode = { name: string; state: string; detail: string; evidence: { answered: string } | null };

async function nodeList(config: WrittenConfig): Promise<Record<string, ListedNode>> {
  const nodes = await cliJson<ListedNode[]>(["node", "list"], config);
  return Object.fromEntries(nodes.map((node) => [node.name, node]));
}
