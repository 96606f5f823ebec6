/** Files and the store while the daemons run: what a file says is watched without a restart, and nothing is lost by it. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AlertBody } from "../../src/alerts/body-schema.ts";
import type { ImportedList } from "../../src/daemon/watch-import.ts";
import type { Outcome } from "../../src/daemon/watch-outcome.ts";
import type { AuditRecord, Proposal } from "../../src/types/watch-change.ts";
import type { Anvil } from "../support/anvil.ts";
import { type DaemonConfig, writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { startPostgres } from "../support/postgres.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cli, cliJson, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { DEPOSIT, startEthereum, steal, SUSPECT, THIEF, WATCHING } from "./support/theft.ts";

// An account of anvil that no list names.
const NEWCOMER = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";

const cleanup: (() => Promise<unknown>)[] = [];
let dir: TempDir;
let node: Anvil;
let desk: Receiver;
let pager: Receiver;
let list: string;

beforeEach(async () => {
  dir = createTempDir("watch-files");
  cleanup.push(() => dir.remove());
  [node, desk, pager] = await Promise.all([startEthereum(), startReceiver(), startReceiver()]);
  for (const one of [node, desk, pager]) cleanup.push(() => one.stop());
  list = join(dir.path, "lists/test-heist.yaml");
}, 60_000);

afterEach(async () => {
  for (const undo of cleanup.splice(0).toReversed()) await undo();
}, 90_000);

function configOf(parts: Partial<DaemonConfig> = {}): Promise<WrittenConfig> {
  const hook = (name: string, { url, secret }: Receiver) => ({ name, url, secrets: [secret] });
  return writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    nodeWsUrl: node.wsUrl,
    ...WATCHING,
    webhooks: [hook("desk", desk)],
    operations: [hook("pager", pager)],
    ...parts,
  });
}

async function started(at: WrittenConfig): Promise<Heistwatch> {
  const daemon = await startHeistwatch(at);
  cleanup.push(() => daemon.stop());
  return daemon;
}

/** As an editor does: all of it or nothing. */
function rewrite(change: (text: string) => string): void {
  const next = `${list}.next`;
  writeFileSync(next, change(readFileSync(list, "utf8")));
  renameSync(next, list);
}

const alertsOf = (tx: string | undefined) =>
  desk.requests
    .map(({ body }) => body as AlertBody)
    // What a scan of the past found comes to the same sink.
    .filter(({ type, data }) => type.startsWith("alert.") && data.transaction.hash === tx);
const told = (tx: string | undefined) =>
  waitFor(`the alert of ${tx}`, () => alertsOf(tx).length > 0, { timeoutMs: PATIENCE_MS });
const pages = () => pager.requests.map(({ body }) => body as { type: string; data: { summary: string } });
const paged = (type: string, text = "") =>
  waitFor(
    `the page ${type} ${text}`,
    () => pages().some((page) => page.type === type && page.data.summary.includes(text)),
    { timeoutMs: PATIENCE_MS },
  );

const refusals = async (at: WrittenConfig) =>
  (await cliJson<AuditRecord[]>(["watch", "history"], at)).filter(
    ({ action, subject }) => action === "refuse import" && subject === list,
  );

test("a row added to a file while it runs is watched, in the blocks that are not final yet too", async () => {
  const daemon = await started(await configOf());
  await until(daemon, "chain followed from here");
  const [before] = await steal(node, 1, { from: NEWCOMER });
  rewrite((text) => withRow(text, NEWCOMER));
  await until(daemon, "watchlist imported");
  await told(before);
  const [after] = await steal(node, 1, { from: NEWCOMER });
  await told(after);
  expect([alertsOf(before).length, alertsOf(after).length]).toEqual([1, 1]);
}, 180_000);

test("a wrong file is told at once and changes nothing, also across a restart, until it is right again", async () => {
  const at = await configOf();
  const daemon = await started(at);
  await until(daemon, "chain followed from here");
  const good = readFileSync(list, "utf8");
  // Half of it is still YAML: only its rows are wrong.
  rewrite((text) => text.replace(THIEF, "0xnonsense"));
  await paged("watchlist.importRefused", "test-heist.yaml");
  await until(daemon, "watchlist files refused");
  await told((await steal(node))[0]);
  await told((await steal(node, 1, { from: SUSPECT }))[0]);
  const checked = await cli(["check", "--config", at.configPath], at);
  expect([checked.code, checked.stderr]).toEqual([1, expect.stringContaining("0xnonsense")]);
  const refused = (count: number) =>
    waitFor(`${count} lines in the audit trail`, async () => (await refusals(at)).length === count, {
      timeoutMs: PATIENCE_MS,
    });
  await refused(1);

  await daemon.stop();
  const again = await started(at);
  await until(again, "watchlist files refused");
  await told((await steal(node))[0]);
  // The same content is written down once; what is wrong in another way is another refusal.
  rewrite((text) => text.replace("0xnonsense", "0xmore"));
  await refused(2);
  expect((await refusals(at)).map(({ why }) => why?.includes("0xnonsense"))).toEqual([false, true]);

  // What was not told again after the restart, because it lasted a moment only, is not taken back either.
  await until(again, "watchlist.importRefused");
  rewrite(() => good);
  await paged("system.recovered", "test-heist.yaml");
}, 240_000);

