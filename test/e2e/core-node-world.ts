/** A real node of the Bitcoin Core family, the whole daemon on it, a thief's and a deposit address of the node's wallet. */
import { type CoreNode, type CoreProgram, startCoreNode } from "../support/bitcoin/core-node.ts";
import { newEvidenceKey } from "../../src/evidence/keys.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { freePort } from "../support/free-port.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { createDaemonRunner, type DaemonRunner } from "./daemon-runner.ts";

export interface AlertBody {
  readonly type: string;
  readonly data: {
    readonly alertId: string;
    readonly revision: number;
    readonly stage: string;
    readonly transaction: { readonly hash: string };
    readonly transfers: readonly { readonly key: string; readonly amount: string }[];
    readonly own: { readonly address: string; readonly customerRef?: string } | null;
    readonly retraction: { readonly reason: string } | null;
    readonly replacedBy: { readonly transaction: string; readonly alertId: string | null } | null;
    readonly replaces: { readonly transaction: string; readonly alertId: string | null } | null;
  };
}

/** The latest revision of each alert about a transaction. */
export function alertsOf(receiver: Receiver, txid: string): AlertBody["data"][] {
  const latest = new Map<string, AlertBody["data"]>();
  for (const { body, verified } of receiver.requests) {
    const { type, data } = body as AlertBody;
    if (!verified || !type.startsWith("alert.") || data.transaction.hash !== txid) continue;
    const known = latest.get(data.alertId);
    if (known === undefined || known.revision < data.revision) latest.set(data.alertId, data);
  }
  return [...latest.values()];
}

export interface CoreWorld {
  readonly node: CoreNode;
  readonly receiver: Receiver;
  readonly runner: DaemonRunner;
  readonly thief: string;
  readonly deposit: string;
  /** What the daemon runs with, for the command line. */
  readonly at: WrittenConfig;
}

/** Signs the evidence bundles of every such world. */
export const EVIDENCE_KEY = newEvidenceKey();

export async function startCoreWorld(
  program: CoreProgram,
  {
    undo,
    mempool = "off",
    prepare,
  }: {
    /** Gets what ends it all. */
    undo: (() => unknown)[];
    mempool?: "auto" | "off";
    /** Before the daemon starts. */
    prepare?: (node: CoreNode, thief: string) => Promise<unknown>;
  },
): Promise<CoreWorld> {
  const zmq = `tcp://127.0.0.1:${await freePort()}`;
  const node = await startCoreNode({ ...program, args: [...program.args, `-zmqpubsequence=${zmq}`] });
  undo.push(() => node.remove());
  await node.mine(110);
  const thief = await node.rpc<string>("getnewaddress", "", "bech32");
  const deposit = await node.rpc<string>("getnewaddress", "", "p2sh-segwit");
  await prepare?.(node, thief);
  const receiver = await startReceiver();
  undo.push(() => receiver.stop());
  const dir = createTempDir("core-daemon");
  undo.push(() => dir.remove());
  const written = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    nodes: [{ name: "own-a", operator: "self", http: node.url, rpc: { cookieFile: node.cookieFile }, zmq: [zmq] }],
    mempool,
    start: 111,
    chainName: "utxo",
    chain: {
      id: program.chainId,
      family: "bitcoin",
      finality: { by: "depth", depth: 6 },
      native: { symbol: "COIN", decimals: 8, slip44: 1, dustBelow: "0.00001" },
    },
    watch: [{ address: thief }],
    own: [{ address: deposit, customerRef: "cust-7" }],
    webhooks: [{ name: "ops", url: receiver.url, secrets: [receiver.secret] }],
    extra: { evidence: { key: { env: "EVIDENCE_KEY" } } },
  });
  const at = { ...written, env: { ...written.env, EVIDENCE_KEY } };
  const runner = createDaemonRunner("daemon", at);
  undo.push(() => runner.kill9());
  runner.start();
  await runner.ready();
  return { node, receiver, runner, thief, deposit, at };
}

interface Spend {
  readonly txid: string;
  readonly from: string;
  readonly to: string;
  readonly fee?: number;
}

/** The coin that a transaction made for an address goes to another one, less a fee. */
export async function spend(node: CoreNode, of: Spend): Promise<string> {
  return node.rpc<string>("sendrawtransaction", await signSpend(node, of));
}

/** In hex, not sent. */
export async function signSpend(node: CoreNode, { txid, from, to, fee = 0.001 }: Spend): Promise<string> {
  const { vout } = await node.rpc<{
    vout: { n: number; value: number; scriptPubKey: { address?: string; addresses?: string[] } }[];
  }>("getrawtransaction", txid, true);
  const coin = vout.find(({ scriptPubKey }) => (scriptPubKey.address ?? scriptPubKey.addresses?.[0]) === from);
  const amount = Number(((coin?.value ?? 0) - fee).toFixed(8));
  const raw = await node.rpc<string>("createrawtransaction", [{ txid, vout: coin?.n }], { [to]: amount });
  const { hex } = await node.rpc<{ hex: string }>("signrawtransactionwithwallet", raw);
  return hex;
}
