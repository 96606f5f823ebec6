/**
 * Goal: each transfer from and to a watched address is told exactly once, with the right amount, and nothing else is.
 * Method: real node, real contracts, real daemon, real receiver with the official library; what must arrive is computed
 * from the node's own blocks and receipts, and every body is checked against the published schema.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { writeDaemonConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Compiled, compileContracts } from "./contracts.ts";
import { createDaemonRunner, type DaemonRunner } from "./daemon-runner.ts";
import { accountKeys, compareWithChain, type Ledger, readLedger } from "./ledger.ts";
import { expectedAlerts, type Scene } from "./oracle.ts";
import { createRandom } from "./random.ts";

const random = createRandom(20_260_101);
const THIEF = random.address();
const THIEF_TOO = random.address();
const SANCTIONED = random.address();
const MIXER_DEPOSIT = random.address();
const UNWATCHED_VICTIM = random.address();
const CUSTOMER = random.address();
const HOT_WALLET = random.address();
const STRANGER = random.address();
const STRANGER_TOO = random.address();

const ETHER = 10n ** 18n;

interface TokenSpec {
  readonly name: string;
  readonly decimals: number;
  readonly kind: string | null;
  readonly dustBelow: bigint;
}
const TOKENS = {
  stable: { name: "USDX", decimals: 6, kind: "stablecoin", dustBelow: 100_000n },
  wide: { name: "WIDE", decimals: 18, kind: "token", dustBelow: 1n },
  whole: { name: "WHOLE", decimals: 0, kind: "token", dustBelow: 1n },
  stranger: { name: "FAKE", decimals: 6, kind: null, dustBelow: 0n },
} satisfies Record<string, TokenSpec>;
type TokenName = keyof typeof TOKENS;

interface Stage {
  readonly anvil: Anvil;
  readonly token: Compiled;
  readonly vault: Compiled;
  readonly addresses: Readonly<Record<TokenName, string>>;
  readonly scene: Scene;
}

interface SentTransaction {
  readonly from: string;
  readonly to?: string;
  readonly value?: bigint;
  readonly data?: string;
}

let stage: Stage;
let vaultAddress: string;

beforeAll(async () => {
  const [anvil, { token, vault }] = await Promise.all([
    startAnvil({ chainId: 1, noMining: true, extraArgs: ["--auto-impersonate"] }),
    compileContracts(),
  ]);
  for (const address of [THIEF, THIEF_TOO, SANCTIONED, MIXER_DEPOSIT, CUSTOMER, HOT_WALLET, STRANGER, STRANGER_TOO])
    await anvil.rpc("anvil_setBalance", [address, hex(10_000n * ETHER)]);
  const addresses: Record<string, string> = {};
  for (const [name, { decimals }] of Object.entries(TOKENS)) {
    const data = token.bytecode + token.abi.encodeDeploy([decimals]).slice(2);
    addresses[name] = await deploy(anvil, { from: STRANGER, data });
  }
  vaultAddress = await deploy(anvil, { from: STRANGER, data: vault.bytecode });
  const named = addresses as Record<TokenName, string>;
  stage = { anvil, token, vault, addresses: named, scene: sceneOf(named) };
  for (const name of Object.keys(TOKENS) as TokenName[])
    for (const holder of [THIEF, THIEF_TOO, STRANGER, CUSTOMER, SANCTIONED, MIXER_DEPOSIT])
      await send(anvil, callToken(name, "mint", [holder, 10n ** 30n], STRANGER));
  await anvil.mine();
});

afterAll(() => stage?.anvil.stop());

function sceneOf(addresses: Readonly<Record<TokenName, string>>): Scene {
  const { stranger: _, ...listed } = addresses;
  return {
    watched: new Map([
      [THIEF, { toOnly: false, sanctioned: false }],
      [THIEF_TOO, { toOnly: false, sanctioned: false }],
      [SANCTIONED, { toOnly: false, sanctioned: true }],
      [MIXER_DEPOSIT, { toOnly: true, sanctioned: false }],
    ]),
    own: new Set([CUSTOMER, HOT_WALLET]),
    listedTokens: new Map(
      Object.entries(listed).map(([name, address]) => [address, TOKENS[name as TokenName].dustBelow]),
    ),
    nativeDustBelow: ETHER / 10_000n,
  };
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

async function send(anvil: Anvil, { from, to, value = 0n, data }: SentTransaction): Promise<string> {
  return anvil.rpc<string>("eth_sendTransaction", [
    {
      from,
      gas: hex(3_000_000n),
      value: hex(value),
      ...(to === undefined ? {} : { to }),
      ...(data === undefined ? {} : { data }),
    },
  ]);
}

async function deploy(anvil: Anvil, of: { from: string; data: string; value?: bigint }): Promise<string> {
  const hash = await send(anvil, of);
  await anvil.mine();
  const receipt = await anvil.rpc<{ contractAddress: string }>("eth_getTransactionReceipt", [hash]);
  return receipt.contractAddress.toLowerCase();
}

function callToken(name: TokenName, call: string, args: readonly unknown[], from: string): SentTransaction {
  return { from, to: stage.addresses[name], data: stage.token.abi.encodeFunctionData(call, args) };
}

/** What happens on the chain: each line with how many alerts it must cause. */
function transactions(): [what: string, alerts: number, transaction: SentTransaction][] {
  const token = callToken;
  return [
    ["native to a watched address", 1, { from: STRANGER, to: THIEF, value: 3n * ETHER + 7n }],
    ["native from a watched address", 1, { from: THIEF, to: STRANGER, value: ETHER }],
    ["native between two watched addresses", 1, { from: THIEF, to: THIEF_TOO, value: 2n * ETHER }],
    ["native to itself", 1, { from: THIEF, to: THIEF, value: ETHER }],
    ["native into a deposit address of ours", 1, { from: THIEF, to: CUSTOMER, value: 5n * ETHER }],
    ["native from our hot wallet to a watched address", 1, { from: HOT_WALLET, to: THIEF_TOO, value: 4n * ETHER }],
    ["a contract created with value", 1, { from: THIEF, data: stage.vault.bytecode, value: ETHER }],
    ["a failed transaction", 0, { from: THIEF, to: vaultAddress, value: ETHER }],
    ["an empty transaction of zero", 0, { from: STRANGER, to: THIEF }],
    ["dust to a watched address", 0, { from: STRANGER, to: THIEF, value: 1_000n }],
    ["dust to a sanctioned address", 1, { from: STRANGER, to: SANCTIONED, value: 1n }],
    ["dust into a deposit address of ours", 1, { from: THIEF, to: CUSTOMER, value: 1n }],
    ["a deposit into a to_only address", 1, { from: STRANGER, to: MIXER_DEPOSIT, value: ETHER }],
    ["a sweep out of a to_only address", 0, { from: MIXER_DEPOSIT, to: STRANGER, value: ETHER }],
    ["strangers among themselves", 0, { from: STRANGER, to: STRANGER_TOO, value: ETHER }],
    ["a stablecoin to a watched address", 1, token("stable", "transfer", [THIEF, 1_234_567n], STRANGER)],
    ["a stablecoin from a watched address", 1, token("stable", "transfer", [UNWATCHED_VICTIM, 100_001n], THIEF)],
    ["stablecoin dust", 0, token("stable", "transfer", [THIEF, 99_999n], STRANGER)],
    ["18 decimals", 1, token("wide", "transfer", [THIEF, 123_456_789_012_345_678_901n], STRANGER)],
    ["18 decimals, one base unit", 1, token("wide", "transfer", [THIEF, 1n], STRANGER)],
    ["0 decimals", 1, token("whole", "transfer", [STRANGER, 42n], THIEF)],
    ["a token to itself", 1, token("wide", "transfer", [THIEF, 5n], THIEF)],
    ["a token into a deposit address of ours", 1, token("stable", "transfer", [CUSTOMER, 7_000_000n], THIEF_TOO)],
    ["a zero-value leg", 0, token("stable", "transfer", [THIEF, 0n], STRANGER)],
    ["an unlisted token to a watched address", 0, token("stranger", "transfer", [THIEF, 10n ** 12n], STRANGER)],
    ["an unlisted token from a watched address", 1, token("stranger", "transfer", [STRANGER, 10n ** 12n], THIEF)],
    ["a failed token transfer", 0, token("stable", "transfer", [THIEF, 10n ** 40n], STRANGER)],
    ["tokens minted to a watched address", 1, token("whole", "mint", [THIEF, 9n], STRANGER)],
    [
      "many legs for several parties in one transaction",
      3,
      token(
        "stable",
        "batch",
        [
          [THIEF, THIEF, STRANGER, THIEF_TOO, STRANGER, STRANGER],
          [STRANGER, CUSTOMER, THIEF_TOO, CUSTOMER, STRANGER_TOO, THIEF],
          [1_000_000n, 2_000_000n, 3_000_000n, 4_000_000n, 5_000_000n, 0n],
        ],
        STRANGER,
      ),
    ],
    [
      "more legs than one body shows",
      1,
      token("wide", "batch", [fill(THIEF, 20), fill(STRANGER, 20), fill(3n, 20)], STRANGER),
    ],
  ];
}

