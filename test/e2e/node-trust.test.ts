/**
 * Goal: whoever lies, lags, forks or is cut off: no hit is lost, nothing forged is ever called verified, and people are
 * told within 30 s who is missing and who disagrees.
 * Method: real nodes that hold the same chain, or forks of it, each behind a proxy that makes it bad in one way.
 */
import { afterEach, describe, expect, test } from "@jest/globals";
import type { Faults } from "../support/fault-proxy.ts";
import { cli, cliJson, PATIENCE_MS } from "./support/heistwatch.ts";
import { doubles, startTrustWorld, type TrustWorld, type WorldOptions } from "./support/trust-world.ts";

let world: TrustWorld | null = null;
afterEach(async () => {
  await world?.stop();
  world = null;
});

async function open(options: WorldOptions): Promise<TrustWorld> {
  world = await startTrustWorld(options);
  return world;
}

const LIMIT_MS = 150_000;
const ALARM_MS = 30_000;
// A second operator on another twin, as honest as the first.
const TWO = { nodes: { good: { operator: "us", twin: 0 }, other: { operator: "them", twin: 1 } }, twins: 2 };

test(
  "an operator that is away is named in alerts and alarms, and all it missed is compared when it is back",
  async () => {
    const { twins, proxies, until, untilAlarm, alerts } = await open(TWO);
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

    proxies["other"]?.set({});
    await twins.mine();
    const checked = await until(during.hash, "the compared alert", ({ trust }) => trust.verified);
    expect(checked.trust).toMatchObject({ agreed: "2/2", missing: [] });
    await untilAlarm("the all-clear", ({ type, subject }) => type === "system.recovered" && subject.includes("them"));
    expect(doubles(alerts())).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "KelpDAO: the honest node is cut off and two poisoned ones of one operator serve a chain of their own",
  async () => {
    const { twins, proxies, until, untilAlarm, alerts, config } = await open({
      nodes: {
        honest: { operator: "us", twin: 0 },
        "poisoned-1": { operator: "them", twin: 1 },
        "poisoned-2": { operator: "them", twin: 1 },
      },
      twins: 2,
    });
    const cutAt = Date.now();
    proxies["honest"]?.set({ down: "halfOpen" });
    const [theft, forged] = [await twins.pay(), await twins.pay()];
    await twins.mine([theft], [0]);
    await twins.mine([forged], [1]);
    await twins.mine([], [1]);
    await twins.mine([], [1]);
    const alarm = await untilAlarm("the alarm", ({ type }) => type === "system.degraded", ALARM_MS);
    expect(alarm.at - cutAt).toBeLessThan(ALARM_MS);
    await until(forged.hash, "the forged payment, told as degraded", ({ trust }) => trust.missing.includes("us"));

    proxies["honest"]?.set({});
    const told = await until(theft.hash, "the theft, told as disputed", ({ stage }) => stage === "pending");
    expect(told.trust).toMatchObject({ disputed: true, verified: false });
    expect(told.action).not.toBe("hold");
    await until(forged.hash, "the forged payment in doubt", ({ stage }) => stage === "pending");
    await untilAlarm("the dispute", ({ type }) => type === "provider.dispute");

    for (const name of ["poisoned-1", "poisoned-2"]) {
      const { code, stderr } = await cli(
        ["node", "drain", name, "--for", "30m", "--config", config.configPath],
        config,
      );
      expect([code, stderr]).toEqual([0, ""]);
    }
    await until(theft.hash, "the theft, included", ({ stage }) => stage === "included");
    const gone = await until(forged.hash, "the forged payment, taken back", ({ stage }) => stage === "retracted");
    expect(gone.retraction?.reason).toBe("reorg");
    const ofForged = alerts().filter(({ transaction }) => transaction.hash === forged.hash);
    expect(ofForged.filter(({ trust }) => trust.verified)).toEqual([]);
    expect(doubles(alerts())).toEqual([]);
    const refused = await cli(["node", "drain", "honest", "--for", "30m", "--config", config.configPath], config);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("only node in use")]);
  },
  LIMIT_MS,
);

