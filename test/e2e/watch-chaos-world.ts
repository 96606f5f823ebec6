/** What a run of watchlist changes stands on: a chain that forks, a daemon, workers, two receivers, and the doors people use. */
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { type OpenStore, openStore } from "../../src/store/database.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { createDaemonRunner, type DaemonRunner } from "./daemon-runner.ts";
import { createForkingChain, type ForkingChain } from "./forking-chain.ts";
import type { Random } from "./random.ts";
import { cli, runWorker, until, type Worker } from "./support/heistwatch.ts";
import type { Backend } from "./world.ts";

/** The same call of `watch.<name>` by either door. Throws a `RefusedError` where the answer is no. */
export interface Person {
  readonly name: string;
  ask<T>(call: string, args: Readonly<Record<string, unknown>>, door: Door): Promise<T>;
}
export type Door = "cli" | "http";

/** An answer that says no, as opposed to none. */
export class RefusedError extends Error {}

export interface ChaosWorld {
  readonly chain: ForkingChain;
  /** Of the watchlist file, watched from the first block that is followed. */
  readonly listed: readonly string[];
  readonly receivers: Readonly<Record<"desk" | "siem", Receiver>>;
  readonly daemon: DaemonRunner;
  readonly at: WrittenConfig;
  /** Kills -9 the worker and starts another; nothing on the embedded backend. */
  replaceWorker(): Promise<boolean>;
  /** FLUSHALL; nothing on the embedded backend. */
  wipe(): Promise<boolean>;
  /** The daemon is killed, and started again when `work` is done with its store. */
  insideStore<T>(work: (store: OpenStore) => Promise<T>): Promise<T>;
  /** The OS user, who needs no token and has the command line only. */
  readonly owner: Person;
  /** A person with a token. */
  person(name: string, role: string): Promise<Person & { readonly token: string }>;
  stop(): Promise<void>;
}

// Sixteen: a fork of ten never reaches what is final, and a run is long enough that most of it is.
export const FINAL_BEHIND = 16;
// Few enough that each is paid often; many hundred wallets pay once each, and are paid now and then.
export const PAID = 20;
const LISTED = 4;

export async function createChaosWorld({ backend, random }: { backend: Backend; random: Random }): Promise<ChaosWorld> {
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const one of undo.splice(0).toReversed()) await one().catch((error: unknown) => console.error(error));
  };
  try {
    const dir = createTempDir("watch-chaos");
    undo.push(() => dir.remove());
    const routes = random.fork();
    const chain = await createForkingChain(random, {
      paid: PAID,
      own: 6,
      wallets: 1_500,
      perBlock: 8,
      slotsInAnEpoch: FINAL_BEHIND / 2,
      recipientOf: ({ paid, own, wallets }) => {
        const lot = routes.next();
        if (lot < 0.35) return routes.pick(own);
        return lot < 0.85 ? routes.pick(paid) : routes.pick(wallets);
      },
    });
    undo.push(() => chain.anvil.stop());
    const [desk, siem] = await Promise.all([startReceiver(), startReceiver()]);
    undo.push(() => Promise.all([desk.stop(), siem.stop()]));
    const servers = backend === "redis" ? await startServers(undo) : null;
    const listed = [...chain.scene.watched.keys()].slice(0, LISTED);
    const at = await writeConfig({ dir: dir.path, chain, listed, receivers: { desk, siem }, servers });
    const daemon = createDaemonRunner("daemon", at);
    undo.push(() => daemon.kill9());
    await chain.grow(FINAL_BEHIND + 4);
    daemon.start();
    await daemon.ready();
    const processes = createProcesses({ at, daemon, servers, undo });
    const owner: Person = {
      name: userInfo().username,
      ask: (call, args) => cliAnswer(at, ["watch", ...argvOf(call, args)]),
    };
    return {
      chain,
      listed,
      receivers: { desk, siem },
      daemon,
      at,
      ...processes,
      owner,
      person: createPeople(at),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Servers {
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  readonly databaseUrl: string;
}

async function startServers(undo: (() => Promise<unknown>)[]): Promise<Servers> {
  const redis = await startRedis();
  undo.push(() => redis.stop());
  const postgres = await startPostgres();
  undo.push(() => postgres.stop());
  return { redis, postgres, databaseUrl: await postgres.createDatabase("heistwatch") };
}

async function writeConfig(of: {
  dir: string;
  chain: ForkingChain;
  listed: readonly string[];
  receivers: ChaosWorld["receivers"];
  servers: Servers | null;
}): Promise<WrittenConfig> {
  const { dir, chain, listed, receivers, servers } = of;
  const written = await writeDaemonConfig({
    dir,
    nodeUrl: chain.anvil.url,
    chain: { blockTimeMs: 500 },
    watch: listed.map((address) => ({ address })),
    own: [...chain.scene.own].map((address, index) => ({ address, customerRef: `cust-${index}` })),
    ...(servers === null
      ? {}
      : { redisUrl: servers.redis.url, extra: { store: { databaseUrl: { env: "DATABASE_URL" } } } }),
    webhooks: Object.entries(receivers).map(([name, { url, secret }]) => ({
      name,
      url,
      secrets: [secret],
      concurrency: 8,
    })),
    retryScale: 0.02,
  });
  return servers === null ? written : { ...written, env: { ...written.env, DATABASE_URL: servers.databaseUrl } };
}

function createProcesses(of: {
  at: WrittenConfig;
  daemon: DaemonRunner;
  servers: Servers | null;
  undo: (() => Promise<unknown>)[];
}): Pick<ChaosWorld, "replaceWorker" | "wipe" | "insideStore"> {
  const { at, daemon, servers } = of;
  let worker: Worker | null = null;
  const endWorker = async () => {
    worker?.kill("SIGKILL");
    await worker?.exited;
  };
  of.undo.push(endWorker);
  return {
    async replaceWorker() {
      if (servers === null) return false;
      await endWorker();
      worker = runWorker(at);
      await until(worker, "heistwatch worker runs");
      return true;
    },
    async wipe() {
      if (servers === null) return false;
      await flushAll(servers.redis.port);
      return true;
    },
    async insideStore(work) {
      await daemon.kill9();
      const databaseUrl = servers?.databaseUrl ?? null;
      const store = await openStore({ databaseUrl, dataDir: join(at.configPath, "../data") });
      try {
        return await work(store);
      } finally {
        await store.close();
        daemon.start();
        await daemon.ready();
      }
    },
  };
}

/** Forgets everything, as FLUSHALL does. */
function flushAll(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("FLUSHALL\r\n"));
    socket.once("error", reject);
    socket.once("data", () => {
      socket.destroy();
      resolve();
    });
  });
}

