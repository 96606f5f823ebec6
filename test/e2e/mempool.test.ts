/**
 * Goal: each watched transaction of the mempool is told as pending, then as what became of it: included and final,
 * replaced (both alerts point at each other), dropped, or in a block without doing what it said. Never a hold before a block.
 * Method: a real node that mines when told to, transactions signed with real keys, the real daemon killed in the
 * middle. What must be told is counted from the plan and from the chain's receipts.
 * MEMPOOL_TRANSACTIONS=1000 is the full run, which also stops the daemon while transactions are replaced; MEMPOOL_SEED
 * repeats one; MEMPOOL_PUSH=off leaves the WebSocket out.
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type AlertBody, messageBody } from "../../src/alerts/body-schema.ts";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { writeDaemonConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { compileContracts } from "./contracts.ts";
import { createDaemonRunner, type DaemonRunner } from "./daemon-runner.ts";
import {
  createScene,
  dropThose,
  type Fate,
  type Planned,
  replaceThose,
  type Scene,
  sendOriginals,
  sendStranger,
  watchedOf,
} from "./mempool-plan.ts";
import { createRandom } from "./random.ts";

const COUNT = Number(process.env["MEMPOOL_TRANSACTIONS"] ?? 16);
const SEED = Number(process.env["MEMPOOL_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const PUSH = process.env["MEMPOOL_PUSH"] !== "off";
const PATIENCE = { timeoutMs: 60_000 + COUNT * 200, intervalMs: 250 };

type Data = AlertBody["data"];

let dir: TempDir;
let anvil: Anvil;
let receiver: Receiver;
let runner: DaemonRunner;
/** One for each test: a node and a daemon take longer to start than either. */
let scene: Scene;
let reorgScene: Scene;

beforeAll(async () => {
  process.stdout.write(`mempool: ${COUNT} transactions with seed ${SEED}\n`);
  dir = createTempDir("mempool");
  anvil = await startAnvil({
    chainId: 1,
    noMining: true,
    slotsInAnEpoch: 1,
    extraArgs: ["--gas-limit", "1000000000"],
  });
  receiver = await startReceiver();
  const { token } = await compileContracts();
  scene = await createScene(anvil, { count: COUNT, random: createRandom(SEED), token });
  reorgScene = await createScene(anvil, { count: COUNT, random: createRandom(SEED + 1), token });
  const written = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: anvil.url,
    ...(PUSH ? { nodeWsUrl: anvil.wsUrl } : {}),
    mempool: "auto",
    watch: watchedOf([scene, reorgScene]),
    own: [{ address: scene.deposit, customerRef: "customer-17" }],
    tokens: [scene, reorgScene].map(({ token: address }) => ({ address, symbol: "TKN", decimals: 6 })),
    webhooks: [{ name: "desk", url: receiver.url, secrets: [receiver.secret], concurrency: 16 }],
    operations: [{ name: "alarms", url: receiver.url, secrets: [receiver.secret] }],
    chain: { blockTimeMs: 500 },
  });
  runner = createDaemonRunner("daemon", written);
  runner.start();
  await runner.ready();
}, 300_000);

afterAll(async () => {
  await runner.kill9();
  await Promise.all([receiver.stop(), anvil.stop()]);
  await dir.remove();
}, 60_000);

/** Every alert's messages in order of revision, by transaction. */
function told(): Map<string, Data[]> {
  const bodies = new Map<string, AlertBody>();
  for (const request of receiver.requests) {
    const body = messageBody.parse(request.body);
    if ("alertId" in body.data) bodies.set(request.webhookId, body as AlertBody);
  }
  const data = [...bodies.values()].map((body) => body.data).toSorted((a, b) => a.revision - b.revision);
  return Map.groupBy(data, (one) => one.transaction.hash ?? "");
}