test(
  "liars at quorum: what became final without the missing operator is contradicted when it is back",
  async () => {
    const { twins, proxies, until, untilAlarm, alerts } = await open({
      nodes: {
        honest: { operator: "us", twin: 0 },
        "liar-1": { operator: "x", twin: 1 },
        "liar-2": { operator: "y", twin: 1 },
      },
      twins: 2,
      chain: { finality: { by: "depth", depth: 1 } },
    });
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
  LIMIT_MS,
);

const isBlock = (method: string) => method === "eth_getBlockByNumber" || method === "eth_getBlockByHash";
const LIES: Readonly<Record<string, { faults: Faults; state: string }>> = {
  adds: {
    faults: { lie: (result, { method }) => (method === "eth_getBlockReceipts" ? withLog(result) : result) },
    state: "quarantined",
  },
  hides: {
    faults: {
      lie: (result, { method }) =>
        method === "eth_getBlockByHash" && isObject(result) ? { ...result, transactions: [] } : result,
    },
    state: "quarantined",
  },
  empty: {
    faults: { lie: (result, { method }) => (method === "eth_getBlockReceipts" ? [] : result) },
    state: "quarantined",
  },
  chain: {
    faults: { lie: (result, { method }) => (method === "eth_chainId" ? "0x38" : result) },
    state: "quarantined",
  },
  lags: {
    faults: { lie: (result, { method, params }) => (isBlock(method) && Number(params[0]) > 3 ? null : result) },
    state: "lagging",
  },
  nulls: { faults: { lie: (result, { method }) => (isBlock(method) ? null : result) }, state: "lagging" },
  truncates: { faults: { truncateTo: 40 }, state: "down" },
  slow: { faults: { down: "halfOpen" }, state: "down" },
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function withLog(receipts: unknown): unknown {
  if (!Array.isArray(receipts) || !isObject(receipts[0])) return receipts;
  const log = { address: `0x${"22".repeat(20)}`, topics: [`0x${"11".repeat(32)}`], data: "0x" };
  return receipts.map((receipt: unknown, index) =>
    index === 0 && isObject(receipt) ? { ...receipt, logs: [log] } : receipt,
  );
}

describe("liars beside one honest node", () => {
  test(
    "each is named as missing, quarantined with its evidence or left behind, and the hit is told",
    async () => {
      const names = Object.keys(LIES);
      const liars = Object.fromEntries(names.map((name) => [name, { operator: `op-${name}`, twin: 0 }]));
      const { twins, proxies, until, config, alerts } = await open({
        nodes: { honest: { operator: "us", twin: 0 }, ...liars },
        twins: 1,
      });
      // Slower than every liar: all of them are asked for the content before it is.
      proxies["honest"]?.set({ latencyMs: 400 });
      for (const name of names) proxies[name]?.set(LIES[name]?.faults ?? {});
      const payments = [];
      const stateOf = async () => {
        const nodes = await cliJson<{ name: string; state: string; evidence: { answered: string } | null }[]>(
          ["node", "list"],
          config,
        );
        return Object.fromEntries(nodes.map(({ name, state, evidence }) => [name, { state, evidence }]));
      };
      const wanted = Object.fromEntries(names.map((name) => [name, LIES[name]?.state]));
      const startedAt = Date.now();
      let states = await stateOf();
      const isAsWanted = () => names.every((name) => states[name]?.state === wanted[name]);
      while (!isAsWanted() && Date.now() - startedAt < 2 * PATIENCE_MS) {
        const payment = await twins.pay();
        payments.push(payment);
        await twins.mine([payment]);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        states = await stateOf();
      }
      expect(Object.fromEntries(names.map((name) => [name, states[name]?.state]))).toEqual(wanted);
      for (const name of names.filter((one) => LIES[one]?.state === "quarantined"))
        expect(states[name]?.evidence?.answered).toMatch(/./);
      const last = await twins.pay();
      await twins.mine([last]);
      for (const { hash } of [...payments, last])
        await until(hash, `the payment ${hash}`, ({ stage }) => stage === "included");
      expect(alerts().filter(({ trust }) => trust.verified)).toEqual([]);
      expect(alerts().at(-1)?.trust.operators).toEqual(["us"]);
      expect(doubles(alerts())).toEqual([]);
    },
    LIMIT_MS,
  );
});

test(
  "two operators on different forks for 30 blocks: both sides are told as disputed, then settled, each under one id",
  async () => {
    const { twins, proxies, until, untilAlarm, alerts, alertOf } = await open(TWO);
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
    expect(doubles(alerts())).toEqual([]);

    async function payments(count: number) {
      return Promise.all(Array.from({ length: count }, () => twins.pay()));
    }
  },
  LIMIT_MS,
);
