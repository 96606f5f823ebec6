/**
 * What investigators do while the chain runs: each act holds from the block it says, and whoever got an alert that rests
 * on a withdrawn entry gets its retraction.
 */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { userInfo } from "node:os";
import type { AlertBody } from "../../src/alerts/body-schema.ts";
import type { Outcome } from "../../src/daemon/watch-outcome.ts";
import type { EntryImpact } from "../../src/store/watch-reach.ts";
import type { ScanStatus } from "../../src/types/retro.ts";
import type { AuditRecord, Proposal } from "../../src/types/watch-change.ts";
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cli, cliJson, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { DEPOSIT, startEthereum, steal, STRANGER, SUSPECT, WATCHING } from "./support/theft.ts";

// An account of anvil that no list names.
const NEWCOMER = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
const ENTRY = `operator-test-heist/eip155:1/${NEWCOMER}`;
const OS_USER = userInfo().username;

let dir: TempDir;
let node: Anvil;
let desk: Receiver;
let siem: Receiver;
let pager: Receiver;
let at: WrittenConfig;
let daemon: Heistwatch;

beforeEach(async () => {
  dir = createTempDir("watch-changes");
  [node, desk, siem, pager] = await Promise.all([startEthereum(), startReceiver(), startReceiver(), startReceiver()]);
  const hook = (name: string, receiver: Receiver) => ({
    name,
    url: receiver.url,
    secrets: [receiver.secret],
    concurrency: 16,
  });
  at = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    nodeWsUrl: node.wsUrl,
    ...WATCHING,
    webhooks: [hook("desk", desk), hook("siem", siem)],
    operations: [hook("pager", pager)],
  });
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
}, 120_000);

afterEach(async () => {
  await daemon.stop();
  await Promise.all([desk.stop(), siem.stop(), pager.stop(), node.stop()]);
  await dir.remove();
}, 60_000);

const alertsOf = (receiver: Receiver) =>
  receiver.requests.map(({ body }) => body as AlertBody).filter(({ type }) => type.startsWith("alert."));
/** The last word about each transaction. */
const lastOf = (receiver: Receiver, tx: string | undefined) =>
  alertsOf(receiver)
    .filter(({ data }) => data.transaction.hash === tx)
    .toSorted((a, b) => a.data.revision - b.data.revision)
    .at(-1)?.data;
const told = (receiver: Receiver, tx: string | undefined) =>
  waitFor(`the alert of ${tx}`, () => lastOf(receiver, tx) !== undefined, { timeoutMs: PATIENCE_MS });
const pages = () =>
  pager.requests.map(({ body }) => body as { type: string; data: { severity: string; summary: string } });
const paged = (text: string) =>
  waitFor(`the page ${text}`, () => pages().some(({ data }) => data.summary.includes(text)), {
    timeoutMs: PATIENCE_MS,
  });
const watch = <T>(...args: string[]) => cliJson<T>(["watch", ...args], at);
const add = (address: string, ...args: string[]) =>
  watch<Outcome>("add", address, "--incident", "test-heist", "--yes", ...args);
const refused = async (args: string[], env: Record<string, string> = {}) => {
  const { code, stdout, stderr } = await cli([...args, "--config", at.configPath], at, env);
  expect([args.join(" "), code]).toEqual([args.join(" "), 1]);
  return stdout + stderr;
};
/** A second person, and how they ask. */
async function person(name: string, role: string) {
  const { token } = await cliJson<{ token: string }>(["people", "add", name, "--role", role], at);
  const env = { HEISTWATCH_TOKEN: token };
  return {
    env,
    async does(...args: string[]): Promise<Outcome> {
      const all = [...args, "--as", name, "--json", "--config", at.configPath];
      const { code, stdout, stderr } = await cli(all, at, env);
      if (code !== 0) throw new Error(stderr);
      return JSON.parse(stdout) as Outcome;
    },
  };
}

