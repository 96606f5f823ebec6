/** A daemon and workers on one Postgres and one Redis, with a list that the test changes, and what their store holds. */
import { type DaemonConfig, writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { query } from "./fence-audit.ts";
import { cliJson, type Heistwatch, runWorker, startHeistwatch, until, type Worker } from "./support/heistwatch.ts";
import type { ScanPlan } from "../../src/types/retro.ts";

export interface RetroWorld {
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  /** Writes the list and starts a daemon on it. */
  startDaemon(watched: readonly string[]): Promise<Heistwatch>;
  startWorker(): Promise<Worker>;
  /** Asks for the past of addresses by the command line, again until the daemon has taken over with their list. */
  scan(addresses: readonly string[], from: number): Promise<ScanPlan>;
  /** Waits until every scan has ended. */
  untilScanned(timeoutMs: number): Promise<void>;
  sql<T>(text: string, values?: readonly unknown[]): Promise<T[]>;
  stop(): Promise<void>;
}

export async function createRetroWorld(config: Omit<DaemonConfig, "dir" | "watch">): Promise<RetroWorld> {
  const undo: (() => Promise<unknown>)[] = [];
  const dir = createTempDir("retro");
  undo.push(() => dir.remove());
  const redis = await startRedis();
  undo.push(() => redis.stop());
  const postgres = await startPostgres();
  undo.push(() => postgres.stop());
  const databaseUrl = await postgres.createDatabase("heistwatch");
  let at: WrittenConfig | null = null;
  const written = (): WrittenConfig => {
    if (at === null) throw new Error("no daemon was started yet");
    return at;
  };
  const sql = <T>(text: string, values?: readonly unknown[]) => query<T>(databaseUrl, text, values);
  return {
    redis,
    postgres,
    sql,
    async startDaemon(watched) {
      const made = await writeDaemonConfig({
        ...config,
        dir: dir.path,
        watch: watched.map((address) => ({ address })),
        redisUrl: redis.url,
        extra: { store: { databaseUrl: { env: "DATABASE_URL" } } },
      });
      at = { ...made, env: { ...made.env, DATABASE_URL: databaseUrl } };
      const daemon = await startHeistwatch(at);
      undo.push(async () => {
        daemon.kill("SIGKILL");
        await daemon.exited;
      });
      await until(daemon, /chain followed from here|chain resumed/);
      return daemon;
    },
    async startWorker() {
      const worker = runWorker(written());
      undo.push(async () => {
        worker.kill("SIGKILL");
        await worker.exited;
      });
      await until(worker, "heistwatch worker runs");
      return worker;
    },
    scan(addresses, from) {
      const args = ["retro", "start", "--chain", "ethereum", "--from", String(from), "--address", ...addresses];
      return waitFor("the scan to be accepted", () => cliJson<ScanPlan>(args, written()), {
        timeoutMs: 60_000,
        intervalMs: 300,
      });
    },
    async untilScanned(timeoutMs) {
      const left = () =>
        sql<{ range: string }>(
          `select scan_id || ' ' || range.from_number || '-' || range.to_number || ' ' || range.state || ' ' || coalesce(trouble, '') as range
           from retro_scan as scan join retro_range as range using (scan_id)
           where scan.state = 'running' and range.state <> 'done' limit 5`,
        );
      let seen: unknown = null;
      const isOver = async () => {
        seen = await left();
        const running = await sql<{ count: string }>(`select count(*) from retro_scan where state = 'running'`);
        return running[0]?.count === "0";
      };
      await waitFor("every scan to end", isOver, { timeoutMs, intervalMs: 300 }).catch((error: unknown) => {
        throw new Error(`still to be read: ${JSON.stringify(seen)}`, { cause: error });
      });
    },
    async stop() {
      for (const one of undo.splice(0).toReversed()) await one().catch((error: unknown) => console.error(error));
    },
  };
}
