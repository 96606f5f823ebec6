/**
 * Goal: whatever blocks a chain takes back, the receiver's highest revision of each alert tells what the chain holds;
 * and a chain that never forks never yields a reorg, however far the node lags.
 * Method: a real node forks 1 to 20 blocks deep, while the daemon runs and while it is down. Dropped transactions come
 * back in other blocks, later, or never. REORG_SEED repeats a run.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { writeDaemonConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { createDaemonRunner, type DaemonRunner } from "./daemon-runner.ts";
import { createForkingChain, type ForkingChain } from "./forking-chain.ts";
import { type LaggingNode, startLaggingNode } from "./lagging-node.ts";
import { accountKeys, compareWithChain, type Ledger, readLedger } from "./ledger.ts";
import { expectedAlerts } from "./oracle.ts";
import { createRandom, type Random } from "./random.ts";

const SEED = Number(process.env["REORG_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
// anvil: two epochs of 32 slots.
const FINAL_BEHIND = 64;

let dir: TempDir;
let random: Random;
let chain: ForkingChain;
let lagging: LaggingNode;
let receiver: Receiver;
let runner: DaemonRunner;

beforeEach(async () => {
  process.stdout.write(`reorgs with seed ${SEED}\n`);
  random = createRandom(SEED);
  dir = createTempDir("reorg");
  chain = await createForkingChain(random);
  lagging = await startLaggingNode(chain.anvil);
  receiver = await startReceiver();
  const { scene } = chain;
  const written = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: lagging.url,
    proofs: "prefer",
    start: 1,
    watch: [...scene.watched.keys()].map((address) => ({ address })),
    own: [...scene.own].map((address, index) => ({ address, customerRef: `cust-${index}` })),
    webhooks: [{ name: "ops", url: receiver.url, secrets: [receiver.secret], concurrency: 8 }],
    operations: [{ name: "alarms", url: receiver.url, secrets: [receiver.secret] }],
    // Reads often: the test mines faster than a chain.
    chain: { blockTimeMs: 500 },
  });
  runner = createDaemonRunner("daemon", written);
  runner.start();
  await runner.ready();
}, 120_000);

afterEach(async () => {
  await runner.kill9();
  await Promise.all([receiver.stop(), lagging.stop(), chain.anvil.stop()]);
  await dir.remove();
}, 60_000);

/** Waits until the receiver knows the truth of the chain as it is now. */
async function untilTruth(): Promise<Ledger> {
  const head = await chain.head();
  const expected = await expectedAlerts(chain.anvil.rpc, chain.scene, { from: 1, to: head });
  let ledger = readLedger(receiver.requests, accountKeys(chain.scene));
  let differences: string[] = [];
  const isTrue = () => {
    ledger = readLedger(receiver.requests, accountKeys(chain.scene));
    differences = compareWithChain(ledger, { expected, finalNumber: Math.max(0, head - FINAL_BEHIND) });
    return differences.length === 0;
  };
  await waitFor("the truth to arrive", isTrue, { timeoutMs: 60_000, intervalMs: 200 }).catch((error: unknown) => {
    throw new Error(
      `seed ${SEED}, ${differences.length} differences:\n${differences.slice(0, 10).join("\n")}\nlast words:\n${runner.lastWords()}`,
      { cause: error },
    );
  });
  expect(ledger.problems).toEqual([]);
  return ledger;
}

/** Each alert's revisions run 1, 2, 3 without a gap; how many were withdrawn, and how many came back. */
function checkRevisions(ledger: Ledger): { retracted: number; cameBack: number } {
  let retracted = 0;
  let cameBack = 0;
  for (const { messages } of ledger.alerts.values()) {
    expect(messages.map(({ data }) => data.revision)).toEqual(messages.map((_, index) => index + 1));
    const stages = messages.map(({ data }) => data.stage);
    const at = stages.indexOf("retracted");
    if (at >= 0) retracted += 1;
    if (at >= 0 && stages.slice(at).includes("included")) cameBack += 1;
  }
  return { retracted, cameBack };
}

const DEPTHS = [1, 2, 3, 4, 6, 8, 11, 15, 20];

test("reorgs while the daemon runs: alerts are withdrawn, come back under the same id, and tell the chain as it is", async () => {
  for (const depth of random.shuffle(DEPTHS)) {
    await chain.grow(depth + random.between(1, 4));
    // Now and then the fork falls into the daemon's catching up.
    if (random.chance(0.6)) await untilTruth();
    await chain.fork(depth);
    if (random.chance(0.4)) await chain.fork(random.between(1, depth));
    await chain.grow(random.between(0, 2));
    if (random.chance(0.7)) await untilTruth();
  }
  await chain.grow(1);
  const { retracted, cameBack } = checkRevisions(await untilTruth());
  expect(retracted).toBeGreaterThan(0);
  expect(cameBack).toBeGreaterThan(0);
  expect(await runner.metric("heistwatch_chain_reorgs_total")).toBeGreaterThan(0);
}, 300_000);

test("reorgs while the daemon is down: found at the next start, whatever ended it", async () => {
  for (const depth of random.shuffle([1, 5, 12, 20])) {
    await chain.grow(depth + random.between(1, 4));
    await untilTruth();
    await (random.chance(0.5) ? runner.stop() : runner.kill9());
    await chain.fork(depth);
    // The new chain is longer, as long, or shorter than what the daemon knew.
    const change = random.between(-3, 5);
    if (change > 0) await chain.grow(change);
    if (change < 0) await chain.anvil.rpc("anvil_rollback", [-change]);
    runner.start();
    await runner.ready();
    if (random.chance(0.5)) await sleep(random.between(0, 1_500));
    await chain.grow(4);
    await untilTruth();
  }
  const { retracted } = checkRevisions(await untilTruth());
  expect(retracted).toBeGreaterThan(0);
  expect(runner.surprises).toEqual([]);
}, 300_000);

test("a chain that never forks never yields a reorg, however far and however wildly the node lags", async () => {
  const jumps = random.fork();
  lagging.lagBy(() => (jumps.chance(0.5) ? 0 : jumps.between(1, 25)));
  for (let round = 0; round < 12; round += 1) {
    await chain.grow(random.between(1, 8));
    if (round === 4) await runner.kill9();
    if (round === 8) await runner.stop();
    if (round === 4 || round === 8) {
      runner.start();
      await runner.ready();
    }
    await sleep(random.between(0, 800));
    expect((await runner.metric("heistwatch_chain_reorgs_total")) ?? 0).toBe(0);
  }
  // Old views of an idle chain count as well: what is above them is missing, and still nothing forks.
  await waitFor("the node to have lagged often", () => lagging.withheld() > 50, { timeoutMs: 60_000 });
  lagging.lagBy(() => 0);
  const ledger = await untilTruth();
  expect(checkRevisions(ledger)).toEqual({ retracted: 0, cameBack: 0 });
  expect((await runner.metric("heistwatch_chain_reorgs_total")) ?? 0).toBe(0);
  expect(runner.log().filter(({ msg }) => msg.startsWith("reorg"))).toEqual([]);
}, 300_000);
