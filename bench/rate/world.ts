/** Everything a rate is measured on: node, receiver, Redis and Postgres that wait for the disk, and the daemon. */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { Redis } from "ioredis";
import pg from "pg";
import { fillLargeList, largeListAddress } from "../../test/e2e/support/large-list.ts";
import { type Heistwatch, runDaemon, until } from "../../test/e2e/support/heistwatch.ts";
import { writeDaemonConfig } from "../../test/support/daemon.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import { startRedis } from "../../test/support/redis.ts";
import { createTempDir } from "../../test/support/temp-dir.ts";
import { median } from "../table.ts";
import { CUSTOMERS, customerAddress, type RateChain, startRateChain } from "./chain.ts";
import { type RateReceiver, startRateReceiver } from "./receiver.ts";

// Reading the entries into the index takes a while where the machine is busy.
const START_MS = 600_000;
const FSYNCS = 100;

export interface RateWorld {
  readonly chain: RateChain;
  readonly receiver: RateReceiver;
  readonly daemon: Heistwatch;
  readonly database: pg.Client;
  /** What Redis and Postgres say of their durability, and how long the disk takes. */
  readonly durability: string;
  stop(): Promise<void>;
}

export interface RateWorldOptions {
  readonly watched: number;
  /** Deliveries under way at once. */
  readonly concurrency: number;
  /** The daemon writes a CPU profile there when it ends. */
  readonly profileDir: string | null;
}

export async function startRateWorld(options: RateWorldOptions): Promise<RateWorld> {
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const one of undo.splice(0).toReversed()) await one().catch((error: unknown) => console.error(error));
  };
  const kept = <T extends { stop(): Promise<unknown> }>(started: T): T => {
    undo.push(() => started.stop());
    return started;
  };
  try {
    const dir = createTempDir("rate");
    undo.push(() => dir.remove());
    const postgres = kept(await startPostgres({ durable: true }));
    const redis = kept(await startRedis({ extraArgs: ["--appendfsync", "always"] }));
    const databaseUrl = await postgres.createDatabase("rate");
    await fillLargeList(databaseUrl, options.watched);
    const chain = kept(await startRateChain(options));
    const receiver = kept(await startRateReceiver());
    const at = await writeDaemonConfig({
      dir: dir.path,
      nodeUrl: chain.anvil.url,
      nodeWsUrl: chain.anvil.wsUrl,
      databaseUrl,
      redisUrl: redis.url,
      redisPrefix: "rate",
      // One more than the many: a file has to name somebody.
      watch: [{ address: largeListAddress(options.watched) }],
      own: Array.from({ length: CUSTOMERS }, (_, place) => ({
        address: customerAddress(place),
        customerRef: `customer-${place}`,
      })),
      tokens: [{ address: chain.token, symbol: "USDT", decimals: 6, kind: "stablecoin" }],
      webhooks: [
        {
          name: "desk",
          url: receiver.url,
          secrets: [receiver.secret],
          grouping: false,
          concurrency: options.concurrency,
        },
      ],
    });
    const { profileDir } = options;
    const profiling =
      profileDir === null ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${path.resolve(profileDir)}` };
    const daemon = kept(runDaemon(at, profiling));
    await until(daemon, "leading this chain", START_MS);
    const database = new pg.Client(databaseUrl);
    await database.connect();
    undo.push(() => database.end());
    const durability = await durabilityOf({ database, redisUrl: redis.url, dir: dir.path });
    return { chain, receiver, daemon, database, durability, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function durabilityOf(of: { database: pg.Client; redisUrl: string; dir: string }): Promise<string> {
  const redis = new Redis(of.redisUrl);
  const [, appendfsync] = (await redis.config("GET", "appendfsync")) as [string, string];
  redis.disconnect();
  const shown = async (name: string) => {
    const { rows } = await of.database.query<Record<string, string>>(`show ${name}`);
    return `${name} ${rows[0]?.[name]}`;
  };
  const postgres = `${await shown("fsync")}, ${await shown("synchronous_commit")}, ${await shown("full_page_writes")}`;
  return `Redis appendfsync ${appendfsync}; Postgres ${postgres}; an fsync takes ${fsyncMs(of.dir).toFixed(2)} ms (median)`;
}

/** Of 4 KiB more in a file of the folder that both servers' data lie beside. */
function fsyncMs(dir: string): number {
  const file = openSync(path.join(dir, "fsync-probe"), "w");
  const page = Buffer.alloc(4096, 1);
  const times = Array.from({ length: FSYNCS }, () => {
    writeSync(file, page);
    const startedAt = performance.now();
    fsyncSync(file);
    return performance.now() - startedAt;
  });
  closeSync(file);
  return median(times);
}

/** CPU the process has used so far, seconds: user and system, as Linux counts them in hundredths. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
