/** A real Redis (`redis-server` from PATH) on 127.0.0.1, its data in a folder of its own. */
import { connect } from "node:net";
import { type ChildServer, startChildServer } from "./child-server.ts";
import { freePort } from "./free-port.ts";
import { createTempDir } from "./temp-dir.ts";

export interface RedisOptions {
  /** Default true. False: a restart finds an empty Redis. */
  readonly appendonly?: boolean;
  /** Default `noeviction`, the only policy under which BullMQ loses nothing. */
  readonly maxmemoryPolicy?: string;
  readonly password?: string;
  readonly extraArgs?: readonly string[];
}

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends the process in good order and keeps the data. */
  down(): Promise<void>;
  /** Ends the process as a crash would and keeps what is on disk. */
  kill9(): Promise<void>;
  /** Starts it again on the same port with the data of before. */
  up(): Promise<void>;
  restart(): Promise<void>;
  /** Ends it and removes the data. */
  stop(): Promise<void>;
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const port = await freePort();
  const data = createTempDir("redis");
  const user = options.password === undefined ? "" : `:${encodeURIComponent(options.password)}@`;
  const start = () =>
    startChildServer({
      name: "redis-server",
      command: "redis-server",
      args: argsOf(options, port, data.path),
      isReady: () => isAnswering(port),
      stopSignal: "SIGTERM",
    });

  let server: ChildServer;
  try {
    server = await start();
  } catch (error) {
    await data.remove();
    throw error;
  }
  const down = () => server.stop();
  const up = async () => {
    server = await start();
  };
  return {
    port,
    url: `redis://${user}127.0.0.1:${port}`,
    down,
    kill9: () => server.kill9(),
    up,
    restart: () => down().then(up),
    stop: () => down().then(() => data.remove()),
  };
}

function argsOf(options: RedisOptions, port: number, dir: string): string[] {
  const settings: Record<string, string> = {
    bind: "127.0.0.1",
    port: String(port),
    dir,
    save: "",
    appendonly: options.appendonly === false ? "no" : "yes",
    appendfsync: "everysec",
    "maxmemory-policy": options.maxmemoryPolicy ?? "noeviction",
  };
  if (options.password !== undefined) settings["requirepass"] = options.password;
  return [...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]), ...(options.extraArgs ?? [])];
}

/** PING in Redis' inline form. `-NOAUTH` is an answer too; `-LOADING` is not yet one. */
function isAnswering(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    socket.setTimeout(1000, () => socket.destroy(new Error("no answer to PING")));
    socket.once("error", reject);
    socket.once("data", (data) => {
      resolve(/^(\+PONG|-NOAUTH)/.test(data.toString()));
      socket.destroy();
    });
  });
}
