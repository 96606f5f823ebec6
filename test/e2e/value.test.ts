/**
 * Goal: an alert says what was worth what when it happened, judged by that and sent where the routes say; and no feed and no
 * node can make an alert late, lost or smaller by what it says about a price.
 * Method: real node with feeds of our own on it, read through a proxy that hangs and lies; real daemon, real receivers.
 */
import { writeFileSync } from "node:fs";
import { stringify } from "yaml";
import type { AlertBody } from "../../src/alerts/body-schema.ts";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { writeDaemonConfig } from "../support/daemon.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Compiled, compileSolidity } from "./contracts.ts";
import { createRandom } from "./random.ts";
import { cli, type Heistwatch, PATIENCE_MS, startHeistwatch } from "./support/heistwatch.ts";

const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

contract Feed {
  struct Round { int256 answer; uint256 updatedAt; }
  Round[] private rounds;
  uint8 public constant decimals = 8;

  function set(int256 answer, uint256 updatedAt) external { rounds.push(Round(answer, updatedAt)); }

  function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
    return getRoundData(uint80(rounds.length));
  }

  function getRoundData(uint80 id) public view returns (uint80, int256, uint256, uint256, uint80) {
    Round storage round = rounds[id - 1];
    return (id, round.answer, round.updatedAt, round.updatedAt, id);
  }
}