test("an address added at night is told from the block the answer names: what is not final yet too, once", async () => {
  const [before] = await steal(node, 1, { from: NEWCOMER });
  await told(desk, (await steal(node, 1, { from: SUSPECT }))[0]);
  expect(lastOf(desk, before)).toBeUndefined();

  const outcome = await add(NEWCOMER);
  expect(outcome).toMatchObject({ done: "applied", entries: [ENTRY] });
  const live = outcome.done === "applied" ? outcome.live : [];
  expect(live).toEqual([{ chain: "eip155:1", fromBlock: expect.any(Number) }]);
  const [after] = await steal(node, 1, { from: NEWCOMER });

  await told(desk, after);
  await told(desk, before);
  expect(lastOf(desk, before)).toMatchObject({ late: true, severity: "high", own: { customerRef: "customer-17" } });
  expect(lastOf(desk, before)?.block?.number).toBeGreaterThanOrEqual(live[0]?.fromBlock ?? Infinity);
  expect(lastOf(desk, after)?.watch[0]).toMatchObject({ entry: ENTRY, basis: "researcher", role: "theft" });
  expect(alertsOf(desk).filter(({ data }) => data.transaction.hash === before)).toHaveLength(1);

  const [shown] = await watch<Record<string, unknown>[]>("show", NEWCOMER.toLowerCase());
  expect(shown).toMatchObject({ addedBy: OS_USER, contract: false, sources: [{ ref: `operator:${OS_USER}` }] });
  expect(shown?.["reviewBy"]).toBe((shown?.["addedAt"] as number) + 24 * 3_600_000);
  const again = ["--incident", "test-heist", "--yes"];
  expect(await refused(["watch", "add", NEWCOMER, ...again])).toContain(`${ENTRY} is watched already`);
  expect(await refused(["watch", "add", DEPOSIT, ...again])).toContain("is one of our own addresses");
}, 180_000);

test("the past of an added address is read by itself, down to the first block there is, and told once", async () => {
  const [past] = await steal(node, 1, { from: NEWCOMER });
  const [elsewhere] = await steal(node, 1, { from: NEWCOMER, to: STRANGER });
  // Anvil calls final what is 64 blocks old: what the new list is matched with again begins above them.
  await node.mine(100);
  const isFinal = async () =>
    ((await daemon.metric("heistwatch_chain_finalized_number", { chain: "ethereum" })) ?? 0) > 10;
  await waitFor("both to be final", isFinal, { timeoutMs: PATIENCE_MS });

  await add(NEWCOMER);
  await told(desk, past);
  expect(lastOf(desk, past)).toMatchObject({ retroactive: true, late: true, own: { customerRef: "customer-17" } });
  const scans = () => cliJson<ScanStatus[]>(["retro", "list"], at);
  await waitFor("the scan to end", async () => (await scans())[0]?.state === "done", { timeoutMs: PATIENCE_MS });
  expect(await scans()).toMatchObject([{ state: "done", freshHits: 2, requestedBy: "watchlist" }]);
  // Nobody of ours: stored, and told by the summary of the scan only.
  const summary = () =>
    desk.requests.map(({ body }) => body as { type: string }).filter(({ type }) => type === "watchlist.scanned");
  await waitFor("the summary", () => summary().length > 0, { timeoutMs: PATIENCE_MS });
  expect(summary()).toHaveLength(1);
  expect(lastOf(desk, elsewhere)).toBeUndefined();
  expect(alertsOf(desk).filter(({ data }) => data.transaction.hash === past)).toHaveLength(1);

  // What a scan found rests on the entry as everything else does.
  expect((await watch<EntryImpact>("impact", ENTRY)).hits).toBe(2);
  await watch("undo", ENTRY);
  await waitFor("the retraction", () => lastOf(desk, past)?.retraction?.reason === "entryWithdrawn", {
    timeoutMs: PATIENCE_MS,
  });
}, 180_000);

test("a disputed entry records, tells and holds nothing, is paged, and cannot be disputed again the same day", async () => {
  await add(NEWCOMER, "--basis", "notice");
  const [first] = await steal(node, 1, { from: NEWCOMER });
  await told(desk, first);

  await watch("dispute", ENTRY, "--why", "it is our market maker");
  await paged(`${OS_USER} disputes ${ENTRY}`);
  await waitFor("the alert to hold nothing", () => lastOf(desk, first)?.action === "none", { timeoutMs: PATIENCE_MS });
  expect(lastOf(desk, first)).toMatchObject({ stage: "included", severity: "info", revision: 2 });
  expect(lastOf(desk, first)?.score.caps).toContain("the entry is disputed: action at most none");
  const [second] = await steal(node, 1, { from: NEWCOMER });
  // Told after it, from the same chain: the disputed one was seen and not told.
  await told(desk, (await steal(node, 1, { from: SUSPECT }))[0]);
  expect(lastOf(desk, second)).toBeUndefined();
  expect((await watch<EntryImpact>("impact", ENTRY)).hits).toBe(2);

  const thief = `test-heist/eip155:1/${WATCHING.watch[0]?.address}`;
  expect(await refused(["watch", "dispute", thief, "--why", "x"])).toContain("a sanctioned entry cannot be disputed");
  expect(await refused(["watch", "dispute", ENTRY, "--why", "x"])).toContain("the entry is disputed already");
  const [record] = await watch<AuditRecord[]>("history", ENTRY);
  expect(record).toMatchObject({ actor: OS_USER, action: "dispute", why: "it is our market maker", approver: null });
}, 180_000);

