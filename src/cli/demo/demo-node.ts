/** A real local Ethereum node (Foundry's anvil) for the demo, on a free port of this machine only. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { ConfigError, UnavailableError } from "../../lib/errors.ts";
import { sleep } from "../../lib/sleep.ts";

export interface DemoNode {
  readonly httpUrl: string;
  readonly wsUrl: string;
  rpc(method: string, params: readonly unknown[]): Promise<unknown>;
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 20_000;

/** Chain id 1 with an empty history: the addresses of the shipped lists mean what they mean on mainnet. */
export async function startDemoNode(cacheDir: string): Promise<DemoNode> {
  const port = await freePort();
  const child = spawn(
    anvilBinary(),
    ["--chain-id", "1", "--port", String(port), "--host", "127.0.0.1", "--silent", "--cache-path", cacheDir],
    {
      stdio: "ignore",
    },
  );
  const url = `http://127.0.0.1:${port}`;
  const rpc = createRpc(url);
  await waitUntilReady(child, () => rpc("eth_chainId", []));
  return {
    httpUrl: url,
    wsUrl: `ws://127.0.0.1:${port}`,
    rpc,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** The binary itself: its wrapper is one more process, and killing the wrapper would leave the node running. */
function anvilBinary(): string {
  const name = `@foundry-rs/anvil-${process.platform === "win32" ? "win32" : process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    const binary = path.join(
      path.dirname(require.resolve(`${name}/package.json`)),
      "bin",
      process.platform === "win32" ? "anvil.exe" : "anvil",
    );
    if (existsSync(binary)) return binary;
  } catch {
    // Told below: the package is not installed for this platform.
  }
  throw new ConfigError(
    `the demo needs the development dependency ${name}: run npm install (without --omit=dev) in a clone of heistwatch`,
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function waitUntilReady(child: ChildProcess, probe: () => Promise<unknown>): Promise<void> {
  let failure: Error | null = null;
  child.on("error", (error) => {
    failure = error;
  });
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < deadline && failure === null && child.exitCode === null) {
    try {
      await probe();
      return;
    } catch {
      await sleep(50); // Not listening yet: asked again until the deadline.
    }
  }
  child.kill("SIGKILL");
  throw new UnavailableError("the demo's local Ethereum node did not start", { cause: failure });
}

function createRpc(url: string): DemoNode["rpc"] {
  return async (method, params) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
    if (answer.error !== undefined)
      throw new UnavailableError(`the demo's node refused ${method}: ${answer.error.message}`);
    return answer.result;
  };
}
