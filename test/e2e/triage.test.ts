/**
 * What a team does with real alerts while the chain runs: by command line and over HTTP, with named people. Whatever they
 * decided, an alert that rises is open again.
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { userInfo } from "node:os";
import type { AlertDetail, AlertPage, ShownAlert, ShownCase } from "../../src/daemon/triage-calls.ts";
import type { AuditRecord } from "../../src/types/watch-change.ts";
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cli, cliJson, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { startEthereum, steal, STRANGER, SUSPECT, WATCHING } from "./support/theft.ts";

// Accounts of anvil that no list names.
const NEWCOMER = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
const MISTAKEN = "0x976EA74026E726554dB657fA54763abd0C3a0aa9";
const SECRET_NOTE = "the customer says it was a gift from an aunt";
const PEOPLE = { vera: "viewer", ann: "investigator", ben: "investigator", cleo: "approver", dora: "admin" } as const;
type Name = keyof typeof PEOPLE;
const NAMES = Object.keys(PEOPLE) as Name[];

const dir = createTempDir("triage");
const tokens = new Map<Name, string>();
let node: Anvil;
let desk: Receiver;
let at: WrittenConfig;
let daemon: Heistwatch;

beforeAll(async () => {
  [node, desk] = await Promise.all([startEthereum(), startReceiver()]);
  at = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    nodeWsUrl: node.wsUrl,
    ...WATCHING,
    webhooks: [{ name: "desk", url: desk.url, secrets: [desk.secret] }],
    extra: { triage: { dueHours: { critical: 4 } } },
  });
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
  for (const name of NAMES) {
    const { token } = await cliJson<{ token: string }>(["people", "add", name, "--role", PEOPLE[name]], at);
    tokens.set(name, token);
  }
}, 180_000);

afterAll(async () => {
  await daemon?.stop();
  await Promise.all([node?.stop(), desk?.stop()]);
  await dir.remove();
}, 120_000);

const alerts = (...args: string[]) => cliJson<ShownAlert[]>(["alerts", "list", ...args], at);
const historyOf = async (alertId: string) => (await http<AuditRecord[]>("vera", `/${alertId}/history`)).result;
const caseOf = async (alertId: string) => (await http<AlertDetail>("vera", `/${alertId}`)).result.alert.triage;

/** The alert of a new transfer. */
async function alertFrom(from: string, to?: string): Promise<string> {
  const [tx] = await steal(node, 1, { from, ...(to === undefined ? {} : { to }) });
  const found = async () => (await http<AlertPage>("vera", "")).result.alerts.find((one) => one.txHash === tx)?.alertId;
  await waitFor(`the alert of ${tx}`, async () => (await found()) !== undefined, { timeoutMs: PATIENCE_MS });
  return (await found()) ?? "";
}

async function as(name: Name, ...args: string[]) {
  const env = { HEISTWATCH_TOKEN: tokens.get(name) ?? "" };
  return cli(["alerts", ...args, "--as", name, "--config", at.configPath], at, env);
}

interface Answer<T> {
  readonly status: number;
  readonly result: T;
  readonly error?: string;
}

