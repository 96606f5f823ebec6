/** A real Postgres on 127.0.0.1, its data in a folder of its own. Its programs come from PATH or from Debian's place. */
import { execFile, execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { type ChildServer, startChildServer } from "./child-server.ts";
import { freePort } from "./free-port.ts";
import { createTempDir } from "./temp-dir.ts";

export interface PostgresServer {
  readonly port: number;
  /** Makes an empty database and returns its URL. */
  createDatabase(name: string): Promise<string>;
  urlOf(database: string): string;
  /** Ends the process in good order and keeps the data; open connections are cut. */
  down(): Promise<void>;
  /** Ends it as a crash would: no shutdown, recovery at the next start. */
  downImmediately(): Promise<void>;
  /** Starts it again on the same port with the data of before. */
  up(): Promise<void>;
  restart(): Promise<void>;
  /** Ends it and removes the data. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Default false. True: as in production, a commit is on the disk before it is answered. */
  readonly durable?: boolean;
}

interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

const SUPERUSER = "postgres";

export async function startPostgres({ durable = false }: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = findBinFolder();
  const account = serverAccount();
  const port = await freePort();
  const home = createTempDir("postgres");
  const data = join(home.path, "data");
  const urlOf = (database: string) => `postgresql://${SUPERUSER}@127.0.0.1:${port}/${database}`;
  const start = () =>
    startChildServer({
      name: "postgres",
      command: join(bin, "postgres"),
      args: argsOf({ port, data, socketFolder: home.path, durable }),
      spawn: { ...account, cwd: home.path },
      isReady: () => query(urlOf("postgres"), "SELECT 1").then(() => true),
      // Fast shutdown: cuts connections, then writes everything down.
      stopSignal: "SIGINT",
    });

  let server: ChildServer;
  try {
    await initData(bin, data, home.path, account);
    server = await start();
  } catch (error) {
    await home.remove();
    throw error;
  }
  const down = () => server.stop();
  const up = async () => {
    server = await start();
  };
  const downImmediately = () => {
    // SIGKILL would leave its children and shared memory behind; this is what `pg_ctl stop -m immediate` sends.
    process.kill(server.pid, "SIGQUIT");
    return down();
  };
  return {
    port,
    urlOf,
    async createDatabase(name) {
      await query(urlOf("postgres"), `CREATE DATABASE "${name.replaceAll('"', '""')}"`);
      return urlOf(name);
    },
    down,
    downImmediately,
    up,
    restart: () => down().then(up),
    stop: () => down().then(() => home.remove()),
  };
}

async function initData(bin: string, data: string, home: string, account: Account): Promise<void> {
  mkdirSync(data, { mode: 0o700 });
  if (account.uid !== undefined && account.gid !== undefined) {
    for (const folder of [home, data]) chownSync(folder, account.uid, account.gid);
  }
  const args = ["-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  await promisify(execFile)(join(bin, "initdb"), args, { ...account, cwd: home });
}

function argsOf(of: { port: number; data: string; socketFolder: string; durable: boolean }): string[] {
  const { port, data, socketFolder } = of;
  // No test cuts the power; a killed process keeps what it handed to the system.
  const careful = of.durable ? "on" : "off";
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: socketFolder,
    fsync: careful,
    synchronous_commit: careful,
    full_page_writes: careful,
    max_connections: 200,
  };
  return ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}

async function query(connectionString: string, sql: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 2000 });
  // Without a listener, a connection cut between connect and end would stop the test process.
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function findBinFolder(): string {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...versions.map((one) => join(debian, one, "bin"))];
  const found = folders.find((folder) => ["initdb", "postgres"].every((name) => existsSync(join(folder, name))));
  if (found === undefined)
    throw new Error("no Postgres server found: install postgresql, or put its bin folder in PATH");
  return found;
}

/** Postgres refuses to run as root: then as its own user, or as nobody. Everyone else runs it as themselves. */
function serverAccount(): Account {
  if (process.getuid?.() !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    try {
      const idOf = (what: "-u" | "-g") =>
        Number(execFileSync("id", [what, name], { stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: idOf("-u"), gid: idOf("-g") };
    } catch {
      // No such user here: the next one.
    }
  }
  throw new Error("running as root, and neither the user postgres nor nobody exists to run Postgres as");
}
