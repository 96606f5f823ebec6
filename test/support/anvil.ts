/** A real EVM node (Foundry's anvil) on 127.0.0.1. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type ChildServer, startChildServer } from "./child-server.ts";
import { freePort } from "./free-port.ts";
import { createTempDir } from "./temp-dir.ts";

export interface AnvilOptions {
  readonly chainId?: number;
  readonly port?: number;
  /** Unix seconds of the genesis block: with it, explicit nonces and `mine`, two runs give the same hashes. */
  readonly timestamp?: number;
  /** Mines on its own that often; without it (and without `noMining`) every transaction is mined at once. */
  readonly blockTimeSeconds?: number;
  /** Mines only when told to. */
  readonly noMining?: boolean;
  /** `finalized` is twice that many blocks behind the head, `safe` once. */
  readonly slotsInAnEpoch?: number;
  /** Loaded at the start if it exists, written by `stop`: the same chain again under another process. */
  readonly statePath?: string;
  readonly extraArgs?: readonly string[];
}

export interface Anvil {
  readonly port: number;
  readonly url: string;
  readonly wsUrl: string;
  readonly pid: number;
  /** Throws an `AnvilRpcError` when the node answers with an error. */
  rpc<T = unknown>(method: string, params?: readonly unknown[]): Promise<T>;
  /** Mines that many blocks and returns the new height. */
  mine(blocks?: number): Promise<number>;
  output(): string;
  stop(): Promise<void>;
  /** Ends it without writing the state. */
  kill9(): Promise<void>;
}

export class AnvilRpcError extends Error {
  readonly code: number;
  constructor(method: string, error: { readonly code: number; readonly message: string }) {
    super(`${method}: ${error.message} (${error.code})`);
    this.name = "AnvilRpcError";
    this.code = error.code;
  }
}

export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const rpc = createRpc(url);
  // Old states are written to the home folder otherwise, and stay there after SIGKILL.
  const cache = createTempDir("anvil");
  let server: ChildServer;
  try {
    server = await startChildServer({
      name: "anvil",
      command: anvilBinary(),
      args: [...argsOf(options), "--port", String(port), "--cache-path", cache.path],
      isReady: (output) => output.includes("Listening on") && rpc("eth_chainId"),
      stopSignal: "SIGTERM",
    });
  } catch (error) {
    await cache.remove();
    throw error;
  }
  return {
    port,
    url,
    wsUrl: `ws://127.0.0.1:${port}`,
    pid: server.pid,
    rpc,
    async mine(blocks = 1) {
      await rpc("anvil_mine", [`0x${blocks.toString(16)}`]);
      return Number(await rpc<string>("eth_blockNumber"));
    },
    output: () => server.output(),
    stop: () => server.stop().then(() => cache.remove()),
    kill9: () => server.kill9().then(() => cache.remove()),
  };
}

function argsOf(options: AnvilOptions): string[] {
  const args = ["--host", "127.0.0.1", "--color", "never"];
  const add = (name: string, value: number | string | undefined) => {
    if (value !== undefined) args.push(name, String(value));
  };
  add("--chain-id", options.chainId);
  add("--timestamp", options.timestamp);
  add("--block-time", options.blockTimeSeconds);
  add("--slots-in-an-epoch", options.slotsInAnEpoch);
  add("--state", options.statePath);
  if (options.noMining === true) args.push("--no-mining");
  return [...args, ...(options.extraArgs ?? [])];
}

function createRpc(url: string) {
  let lastId = 0;
  return async <T = unknown>(method: string, params: readonly unknown[] = []): Promise<T> => {
    lastId += 1;
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: lastId, method, params }),
    });
    const answer = (await response.json()) as { result: T; error?: { code: number; message: string } };
    if (answer.error !== undefined) throw new AnvilRpcError(method, answer.error);
    return answer.result;
  };
}

/**
 * The program itself, not the wrapper in node_modules/.bin: SIGKILL of the wrapper leaves anvil running.
 * npm installs the one package that fits this machine (linux-amd64, darwin-arm64, ...).
 */
function anvilBinary(): string {
  const wrapper = createRequire(import.meta.url).resolve("@foundry-rs/anvil/package.json");
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const platform = process.platform;
  const packageName = `@foundry-rs/anvil-${platform}-${architecture}`;
  const binaryPackage = createRequire(wrapper).resolve(`${packageName}/package.json`);
  return join(dirname(binaryPackage), "bin", platform === "win32" ? "anvil.exe" : "anvil");
}
