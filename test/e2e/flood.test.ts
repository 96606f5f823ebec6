/**
 * Goal: nobody hides a payment in a flood, and no flood buries the people who are called.
 * Method: a contract writes thousands of token transfers into real blocks while the daemon is down; then it runs on Redis
 * and Postgres with one receiver that groups. `POISON=100000 DUST=10000 npm run jest -- test/e2e/flood` is the long run.
 */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { getAddress, parseUnits } from "ethers";
import pg from "pg";
import { messageBody } from "../../src/alerts/body-schema.ts";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { type DaemonProcess, startDaemon, writeDaemonConfig } from "../support/daemon.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Compiled, compileSpray } from "./contracts.ts";

const POISON = Number(process.env["POISON"] ?? 1_500);
const DUST = Number(process.env["DUST"] ?? 300);
const PER_TRANSACTION = 500;
const CUSTOMERS = Math.max(DUST, PER_TRANSACTION);
const FIRST_CUSTOMER = 0x10_0000_0000n;
const REAL_CUSTOMER = FIRST_CUSTOMER + 7n;
const THIEF = getAddress(`0x${"7".repeat(40)}`);
const SANCTIONED = getAddress(`0x${"5".repeat(40)}`);
const PATIENCE_MS = 1_800_000;

let anvil: Anvil;
let receiver: Receiver;
let dir: TempDir;
let redis: RedisServer;
let postgres: PostgresServer;
let daemon: DaemonProcess | null = null;
let database: pg.Client;
let token: Compiled;
let listed: string;
let counterfeit: string;
let helper: string;

const addressOf = (customer: bigint) => getAddress(`0x${customer.toString(16).padStart(40, "0")}`);

beforeAll(async () => {
  [anvil, receiver, redis, postgres, token] = await Promise.all([
    startAnvil({ chainId: 1, noMining: true, extraArgs: ["--gas-limit", "60000000"] }),
    startReceiver(),
    startRedis(),
    startPostgres(),
    compileSpray(),
  ]);
  dir = createTempDir("flood");
  [helper = ""] = await anvil.rpc<string[]>("eth_accounts");
  [listed, counterfeit] = [await deploy(), await deploy()];
  const databaseUrl = await postgres.createDatabase("flood");
  const written = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: anvil.url,
    start: Number(await anvil.rpc<string>("eth_blockNumber")) + 1,
    watch: [{ address: THIEF }, { address: SANCTIONED, sanctioned: true, role: "sanctioned_entity" }],
    own: Array.from({ length: CUSTOMERS }, (_, index) => ({
      address: addressOf(FIRST_CUSTOMER + BigInt(index)),
      customerRef: `customer-${index}`,
    })),
    tokens: [{ address: listed, symbol: "USDT", decimals: 6, kind: "stablecoin" }],
    databaseUrl,
    redisUrl: redis.url,
    redisPrefix: "flood",
    webhooks: [{ name: "desk", url: receiver.url, secrets: [receiver.secret], grouping: true }],
  });
  // The whole flood waits when the daemon starts, as after an hour of downtime.
  await mineFlood();
  database = new pg.Client(databaseUrl);
  daemon = await startDaemon(written);
  await database.connect();
}, PATIENCE_MS);

afterAll(async () => {
  await database?.end();
  await daemon?.stop();
  await Promise.all([anvil?.stop(), receiver?.stop(), redis?.stop(), postgres?.stop(), dir?.remove()]);
});

async function deploy(): Promise<string> {
  const hash = await anvil.rpc<string>("eth_sendTransaction", [
    { from: helper, data: token.bytecode, gas: "0x200000" },
  ]);
  await anvil.mine();
  const { contractAddress } = await anvil.rpc<{ contractAddress: string }>("eth_getTransactionReceipt", [hash]);
  return getAddress(contractAddress);
}

async function spray(to: string, of: { from: string; first: bigint; count: number; value: bigint }): Promise<void> {
  const data = token.abi.encodeFunctionData("spray", [of.from, of.first, of.count, of.value]);
  await anvil.rpc("eth_sendTransaction", [{ from: helper, to, data, gas: "0x1c9c380" }]);
  await anvil.mine();
}