async function http<T>(name: Name | null, path: string, body?: unknown): Promise<Answer<T>> {
  const answer = await fetch(`http://127.0.0.1:${at.httpPort}/v1/alerts${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(name === null ? {} : { authorization: `Bearer ${tokens.get(name)}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { ...((await answer.json()) as Answer<T>), status: answer.status };
}

test("an alert is taken, noted and closed, and open again once its severity rises", async () => {
  const entry = `operator-test-heist/eip155:1/${NEWCOMER}`;
  await cliJson(["watch", "add", NEWCOMER, "--incident", "test-heist", "--yes"], at);
  const alertId = await alertFrom(NEWCOMER);
  expect(await caseOf(alertId)).toMatchObject({ state: "open", version: 1, assignee: null, dueAt: null });

  const steps = [
    ["take", alertId],
    ["note", alertId, SECRET_NOTE],
    ["state", alertId, "awaiting_info", "--note", "asked for the aunt"],
    ["close", alertId, "closed_false", "--reason", "legitimate_source", "--note", "the aunt is real"],
  ];
  for (const step of steps) expect([step, (await as("ann", ...step)).stderr]).toEqual([step, ""]);
  expect(await caseOf(alertId)).toMatchObject({ state: "closed_false", assignee: "ann", reason: "legitimate_source" });
  const early = await as("ben", "state", alertId, "investigating");
  expect([early.code, early.stderr]).toEqual([
    1,
    "heistwatch: investigating does not follow closed_false; there may follow: open\n",
  ]);

  // A notice by the police: what was high is critical.
  await cliJson(["watch", "change", entry, "--basis", "notice", "--why", "police notice 4711"], at);
  await waitFor("the case to be open again", async () => (await caseOf(alertId)).state === "open", {
    timeoutMs: PATIENCE_MS,
  });
  const history = await cliJson<AuditRecord[]>(["alerts", "history", alertId], at);
  expect(history.map(({ actor, action, why }) => [actor, action, why])).toEqual([
    ["ann", "take", null],
    ["ann", "note", SECRET_NOTE],
    ["ann", "state", "asked for the aunt"],
    ["ann", "close", "the aunt is real"],
    ["system:alerts", "reopen", "revision 2: severity rose from high to critical"],
  ]);
  const [shown] = await alerts("--state", "open", "--customer", "customer-17", "--incident", "test-heist");
  expect(shown).toMatchObject({ alertId, severity: "critical", triage: { assignee: "ann", version: 6 } });
  expect(shown?.triage.dueAt).toBeGreaterThan(shown?.createdAt ?? Infinity);
  const text = await as("vera", "show", alertId);
  for (const part of ["case: open", "ann's", "due ", "version 6", "the aunt is real"])
    expect(text.stdout).toContain(part);
  // The trail of the watchlists is the same one.
  const trail = await cliJson<AuditRecord[]>(["watch", "history"], at);
  expect(trail.map(({ action }) => action)).toEqual(expect.arrayContaining(["change", "close", "reopen"]));
}, 240_000);

test("of two people who race one acts, and the other is told who was faster", async () => {
  const alertId = await alertFrom(SUSPECT);
  const take = (name: Name) => http<ShownCase>(name, `/${alertId}/take`, { seen: 1 });
  const answers = await Promise.all([take("ann"), take("ben"), take("ann"), take("ben")]);
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409]);
  const winner = answers.find(({ status }) => status === 200)?.result.assignee;
  for (const { status, error } of answers)
    if (status === 409) expect(error).toContain(`${winner}: take (open to investigating, assigned to ${winner}) at 20`);
  expect(await caseOf(alertId)).toMatchObject({ assignee: winner, version: 2 });
  // The same by command line.
  const stale = await as("cleo", "assign", alertId, "cleo", "--seen", "1");
  expect([stale.code, stale.stderr]).toEqual([1, expect.stringContaining(`${winner}: take`)]);
}, 180_000);

test("who may only look changes nothing, nobody without a token sees anything, and each role may what it says", async () => {
  const alertId = await alertFrom(SUSPECT);
  const acts: [string, object][] = [
    ["take", { seen: 99 }],
    ["assign", { seen: 99, to: "ann" }],
    ["state", { seen: 99, to: "escalated" }],
    ["close", { seen: 99, to: "closed_true", reason: "other", note: "x" }],
    ["reopen", { seen: 99, note: "x" }],
    ["due", { seen: 99, at: null }],
  ];
  for (const name of NAMES) {
    for (const path of ["", `/${alertId}`, `/${alertId}/history`]) expect((await http(name, path)).status).toBe(200);
    for (const [act, body] of acts) {
      const { status } = await http(name, `/${alertId}/${act}`, body);
      // Who may is told that there is no version 99.
      expect([name, act, status]).toEqual([name, act, name === "vera" ? 403 : 409]);
    }
  }
  expect((await http("vera", `/${alertId}/note`, { note: "x" })).status).toBe(403);
  for (const path of ["", `/${alertId}`, `/${alertId}/history`]) expect((await http(null, path)).status).toBe(401);
  for (const [act, body] of acts) expect((await http(null, `/${alertId}/${act}`, body)).status).toBe(401);
  expect(await historyOf(alertId)).toEqual([]);
  const refused = await as("vera", "take", alertId);
  expect([refused.code, refused.stderr]).toEqual([1, "heistwatch: vera is viewer; this needs investigator or above\n"]);
  expect((await http("ann", `/${alertId}/assign`, { seen: 1, to: "vera" })).error).toContain("vera is viewer");
  expect((await http("ann", `/${alertId}/assign`, { seen: 1, to: "nobody" })).error).toContain("nobody called nobody");
}, 180_000);

