/** Everything one crash run stands on: node, receiver, daemons, and with the server backend Redis and Postgres. */
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { startBitcoinChain } from "./bitcoin-chain.ts";
import type { CrashChain } from "./crash-chain.ts";
import { createDaemonRunner, type DaemonRunner } from "./daemon-runner.ts";
import { startEthereumChain } from "./ethereum-chain.ts";
import { type FenceAudit, installFenceAudit, query } from "./fence-audit.ts";
import type { Random } from "./random.ts";

export const BACKENDS = ["embedded", "redis"] as const;
/** `redis`: with Postgres, as in production. */
export type Backend = (typeof BACKENDS)[number];

export const CHAIN_NAMES = ["ethereum", "bitcoin"] as const;
export type ChainName = (typeof CHAIN_NAMES)[number];
const START_CHAIN = { ethereum: startEthereumChain, bitcoin: startBitcoinChain } as const;

export interface Servers {
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  readonly databaseUrl: string;
  readonly audit: FenceAudit;
}

export interface World {
  readonly chain: CrashChain;
  readonly receiver: Receiver;
  readonly runners: readonly DaemonRunner[];
  /** Null on the embedded backend. */
  readonly servers: Servers | null;
  readonly random: Random;
  /** Blocks from the head down to the last final one. */
  readonly finalBehind: number;
  stop(): Promise<void>;
}

export const REDIS_PREFIX = "crash";
// Four blocks behind the head: a run sees alerts become final all the time. Or so far that none ever is.
const FINAL_BEHIND = { soon: 4, never: 50_000 } as const;
export type Finality = keyof typeof FINAL_BEHIND;

export interface WorldOptions {
  readonly chain: ChainName;
  readonly backend: Backend;
  readonly daemons: 1 | 2;
  /** `never`: no later event of an alert makes good for a lost one. */
  readonly finality: Finality;
  readonly random: Random;
}

/** Starts everything; the daemons run and the audit is in place when it returns. */
export async function createWorld({ chain: name, backend, daemons, finality, random }: WorldOptions): Promise<World> {
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const one of undo.splice(0).toReversed()) await one().catch((error: unknown) => console.error(error));
  };
  try {
    const dir = createTempDir("crash");
    undo.push(() => dir.remove());
    const finalBehind = FINAL_BEHIND[finality];
    const chain = await START_CHAIN[name]({ finalBehind, random, undo });
    const receiver = await startReceiver();
    undo.push(() => receiver.stop());
    const stores = backend === "embedded" ? null : await startStores(undo);
    const names = daemons === 1 ? ["daemon-a"] : ["daemon-a", "daemon-b"];
    const runners: DaemonRunner[] = [];
    for (const daemon of names) {
      const written = await writeConfig(daemon, { dir: dir.path, chain, receiver, stores });
      runners.push(createDaemonRunner(daemon, written));
    }
    undo.push(() => Promise.all(runners.map((runner) => runner.kill9())));
    runners[0]?.start();
    await runners[0]?.ready();
    const servers = stores === null ? null : { ...stores, audit: await installFenceAudit(stores.databaseUrl) };
    for (const runner of runners.slice(1)) {
      runner.start();
      await runner.ready();
    }
    return { chain, receiver, runners, servers, random, finalBehind, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startStores(undo: (() => Promise<unknown>)[]): Promise<Omit<Servers, "audit">> {
  const redis = await startRedis();
  undo.push(() => redis.stop());
  const postgres = await startPostgres();
  undo.push(() => postgres.stop());
  const databaseUrl = await postgres.createDatabase("heistwatch");
  // The test server is started without waiting for its log; a Postgres that is crashed must keep what it confirmed.
  await query(databaseUrl, "alter database heistwatch set synchronous_commit = on");
  return { redis, postgres, databaseUrl };
}

interface ConfigParts {
  readonly dir: string;
  readonly chain: CrashChain;
  readonly receiver: Receiver;
  readonly stores: Omit<Servers, "audit"> | null;
}

async function writeConfig(name: string, { dir, chain, receiver, stores }: ConfigParts): Promise<WrittenConfig> {
  const written = await writeDaemonConfig({
    dir,
    dataDirName: name,
    ...chain.config,
    ...(stores === null
      ? {}
      : {
          redisUrl: stores.redis.url,
          redisPrefix: REDIS_PREFIX,
          extra: { store: { databaseUrl: { env: "DATABASE_URL" } } },
        }),
    webhooks: [{ name: "ops", url: receiver.url, secrets: [receiver.secret], concurrency: 8 }],
    operations: [{ name: "alarms", url: receiver.url, secrets: [receiver.secret] }],
    // Retries after a tenth of a second, so that a receiver's trouble is part of every run.
    retryScale: 0.02,
  });
  if (stores === null) return written;
  return { ...written, env: { ...written.env, DATABASE_URL: `${stores.databaseUrl}?application_name=${name}` } };
}
