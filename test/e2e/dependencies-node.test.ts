/** Nodes: missing at start, lost while running, of another chain. The other chain goes on, and no secret is ever told. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { freePort } from "../support/free-port.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cli, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { type NodeDoor, openDoor } from "./support/node-door.ts";
import { byWebhookId, startEthereum, steal, WATCHING } from "./support/theft.ts";

const CANARY_KEY = "canaryKey4f8a1c6e9b2d7035aa51";
const CANARY_SECRET = `whsec_${Buffer.from("canary secret of 32 bytes, hidden").toString("base64")}`;
const CANARY_BASE64 = CANARY_SECRET.slice("whsec_".length);
const CANARY_HEADER = "canary-header-value-77f1";

let dir: TempDir;
let ethereum: Anvil;
let polygon: Anvil;
let door: NodeDoor;
let desk: Receiver;
let operations: Receiver;
let daemon: Heistwatch | null = null;

beforeEach(async () => {
  dir = createTempDir("node-away");
  [ethereum, polygon, desk, operations] = await Promise.all([
    startEthereum(),
    startEthereum({ chainId: 137 }),
    startReceiver({ secret: CANARY_SECRET }),
    startReceiver({ secret: CANARY_SECRET }),
  ]);
  door = await openDoor({ port: await freePort(), to: ethereum.url });
}, 60_000);

afterEach(async () => {
  daemon?.kill("SIGKILL");
  await daemon?.exited;
  daemon = null;
  await Promise.all([door.close(), desk.stop(), operations.stop(), ethereum.stop(), polygon.stop()]);
  await dir.remove();
}, 60_000);

test("a node missing at start and lost while running: told, waited for, nothing missed, no secret in any output", async () => {
  await door.close();
  const at = await config();
  const running = await startHeistwatch(at);
  daemon = running;
  await until(running, /node own-a did not answer eth_chainId.*ECONNREFUSED/);
  const ready = await running.get("/readyz");
  expect([ready.status, ready.text]).toEqual([200, expect.stringContaining("did not answer")]);
  expect((await running.get("/startupz")).status).toBe(200);
  expect(await running.metric("heistwatch_chain_trouble", { chain: "ethereum", kind: "node" })).toBe(1);
  const away = await cli(["check", "--config", at.configPath], at);
  expect([away.code, away.stdout]).toEqual([75, expect.stringContaining("away  ethereum, node own-a")]);

  await door.open();
  await until(running, "chain followed from here");
  await steal(ethereum);
  await arrived(1);
  expect(await running.metric("heistwatch_chain_trouble", { chain: "ethereum", kind: "node" })).toBe(0);

  await door.close();
  await steal(ethereum, 2);
  await waitFor(
    "trouble",
    async () => (await running.metric("heistwatch_chain_trouble", { chain: "ethereum", kind: "node" })) === 1,
    { timeoutMs: PATIENCE_MS },
  );
  await until(running, '"type":"system.degraded"', 60_000);
  const linesBefore = running.logs().filter((line) => line.msg === "block not read, asking again").length;
  expect(linesBefore).toBeLessThan(8);
  await door.open();
  await arrived(3);
  await until(running, "the node answers again");
  await waitFor("system.recovered", () => operations.requests.some((one) => one.raw.includes("system.recovered")), {
    timeoutMs: PATIENCE_MS,
  });

  // Failing deliveries and the command line tell of URLs too.
  desk.answerWith(() => ({ status: 500, body: `no: ${CANARY_HEADER} ${CANARY_SECRET} ${CANARY_KEY}` }));
  await steal(ethereum);
  await until(running, '"outcome":"retry"');
  const metrics = (await running.get("/metrics")).text;
  const readyz = (await running.get("/readyz")).text;
  const said: string[] = [metrics, readyz, away.stdout, away.stderr];
  for (const command of ["check", "deliveries list", "alerts list", "watch list"]) {
    for (const json of [[], ["--json"]]) {
      const { stdout, stderr } = await cli([...command.split(" "), ...json, "--config", at.configPath], at);
      said.push(stdout, stderr);
    }
  }
  expect(await running.stop()).toBe(0);
  said.push(running.output());
  for (const text of said) {
    for (const canary of [CANARY_KEY, CANARY_BASE64, CANARY_HEADER]) expect(text).not.toContain(canary);
  }
  expect(desk.requests.every((request) => request.verified && request.headers["x-desk"] === CANARY_HEADER)).toBe(true);
  for (const request of [...desk.requests, ...operations.requests]) expect(request.raw).not.toContain(CANARY_KEY);
}, 180_000);

test("a node of another chain is a clear error once, not a flood; the other chain goes on; it recovers by itself", async () => {
  door.pointTo(polygon.url);
  const at = await config({ polygon: true });
  const running = await startHeistwatch(at);
  daemon = running;
  await until(running, "node own-a serves chain id 137, the configuration says 1: check its URL");
  await waitFor(
    "the other chain",
    async () => (await running.metric("heistwatch_chain_cursor_number", { chain: "polygon" })) === 0,
    { timeoutMs: PATIENCE_MS },
  );
  await polygon.mine(3);
  await waitFor(
    "the other chain's blocks",
    async () => (await running.metric("heistwatch_chain_cursor_number", { chain: "polygon" })) === 3,
    { timeoutMs: PATIENCE_MS },
  );
  expect(running.logs().filter((line) => line.level === 50 && String(line.error).includes("chain id"))).toHaveLength(1);
  expect(await running.metric("heistwatch_leader_epoch", { chain: "ethereum" })).toBe(1);
  expect(await running.metric("heistwatch_chain_trouble", { chain: "ethereum", kind: "node" })).toBe(1);
  const checked = await cli(["check", "--config", at.configPath], at);
  expect(checked.code).toBe(1);
  expect(checked.stdout).toContain("wrong ethereum, node own-a: node own-a serves chain id 137");
  expect(checked.stdout).toContain("ok    polygon, node own-p");

  door.pointTo(ethereum.url);
  await until(running, /"chain":"ethereum".*"msg":"chain followed from here"/);
  await steal(ethereum);
  await arrived(1);
}, 120_000);

async function arrived(alerts: number): Promise<void> {
  await waitFor(`${alerts} alerts`, () => byWebhookId(desk.requests).size >= alerts, { timeoutMs: PATIENCE_MS });
}

/** Ethereum's node behind the door, its URL with a key in the path and in the query, both only in the environment. */
async function config(of: { polygon?: boolean } = {}): Promise<WrittenConfig> {
  const node = (name: string, http: unknown) => ({ nodes: [{ name, http, timeoutMs: 3_000 }] });
  const written = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: ethereum.url,
    ...WATCHING,
    extra: {
      chains: {
        ethereum: node("own-a", { env: "NODE_URL" }),
        ...(of.polygon === true ? { polygon: node("own-p", polygon.url) } : {}),
      },
      sinks: {
        alerts: [{ ...sink("desk", desk), headers: { "x-desk": { env: "DESK_HEADER" } } }],
        operations: [sink("on-call", operations)],
      },
      delivery: { retryScale: 0.1 },
    },
  });
  const facts = readFileSync(join(dir.path, "chains/ethereum.yaml"), "utf8");
  writeFileSync(join(dir.path, "chains/polygon.yaml"), facts.replace("eip155:1", "eip155:137"));
  return {
    ...written,
    env: {
      NODE_URL: `${door.url}/v3/${CANARY_KEY}?apikey=${CANARY_KEY}`,
      DESK_SECRET: CANARY_SECRET,
      DESK_HEADER: CANARY_HEADER,
    },
  };
}

function sink(name: string, { url }: Receiver) {
  const secrets = [{ env: "DESK_SECRET" }];
  return { kind: "webhook", name, url, secrets, allowHttp: true, allowNetworks: ["127.0.0.0/8"] };
}
