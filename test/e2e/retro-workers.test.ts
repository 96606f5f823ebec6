/**
 * Goal: a scan that several processes share is faster where the node is slow, and the loss of any of them costs time only.
 * Method: a node behind a proxy that answers late. The same blocks are read by the daemon alone, by the daemon with two
 * workers, and with a worker and then the daemon killed in the middle. Times are the store's own.
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Wallet } from "ethers";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { waitFor } from "../support/wait-for.ts";
import { createRetroWorld, type RetroWorld } from "./retro-world.ts";
import type { Heistwatch, Worker } from "./support/heistwatch.ts";

const BLOCKS = 352;
const LATENCY_MS = 120;
const PAID = [3, 40, 100, 180, 260, 351];

let anvil: Anvil;
let proxy: FaultProxy;
let world: RetroWorld;
let daemon: Heistwatch;
const watched = Array.from({ length: 4 }, () => Wallet.createRandom().address);

beforeAll(async () => {
  anvil = await startAnvil({ chainId: 1, noMining: true, slotsInAnEpoch: 1 });
  const [payer = ""] = await anvil.rpc<string[]>("eth_accounts");
  for (let number = 1; number <= BLOCKS; number += 1) {
    if (PAID.includes(number))
      for (const to of watched)
        await anvil.rpc("eth_sendTransaction", [{ from: payer, to, value: "0xde0b6b3a7640000" }]);
    await anvil.mine();
  }
  await anvil.mine(20);
  proxy = await startFaultProxy(anvil.url);
  world = await createRetroWorld({ nodeUrl: proxy.url });
  daemon = await world.startDaemon(watched);
  await anvil.mine(10);
  await waitFor(
    "the past to be final",
    async () =>
      Number((await world.sql<{ at: string }>(`select finalized_number as at from chain_lease`))[0]?.at) > BLOCKS,
    { timeoutMs: 60_000 },
  );
  proxy.set({ latencyMs: LATENCY_MS });
}, 180_000);

afterAll(async () => {
  await world.stop();
  await proxy.stop();
  await anvil.stop();
}, 60_000);

/** Seconds from asking to the end, and whoever read. */
async function scan(address: string, during: () => Promise<void> = async () => undefined): Promise<number> {
  const { scanId } = await world.scan([address], 0);
  await during();
  await world.untilScanned(180_000);
  const [row] = await world.sql<{ ms: string; hits: string }>(
    `select ended_at - created_at as ms, (select count(*) from retro_hit where scan_id = $1 and fresh) as hits
     from retro_scan where scan_id = $1`,
    [scanId],
  );
  expect(Number(row?.hits)).toBe(PAID.length);
  return Number(row?.ms) / 1_000;
}

const progressed = (blocks: number) =>
  waitFor(
    `${blocks} blocks to be read`,
    async () =>
      Number(
        (
          await world.sql<{ done: string }>(
            `select coalesce(sum(retro_range.to_number - retro_range.from_number + 1), 0) as done from retro_range join retro_scan using (scan_id)
             where retro_scan.state = 'running' and retro_range.state = 'done'`,
          )
        )[0]?.done,
      ) >= blocks,
    { timeoutMs: 90_000 },
  );

test("three processes read a slow node's past at least 1.7 times as fast as one, and survive the loss of any", async () => {
  const [first = "", second = "", third = "", fourth = ""] = watched;
  const alone = await scan(first);
  const workers: Worker[] = [await world.startWorker(), await world.startWorker()];
  const together = await scan(second);
  const lostWorker = await scan(third, async () => {
    await progressed(64);
    workers[0]?.kill("SIGKILL");
  });
  workers[0] = await world.startWorker();
  const lostDaemon = await scan(fourth, async () => {
    await progressed(64);
    daemon.kill("SIGKILL");
  });
  process.stdout.write(
    `${BLOCKS} blocks, ${LATENCY_MS} ms an answer: one process ${alone} s, three ${together} s (${(alone / together).toFixed(2)} times), ` +
      `a worker killed ${lostWorker} s, the daemon killed ${lostDaemon} s\n`,
  );
  expect(alone / together).toBeGreaterThanOrEqual(1.7);
}, 600_000);