async function untilTold(what: string, isTold: (alerts: Map<string, Data[]>) => number, count: number): Promise<void> {
  const started = Date.now();
  await waitFor(`${count} ${what}`, () => isTold(told()) === count || null, PATIENCE).catch((error: unknown) => {
    throw new Error(`seed ${SEED}: ${isTold(told())} of ${count} ${what}\n${runner.lastWords()}`, { cause: error });
  });
  process.stdout.write(`  ${count} ${what} after ${Date.now() - started} ms\n`);
}

const latest = (alerts: Map<string, Data[]>, hash: string) => alerts.get(hash)?.at(-1);
const those = (...fates: Fate[]) => scene.planned.filter(({ fate }) => fates.includes(fate));
const at = (stage: Data["stage"], of: readonly Planned[]) => (alerts: Map<string, Data[]>) =>
  of.filter(({ hash }) => latest(alerts, hash)?.stage === stage).length;
const retracted = (of: readonly Planned[], reason: string) => (alerts: Map<string, Data[]>) =>
  of.filter(({ hash }) => latest(alerts, hash)?.retraction?.reason === reason).length;

/** One after the other, each stage once. */
function stagesOf(messages: readonly Data[]): string[] {
  return messages.map(({ stage }) => stage).filter((stage, index, all) => stage !== all[index - 1]);
}

test("every pending transaction is told as what it is and as what became of it, across restarts", async () => {
  await sendOriginals(scene);
  await untilTold("pending", at("pending", scene.planned), COUNT);

  await dropThose(scene);
  await replaceThose(scene, "replacedLive");
  await untilTold("replaced while it ran", retracted(those("replacedLive"), "replaced"), those("replacedLive").length);

  const down = those("replacedDown");
  if (down.length > 0) {
    await runner.stop();
    await replaceThose(scene, "replacedDown");
    runner.start();
    await untilTold("replaced while it was down", retracted(down, "replaced"), down.length);
  }

  let strangers = 0;
  const alive = setInterval(() => void sendStranger(anvil, (strangers += 1)).catch(() => undefined), 1_000);
  await untilTold("dropped", retracted(those("dropped"), "dropped"), those("dropped").length).finally(() =>
    clearInterval(alive),
  );

  await runner.kill9();
  await replaceThose(scene, "replacedMined");
  await anvil.mine();
  runner.start();
  await untilTold("replaced in a block", retracted(those("replacedMined"), "replaced"), those("replacedMined").length);
  await untilTold("in a block without effect", retracted(those("fails"), "recomputed"), those("fails").length);
  await anvil.mine(4);
  const mined = await minedHashes();
  await untilTold(
    "final",
    (alerts) => mined.filter((hash) => latest(alerts, hash)?.stage === "final").length,
    mined.length,
  );

  const alerts = told();
  expect([...alerts.keys()].toSorted()).toEqual(
    [...scene.planned.map(({ hash }) => hash), ...watchedRivals()].toSorted(),
  );
  for (const one of scene.planned) checkOriginal(one, alerts);
  for (const messages of alerts.values()) checkMessages(messages);
  expect(receiver.requests.filter(({ verified }) => !verified)).toEqual([]);
}, 900_000);

test("a reorg takes blocks back: what waits again is pending again, and in a block it is the same alert", async () => {
  const { planned } = reorgScene;
  await sendOriginals(reorgScene);
  await untilTold("pending", at("pending", planned), COUNT);
  await anvil.mine();
  const moving = planned.filter(({ fate }) => fate !== "fails");
  await untilTold("included", at("included", moving), moving.length);
  const ids = new Map([...told()].map(([hash, messages]) => [hash, messages[0]?.alertId]));

  await anvil.rpc("anvil_rollback", [1]);
  await anvil.mine();
  await untilTold("taken back", retracted(moving, "reorg"), moving.length);
  const [back, lost] = [moving.filter((_, index) => index % 2 === 0), moving.filter((_, index) => index % 2 === 1)];
  for (const { raw } of back) await anvil.rpc("eth_sendRawTransaction", [raw]);
  await untilTold("pending again", at("pending", back), back.length);
  await anvil.mine();
  await untilTold("included again", at("included", back), back.length);

  const alerts = told();
  for (const { hash } of back)
    expect(stagesOf(alerts.get(hash) ?? [])).toEqual(["pending", "included", "retracted", "pending", "included"]);
  for (const { hash } of lost) expect(latest(alerts, hash)?.retraction?.reason).toBe("reorg");
  for (const { hash } of planned) {
    const messages = alerts.get(hash) ?? [];
    expect(new Set(messages.map(({ alertId }) => alertId))).toEqual(new Set([ids.get(hash)]));
    checkMessages(messages);
  }
}, 300_000);

