/** What goes wrong during a crash run. Each happens at a moment drawn from the seed, while transfers are being mined. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { HITS_QUEUE } from "../../src/types/queue-names.ts";
import { waitFor } from "../support/wait-for.ts";
import type { DaemonRunner } from "./daemon-runner.ts";
import { query } from "./fence-audit.ts";
import type { Random } from "./random.ts";
import { REDIS_PREFIX, type Servers, type World } from "./world.ts";

export const DISTURBANCES = [
  "kill",
  "killAll",
  "killForLong",
  "flushall",
  "flushWaiting",
  "redisKill",
  "redisRestart",
  "postgresRestart",
  "postgresCrash",
  "freezeLeader",
  "freezeInTransaction",
] as const;
export type DisturbanceName = (typeof DISTURBANCES)[number];

export interface DisturbanceContext {
  readonly world: World;
  readonly random: Random;
  /** How long a frozen daemon sleeps at least. */
  readonly freezeMs: number;
  readonly say: (text: string) => void;
}

type Disturb = (context: DisturbanceContext) => Promise<void>;

export const DISTURB: Record<DisturbanceName, Disturb> = {
  kill: async ({ world, random }) => {
    const runner = random.pick(world.runners);
    await momentFor(world, runner, random);
    await runner.kill9();
    runner.start();
  },

  killAll: async ({ world, random }) => {
    await sleep(random.between(0, 2_000));
    await Promise.all(world.runners.map((runner) => runner.kill9()));
    for (const runner of world.runners) runner.start();
  },

  /** The machine stays away: the other daemon takes over once the lease has run out. */
  killForLong: async ({ world, random }) => {
    const leader = await findLeader(world);
    const other = world.runners.find((runner) => runner !== leader) ?? leader;
    await sleep(random.between(0, 1_500));
    await leader.kill9();
    await waitUntilLeads(other);
    leader.start();
    await leader.ready();
  },

  flushall: async ({ world, random, say }) => {
    await sleep(random.between(0, 1_000));
    const lost = await withRedis(world, async (redis) => {
      const keys = await redis.dbsize();
      await redis.flushall();
      return keys;
    });
    say(`FLUSHALL took ${lost} keys`);
  },

  /** Between relay and worker: wiped in the one moment when jobs are in Redis and nowhere else. */
  flushWaiting: async ({ world, random, say }) => {
    const queue = random.pick([HITS_QUEUE, "deliveries-ops"]);
    const script =
      "local waiting = redis.call('LLEN', KEYS[1]) if waiting > tonumber(ARGV[1]) then redis.call('FLUSHALL') return waiting end return 0";
    const least = random.between(0, 10);
    const wiped = await withRedis(world, async (redis) => {
      const deadline = performance.now() + 10_000;
      while (performance.now() < deadline) {
        const waiting = Number(await redis.eval(script, 1, `${REDIS_PREFIX}:${queue}:wait`, String(least)));
        if (waiting > 0) return waiting;
      }
      return 0;
    });
    say(`FLUSHALL took ${wiped} waiting jobs of ${queue}`);
  },

  redisKill: async ({ world, random }) => {
    const { redis } = serversOf(world);
    await sleep(random.between(0, 1_000));
    await redis.kill9();
    await sleep(random.between(0, 2_500));
    await redis.up();
  },

  redisRestart: async ({ world, random }) => {
    await sleep(random.between(0, 1_000));
    await serversOf(world).redis.restart();
  },

  /** Fast: sessions are cut, wherever they are. */
  postgresRestart: async ({ world, random }) => {
    const { postgres } = serversOf(world);
    await sleep(random.between(0, 1_000));
    await postgres.down();
    await sleep(random.between(0, 2_500));
    await postgres.up();
  },

  postgresCrash: async ({ world, random }) => {
    const { postgres } = serversOf(world);
    await sleep(random.between(0, 1_000));
    await postgres.downImmediately();
    await sleep(random.between(0, 2_500));
    await postgres.up();
  },

  freezeLeader: async (context) => {
    const leader = await findLeader(context.world);
    await sleep(context.random.between(0, 1_000));
    leader.freeze();
    // It may have been inside of a transaction by chance.
    await sleepThrough(context, leader, { wasCut: await isInTransaction(context.world, leader) });
  },

  /** The worst moment to fall asleep: with a transaction open that holds the chain's row. */
  freezeInTransaction: async (context) => {
    const { world, random } = context;
    const leader = await findLeader(world);
    let caught = false;
    for (let tries = 0; tries < 200 && !caught; tries += 1) {
      leader.freeze();
      await sleep(20); // What it sent before it froze is still being worked on.
      caught = await isInTransaction(world, leader);
      if (caught) break;
      leader.wake();
      await sleep(random.between(5, 60));
    }
    if (!caught) leader.freeze();
    context.say(`${leader.name} frozen ${caught ? "inside" : "outside of"} a transaction`);
    await sleepThrough(context, leader, { wasCut: caught });
  },
};