test("a row, and a file, that disappear stay watched until a second person approves", async () => {
  const at = await configOf();
  const daemon = await started(at);
  await until(daemon, "chain followed from here");
  const full = readFileSync(list, "utf8");
  rewrite((text) => withoutRow(text, SUSPECT));
  const upgrade = await cliJson<ImportedList[]>(["watch", "upgrade"], at);
  expect(upgrade).toMatchObject([{ list: "test-heist", added: [], held: [`test-heist/eip155:1/${SUSPECT}`] }]);
  await paged("watchlist.changed", "drops or weakens 1 entries");
  await told((await steal(node, 1, { from: SUSPECT }))[0]);

  rewrite(() => full);
  await waitFor("the proposal to be void", async () => (await proposals(at)).length === 0, { timeoutMs: PATIENCE_MS });

  rmSync(list);
  // A list of another name, so that the folder is not empty: that would be a wrong configuration.
  writeFileSync(join(dir.path, "lists/other.yaml"), withRow(full, NEWCOMER).replaceAll("test-heist", "other"));
  await paged("watchlist.changed", "drops or weakens 2 entries");
  const [tx] = await steal(node, 1, { from: SUSPECT });
  await told(tx);
  const [proposal] = await proposals(at);
  expect(proposal?.change.entries.map(({ after }) => after)).toEqual([null, null]);
  const { token } = await cliJson<{ token: string }>(["people", "add", "ann", "--role", "approver"], at);
  const approve = ["watch", "approve", proposal?.proposalId ?? "", "--as", "ann", "--config", at.configPath];
  expect((await cli(approve, at, { HEISTWATCH_TOKEN: token })).code).toBe(0);
  // The other list names them too: told as that, not taken back.
  await waitFor("the alert to rest on the other list", () => alertsOf(tx).at(-1)?.data.watch[0]?.list === "other", {
    timeoutMs: PATIENCE_MS,
  });
  expect(alertsOf(tx).at(-1)?.data.stage).not.toBe("retracted");
}, 300_000);

test("two daemons on one database: what is added through the one that stands by holds for the one that leads", async () => {
  const postgres = await startPostgres();
  cleanup.push(() => postgres.stop());
  const databaseUrl = await postgres.createDatabase("heistwatch");
  const config = async (name: string) => {
    const at = await configOf({ dataDirName: name, extra: { store: { databaseUrl: { env: "DATABASE_URL" } } } });
    return { ...at, env: { ...at.env, DATABASE_URL: databaseUrl } };
  };
  const [first, second] = [await config("a"), await config("b")];
  const leader = await started(first);
  await until(leader, "chain followed from here");
  const other = await started(second);
  await until(other, "another daemon leads this chain, standing by");

  const [before] = await steal(node, 1, { from: NEWCOMER });
  const added = ["watch", "add", NEWCOMER, "--incident", "test-heist", "--yes"];
  expect(await cliJson<Outcome>(added, second)).toMatchObject({ done: "applied" });
  const [after] = await steal(node, 1, { from: NEWCOMER, to: DEPOSIT });
  await told(after);
  await told(before);
  expect([alertsOf(before).length, alertsOf(after).length]).toEqual([1, 1]);
  await leader.stop();
  const [later] = await steal(node, 1, { from: NEWCOMER });
  await told(later);
  expect(alertsOf(later)).toHaveLength(1);
}, 300_000);

const proposals = (at: WrittenConfig) => cliJson<Proposal[]>(["watch", "proposals"], at);

/** The file with one more row, which looks like its last one. */
function withRow(text: string, address: string): string {
  return (
    text +
    rowsOf(text)
      .at(-1)
      ?.replace(/0x[0-9a-fA-F]{40}/, address)
  );
}

function withoutRow(text: string, address: string): string {
  const row = rowsOf(text).find((one) => one.includes(address)) ?? "";
  return text.replace(row, "");
}

function rowsOf(text: string): string[] {
  return text.slice(text.indexOf("entries:\n") + "entries:\n".length).split(/^(?= {2}- )/m);
}
