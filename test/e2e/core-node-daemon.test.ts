/**
 * Goal: a theft on a real node of the Bitcoin Core family is told by the whole daemon: once, under one id through the
 * daemon's crash, a reorg and finality.
 * Method: litecoind on regtest, the embedded store, a real receiver with the official library.
 */
import { writeDaemonConfig } from "../support/daemon.ts";
import {
  CORE_PROGRAMS,
  type CoreNode,
  type CoreProgram,
  isOnPath,
  startCoreNode,
} from "../support/bitcoin/core-node.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { createDaemonRunner, type DaemonRunner } from "./daemon-runner.ts";

const [litecoind, ...others] = CORE_PROGRAMS as [CoreProgram, ...CoreProgram[]];
const programs = [litecoind, ...others.filter(({ program }) => isOnPath(program))];
const COIN = 100_000_000n;

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
}, 60_000);

interface AlertBody {
  readonly type: string;
  readonly data: {
    readonly alertId: string;
    readonly revision: number;
    readonly stage: string;
    readonly transaction: { readonly hash: string };
    readonly transfers: readonly { readonly key: string; readonly amount: string }[];
    readonly own: { readonly address: string; readonly customerRef?: string } | null;
    readonly retraction: { readonly reason: string } | null;
  };
}

/** The latest revision of each alert about a transaction. */
function alertsOf(receiver: Receiver, txid: string): AlertBody["data"][] {
  const latest = new Map<string, AlertBody["data"]>();
  for (const { body, verified } of receiver.requests) {
    const { type, data } = body as AlertBody;
    if (!verified || !type.startsWith("alert.") || data.transaction.hash !== txid) continue;
    const known = latest.get(data.alertId);
    if (known === undefined || known.revision < data.revision) latest.set(data.alertId, data);
  }
  return [...latest.values()];
}

interface World {
  readonly node: CoreNode;
  readonly receiver: Receiver;
  readonly runner: DaemonRunner;
  readonly thief: string;
  readonly deposit: string;
}

async function world(program: CoreProgram): Promise<World> {
  const node = await startCoreNode(program);
  undo.push(() => node.remove());
  await node.mine(110);
  const thief = await node.rpc<string>("getnewaddress", "", "bech32");
  const deposit = await node.rpc<string>("getnewaddress", "", "p2sh-segwit");
  const receiver = await startReceiver();
  undo.push(() => receiver.stop());
  const dir = createTempDir("core-daemon");
  undo.push(() => dir.remove());
  const written = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    nodes: [{ name: "own-a", operator: "self", http: node.url, rpc: { cookieFile: node.cookieFile } }],
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
  });
  const runner = createDaemonRunner("daemon", written);
  undo.push(() => runner.kill9());
  runner.start();
  await runner.ready();
  return { node, receiver, runner, thief, deposit };
}

/** All coins of the thief's first transaction go to an address, less a fee. */
async function spend(node: CoreNode, { txid, from, to }: { txid: string; from: string; to: string }): Promise<string> {
  const { vout } = await node.rpc<{
    vout: { n: number; value: number; scriptPubKey: { address?: string; addresses?: string[] } }[];
  }>("getrawtransaction", txid, true);
  const coin = vout.find(({ scriptPubKey }) => (scriptPubKey.address ?? scriptPubKey.addresses?.[0]) === from);
  const amount = Number(((coin?.value ?? 0) - 0.001).toFixed(8));
  const raw = await node.rpc<string>("createrawtransaction", [{ txid, vout: coin?.n }], { [to]: amount });
  const { hex } = await node.rpc<{ hex: string }>("signrawtransactionwithwallet", raw);
  return node.rpc<string>("sendrawtransaction", hex);
}

describe.each(programs)("$program", (program: CoreProgram) => {
  test("loot that reaches a deposit address is told, taken back with its block, told again, and final", async () => {
    const { node, receiver, runner, thief, deposit } = await world(program);
    const stage = (txid: string) => alertsOf(receiver, txid).map((alert) => alert.stage);
    const seen = () =>
      `${JSON.stringify(receiver.requests.map(({ body }) => (body as AlertBody).data)).slice(-3_000)}\n${runner.lastWords()}`;
    const until = (what: string, probe: () => boolean) =>
      waitFor(what, probe, { timeoutMs: 45_000 }).catch((error: unknown) => {
        throw new Error(`${what}: ${seen()}`, { cause: error });
      });

    const theft = await node.rpc<string>("sendtoaddress", thief, 40);
    await node.mine(1);
    await until("the theft", () => stage(theft).includes("included"));
    expect(alertsOf(receiver, theft)).toHaveLength(1);

    // The daemon dies, and the loot moves while it is down.
    await runner.kill9();
    const cashOut = await spend(node, { txid: theft, from: thief, to: deposit });
    const [block] = await node.mine(1);
    runner.start();
    await until("the deposit", () => stage(cashOut).includes("included"));
    const [alert, ...more] = alertsOf(receiver, cashOut);
    expect(more).toEqual([]);
    expect(alert).toMatchObject({ own: { address: deposit, customerRef: "cust-7" } });
    const amounts = alert?.transfers.map(({ key, amount }) => [key, BigInt(amount)]);
    expect(amounts).toContainEqual(["vout:0", 40n * COIN - 100_000n]);

    // Another branch without it has more work.
    await node.rpc("invalidateblock", block);
    const address = await node.rpc<string>("getnewaddress");
    for (let count = 0; count < 2; count += 1) await node.rpc("generateblock", address, []);
    await until("the retraction", () => stage(cashOut)[0] === "retracted");
    expect(alertsOf(receiver, cashOut)[0]).toMatchObject({ alertId: alert?.alertId, retraction: { reason: "reorg" } });

    await node.mine(1, address);
    await until("it again", () => stage(cashOut)[0] === "included");
    await node.mine(6, address);
    await until("finality", () => stage(cashOut)[0] === "final" && stage(theft)[0] === "final");
    expect(alertsOf(receiver, cashOut).map(({ alertId }) => alertId)).toEqual([alert?.alertId]);
    expect(runner.surprises).toEqual([]);
    expect(await runner.metric("heistwatch_chain_reorgs_total")).toBe(1);
  }, 180_000);
});