/** In the start with its migrations and its sweep, at any time after it, or in the middle of delivering. */
async function momentFor({ receiver }: World, runner: DaemonRunner, random: Random): Promise<void> {
  const lot = random.next();
  if (lot < 0.25) {
    await sleep(random.between(0, 2_000));
    return;
  }
  await runner.ready();
  if (lot < 0.5) {
    await sleep(random.between(0, 3_000));
    return;
  }
  const requests = receiver.requests.length + random.between(1, 150);
  const until = performance.now() + 5_000;
  while (receiver.requests.length < requests && performance.now() < until) await sleep(1);
}

/** The other daemon leads on; the sleeper writes nothing, neither asleep nor after it wakes. */
async function sleepThrough(
  { world, freezeMs, say }: DisturbanceContext,
  sleeper: DaemonRunner,
  { wasCut }: { wasCut: boolean },
): Promise<void> {
  const { audit } = serversOf(world);
  const other = world.runners.find((runner) => runner !== sleeper);
  if (other === undefined) throw new Error("freezing a leader needs two daemons");
  const until = performance.now() + freezeMs;
  await waitUntilLeads(other);
  const before = await audit.writesOf(sleeper.name);
  const otherBefore = await audit.writesOf(other.name);
  await world.chain.burst(20);
  await waitFor(`${other.name} to write`, async () => (await audit.writesOf(other.name)) > otherBefore, {
    timeoutMs: 60_000,
  });
  await sleep(Math.max(0, until - performance.now()));
  sleeper.wake();
  const outcome = await waitFor(
    `${sleeper.name} to find out that it lost the chain`,
    () => outcomeOf(sleeper, wasCut),
    {
      timeoutMs: 60_000,
    },
  );
  const wrote = (await audit.writesOf(sleeper.name)) - before;
  say(`${sleeper.name} woke up: ${outcome}, ${wrote} accepted writes`);
  if (wrote !== 0) throw new Error(`${sleeper.name} wrote ${wrote} times after it had lost the chain`);
}

/**
 * Null while it does not know. A write of a former leader is refused by its epoch; where Postgres cut its transaction off
 * before, no write was left to refuse, and it stands by.
 */
async function outcomeOf(sleeper: DaemonRunner, wasCut: boolean): Promise<string | null> {
  const fenced = await sleeper.metric("heistwatch_fenced_writes_total");
  if (fenced !== null && fenced > 0) return `${fenced} refused`;
  const isLeading = await sleeper.metric("heistwatch_leader");
  return wasCut && isLeading === 0 ? "its transaction was cut off" : null;
}

function serversOf({ servers }: World): Servers {
  if (servers === null) throw new Error("this disturbance needs Redis and Postgres");
  return servers;
}

async function withRedis<T>(world: World, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(serversOf(world).redis.url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

async function findLeader({ runners }: World): Promise<DaemonRunner> {
  return waitFor(
    "a daemon to lead",
    async () => {
      for (const runner of runners) if (await leads(runner)) return runner;
      return null;
    },
    { timeoutMs: 60_000 },
  );
}

async function waitUntilLeads(runner: DaemonRunner): Promise<void> {
  await waitFor(`${runner.name} to lead`, () => leads(runner), { timeoutMs: 60_000, intervalMs: 100 });
}

async function leads(runner: DaemonRunner): Promise<boolean> {
  return (await runner.metric("heistwatch_leader").catch(() => null)) === 1;
}

async function isInTransaction(world: World, { name }: DaemonRunner): Promise<boolean> {
  const rows = await query<{ count: number }>(
    serversOf(world).databaseUrl,
    `select count(*)::int as count from pg_locks join pg_stat_activity using (pid)
     where application_name = $1 and state = 'idle in transaction' and relation = 'chain_lease'::regclass`,
    [name],
  );
  return (rows[0]?.count ?? 0) > 0;
}