function fill<T>(value: T, times: number): T[] {
  return Array.from({ length: times }, () => value);
}

interface Run {
  readonly runner: DaemonRunner;
  readonly receiver: Receiver;
  readonly dir: TempDir;
}

async function startRun(redis: RedisServer | null, start: number): Promise<Run> {
  const dir = createTempDir("transfers");
  const receiver = await startReceiver();
  const { addresses, anvil } = stage;
  const written = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: anvil.url,
    proofs: "prefer",
    nodeWsUrl: anvil.wsUrl,
    ...(redis === null ? {} : { redisUrl: redis.url }),
    start,
    watch: [
      { address: THIEF },
      { address: THIEF_TOO },
      { address: SANCTIONED, role: "sanctioned_entity", sanctioned: true },
      { address: MIXER_DEPOSIT, role: "mixer_deposit", direction: "to_only" },
    ],
    own: [
      { address: CUSTOMER, customerRef: "cust-1" },
      { address: HOT_WALLET, customerRef: "hot-1", wallet: "hot" },
    ],
    tokens: (["stable", "wide", "whole"] as const).map((name) => ({
      address: addresses[name],
      symbol: TOKENS[name].name,
      decimals: TOKENS[name].decimals,
      kind: TOKENS[name].kind,
    })),
    webhooks: [{ name: "ops", url: receiver.url, secrets: [receiver.secret] }],
    operations: [{ name: "alarms", url: receiver.url, secrets: [receiver.secret] }],
  });
  const runner = createDaemonRunner("daemon", written);
  runner.start();
  return { runner, receiver, dir };
}