/** Movements that the chain says happened, of transactions that are watched. */
async function minedHashes(): Promise<string[]> {
  const hashes = [...scene.planned.filter(({ by }) => by === null).map(({ hash }) => hash), ...watchedRivals()];
  const mined: string[] = [];
  for (const hash of hashes) {
    const receipt = await anvil.rpc<{ status: string } | null>("eth_getTransactionReceipt", [hash]);
    if (receipt?.status === "0x1") mined.push(hash);
  }
  return mined;
}

function watchedRivals(): string[] {
  return scene.planned.flatMap(({ by, again }) => (by !== null && again ? [by] : []));
}

const KEYS: Record<Planned["kind"], { pending: string; included: string }> = {
  pay: { pending: "native", included: "native" },
  fund: { pending: "native", included: "native" },
  create: { pending: "creation", included: "creation" },
  token: { pending: "calldata", included: "log:0" },
};

function checkOriginal(one: Planned, alerts: Map<string, Data[]>): void {
  const messages = alerts.get(one.hash) ?? [];
  const ends: Record<Fate, string[]> = {
    mined: ["pending", "included", "final"],
    fails: ["pending", "retracted"],
    dropped: ["pending", "retracted"],
    replacedLive: ["pending", "retracted"],
    replacedDown: ["pending", "retracted"],
    replacedMined: ["pending", "retracted"],
  };
  const stages = stagesOf(messages);
  expect([one.fate, one.kind, stages]).toEqual([one.fate, one.kind, ends[one.fate]]);
  const [first] = messages;
  const last = messages.at(-1);
  expect(first?.transfers.map(({ key }) => key)).toEqual([KEYS[one.kind].pending]);
  if (one.fate === "mined") expect(last?.transfers.map(({ key }) => key)).toEqual([KEYS[one.kind].included]);
  if (one.by === null) {
    expect([last?.replacedBy, last?.replaces]).toEqual([null, null]);
    return;
  }

  const rival = alerts.get(one.by);
  const rivalAlert = rival?.[0]?.alertId ?? null;
  expect(rivalAlert !== null).toBe(one.again);
  expect(last?.replacedBy).toEqual({ transaction: one.by, alertId: rivalAlert });
  if (rival === undefined) return;
  expect(rival.at(-1)?.replaces).toEqual({ transaction: one.hash, alertId: last?.alertId });
  const seenPending = one.fate !== "replacedMined";
  expect(stagesOf(rival)).toEqual(seenPending ? ["pending", "included", "final"] : ["included", "final"]);
}

/** Nothing in the mempool is ever a hold; what is in a block may be. Revisions leave no gap. */
function checkMessages(messages: readonly Data[]): void {
  expect(messages.map(({ revision }) => revision)).toEqual(messages.map((_, index) => index + 1));
  for (const { stage, action, block, trust, transfers } of messages) {
    if (stage !== "pending") continue;
    expect(["none", "prepare", "review"]).toContain(action);
    expect(block).toBeNull();
    expect(trust).toMatchObject({ proven: false, verified: false });
    if (transfers[0]?.key === "calldata") expect(action).toBe("prepare");
  }
  const included = messages.find(({ stage, kind }) => stage === "included" && kind === "exposure");
  if (included !== undefined) expect(included.action).toBe("hold");
}