test("removing needs a second name, and retracts every alert that rests only on the entry, at every sink", async () => {
  await add(NEWCOMER);
  const count = 500;
  const transactions = await steal(node, count, { from: NEWCOMER });
  // Rests on two entries: stays.
  const [shared] = await steal(node, 1, { from: NEWCOMER, to: SUSPECT });
  const [other] = await steal(node, 1, { from: SUSPECT });
  const isAllTold = (receiver: Receiver) =>
    new Set(alertsOf(receiver).map(({ data }) => data.alertId)).size === count + 2;
  await waitFor("all alerts at both sinks", () => isAllTold(desk) && isAllTold(siem), { timeoutMs: 120_000 });
  const impact = await watch<EntryImpact>("impact", ENTRY);
  expect([impact.hits, impact.alerts.length, impact.customers]).toEqual([count + 1, count + 1, ["customer-17"]]);
  expect(impact.alerts.filter(({ restsOnItAlone }) => restsOnItAlone)).toHaveLength(count);

  const asked = await watch<Outcome>("remove", ENTRY, "--why", "wrong address");
  expect(asked).toMatchObject({ done: "proposed", entries: [ENTRY] });
  const { proposalId } = asked as { proposalId: string };
  expect(await refused(["watch", "approve", proposalId])).toContain("who proposed it cannot approve it");
  const viewer = await person("vera", "viewer");
  expect(await refused(["watch", "approve", proposalId, "--as", "vera"], viewer.env)).toContain("vera is viewer");
  expect(await refused(["watch", "approve", proposalId, "--as", "ann"], viewer.env)).toContain("not ann's");
  const ann = await person("ann", "approver");
  const wrong = "0".repeat(64);
  expect(await refused(["watch", "approve", proposalId, "--as", "ann", "--hash", wrong], ann.env)).toContain(
    "not the change you looked at",
  );
  // Nothing happened so far.
  const [still] = await steal(node, 1, { from: NEWCOMER });
  await told(desk, still);

  expect(await ann.does("watch", "approve", proposalId)).toMatchObject({ done: "applied" });
  const isRetracted = (receiver: Receiver, tx: string) => lastOf(receiver, tx)?.stage === "retracted";
  for (const receiver of [desk, siem]) {
    const all = [...transactions, still ?? ""];
    await waitFor("all retracted", () => all.every((tx) => isRetracted(receiver, tx)), { timeoutMs: 120_000 });
    for (const tx of all)
      expect(lastOf(receiver, tx)).toMatchObject({ action: "none", retraction: { reason: "entryWithdrawn" } });
    expect(lastOf(receiver, other)).toMatchObject({ stage: "included", revision: 1 });
    // What is taken back goes first: the one that only tells less may come after all of them.
    const names = () => lastOf(receiver, shared)?.watch.map(({ address }) => address);
    await waitFor("the shared one to tell less", () => names()?.join() === SUSPECT, { timeoutMs: 120_000 });
    expect(lastOf(receiver, shared)).toMatchObject({ stage: "included" });
  }
  const [unseen] = await steal(node, 1, { from: NEWCOMER, to: STRANGER });
  await told(desk, (await steal(node, 1, { from: SUSPECT }))[0]);
  expect(lastOf(desk, unseen)).toBeUndefined();
  const [record] = await watch<AuditRecord[]>("history", ENTRY);
  expect(record).toMatchObject({ action: "remove", actor: OS_USER, approver: "ann", why: "wrong address" });
  expect(await watch<Proposal[]>("proposals")).toEqual([]);
}, 420_000);

test("who added an entry takes it back within the hour, alone; nobody else can", async () => {
  const ben = await person("ben", "investigator");
  await ben.does("watch", "add", NEWCOMER, "--incident", "test-heist", "--yes");
  const [tx] = await steal(node, 1, { from: NEWCOMER });
  await told(siem, tx);
  expect(await refused(["watch", "undo", ENTRY])).toContain("it was added by ben: only they may undo it");
  await ben.does("watch", "undo", ENTRY);
  await waitFor("the retraction", () => lastOf(siem, tx)?.stage === "retracted", { timeoutMs: PATIENCE_MS });
  await paged(`ben took back ${ENTRY}`);
  await cliJson(["people", "revoke", "ben"], at);
  expect(await refused(["watch", "show", NEWCOMER, "--as", "ben"], ben.env)).toContain("not valid (any more)");
}, 180_000);
