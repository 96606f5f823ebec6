/** What a daemon refuses to start with: another in its folder, a taken port, a wrong configuration, wrong lists. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver, TEST_WEBHOOK_SECRET } from "../support/receiver.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cli, cliJson, type Heistwatch, PATIENCE_MS, runDaemon, startHeistwatch, until } from "./support/heistwatch.ts";
import { byWebhookId, startEthereum, steal, WATCHING } from "./support/theft.ts";

let node: Anvil;
let desk: Receiver;
let dir: TempDir;
const daemons: Heistwatch[] = [];

beforeAll(async () => {
  [node, desk] = await Promise.all([startEthereum(), startReceiver()]);
}, 60_000);

afterAll(async () => {
  await Promise.all([node?.stop(), desk?.stop()]);
});

beforeEach(() => {
  dir = createTempDir("start");
});

afterEach(async () => {
  for (const daemon of daemons.splice(0)) {
    daemon.kill("SIGKILL");
    await daemon.exited;
  }
  await dir.remove();
}, 120_000);

test("a second daemon in the same data folder is refused, and the first one does not notice", async () => {
  const first = keep(await startHeistwatch(await config()));
  const second = keep(runDaemon(await config()));
  expect(await second.exited).toBe(1);
  expect(second.output()).toContain(`another heistwatch runs in ${join(dir.path, "data")}: stop it first`);
  expect(second.output()).not.toContain("a bug");
  expect((await first.get("/readyz")).status).toBe(200);
  expect(await first.stop()).toBe(0);
}, 120_000);

test("a data folder left by kill -9 is taken over, and nothing is lost or sent twice under another id", async () => {
  desk.clear();
  const at = await config();
  const first = keep(await startHeistwatch(at));
  await until(first, "chain followed from here");
  await steal(node);
  await waitFor("the first alert", () => desk.requests.length === 1, { timeoutMs: PATIENCE_MS });
  first.kill("SIGKILL");
  await first.exited;
  // While nobody runs, the command line opens the store itself.
  expect(await cliJson<unknown[]>(["deliveries", "list"], at)).toHaveLength(1);
  await steal(node);
  const second = keep(await startHeistwatch(at));
  await until(second, "chain resumed");
  await waitFor("both alerts", () => byWebhookId(desk.requests).size === 2, { timeoutMs: PATIENCE_MS });
  expect(await cliJson<unknown[]>(["alerts", "list"], at)).toHaveLength(2);
  expect(await second.stop()).toBe(0);
}, 90_000);

test("a taken HTTP port is a clear refusal, not a stack trace", async () => {
  const at = await config();
  writeFileSync(at.configPath, readFileSync(at.configPath, "utf8").replace(/port: \d+/, `port: ${desk.port}`));
  const daemon = keep(runDaemon(at));
  expect(await daemon.exited).toBe(1);
  expect(daemon.output()).toContain(`http 127.0.0.1:${desk.port} cannot be listened on`);
  expect(daemon.output()).toContain("http.port");
  expect(daemon.output()).not.toContain("a bug");
}, 60_000);

const WRONG = [
  "dataDir: 5",
  "store: { databaseUrl: mysql://127.0.0.1/x }",
  "queue: { redisUrl: http://127.0.0.1, redisPrefix: 'a b' }",
  "chains:",
  "  ethereun: { nodes: [{ name: a, http: http://127.0.0.1:1 }] }",
  "  ethereum:",
  "    start: yesterday",
  "    windowDepth: 3",
  "    finality: { by: moon }",
  "    nodes:",
  "      - { name: 'A B', http: ftp://127.0.0.1, timeoutMs: soon }",
  "      - { name: b, http: { env: NOT_SET_ANYWHERE } }",
  "watchlists: { paths: 7 }",
  "sinks:",
  "  alerts:",
  "    - { kind: pigeon, name: p }",
  "    - { kind: webhook, name: w, url: http://127.0.0.1:1/x, secrets: [whsec_inTheFile], concurrency: 0 }",
  "    - { kind: webhook, name: w, url: https://a.example/x, secrets: [], allowNetworks: [10.0.0.0/99] }",
  "delivery: { retryScale: -1 }",
  "http: { port: 70000 }",
  "log: { level: loud, format: xml }",
  "minSeverity: hihg",
  "minSeverety: high",
].join("\n");
// The line of each and a word of what is said there.
const TOLD: readonly [number, string][] = [
  [1, "dataDir"],
  [2, "store.databaseUrl"],
  [3, "queue.redisUrl"],
  [3, "queue.redisPrefix"],
  [5, "ethereum"],
  [7, "chains.ethereum.start"],
  [8, "chains.ethereum.windowDepth"],
  [9, "chains.ethereum.finality"],
  [11, "chains.ethereum.nodes[0].name"],
  [11, "chains.ethereum.nodes[0].http"],
  [11, "chains.ethereum.nodes[0].timeoutMs"],
  [12, "NOT_SET_ANYWHERE"],
  [13, "watchlists.paths"],
  [16, "sinks.alerts[0].kind"],
  [17, "sinks.alerts[1].url"],
  [17, "sinks.alerts[1].secrets[0]"],
  [17, "sinks.alerts[1].concurrency"],
  [18, "sinks.alerts[2].secrets"],
  [18, "sinks.alerts[2].allowNetworks[0]"],
  [18, "a name that no other sink has"],
  [19, "delivery.retryScale"],
  [20, "http.port"],
  [21, "log.level"],
  [21, "log.format"],
  [22, "high"],
  [23, "minSeverity"],
];

test.each(["run", "check"])(
  "%s with a wrong configuration tells all of its problems by line, and ends with 1",
  async (command) => {
    const at = await config();
    writeFileSync(at.configPath, WRONG);
    const { code, stdout, stderr } = await cli([command, "--config", at.configPath], at);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    const lines = stderr.split("\n");
    expect(lines.length).toBeGreaterThan(TOLD.length);
    for (const [line, text] of TOLD) {
      const first = lines.findIndex((one) => one.includes(`:${line}: `) && said(lines, one).includes(text));
      expect({ line, text, stderr: first < 0 ? stderr : "" }).toEqual({ line, text, stderr: "" });
    }
    expect(stderr).not.toContain("whsec_inTheFile");
    expect(stderr).not.toContain("a bug");
  },
);

test("wrong lines in lists, own addresses and tokens are told together, each by file and line, and end with 1", async () => {
  const at = await config();
  const list = join(dir.path, "lists/test-heist.yaml");
  writeFileSync(
    list,
    readFileSync(list, "utf8")
      .replace("role: theft", "role: thief")
      .replace(/0x90F79bf6\w+/, "0x90F7"),
  );
  appendFileSync(join(dir.path, "own/own.csv"), "\neip155:1,not-an-address,customer-18,deposit");
  for (const command of ["run", "check"]) {
    const { code, stderr } = await cli([command, "--config", at.configPath], at);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ *\S*test-heist\.yaml:\d+: \S*role.*thief/m);
    expect(stderr).toMatch(/^ *\S*test-heist\.yaml:\d+: \S*address.*0x90F7/m);
    expect(stderr).toMatch(/^ *\S*own\.csv:3: .*not-an-address/m);
  }
}, 120_000);

test("check ends with 0 when all is there, and its JSON is one value that says so", async () => {
  const at = await config();
  const text = await cli(["check", "--config", at.configPath], at);
  expect([text.code, text.stderr]).toEqual([0, ""]);
  expect(text.stdout).toContain("ok    ethereum, node own-a: head");
  const json = await cliJson<{ connections: { state: string }[]; incidents: { watched: number }[] }>(["check"], at);
  expect(json.connections.map(({ state }) => state)).toEqual(["ok"]);
  expect(json.incidents).toEqual([expect.objectContaining({ incident: "test-heist", watched: 2 })]);
}, 120_000);

test("a configuration that does not exist is told by its path", async () => {
  const at = await config();
  const missing = join(dir.path, "nowhere.yaml");
  for (const command of ["run", "check"]) {
    const { code, stderr } = await cli([command, "--config", missing], at);
    expect([code, stderr]).toEqual([1, expect.stringContaining(missing)]);
    expect(stderr).toContain("no such file");
  }
}, 120_000);

function config(): Promise<WrittenConfig> {
  return writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    ...WATCHING,
    webhooks: [{ name: "desk", url: desk.url, secrets: [TEST_WEBHOOK_SECRET] }],
  });
}

function keep(daemon: Heistwatch): Heistwatch {
  daemons.push(daemon);
  return daemon;
}

/** A problem is one line, and what it goes on to say is indented below. */
function said(lines: readonly string[], first: string): string {
  const at = lines.indexOf(first);
  return lines.slice(at, at + 5).join("\n");
}
