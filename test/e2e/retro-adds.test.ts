/**
 * Goal: whatever is listed whenever, and whatever dies meanwhile, every transfer of a listed address is found exactly once:
 * live, or by the scan of its past.
 * Method: a real node whose chain grows and forks; addresses are listed in lots, each with a scan from the first block;
 * workers are killed, Redis is wiped, the daemon is killed or stopped. At the end all hits are compared with a naive
 * reading of every block of the chain. RETRO_SEED repeats a run.
 */
import { connect } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { hitIdOf } from "../../src/lib/ids.ts";
import { waitFor } from "../support/wait-for.ts";
import { createForkingChain, type ForkingChain } from "./forking-chain.ts";
import { expectedAlerts } from "./oracle.ts";
import { createRandom } from "./random.ts";
import { createRetroWorld, type RetroWorld } from "./retro-world.ts";
import type { Heistwatch, Worker } from "./support/heistwatch.ts";

const SEED = Number(process.env["RETRO_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const ADDS = 50;
// anvil: two epochs of 32 slots.
const FINAL_BEHIND = 64;
const CHAIN = "eip155:1";

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).toReversed()) await undo();
}, 60_000);

/** Forgets everything, as FLUSHALL does. */
function wipe(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("FLUSHALL\r\n"));
    socket.once("error", reject);
    socket.once("data", () => {
      socket.destroy();
      resolve();
    });
  });
}

interface HitRow {
  readonly hit_id: string;
  readonly state: string;
  readonly block_number: string;
  readonly retro_scan: string | null;
  /** How often it was told to be in a block, less how often it left one. */
  readonly standing: number;
}

const readHits = (world: RetroWorld) =>
  world.sql<HitRow>(
    `select hit.hit_id, hit.state, hit.block_number, hit.retro_scan,
       (select count(*) filter (where kind = 'included') - count(*) filter (where kind = 'removed')
        from hit_event where hit_event.hit_id = hit.hit_id)::int as standing
     from hit where state <> 'removed' and recorded_rule is null`,
  );

async function naiveScan(chain: ForkingChain, listed: readonly string[], head: number): Promise<Map<string, number>> {
  const of = new Set(listed);
  const scene = { ...chain.scene, watched: new Map([...chain.scene.watched].filter(([address]) => of.has(address))) };
  const alerts = await expectedAlerts(chain.anvil.rpc, scene, { from: 0, to: head });
  return new Map(
    [...alerts.values()].flatMap(({ txHash, block, transfers }) =>
      transfers.map(({ key }) => [hitIdOf({ chain: CHAIN, txHash, key }), block.number] as const),
    ),
  );
}

test("fifty addresses listed while the chain grows and forks: every transfer is found once, whatever is killed or wiped", async () => {
  process.stdout.write(`retro adds with seed ${SEED}\n`);
  const random = createRandom(SEED);
  const chain = await createForkingChain(random);
  cleanup.push(() => chain.anvil.stop());
  const world = await createRetroWorld({
    nodeUrl: chain.anvil.url,
    proofs: "prefer",
    chain: { blockTimeMs: 500 },
    own: [...chain.scene.own].map((address, index) => ({ address, customerRef: `cust-${index}` })),
  });
  cleanup.push(() => world.stop());

  const all = [...chain.scene.watched.keys()];
  // All that are paid often, and thieves who pay once each.
  const toList = random.shuffle([...all.slice(0, 8), ...random.shuffle(all.slice(8)).slice(0, ADDS - 8)]);
  const listed: string[] = [];
  await chain.grow(FINAL_BEHIND + 30);
  let daemon: Heistwatch | null = null;
  let worker: Worker | null = null;
  const done = { kills: 0, wipes: 0, forks: 0, lots: 0 };
  while (toList.length > 0) {
    const lot = toList.splice(0, random.between(3, 7));
    listed.push(...lot);
    daemon?.kill(random.chance(0.5) ? "SIGKILL" : "SIGTERM");
    await daemon?.exited;
    daemon = await world.startDaemon(listed);
    if (worker === null || worker.exitCode() !== null) worker = await world.startWorker();
    await chain.grow(random.between(1, 4));
    const scanning = world.scan(lot, 0);
    await chain.grow(random.between(1, 3));
    const depth = random.between(1, 12);
    await chain.fork(depth);
    done.forks += 1;
    await chain.grow(random.between(2, 6));
    await scanning;
    if (random.chance(0.5)) {
      worker.kill("SIGKILL");
      await worker.exited;
      done.kills += 1;
    }
    if (random.chance(0.5)) {
      await wipe(world.redis.port);
      done.wipes += 1;
    }
    await chain.grow(random.between(1, 4));
    done.lots += 1;
  }
  expect(listed).toHaveLength(ADDS);
  await chain.anvil.mine(FINAL_BEHIND + 2);
  const head = await chain.head();
  await waitFor(
    "the daemon to be at the head",
    async () =>
      (await world.sql<{ tip: string }>(`select max(number) as tip from checkpoint`))[0]?.tip === String(head),
    { timeoutMs: 60_000 },
  );
  await world.untilScanned(120_000);

  const expected = await naiveScan(chain, listed, head);
  const hits = await readHits(world);
  const found = new Map(hits.map((row) => [row.hit_id, Number(row.block_number)]));
  expect([...expected].filter(([id, block]) => found.get(id) !== block)).toEqual([]);
  expect([...found.keys()].filter((id) => !expected.has(id))).toEqual([]);
  expect(hits.filter(({ standing }) => standing !== 1)).toEqual([]);
  const past = hits.filter(({ retro_scan }) => retro_scan !== null).length;
  process.stdout.write(`${hits.length} transfers, ${past} by scans of the past; ${JSON.stringify(done)}\n`);
  // Both ways were needed, or the run showed nothing.
  expect(past).toBeGreaterThan(0);
  expect(hits.length - past).toBeGreaterThan(0);
  const gaps = await world.sql<{ scan: string }>(
    `select scan_id as scan from retro_scan where blocks <>
       (select coalesce(sum(to_number - from_number + 1), 0) from coverage where coverage.scan = scan_id)`,
  );
  expect(gaps).toEqual([]);
}, 600_000);
