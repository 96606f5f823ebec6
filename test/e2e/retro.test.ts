/**
 * Goal: the past of an address that is listed late is found once, told once, and pages nobody, but for own addresses that
 * were touched lately; and the ledger says for whom a block was scanned.
 * Method: a real node with a chain that is older than the list, the daemon on its embedded store, the command line.
 */
import { afterEach, expect, test } from "@jest/globals";
import { getAddress } from "ethers";
import { type AlertBody, messageBody, type SystemBody } from "../../src/alerts/body-schema.ts";
import type { CoverageReport } from "../../src/store/coverage-report.ts";
import type { EntryFinding, ScanPlan, ScanStatus } from "../../src/types/retro.ts";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { type DaemonConfig, writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cli, cliJson, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).toReversed()) await undo();
});

const DAY_S = 86_400;
const ETHER = "0xde0b6b3a7640000";

interface OldChain {
  readonly anvil: Anvil;
  readonly thief: string;
  readonly friend: string;
  readonly deposit: string;
  readonly stranger: string;
  pay(from: string, to: string): Promise<string>;
}

/** A chain that begins 60 days ago; final is what is two blocks old. */
async function oldChain(): Promise<OldChain> {
  const timestamp = Math.floor(Date.now() / 1_000) - 60 * DAY_S;
  const anvil = await startAnvil({ chainId: 1, timestamp, slotsInAnEpoch: 1 });
  cleanup.push(() => anvil.stop());
  const [thief = "", friend = "", deposit = "", stranger = ""] = (await anvil.rpc<string[]>("eth_accounts")).map(
    (address) => getAddress(address),
  );
  return {
    anvil,
    thief,
    friend,
    deposit,
    stranger,
    async pay(from, to) {
      const hash = await anvil.rpc<string>("eth_sendTransaction", [{ from, to, value: ETHER }]);
      // It is told before it is mined, and the clock of its block may be another by then.
      await waitFor("the payment to be mined", () => anvil.rpc("eth_getTransactionReceipt", [hash]));
      return hash;
    },
  };
}

interface World extends OldChain {
  readonly receiver: Receiver;
  run(watched: readonly string[]): Promise<{ daemon: Heistwatch; at: WrittenConfig }>;
}

async function world(more: Partial<DaemonConfig> = {}): Promise<World> {
  const chain = await oldChain();
  const dir = createTempDir("retro");
  cleanup.push(() => dir.remove());
  const receiver = await startReceiver();
  cleanup.push(() => receiver.stop());
  return {
    ...chain,
    receiver,
    async run(watched) {
      const at = await writeDaemonConfig({
        dir: dir.path,
        nodeUrl: chain.anvil.url,
        watch: watched.map((address) => ({ address })),
        own: [{ address: chain.deposit, customerRef: "cust-1" }],
        webhooks: [{ name: "hook", url: receiver.url, secrets: [receiver.secret] }],
        ...more,
      });
      const daemon = await startHeistwatch(at);
      cleanup.push(() => daemon.stop());
      await until(daemon, /chain followed from here|chain resumed/);
      return { daemon, at };
    },
  };
}

const bodiesOf = ({ receiver }: World) => receiver.requests.map(({ body }) => messageBody.parse(body));
const alertsOf = (one: World) => bodiesOf(one).filter((body): body is AlertBody => body.type.startsWith("alert."));
const summariesOf = (one: World) =>
  bodiesOf(one).filter((body): body is SystemBody => body.type === "watchlist.scanned");

async function scanned(
  at: WrittenConfig,
  args: readonly string[],
): Promise<{ scan: ScanStatus; findings: EntryFinding[] }> {
  const started = await waitFor(
    "the scan to be accepted",
    () => cliJson<ScanPlan>(["retro", "start", "--chain", "ethereum", ...args], at),
    { timeoutMs: PATIENCE_MS, intervalMs: 200 },
  );
  return waitFor(
    "the scan to end",
    async () => {
      const shown = await cliJson<{ scan: ScanStatus; findings: EntryFinding[] }>(
        ["retro", "show", started.scanId],
        at,
      );
      return shown.scan.state === "done" && shown;
    },
    { timeoutMs: PATIENCE_MS, intervalMs: 200 },
  );
}

