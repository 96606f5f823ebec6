/** Starts the replay node as a process of its own: a node that answers pre-serialised blocks, for benches and tests. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { type ChainIndex, readChainIndex } from "./chain-files.ts";
import { DEFAULT_CHAIN, ensureChain } from "./generate.ts";
import type { ServerOptions, ServerReady } from "./server.ts";

export type { ChainSource, GeneratedChain } from "./generate.ts";
export type ReplayOptions = ServerOptions;

export interface ReplayNode {
  readonly httpUrl: string;
  readonly wsUrl: string;
  /** What the node serves: numbers, hashes, counts, and the people of a generated chain. */
  readonly chain: ChainIndex;
  rpc(method: string, params?: readonly unknown[]): Promise<unknown>;
  /** Moves the head; forward, newHeads tells every block on the way. */
  setHead(number: number): Promise<void>;
  /** One block more every so many milliseconds, until the chain's end. */
  startTicks(everyMs: number): Promise<void>;
  stopTicks(): Promise<void>;
  /** When each block was told, in nanoseconds of `process.hrtime`. */
  told(): Promise<{ number: number; atNs: bigint }[]>;
  /** The CPU its process has used, in milliseconds. */
  cpuMs(): Promise<number>;
  /** Returns when the process is gone; twice is fine. */
  stop(): Promise<void>;
}

/** Writes the chain first when its files are missing: about 60 ms a block, once on a machine. */
export async function startReplayNode(options: ReplayOptions = {}): Promise<ReplayNode> {
  const chain = readChainIndex(ensureChain(options.chain ?? DEFAULT_CHAIN));
  const server = path.join(import.meta.dirname, "server.ts");
  // The parent's own flags (a test runner's, an inspector's) are not the child's.
  const child = fork(server, [JSON.stringify(options)], {
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const { port } = await readyOf(child);
  const httpUrl = `http://127.0.0.1:${port}`;
  const rpc = createRpc(httpUrl);
  return {
    httpUrl,
    wsUrl: `ws://127.0.0.1:${port}`,
    chain,
    rpc,
    async setHead(number) {
      await rpc("replay_setHead", [number]);
    },
    async startTicks(everyMs) {
      await rpc("replay_startTicks", [everyMs]);
    },
    async stopTicks() {
      await rpc("replay_stopTicks");
    },
    async told() {
      const told = (await rpc("replay_told")) as { number: number; atNs: string }[];
      return told.map(({ number, atNs }) => ({ number, atNs: BigInt(atNs) }));
    },
    async cpuMs() {
      const { user, system } = (await rpc("replay_cpuUsage")) as NodeJS.CpuUsage;
      return (user + system) / 1000;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function readyOf(child: ChildProcess): Promise<ServerReady> {
  const [message] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => {
      throw new Error("the replay node ended before it served");
    }),
  ])) as [ServerReady];
  return message;
}

function createRpc(url: string): ReplayNode["rpc"] {
  return async (method, params = []) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
    if (answer.error !== undefined) throw new Error(`the replay node refused ${method}: ${answer.error.message}`);
    return answer.result;
  };
}
