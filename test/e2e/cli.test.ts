/** The command line against a real store and a real node: what it says to people, and to machines. */
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver, TEST_WEBHOOK_SECRET } from "../support/receiver.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import type { AlertRecord } from "../../src/types/alert.ts";
import type { StoredDelivery } from "../../src/store/delivery-store.ts";
import {
  cli,
  cliJson,
  type CliResult,
  type Heistwatch,
  PATIENCE_MS,
  startHeistwatch,
  until,
} from "./support/heistwatch.ts";
import { DEPOSIT, startEthereum, steal, STRANGER, SUSPECT, THIEF, WATCHING } from "./support/theft.ts";

const dir = createTempDir("cli");
let node: Anvil;
let desk: Receiver;
let at: WrittenConfig;
let daemon: Heistwatch;
let transactions: string[];
let theftBlock: string;

/** Two alerts, told. The daemon goes on, so that most commands ask it instead of opening the store. */
beforeAll(async () => {
  [node, desk] = await Promise.all([startEthereum(), startReceiver()]);
  at = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    ...WATCHING,
    webhooks: [{ name: "desk", url: desk.url, secrets: [TEST_WEBHOOK_SECRET] }],
  });
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
  const theft = await steal(node);
  theftBlock = String(Number(await node.rpc<string>("eth_blockNumber")));
  transactions = [...theft, ...(await steal(node, 1, { from: SUSPECT, to: STRANGER }))];
  await waitFor("both alerts", () => desk.requests.length === 2, { timeoutMs: PATIENCE_MS });
}, 120_000);

afterAll(async () => {
  await daemon?.stop();
  await Promise.all([node?.stop(), desk?.stop()]);
  await dir.remove();
}, 120_000);

