/**
 * `heistwatch demo`: the whole line on this machine. A real Ethereum node, the shipped watchlists, the embedded store
 * and queue; a listed WazirX address pays an exchange's customer; a signed alert arrives; a reorg takes it back.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadConfig } from "../../config/load.ts";
import { createDaemon } from "../../daemon/daemon.ts";
import { loadLists } from "../../daemon/lists.ts";
import { createLogger } from "../../daemon/logger.ts";
import { AppError } from "../../lib/errors.ts";
import type { Config } from "../../types/config.ts";
import type { WatchEntry } from "../../types/watch.ts";
import { EXIT } from "../context.ts";
import { paint, paintSeverity, print } from "../output.ts";
import { type DemoNode, startDemoNode } from "./demo-node.ts";
import { type DemoReceiver, type ReceivedAlert, startDemoReceiver } from "./demo-receiver.ts";

// Tether's contract: in the shipped token list, so the alert may call it USDT.
const USDT = "0xdAC17F958D2ee523a2206206994597C13D831ec7";
// An exchange's deposit address in this story; nobody's on a real chain that we know of.
const DEPOSIT = "0x1111111111111111111111111111111111111111";
// keccak256("Transfer(address,address,uint256)"), EIP-20.
const TRANSFER_TOPIC = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
// Stands in for the token on the empty local chain: any call logs Transfer(caller, first argument, second argument).
const TOKEN_CODE = `0x602435600052600435337f${TRANSFER_TOPIC}60206000a3600160005260206000f3`;
const CUSTOMER = "customer-88121";

/** Undone in reverse, whatever happened. */
type Cleanup = (() => Promise<void> | void)[];

export async function demo(): Promise<number> {
  const cleanup: Cleanup = [];
  const interrupted = new AbortController();
  const onSignal = () => interrupted.abort(new AppError("interrupted"));
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  const aborted = new Promise<never>((_resolve, reject) => {
    interrupted.signal.addEventListener("abort", () => reject(interrupted.signal.reason as AppError), { once: true });
  });
  try {
    await Promise.race([tell(cleanup), aborted]);
    return EXIT.ok;
  } finally {
    for (const undo of cleanup.toReversed()) await undo();
  }
}

async function tell(cleanup: Cleanup): Promise<void> {
  const startedAt = performance.now();
  const folder = mkdtempSync(path.join(tmpdir(), "heistwatch-demo-"));
  cleanup.push(() => rmSync(folder, { recursive: true, force: true }));

  step(1, "A real Ethereum node starts on this machine (anvil), with an empty chain.");
  const node = await startDemoNode(folder);
  cleanup.push(() => node.stop());

  step(2, "A webhook receiver starts: the exchange's case desk. It believes only valid signatures.");
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  const receiver = await startDemoReceiver(secret);
  cleanup.push(() => receiver.stop());

  const config = demoConfig({ folder, node, receiver, secret });
  const { loaded, watchedOn } = await loadLists(config);
  const thief = loaded
    .flatMap((list) => list.entries.map(({ entry }) => entry))
    .find(
      (entry) =>
        entry.incident === "wazirx-2024" &&
        entry.role === "theft" &&
        entry.default === "on" &&
        entry.chain === "eip155:1",
    );
  if (thief === undefined) throw new AppError("the shipped WazirX list has no theft address on Ethereum");
  step(
    3,
    `heistwatch starts: embedded store and queue, ${watchedOn.get("eip155:1") ?? 0} addresses of the shipped lists watched on Ethereum, one deposit address of ours.`,
  );
  await prepareChain(node, thief);
  const daemon = createDaemon({
    config,
    log: createLogger(config.log, process.stdout.isTTY),
    write: () => undefined,
    signal: new AbortController().signal,
  });
  cleanup.push(() => daemon.stop());
  await daemon.start();

  await tellTheft({ node, receiver, thief });
  print("");
  print(
    paint(
      "bold",
      `That was the line: node -> match -> store -> queue -> signed webhook, in ${Math.round((performance.now() - startedAt) / 1000)} s. Nothing is left behind.`,
    ),
  );
  print('Your own node and webhook: README.md, "In five minutes".');
}

