/** One rate held for so many seconds, waited out to the last alert, and what it took. */
import os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { waitFor } from "../../test/support/wait-for.ts";
import { quantile } from "../table.ts";
import { FINAL_BEHIND } from "./chain.ts";
import { cpuSecondsOf, type RateWorld } from "./world.ts";

const BLOCK_MS = 1_000;
const DRAIN_MS = 600_000;
/** Held: when the last block is mined, no more is untold than so many seconds bring. */
const BACKLOG_SECONDS_MAX = 2;

/** Milliseconds at p50 and p99. */
export type Spread = readonly [p50: number, p99: number];

export interface Round {
  readonly rate: number;
  readonly seconds: number;
  readonly hits: number;
  /** What was stored, first told and told as final; each must be `hits`. */
  readonly stored: number;
  readonly told: number;
  readonly finalized: number;
  /** Hits a second that the node really mined. */
  readonly minedRate: number;
  /** Hits mined and not told yet, each ten seconds. */
  readonly backlog: readonly number[];
  readonly isHeld: boolean;
  /** From the end of mining to the last first POST. */
  readonly drainMs: number;
  /** Node told to mine -> first POST there. */
  readonly latency: Spread;
  readonly maxMs: number;
  readonly stages: Readonly<Record<string, Spread>>;
  /** Share of one core. */
  readonly daemonCpu: number;
  /** Share of all cores, whoever used them. */
  readonly machineBusy: number;
  readonly load: number;
}

export async function runRound(world: RateWorld, of: { rate: number; seconds: number }): Promise<Round> {
  const before = { told: world.receiver.created.length, finalized: world.receiver.finalized.size };
  const storedBefore = await hitsStored(world.database);
  const watch = startWatch(world);
  const mined = await mineAll(world, of, before.told);
  const hits = of.rate * of.seconds;
  const usage = watch();
  await settle(world, { told: before.told + hits, finalized: before.finalized + hits });
  const told = world.receiver.created.slice(before.told);
  const minedAt = (block: number) => mined.blocks.get(block) ?? Number.NaN;
  const latencies = told.map(({ block, at }) => at - minedAt(block));
  return {
    ...of,
    hits,
    stored: (await hitsStored(world.database)) - storedBefore,
    told: told.length,
    finalized: world.receiver.finalized.size - before.finalized,
    minedRate: hits / (mined.tookMs / 1000),
    backlog: mined.backlog,
    isHeld: (mined.backlog.at(-1) ?? 0) <= BACKLOG_SECONDS_MAX * of.rate,
    drainMs: Math.max(0, (told.at(-1)?.at ?? 0) - mined.endedAt),
    latency: spreadOf(latencies),
    maxMs: quantile(latencies, 1),
    stages: await stagesOf(world, minedAt, Math.min(...mined.blocks.keys())),
    ...usage,
  };
}

interface Mined {
  /** When the node was told to mine each block. */
  readonly blocks: ReadonlyMap<number, number>;
  readonly backlog: readonly number[];
  readonly tookMs: number;
  readonly endedAt: number;
}

async function mineAll(
  { chain, receiver }: RateWorld,
  { rate, seconds }: { rate: number; seconds: number },
  toldBefore: number,
): Promise<Mined> {
  const blocks = new Map<number, number>();
  const backlog: number[] = [];
  const startedAt = Date.now();
  for (let second = 1; second <= seconds; second += 1) {
    await chain.send(rate);
    await sleep(Math.max(0, startedAt + second * BLOCK_MS - Date.now()));
    // What the blocks before this one left undone.
    if (second % 10 === 0) backlog.push((second - 1) * rate - (receiver.created.length - toldBefore));
    const { number, at } = await chain.mine();
    blocks.set(number, at);
  }
  const endedAt = Date.now();
  return { blocks, backlog, tookMs: endedAt - startedAt, endedAt };
}

/** Blocks go on without hits until all is told, and told as final. Gives up in the end: then something is lost. */
async function settle({ chain, receiver }: RateWorld, to: { told: number; finalized: number }): Promise<void> {
  for (let empty = 0; empty < FINAL_BEHIND + 1; empty += 1) {
    await sleep(BLOCK_MS);
    await chain.mine();
  }
  const isDone = () => receiver.created.length >= to.told && receiver.finalized.size >= to.finalized;
  await waitFor("all alerts to be told", isDone, { timeoutMs: DRAIN_MS, intervalMs: 100 }).catch((error: unknown) =>
    console.error(error),
  );
}

async function hitsStored(database: pg.Client): Promise<number> {
  const { rows } = await database.query<{ count: string }>("select count(*) from hit");
  return Number(rows[0]?.count);
}

const STAGES = ["mined to stored", "stored to POST begun", "POST"] as const;

/** Where the time of the first POSTs went, by the times the store keeps. */
async function stagesOf(
  { database }: RateWorld,
  minedAt: (block: number) => number,
  fromBlock: number,
): Promise<Record<string, Spread>> {
  const { rows } = await database.query<Record<"block" | "stored" | "begun" | "took", string>>(
    `select hit.block_number as block, min(hit_event.at) as stored, attempt.at as begun, attempt.duration_ms as took
     from hit join hit_event using (hit_id) join message on message.alert_id = hit.alert_id and message.type = 'alert.created'
     join delivery using (webhook_id) join attempt on attempt.delivery_id = delivery.delivery_id and attempt.attempt_no = 0
     where hit_event.kind = 'included' and hit.block_number >= $1
     group by hit.hit_id, message.webhook_id, attempt.delivery_id, attempt.attempt_no`,
    [fromBlock],
  );
  const times = rows.map((row) => [
    Number(row.stored) - minedAt(Number(row.block)),
    Number(row.begun) - Number(row.stored),
    Number(row.took),
  ]);
  return Object.fromEntries(STAGES.map((name, place) => [name, spreadOf(times.map((one) => one[place] ?? 0))]));
}

function spreadOf(values: readonly number[]): Spread {
  return [quantile(values, 0.5), quantile(values, 0.99)];
}

/** Until the returned function is called. */
function startWatch({ daemon }: RateWorld) {
  const [cpuBefore, busyBefore, startedAt] = [cpuSecondsOf(daemon.pid), machineTimes(), performance.now()];
  return () => {
    const busy = machineTimes();
    return {
      daemonCpu: (cpuSecondsOf(daemon.pid) - cpuBefore) / ((performance.now() - startedAt) / 1000),
      machineBusy: (busy.busy - busyBefore.busy) / (busy.all - busyBefore.all),
      load: os.loadavg()[0] ?? 0,
    };
  };
}

function machineTimes(): { busy: number; all: number } {
  const times = os.cpus().map((cpu) => cpu.times);
  const all = times.reduce((sum, one) => sum + one.user + one.nice + one.sys + one.idle + one.irq, 0);
  return { all, busy: all - times.reduce((sum, one) => sum + one.idle, 0) };
}