test("hostile notes are refused or kept as the text they are", async () => {
  const alertId = await alertFrom(SUSPECT);
  const refused: [string, number][] = [
    ["", 400],
    [" \n\t ", 400],
    ["\u0000", 400],
    ["red \u001b[31malert\u001b[0m", 400],
    ["bell \u0007", 400],
    ["\u202egnp.exe", 400],
    ["zero\u200bwidth", 400],
    ["half \ud800", 400],
    ["x".repeat(4_001), 400],
    ["x".repeat(1_000_000), 413],
  ];
  for (const [note, status] of refused) {
    const answer = await http("ann", `/${alertId}/note`, { note });
    expect([note.slice(0, 20), answer.status]).toEqual([note.slice(0, 20), status]);
  }
  const bodies = [
    { note: 5 },
    { note: ["x"] },
    { note: "x", as: { token: "y" } },
    { note: "x", seen: 1 },
    [],
    "x",
    null,
  ];
  for (const body of bodies) expect([body, (await http("ann", `/${alertId}/note`, body)).status]).toEqual([body, 400]);
  const large = await as("ann", "note", alertId, "y".repeat(100_000));
  expect([large.code, large.stderr]).toEqual([1, expect.stringContaining("note: ")]);
  expect(await historyOf(alertId)).toEqual([]);

  const markup = "<script>alert(1)</script> [x](javascript:1) =cmd|' /C calc'!A0 {{7*7}} '); drop table triage; --";
  const lines = "first\r\nsecond\n\tthird 日本語 ";
  for (const note of [markup, lines]) expect((await http("ann", `/${alertId}/note`, { note })).status).toBe(200);
  expect((await historyOf(alertId)).map(({ why }) => why)).toEqual([markup, "first\nsecond\n\tthird 日本語"]);
  expect((await as("ann", "history", alertId)).stdout).toContain("first second third 日本語");
}, 180_000);

test("the open case of a retracted alert says so and stands apart", async () => {
  await cliJson(["watch", "add", MISTAKEN, "--incident", "test-heist", "--yes"], at);
  const alertId = await alertFrom(MISTAKEN);
  await cliJson(["watch", "undo", `operator-test-heist/eip155:1/${MISTAKEN}`], at);
  await waitFor(
    "the retraction",
    async () => (await http<AlertPage>("vera", "?stage=retracted")).result.alerts.length === 1,
    {
      timeoutMs: PATIENCE_MS,
    },
  );
  const { stdout } = await as("vera", "list");
  const [standing = "", apart = ""] = stdout.split("Taken back by the chain or the watchlist:");
  expect([standing.includes(alertId), apart.includes(alertId), apart.includes("open")]).toEqual([false, true, true]);
  expect((await as("vera", "show", alertId)).stdout).toContain("The alert was retracted");
  const apartOnly = await http<AlertPage>("vera", "?retracted=true&state=open&state=investigating");
  expect(apartOnly.result.alerts.map((one) => one.alertId)).toEqual([alertId]);
  const others = await http<AlertPage>("vera", "?retracted=false");
  expect(others.result.alerts.map((one) => one.alertId)).not.toContain(alertId);
}, 180_000);

test("what is past its due date is listed and counted, and pages follow each other", async () => {
  const alertId = await alertFrom(SUSPECT, STRANGER);
  const overdue = () => daemon.metric("heistwatch_triage_overdue_cases", { severity: "medium" });
  expect(await overdue()).toBe(0);
  expect((await as("ann", "due", alertId, "2026-01-01", "--note", "the filing date")).stderr).toBe("");
  expect((await alerts("--overdue")).map((one) => one.alertId)).toEqual([alertId]);
  expect(await overdue()).toBe(1);
  expect(await daemon.metric("heistwatch_triage_cases", { state: "open", severity: "medium" })).toBe(1);
  expect((await as("vera", "list", "--overdue")).stdout).toContain("2026-01-01T00:00:00Z overdue");
  await as("ann", "close", alertId, "suppressed", "--reason", "test", "--note", "ours");
  expect([await alerts("--overdue"), await overdue()]).toEqual([[], 0]);

  const all = (await http<AlertPage>("vera", "")).result.alerts.map((one) => one.alertId);
  const paged: string[] = [];
  for (let after = ""; ; ) {
    const { result } = await http<AlertPage>("vera", `?limit=2${after}`);
    paged.push(...result.alerts.map((one) => one.alertId));
    if (result.next === null) break;
    after = `&after=${result.next}`;
  }
  expect(paged).toEqual(all);
  for (const query of [
    "limit=0",
    "limit=x",
    "state=closed",
    "after=x",
    "since=yesterday",
    "overdue=false",
    "colour=red",
  ])
    expect([query, (await http("vera", `?${query}`)).status]).toEqual([query, 400]);
  expect((await http("vera", "/alr_nothing")).status).toBe(404);
  expect((await http("vera", "/alr_nothing/history")).status).toBe(404);
  expect((await http("ann", "/alr_nothing/take", { seen: 1 })).status).toBe(404);
  // The OS user is a name too.
  const another = all.find((id) => id !== alertId) ?? "";
  await cliJson(["alerts", "take", another], at);
  expect(await caseOf(another)).toMatchObject({ assignee: userInfo().username });
}, 240_000);

test("no note, customer or token stands in the daemon's log", () => {
  const output = daemon.output();
  for (const text of [SECRET_NOTE, "customer-17", "the aunt is real", ...tokens.values()])
    expect([text, output.includes(text)]).toEqual([text, false]);
});