async function playAndWait({ runner, receiver }: Run, from: number) {
  const { anvil, scene } = stage;
  const played = transactions();
  const hashes: string[] = [];
  for (const [, , transaction] of played) {
    hashes.push(await send(anvil, transaction));
    if (hashes.length % 5 === 0) await anvil.mine();
  }
  const to = await anvil.mine(2);
  await runner.ready();
  const expected = await expectedAlerts(anvil.rpc, scene, { from, to });
  const ledger = () => readLedger(receiver.requests, accountKeys(scene));
  const missing = () => {
    const told = new Set([...ledger().alerts.values()].map(({ key }) => key));
    return [...expected.keys()].filter((key) => !told.has(key));
  };
  await waitUntilEmpty("missing alerts", missing);
  await waitFor(
    "the chain to be read to its head",
    async () => Number(await runner.metric("heistwatch_chain_cursor_number")) >= to,
    { timeoutMs: 60_000 },
  );
  expect(
    await waitFor(
      "nothing left to send",
      async () => ((await runner.metric("heistwatch_deliveries_pending")) ?? 0) === 0,
      { timeoutMs: 60_000 },
    ),
  ).toBe(true);
  return { played, hashes, expected, ledger: ledger() };
}

async function waitUntilEmpty(what: string, probe: () => readonly string[]): Promise<void> {
  let last: readonly string[] = [];
  await waitFor(`no ${what}`, () => (last = probe()).length === 0, { timeoutMs: 30_000, intervalMs: 100 }).catch(
    (error: unknown) => {
      throw new Error(`${what}:\n${last.join("\n")}`, { cause: error });
    },
  );
}