test("--help lists every command, and each group its own", async () => {
  const { code, stdout } = await run("--help");
  expect(code).toBe(0);
  for (const name of ["run", "check", "demo", "test", "alerts", "deliveries", "watch"])
    expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
  expect(stdout).toContain("Exit codes: 0 done, 1 something to fix, 75 try again later.");
  for (const [group, names] of Object.entries({
    alerts: ["list", "show"],
    deliveries: ["list", "retry"],
    watch: ["list"],
  })) {
    const help = await run(group, "--help");
    for (const name of names) expect(help.stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
  }
  expect((await run("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
}, 120_000);

test("alerts list and show tell the alert, its revisions and its deliveries", async () => {
  const alerts = await cliJson<AlertRecord[]>(["alerts", "list"], at);
  expect(alerts.map((alert) => alert.txHash).toSorted()).toEqual(transactions.toSorted());
  const severe = await cliJson<AlertRecord[]>(["alerts", "list", "--severity", "critical"], at);
  expect(severe.map((alert) => [alert.txHash, alert.action])).toEqual([[transactions[0], "hold"]]);
  expect(await cliJson(["alerts", "list", "--stage", "retracted"], at)).toEqual([]);
  expect(await cliJson<unknown[]>(["alerts", "list", "--limit", "1", "--offset", "1"], at)).toHaveLength(1);
  const text = await command("alerts", "list");
  expect(text.stdout.trimEnd().split("\n")).toHaveLength(3);
  expect(text.stdout).toContain(alerts[0]?.alertId);

  const alertId = severe[0]?.alertId ?? "";
  const shown = await cliJson<{ alert: AlertRecord; messages: { body: unknown }[]; deliveries: StoredDelivery[] }>(
    ["alerts", "show", alertId],
    at,
  );
  expect(shown.alert.alertId).toBe(alertId);
  expect(shown.messages.map(({ body }) => body)).toEqual(
    desk.requests.map((request) => request.body).filter((body) => JSON.stringify(body).includes(alertId)),
  );
  expect(shown.deliveries).toEqual([expect.objectContaining({ sink: "desk", state: "delivered" })]);
  const showText = await command("alerts", "show", alertId);
  for (const part of [alertId, "critical", "revision 1: alert.created", transactions[0] ?? "", "desk"])
    expect(showText.stdout).toContain(part);
  const unknown = await command("alerts", "show", "alr_nothing");
  expect([unknown.code, unknown.stderr]).toEqual([1, "heistwatch: there is no alert alr_nothing\n"]);
}, 120_000);

test("deliveries list tells what went where, by state and sink", async () => {
  // Of the alerts' sink: the console may have been told of a chain that stood still, which a slow machine's does.
  const all = await cliJson<StoredDelivery[]>(["deliveries", "list", "--sink", "desk"], at);
  expect(all.map(({ state, sink, attempts }) => [state, sink, attempts])).toEqual([
    ["delivered", "desk", 1],
    ["delivered", "desk", 1],
  ]);
  expect(await cliJson(["deliveries", "list", "--state", "dead"], at)).toEqual([]);
  expect(await cliJson(["deliveries", "list", "--sink", "other"], at)).toEqual([]);
  expect((await command("deliveries", "list", "--state", "dead")).stdout).toBe("No deliveries.\n");
  const text = await command("deliveries", "list");
  for (const { deliveryId } of all) expect(text.stdout).toContain(deliveryId);
}, 120_000);

test("watch list tells who is watched", async () => {
  const rows = await cliJson<{ address: string; state: string }[]>(["watch", "list"], at);
  expect(rows.map(({ address, state }) => [address, state])).toEqual([
    [THIEF, "watched"],
    [SUSPECT, "watched"],
  ]);
  const text = await command("watch", "list");
  expect(text.stdout).toContain(THIEF);
  expect(text.stdout).toContain("2 entries.");
  expect(await cliJson(["watch", "list", "--chain", "eip155:137"], at)).toEqual([]);
}, 120_000);

test("test shows what a block would alert on, and neither stores nor sends anything", async () => {
  const sent = desk.requests.length;
  const before = await cliJson(["alerts", "list"], at);
  const { alerts } = await cliJson<{
    alerts: { type: string; test: boolean; data: { transaction: { hash: string } } }[];
  }>(["test", "--chain", "ethereum", "--block", theftBlock], at);
  expect(alerts.map(({ type, test, data }) => [type, test, data.transaction.hash])).toEqual([
    ["alert.created", true, transactions[0]],
  ]);
  const text = await command("test", "--chain", "ethereum", "--block", theftBlock);
  expect(text.stdout).toContain("1 hits, 1 alerts, 0 only recorded. Nothing was stored or sent.");
  expect(text.stdout).toContain(DEPOSIT);
  expect(await cliJson(["alerts", "list"], at)).toEqual(before);
  expect(desk.requests).toHaveLength(sent);
}, 120_000);

test("test says what is wrong with a chain or block it cannot have", async () => {
  const cases: readonly [string[], number, string][] = [
    [["--chain", "etherium", "--block", "1"], 1, "no chain etherium in the configuration; there is: ethereum"],
    [["--chain", "ethereum", "--block", "999999"], 75, "the node does not have block 999999"],
    [["--chain", "ethereum", "--block", "0x10"], 1, 'expected a whole number, found "0x10"'],
    [["--chain", "ethereum"], 1, "required option '--block <number>' not specified"],
  ];
  await sideBySide(cases, async ([args, code, text]) => {
    const result = await command("test", ...args);
    expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(text)]);
    expect(result.stdout).toBe("");
  });
}, 120_000);

test("a command or option that does not exist ends with 1 and a suggestion", async () => {
  const cases: readonly [string[], string][] = [
    [["chekc"], "Did you mean check?"],
    [["alerts", "lst"], "Did you mean list?"],
    [["run", "--confg", "x"], "Did you mean --config?"],
    [["alerts", "list", "--severity", "hihg"], "Allowed choices are info, low, medium, high, critical"],
    [["alerts", "list", "--limit", "many"], 'expected a whole number, found "many"'],
    [["alerts", "list", "--limit", "0"], "limit: "],
    [["deliveries", "retry"], "name deliveries to retry, or give --dead"],
  ];
  await sideBySide(cases, async ([args, text]) => {
    const { code, stderr } = await command(...args);
    expect([args.join(" "), code, stderr]).toEqual([args.join(" "), 1, expect.stringContaining(text)]);
    expect(stderr).not.toContain("a bug");
  });
}, 120_000);

test("there are no colours where the output is no terminal", async () => {
  const commands = [
    ["check"],
    ["alerts", "list"],
    ["watch", "list"],
    ["test", "--chain", "ethereum", "--block", theftBlock],
  ];
  await sideBySide(commands, async (args) => {
    const { stdout, stderr } = await command(...args);
    expect(stdout + stderr).not.toContain(String.fromCharCode(27));
  });
}, 120_000);

test("without a store yet, the command line says how to get one, and makes none", async () => {
  const empty = await writeDaemonConfig({ dir: dir.path, nodeUrl: node.url, ...WATCHING, dataDirName: "none" });
  const { code, stderr } = await cli(["alerts", "list", "--config", empty.configPath], empty);
  expect([code, stderr]).toEqual([1, expect.stringContaining("start heistwatch once (heistwatch run)")]);
}, 120_000);

/** Each command is a process of its own: in pairs, for two cores. */
async function sideBySide<T>(cases: readonly T[], check: (one: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < cases.length; from += 2) await Promise.all(cases.slice(from, from + 2).map(check));
}

function command(...args: string[]): Promise<CliResult> {
  return cli([...args, "--config", at.configPath], at);
}

function run(...args: string[]): Promise<CliResult> {
  return cli(args, at);
}