async function tellTheft({
  node,
  receiver,
  thief,
}: {
  node: DemoNode;
  receiver: DemoReceiver;
  thief: WatchEntry;
}): Promise<void> {
  step(
    4,
    `The listed address ${thief.address} (WazirX: ${thief.label}) sends 40 ETH to ${DEPOSIT}, the deposit address of ${CUSTOMER}.`,
  );
  const etherSentAt = Date.now();
  const etherTx = await send(node, { from: thief.address, to: DEPOSIT, value: "0x22b1c8c1227a00000" });
  show(await receiver.next((alert) => alert.body.data.transaction.hash === etherTx), etherSentAt);

  step(5, "It sends 250,000 USDT as well.");
  const tokenSentAt = Date.now();
  const tokenTx = await send(node, { from: thief.address, to: USDT, data: transferCall(DEPOSIT, 250_000_000_000n) });
  const token = await receiver.next((alert) => alert.body.data.transaction.hash === tokenTx);
  show(token, tokenSentAt);

  step(6, "The chain reorganises: the block with the USDT transfer is replaced by one without it.");
  const reorgAt = Date.now();
  await node.rpc("anvil_reorg", [1, []]);
  show(
    await receiver.next(
      (alert) => alert.body.type === "alert.retracted" && alert.body.data.alertId === token.body.data.alertId,
    ),
    reorgAt,
  );
}

function step(number: number, text: string): void {
  print(`\n${paint(["bold", "cyan"], `${number}.`)} ${text}`);
}

function show(alert: ReceivedAlert, since: number): void {
  const { type, data } = alert.body;
  const signature = alert.verified ? paint("green", "signature valid") : paint("red", "SIGNATURE INVALID");
  print(
    `   ${paint("bold", type)} after ${((alert.at - since) / 1000).toFixed(1)} s, ${signature}, webhook-id ${alert.webhookId}`,
  );
  print(
    `   ${paintSeverity(data.severity)}, action: ${paint("bold", data.action)}, stage: ${data.stage}${data.retraction === null ? "" : ` (${data.retraction.reason})`}, revision ${data.revision}`,
  );
  print(`   ${data.summary}`);
  if (data.own !== null) print(`   customer: ${data.own.customerRef ?? "unknown"}`);
  for (const entry of data.watch.slice(0, 1))
    print(`   why: ${entry.label}, ${entry.role}, by ${entry.basis}: ${entry.sources[0] ?? "no source"}`);
  print(
    `   score: ${data.score.amount} amount + ${data.score.share} share + ${data.score.proximity} proximity + ${data.score.confidence} source = ${data.score.total}`,
  );
  for (const cap of data.score.caps) print(`          ${cap}`);
  if (!alert.verified) throw new AppError("the demo's receiver could not verify a signature");
}

/** The shipped configuration, on this node and receiver, with everything it writes in the demo's folder. */
function demoConfig({
  folder,
  node,
  receiver,
  secret,
}: {
  folder: string;
  node: DemoNode;
  receiver: DemoReceiver;
  secret: string;
}): Config {
  const own = path.join(folder, "own.csv");
  writeFileSync(own, `chain,address,customerRef,wallet\neip155:1,${DEPOSIT},${CUSTOMER},deposit\n`);
  const shipped = loadConfig({
    configPath: path.join(import.meta.dirname, "../../../config/heistwatch.yaml"),
    env: { ETHEREUM_HTTP_URL: node.httpUrl, ETHEREUM_WS_URL: node.wsUrl, HEISTWATCH_DATA_DIR: folder },
  });
  const webhook = {
    kind: "webhook",
    name: "case-desk",
    url: receiver.url,
    secrets: [secret],
    timeoutMs: 5_000,
    concurrency: 4,
    headers: {},
    allowNetworks: ["127.0.0.0/8"],
    allowHttp: true,
  } as const;
  return {
    ...shipped,
    // Nobody here has the thief's key: the node signs nothing for it, so these blocks cannot be proven, and alerts say so.
    chains: shipped.chains.map((chain) => ({ ...chain, proofs: "prefer" as const })),
    watchlists: { ...shipped.watchlists, own: [own] },
    // The demo's chain has no feeds.
    prices: { ...shipped.prices, feeds: null },
    sinks: { alerts: [webhook], operations: [{ kind: "console", name: "operations" }] },
    http: null,
    log: { level: "error", format: "pretty" },
  };
}

async function prepareChain(node: DemoNode, thief: WatchEntry): Promise<void> {
  await node.rpc("anvil_setBalance", [thief.address, "0x56bc75e2d63100000"]);
  await node.rpc("anvil_impersonateAccount", [thief.address]);
  await node.rpc("anvil_setCode", [USDT, TOKEN_CODE]);
  await node.rpc("anvil_mine", ["0x3"]);
}

async function send(node: DemoNode, transaction: object): Promise<string> {
  return (await node.rpc("eth_sendTransaction", [transaction])) as string;
}

/** transfer(address,uint256) of EIP-20. */
function transferCall(to: string, amount: bigint): string {
  return `0xa9059cbb${to.slice(2).toLowerCase().padStart(64, "0")}${amount.toString(16).padStart(64, "0")}`;
}
