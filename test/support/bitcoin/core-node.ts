/** A real node of the Bitcoin Core family (litecoind, bitcoind) on regtest, on 127.0.0.1. */
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type ChildServer, startChildServer } from "../child-server.ts";
import { freePort } from "../free-port.ts";
import { createTempDir } from "../temp-dir.ts";

export interface CoreProgram {
  readonly program: "litecoind" | "bitcoind";
  /** CAIP-2 id of its regtest. */
  readonly chainId: string;
  readonly args: readonly string[];
}

const LITECOIND: CoreProgram = {
  program: "litecoind",
  chainId: "bip122:530827f38f93b43ed12af0b3ad25a288",
  // Extension blocks, which begin at height 432 otherwise, never do.
  args: ["-txindex=1", "-vbparams=mweb:0:0:1000000:2000000"],
};
const BITCOIND: CoreProgram = {
  program: "bitcoind",
  chainId: "bip122:0f9188f13cb7b2c71f2a335e3a4fc328",
  args: ["-txindex=1", "-fallbackfee=0.0002"],
};

/** litecoind must be here; bitcoind runs the same suites where it is. */
export const CORE_PROGRAMS: readonly CoreProgram[] = isOnPath("bitcoind") ? [LITECOIND, BITCOIND] : [LITECOIND];

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export type CoreRpc = <T = unknown>(method: string, ...params: readonly unknown[]) => Promise<T>;

export interface CoreNode {
  readonly url: string;
  readonly cookieFile: string;
  /** Throws where the node answers with an error. */
  rpc: CoreRpc;
  /** The same for a new wallet beside the first; wallets are named from then on. */
  addWallet(name: string): Promise<CoreRpc>;
  /** Mines to an address (default: a new one of the wallet) and returns the hashes. */
  mine(blocks: number, address?: string): Promise<string[]>;
  tip(): Promise<string>;
  /** Starts it again on the same data. */
  start(): Promise<void>;
  stop(): Promise<void>;
  kill9(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

/** Talks to nobody but the test; its connections stay open however long a loaded machine lets it wait. */
const PRIVATE = [
  "-rpcservertimeout=600",
  "-listen=0",
  "-dnsseed=0",
  "-rpcbind=127.0.0.1",
  "-rpcallowip=127.0.0.1",
  "-printtoconsole=1",
];

export async function startCoreNode({ program, args }: CoreProgram): Promise<CoreNode> {
  const dir = createTempDir(program);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const cookieFile = join(dir.path, "regtest/.cookie");
  let server: ChildServer | null = null;
  let lastId = 0;

  const rpcAt =
    (at: string): CoreRpc =>
    async <T>(method: string, ...params: readonly unknown[]): Promise<T> => {
      lastId += 1;
      const response = await fetch(at, {
        method: "POST",
        headers: { authorization: `Basic ${Buffer.from(readFileSync(cookieFile, "utf8").trim()).toString("base64")}` },
        body: JSON.stringify({ id: lastId, method, params }),
      });
      const { result, error } = (await response.json()) as { result: T; error: { message: string } | null };
      if (error !== null) throw new Error(`${method}: ${error.message}`);
      return result;
    };
  const rpc = rpcAt(url);

  async function start(): Promise<void> {
    server = await startChildServer({
      name: program,
      command: program,
      args: ["-regtest", "-server", "-rest=1", ...PRIVATE, `-datadir=${dir.path}`, `-rpcport=${port}`, ...args],
      isReady: () => rpc("getblockcount").then(() => true),
      stopSignal: "SIGTERM",
    });
    const wallets = await rpc<string[]>("listwallets");
    if (wallets.includes("miner")) return;
    await rpc("loadwallet", "miner").catch(() => rpc("createwallet", "miner"));
  }

  try {
    await start();
  } catch (error) {
    await dir.remove();
    throw error;
  }
  return {
    url,
    cookieFile,
    rpc,
    async addWallet(name) {
      await rpc("createwallet", name);
      return rpcAt(`${url}/wallet/${name}`);
    },
    async mine(blocks, address) {
      return rpc("generatetoaddress", blocks, address ?? (await rpc<string>("getnewaddress", "", "bech32")));
    },
    tip: () => rpc("getbestblockhash"),
    start,
    stop: async () => server?.stop(),
    kill9: async () => server?.kill9(),
    async remove() {
      await server?.kill9();
      await dir.remove();
    },
  };
}