function perTransaction(hashes: readonly string[], alerts: Iterable<{ txHash: string }>): number[] {
  const counts = new Map<string, number>();
  for (const { txHash } of alerts) counts.set(txHash, (counts.get(txHash) ?? 0) + 1);
  return hashes.map((hash) => counts.get(hash) ?? 0);
}

function checkBodies(receiver: Receiver): void {
  const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../../docs/alert.schema.json"), "utf8")) as Record<
    string,
    unknown
  >;
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
  addFormats.default(ajv);
  const validate = ajv.compile(schema);
  for (const { body } of receiver.requests) {
    validate(body);
    expect(validate.errors ?? []).toEqual([]);
  }
}

function checkDecimals(ledger: Ledger): void {
  const decimalsOf = (assetId: string): number | null => {
    if (assetId.includes("/slip44:")) return 18;
    const name = (Object.keys(TOKENS) as TokenName[]).find((one) =>
      assetId.toLowerCase().endsWith(stage.addresses[one]),
    );
    return name === undefined || TOKENS[name].kind === null ? null : TOKENS[name].decimals;
  };
  for (const { latest } of ledger.alerts.values()) {
    for (const { asset, amount, amountDecimal } of latest.transfers) {
      const decimals = decimalsOf(asset.id);
      expect(asset.decimals).toBe(decimals);
      // Back from the decimal text to base units: the same number. Unlisted tokens have no decimals to trust.
      const back = amountDecimal === null || decimals === null ? null : toBase(amountDecimal, decimals);
      expect(back).toBe(decimals === null ? null : BigInt(amount));
    }
  }
}

function toBase(text: string, decimals: number): bigint {
  const [whole = "", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(decimals, "0"));
}

describe.each(["embedded", "redis"] as const)("on the %s backend", (backend) => {
  test("every transfer from and to a watched address arrives once, with its amounts; nothing else arrives", async () => {
    const { anvil } = stage;
    const redis = backend === "redis" ? await startRedis() : null;
    const from = Number(await anvil.rpc<string>("eth_blockNumber")) + 1;
    const run = await startRun(redis, from);
    try {
      const { played, hashes, expected, ledger } = await playAndWait(run, from);
      const whats = played.map(([what]) => what);
      const wanted = played.map(([, alerts]) => alerts);
      // The oracle itself is held against numbers a person wrote down.
      expect(zip(whats, perTransaction(hashes, expected.values()))).toEqual(zip(whats, wanted));
      expect(ledger.problems).toEqual([]);
      const arrived = [...ledger.alerts.values()].map(({ latest }) => ({
        txHash: latest.transaction.hash ?? "no transaction",
      }));
      expect(zip(whats, perTransaction(hashes, arrived))).toEqual(zip(whats, wanted));
      expect(compareWithChain(ledger, { expected, finalNumber: -1 })).toEqual([]);
      expect(ledger.repeats).toBe(0);
      checkDecimals(ledger);
      checkBodies(run.receiver);
      expect(await run.runner.stop()).toBe(0);
      expect(run.runner.surprises).toEqual([]);
    } catch (error) {
      throw new Error(`the daemon's last words:\n${run.runner.lastWords()}`, { cause: error });
    } finally {
      await run.runner.kill9();
      await run.receiver.stop();
      await redis?.stop();
      await run.dir.remove();
    }
  }, 180_000);
});

function zip(whats: readonly string[], counts: readonly number[]): string[] {
  return whats.map((what, index) => `${what}: ${counts[index]}`);
}