function createPeople(at: WrittenConfig): ChaosWorld["person"] {
  return async (name, role) => {
    const add = () => cliAnswer<{ token: string }>(at, ["people", "add", name, "--role", role]);
    const { token } = await waitFor(`${name} to be added`, add, { timeoutMs: 60_000, intervalMs: 500 });
    return {
      name,
      token,
      ask: <T>(call: string, args: Readonly<Record<string, unknown>>, door: Door) =>
        door === "http"
          ? httpAnswer<T>(at, `watch/${call}`, args, token)
          : cliAnswer<T>(at, ["watch", ...argvOf(call, args), "--as", name], { HEISTWATCH_TOKEN: token }),
    };
  };
}

/** The same arguments as the command line takes them. */
function argvOf(call: string, args: Readonly<Record<string, unknown>>): string[] {
  const { address, incident, entryId, why, proposalId, changeHash, forMs, patch } = args;
  const flag = (name: string, value: unknown) => (typeof value === "string" ? [name, value] : []);
  const what = [address, entryId, proposalId].filter((one) => one !== undefined).map(String);
  return [
    call,
    ...what,
    ...flag("--incident", incident),
    ...flag("--why", why),
    ...flag("--hash", changeHash),
    ...flag("--default", (patch as { default?: string } | undefined)?.default),
    ...(forMs === undefined ? [] : ["--for", `${Number(forMs) / 3_600_000}h`]),
    ...(call === "add" ? ["--yes"] : []),
  ];
}

// Neither a yes nor a no: the daemon that was asked is going.
const BETWEEN_TWO_DAEMONS = /Connection terminated/;

export async function cliAnswer<T>(
  at: WrittenConfig,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<T> {
  const { code, stdout, stderr } = await cli([...args, "--json", "--config", at.configPath], at, env);
  if (code === 0) return JSON.parse(stdout) as T;
  const said = `heistwatch ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`;
  throw code === 1 && !BETWEEN_TWO_DAEMONS.test(said) ? new RefusedError(said) : new Error(said);
}

/** Throws a RefusedError with the status in front where it is not 200. */
export async function httpAnswer<T>(at: WrittenConfig, path: string, args: unknown, token: string | null): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${at.httpPort}/v1/${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(args),
    signal: AbortSignal.timeout(30_000),
  });
  const body = (await answer.json()) as { result: T; error?: string };
  if (answer.status === 200) return body.result;
  const said = `${answer.status} ${body.error}`;
  throw answer.status === 503 ? new Error(said) : new RefusedError(said);
}

/** Hours go by: what is muted tells again, and proposals run out. */
export async function letHoursPass(world: ChaosWorld): Promise<void> {
  await world.insideStore(async ({ db }) => {
    await sql`update watch_entry set wake_at = 1 where wake_at is not null`.execute(db);
    await sql`update watch_proposal set expires_at = 1 where state = 'open'`.execute(db);
  });
}