/** One block each: zero value, counterfeit, dust, in turn; the real payments come after the first of each. */
async function mineFlood(): Promise<void> {
  const kinds = [
    { to: listed, value: 0n },
    { to: counterfeit, value: parseUnits("5000", 6) },
    { to: listed, value: 1n },
  ] as const;
  for (let sent = 0, nth = 0; sent < POISON; sent += PER_TRANSACTION, nth += 1) {
    const { to, value } = kinds[nth % 3] as (typeof kinds)[number];
    const count = Math.min(PER_TRANSACTION, POISON - sent);
    await spray(to, { from: THIEF, first: FIRST_CUSTOMER, count, value });
    if (nth === 0) await spray(listed, { from: THIEF, first: REAL_CUSTOMER, count: 1, value: parseUnits("10000", 6) });
  }
  for (let sent = 0; sent < DUST; sent += PER_TRANSACTION) {
    const count = Math.min(PER_TRANSACTION, DUST - sent);
    await spray(listed, { from: SANCTIONED, first: FIRST_CUSTOMER + BigInt(sent), count, value: 9n });
    if (sent === 0)
      await spray(listed, { from: SANCTIONED, first: REAL_CUSTOMER, count: 1, value: parseUnits("800", 6) });
  }
}

async function numberOf(sql: string): Promise<number> {
  const { rows } = await database.query<{ count: string }>(sql);
  return Number(rows[0]?.count);
}

const told = () => receiver.requests.map((request) => messageBody.parse(request.body));
/** Alerts told by themselves that a payment of this amount raised. */
const toldOf = (amount: bigint) =>
  receiver.requests.filter((request) => {
    const body = messageBody.parse(request.body);
    return "transfers" in body.data && body.data.transfers.some((one) => one.amount === amount.toString());
  });

describe("a flood", () => {
  test(
    "the real payment inside is told while the flood still waits",
    async () => {
      const seen = await waitFor("the real payment to be told", () => toldOf(parseUnits("10000", 6))[0], {
        timeoutMs: PATIENCE_MS,
        intervalMs: 20,
      });
      const folded = await numberOf("select count(*) from alert where created_at > 0");
      console.log(`the real payment: ${folded} of ${POISON} alerts of the flood were folded when it was told`);
      expect(seen.verified).toBe(true);
      if (POISON >= 100_000) expect(folded).toBeLessThan(POISON / 100);
    },
    PATIENCE_MS,
  );

  test(
    "calls people at most 30 times, and stores all of it",
    async () => {
      await waitFor(
        "all hits to be stored",
        async () => (await numberOf("select count(*) from hit")) === POISON + DUST + 2,
        { timeoutMs: PATIENCE_MS, intervalMs: 500 },
      );
      await waitFor(
        "all events to be folded",
        async () => (await numberOf("select count(*) from hit_event where not applied")) === 0,
        { timeoutMs: PATIENCE_MS, intervalMs: 500 },
      );
      await waitFor(
        "the digests to be told",
        async () =>
          (await numberOf(
            "select count(*) from alert_group where digest_due_at < extract(epoch from now()) * 1000",
          )) === 0 && (await numberOf("select count(*) from delivery where state = 'pending'")) === 0,
        { timeoutMs: PATIENCE_MS, intervalMs: 500 },
      );
      const { rows } = await database.query<{ recorded_rule: string | null; count: string }>(
        "select recorded_rule, count(*) from hit group by recorded_rule order by recorded_rule",
      );
      console.log(`${receiver.requests.length} messages; stored: ${JSON.stringify(rows)}`);
      expect(receiver.requests.length).toBeLessThanOrEqual(30);
      expect(toldOf(parseUnits("800", 6)).length).toBeGreaterThan(0);
      // The one about sanctioned dust names how many there were.
      const digests = told().filter(({ type }) => type === "group.digest");
      expect(digests.map(({ data }) => "detail" in data && data.detail["rule"])).toContain("smallSanctioned");
    },
    PATIENCE_MS,
  );
});