test("the past of an address listed later is found once and told in one summary; only what touched an own address lately alerts", async () => {
  const one = await world();
  const { anvil, thief, friend, deposit, stranger } = one;
  const old = await one.pay(stranger, thief);
  const oldDeposit = await one.pay(thief, deposit);
  await anvil.rpc("evm_increaseTime", [55 * DAY_S]);
  const lateDeposit = await one.pay(thief, deposit);
  await anvil.mine(40);
  const first = await one.run([friend]);
  const live = await one.pay(friend, thief);
  await anvil.mine(5);
  // What is final now belongs to the past; what is not is matched again live.
  // Every revision up to that: one that is still on its way would arrive after the restart.
  const isFinal = () => {
    const final = alertsOf(one).find(({ data }) => data.stage === "final");
    return final !== undefined && new Set(alertsOf(one).map(({ data }) => data.revision)).size === final.data.revision;
  };
  await waitFor("the friend's alert to be final", isFinal, { timeoutMs: PATIENCE_MS });
  await first.daemon.stop();
  one.receiver.clear();

  const { at } = await one.run([friend, thief]);
  const after = await one.pay(thief, stranger);
  const { scan, findings } = await scanned(at, ["--address", thief, "--from", "0"]);
  expect(scan).toMatchObject({ from: 0, freshHits: 3, hits: 4, trouble: null });
  expect(findings).toMatchObject([{ address: thief, transfers: 4, freshTransfers: 3, alerts: 4, ownTransfers: 2 }]);

  await waitFor("the summary", () => summariesOf(one).length >= 1, { timeoutMs: PATIENCE_MS });
  await waitFor("the three alerts", () => alertsOf(one).length >= 3, { timeoutMs: PATIENCE_MS });
  // Whatever is still on its way would be one too many.
  await anvil.mine(3);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(summariesOf(one).map(({ data }) => [data.subject, data.severity, data.detail["transfers"]])).toEqual([
    [`entry:test-heist/eip155:1/${thief}`, "info", 4],
  ]);
  const told = new Map(alertsOf(one).map(({ data }) => [data.transaction.hash, data]));
  expect([old, oldDeposit].map((hash) => told.get(hash)?.summary)).toEqual([undefined, undefined]);
  expect(new Set(told.keys())).toEqual(new Set([lateDeposit, after, live]));
  // Told live, before the thief was listed: the same alert names both from now on.
  expect(told.get(live)).toMatchObject({ retroactive: false, stage: "final" });
  expect(new Set(told.get(live)?.watch.map(({ address }) => address))).toEqual(new Set([friend, thief]));
  expect(told.get(lateDeposit)).toMatchObject({
    retroactive: true,
    late: true,
    stage: "final",
    own: { address: deposit },
  });
  expect(told.get(after)).toMatchObject({ retroactive: false });

  // Stored as any other, whoever was told: and what live had told is told once.
  const stored = await cliJson<{ txHash: string; stage: string }[]>(["alerts", "list"], at);
  expect(stored).toHaveLength(5);
  expect(new Set(stored.map(({ txHash }) => txHash))).toEqual(new Set([old, oldDeposit, lateDeposit, live, after]));

  const block = Number((await anvil.rpc<{ blockNumber: string }>("eth_getTransactionByHash", [old])).blockNumber);
  const asked = async (...args: string[]) =>
    (await cliJson<CoverageReport[]>(["coverage", "--chain", "ethereum", ...args], at))[0];
  expect(await asked("--block", String(block), "--address", thief)).toMatchObject({
    scanned: "yes",
    ranges: [{ scan: scan.scanId, reading: "whole", proven: true, operators: ["self"] }],
  });
  expect(await asked("--block", String(block), "--address", friend)).toMatchObject({ scanned: "no", ranges: [] });
  expect(await asked("--address", thief)).toMatchObject({ holes: [] });
  // Nothing is left to be read, and what is asked again is read by nobody.
  const again = await cliJson<ScanPlan>(
    ["retro", "start", "--chain", "ethereum", "--address", thief, "--from", "0", "--dry-run"],
    at,
  );
  expect(again).toMatchObject({ blocks: 0, ranges: [] });
}, 240_000);

test("a look at logs alone finds what names the address in a log, and the ledger does not call that scanned", async () => {
  const one = await world();
  const { anvil, thief, friend, stranger } = one;
  await one.pay(stranger, thief);
  await anvil.mine(40);
  const { at } = await one.run([friend, thief]);
  await anvil.mine(5);
  const { scan } = await scanned(at, ["--address", thief, "--from", "0", "--logs-only"]);
  expect(scan).toMatchObject({ reading: "logs", hits: 0 });
  const [report] = await cliJson<CoverageReport[]>(
    ["coverage", "--chain", "ethereum", "--block", "1", "--address", thief],
    at,
  );
  expect(report).toMatchObject({ scanned: "logs", ranges: [{ proven: false, traced: false }] });
  const { scan: whole } = await scanned(at, ["--address", thief, "--from", "0"]);
  expect(whole).toMatchObject({ reading: "whole", hits: 1, freshHits: 1 });
}, 240_000);

test("what cannot be scanned says why: nobody watches it, no date is known, nothing of that name", async () => {
  const one = await world();
  const { at } = await one.run([one.friend]);
  const refused = async (...args: string[]) => {
    const { code, stderr } = await cli(
      ["retro", "start", "--chain", "ethereum", ...args, "--config", at.configPath],
      at,
    );
    expect(code).toBe(1);
    return stderr;
  };
  expect(await refused("--address", one.thief)).toContain("is not watched");
  expect(await refused("--address", "0x12")).toContain("is not an address");
  expect(await refused("--incident", "nothing")).toContain("nothing of nothing is watched");
  expect(await refused()).toContain("say for whom");
  expect(await refused("--address", one.friend, "--from", "yesterday")).toContain("--from takes");
  const worker = await cli(["worker", "--config", at.configPath], at);
  expect([worker.code, worker.stderr]).toEqual([1, expect.stringContaining("same Postgres")]);
}, 120_000);