contract Token {
  event Transfer(address indexed from, address indexed to, uint256 value);
  function transfer(address to, uint256 value) external { emit Transfer(msg.sender, to, value); }
}
`;

interface Deposit {
  readonly hash: string;
  /** Of its block, unix seconds. */
  readonly time: number;
}

const random = createRandom(20_261_122);
const THIEF = random.address();
const CUSTOMER = random.address();
const STRANGER = random.address();
const ETHER = 10n ** 18n;

let anvil: Anvil;
let proxy: FaultProxy;
let feed: Compiled;
let token: Compiled;
let desk: Receiver;
let pager: Receiver;
let dir: TempDir;
let daemon: Heistwatch;
let written: Awaited<ReturnType<typeof writeDaemonConfig>>;
let etherFeed: string;
let usdxFeed: string;
let usdx: string;
let early: Deposit;
let later: Deposit;

beforeAll(async () => {
  const [node, compiled] = await Promise.all([
    startAnvil({ chainId: 1, noMining: true, extraArgs: ["--auto-impersonate"] }),
    compileSolidity(SOURCE),
  ]);
  anvil = node;
  feed = compiled("Feed");
  token = compiled("Token");
  proxy = await startFaultProxy(anvil.url);
  for (const address of [THIEF, STRANGER]) await anvil.rpc("anvil_setBalance", [address, hex(10_000n * ETHER)]);
  etherFeed = await deploy(feed);
  usdxFeed = await deploy(feed);
  usdx = await deploy(token);
  // Last updated more than a day ago.
  await setPrice(usdxFeed, 1, (await headTime()) - 26 * 3_600);
  await setPrice(etherFeed, 3_000);
  const start = (await anvil.mine()) + 1;
  // In the past of the daemon: each block has the price of its own moment.
  early = await deposit(2n * ETHER);
  await setPrice(etherFeed, 3_300);
  await anvil.mine();
  later = await deposit(ETHER / 1_000n);
  [desk, pager] = await Promise.all([startReceiver(), startReceiver()]);
  dir = createTempDir("value");
  written = await writeConfig(start);
  daemon = await startHeistwatch(written);
});

afterAll(async () => {
  await daemon?.stop();
  await Promise.all([desk?.stop(), pager?.stop(), proxy?.stop(), dir?.remove()]);
  await anvil?.stop();
});

function writeConfig(start: number) {
  const feeds = {
    format: "heistwatch-price-feeds/1",
    version: "2026-11-22.1",
    feeds: [
      { chain: "eip155:1", base: "ETH", quote: "USD", proxy: etherFeed },
      { chain: "eip155:1", base: "USDX", quote: "USD", proxy: usdxFeed, decimals: 8 },
    ],
  };
  writeFileSync(`${dir.path}/price-feeds.yaml`, stringify(feeds));
  const sink = ({ url, secret }: Receiver, name: string) => ({ name, url, secrets: [secret] });
  return writeDaemonConfig({
    dir: dir.path,
    nodeUrl: proxy.url,
    proofs: "prefer",
    start,
    watch: [{ address: THIEF, basis: "notice" }],
    own: [{ address: CUSTOMER, customerRef: "vip-7" }],
    tokens: [{ address: usdx, symbol: "USDX", decimals: 6, kind: "stablecoin" }],
    webhooks: [sink(desk, "desk"), sink(pager, "pager")],
    operations: [sink(desk, "desk-operations")],
    extra: { routes: [{ to: ["pager"], minSeverity: "critical", customers: ["vip-*"] }] },
  });
}

const hex = (value: bigint | number) => `0x${value.toString(16)}`;

async function send(from: string, of: { to?: string; value?: bigint; data?: string }): Promise<string> {
  const { value = 0n, ...rest } = of;
  return anvil.rpc<string>("eth_sendTransaction", [{ from, gas: hex(2_000_000), value: hex(value), ...rest }]);
}

async function deploy({ bytecode }: Compiled): Promise<string> {
  const hash = await send(STRANGER, { data: bytecode });
  await anvil.mine();
  return (await anvil.rpc<{ contractAddress: string }>("eth_getTransactionReceipt", [hash])).contractAddress;
}

async function headTime(): Promise<number> {
  return Number((await anvil.rpc<{ timestamp: string }>("eth_getBlockByNumber", ["latest", false])).timestamp);
}

async function setPrice(of: string, usd: number, updatedAt?: number): Promise<void> {
  const answer = BigInt(Math.round(usd * 1e8));
  const at = updatedAt ?? (await headTime());
  await send(STRANGER, { to: of, data: feed.abi.encodeFunctionData("set", [answer, at]) });
}

/** The thief pays a customer of ours, in a block of its own that is well after the one before. */
async function deposit(value: bigint, of: { to?: string; data?: string } = {}): Promise<Deposit> {
  await anvil.rpc("evm_increaseTime", [60]);
  const hash = await send(THIEF, { to: CUSTOMER, value, ...of });
  await anvil.mine();
  return { hash, time: await headTime() };
}

type Data = AlertBody["data"];

function toldTo(receiver: Receiver, hash: string): Data[] {
  return receiver.requests
    .map(({ body }) => (body as AlertBody).data)
    .filter(({ transaction }) => transaction?.hash === hash);
}

async function told(hash: string): Promise<Data> {
  await waitFor(`the alert of ${hash}`, () => toldTo(desk, hash).length > 0, { timeoutMs: PATIENCE_MS });
  return toldTo(desk, hash)[0] as Data;
}

test("each block's transfers have the price of their own block, and the first one is compared with nothing", async () => {
  const [first, second] = [await told(early.hash), await told(later.hash)];
  expect(first.transfers[0]).toMatchObject({ usdCents: "600000", valueUnknown: null });
  expect(first.transfers[0]?.price).toMatchObject({
    usdPerUnit: "3000",
    comparedWith: null,
  });
  expect(first.transfers[0]?.price?.source.toLowerCase()).toBe(`chainlink:eip155:1:${etherFeed.toLowerCase()}`);
  expect(first.summary).toContain("2 ETH (6,000.00 USD) moved from");
  // Alone it may raise and not lower: counted as an unknown value is.
  expect(first).toMatchObject({ severity: "critical", action: "hold", score: { amount: 28 } });
  expect(second.transfers[0]).toMatchObject({
    usdCents: "330",
    price: { usdPerUnit: "3300", comparedWith: "earlier prices" },
  });
  expect(second).toMatchObject({ severity: "info", action: "none", score: { amount: 0, total: 19 } });
  expect(second.score.reasons[0]).toBe("amount 0: worth 3.30 USD");
  const updatedAt = Date.parse(second.transfers[0]?.price?.updatedAt ?? "") / 1_000;
  expect(updatedAt).toBeLessThanOrEqual(later.time);
});

test("alerts go where the routes say: all to the desk, critical ones of that customer to the pager too", async () => {
  await waitFor("the pager", () => toldTo(pager, early.hash).length > 0, { timeoutMs: PATIENCE_MS });
  expect(toldTo(pager, later.hash)).toEqual([]);
  const check = await cli(["check", "--config", written.configPath], written);
  expect(check.stdout).toContain("alerts to pager: critical and above, customer vip-*");
  expect(check.stdout).toContain("every alert to desk");
});

test("a price that jumps is unknown, and the alert is as loud as without one", async () => {
  await setPrice(etherFeed, 0.01);
  const { hash } = await deposit(2n * ETHER);
  const alert = await told(hash);
  expect(alert.transfers[0]).toMatchObject({
    usdCents: null,
    price: null,
    valueUnknown: "the price of ETH is far from those told within a day of it",
  });
  expect(alert).toMatchObject({ severity: "critical", action: "review", score: { amount: 28 } });
  await setPrice(etherFeed, 3_100);
});

test("a feed that nobody updated for more than a day gives no price", async () => {
  const data = token.abi.encodeFunctionData("transfer", [CUSTOMER, 500_000_000n]);
  const { hash } = await deposit(0n, { to: usdx, data });
  const alert = await told(hash);
  expect(alert.transfers[0]?.valueUnknown).toMatch(/^ethereum: USDX\/USD: stale: last updated 26 hours before/);
});

test("answers that are no price give none: negative, of tomorrow, cut off", async () => {
  const lies: [what: string, lie: (result: string) => unknown, why: RegExp][] = [
    ["negative", (result) => `${result.slice(0, 66)}${"f".repeat(64)}${result.slice(130)}`, /not above zero/],
    [
      "of tomorrow",
      (result) => `${result.slice(0, 194)}${"0".repeat(56)}f0000000${result.slice(258)}`,
      /newer than the block/,
    ],
    ["cut off", (result) => result.slice(0, 100), /another shape/],
  ];
  for (const [what, lie, why] of lies) {
    proxy.set({
      lie: (result, { method }) => (method === "eth_call" && String(result).length > 66 ? lie(String(result)) : result),
    });
    const { hash } = await deposit(2n * ETHER);
    expect([what, (await told(hash)).transfers[0]?.valueUnknown]).toEqual([what, expect.stringMatching(why)]);
  }
  proxy.set({});
});

test("a node that never answers for a price delays one block once, and loses nothing", async () => {
  proxy.set({ lie: (result, { method }) => (method === "eth_call" ? new Promise(() => undefined) : result) });
  const first = await told((await deposit(2n * ETHER)).hash);
  expect(first).toMatchObject({ severity: "critical", action: "review", score: { amount: 28 } });
  expect(first.transfers[0]?.valueUnknown).toBe("the node of ethereum did not answer in time");
  // From here on nobody asks for a while.
  const sent: string[] = [];
  for (let nth = 0; nth < 5; nth += 1) sent.push((await deposit(2n * ETHER)).hash);
  for (const hash of sent)
    expect((await told(hash)).transfers[0]?.valueUnknown).toBe("the node of ethereum did not answer a moment ago");
  proxy.set({});
});
