/** `heistwatch node test`: each configured node asked by itself, what it says to people, to machines and to scripts. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { cli } from "../e2e/support/heistwatch.ts";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { writeDaemonConfig } from "../support/daemon.ts";
import { type FaultProxy, type Faults, startFaultProxy } from "../support/fault-proxy.ts";
import { createTempDir } from "../support/temp-dir.ts";

const dir = createTempDir("node-test");
const FAULTS: Readonly<Record<string, Faults>> = {
  good: {},
  away: { down: "reset" },
  busy: { down: "refuse" },
  foreign: { lie: (result, { method }) => (method === "eth_chainId" ? "0x38" : result) },
  liar: { lie: (result, { method }) => (method === "eth_getBlockReceipts" ? [] : result) },
};
let anvil: Anvil;
let proxies: Record<string, FaultProxy>;

beforeAll(async () => {
  anvil = await startAnvil({ chainId: 1 });
  // A block with a transaction: without one, there is nothing that receipts could hide.
  const [from, to] = await anvil.rpc<[string, string]>("eth_accounts");
  await anvil.rpc("eth_sendTransaction", [{ from, to, value: "0x1" }]);
  proxies = Object.fromEntries(
    await Promise.all(
      Object.entries(FAULTS).map(async ([name, faults]) => {
        const proxy = await startFaultProxy(anvil.url);
        proxy.set(faults);
        return [name, proxy] as const;
      }),
    ),
  );
}, 120_000);

afterAll(async () => {
  await Promise.all([anvil, ...Object.values(proxies)].map((one) => one.stop()));
  await dir.remove();
});

async function nodeTest(names: readonly string[], ...more: string[]) {
  const config = await writeDaemonConfig({
    dir: dir.path,
    dataDirName: names.join("-"),
    nodeUrl: "",
    nodes: names.map((name) => ({ name, operator: name, http: proxies[name]?.url ?? "", timeoutMs: 3_000 })),
    watch: [{ address: "0x1234567890AbcdEF1234567890aBcdef12345678" }],
  });
  return cli(["node", "test", "--config", config.configPath, ...more], config);
}

test("each node is told by itself, one that is away does not hide the others, and the exit code says what to do", async () => {
  const [good, away, foreign, liar] = await Promise.all([
    nodeTest(["good"], "--json"),
    nodeTest(["good", "away", "busy"], "--json"),
    nodeTest(["good", "away", "foreign"], "--json"),
    nodeTest(["good", "liar"], "--json"),
  ]);
  const states = ({ stdout }: { stdout: string }) =>
    (JSON.parse(stdout) as { what: string; state: string }[]).map(({ what, state }) => [what, state]);
  expect([good.code, states(good)]).toEqual([0, [["ethereum, node good", "ok"]]]);
  expect([away.code, states(away)]).toEqual([
    75,
    [
      ["ethereum, node good", "ok"],
      ["ethereum, node away", "away"],
      ["ethereum, node busy", "away"],
    ],
  ]);
  expect([foreign.code, states(foreign)]).toEqual([
    1,
    [
      ["ethereum, node good", "ok"],
      ["ethereum, node away", "away"],
      ["ethereum, node foreign", "wrong"],
    ],
  ]);
  expect([liar.code, states(liar)]).toEqual([
    1,
    [
      ["ethereum, node good", "ok"],
      ["ethereum, node liar", "wrong"],
    ],
  ]);
}, 120_000);

test("people are told its head and what it found there, or why not", async () => {
  const { stdout, stderr } = await nodeTest(["good", "foreign", "liar"]);
  expect(stderr).toBe("");
  const [good, foreign, liar] = stdout.split("\n");
  expect(good).toMatch(/^ok +ethereum, node good: head 1 with \d+ transfers, final -?\d+, in \d+ ms$/);
  expect(foreign).toContain("serves chain id 56, the configuration says 1");
  expect(liar).toContain("content that does not match its hash");
}, 120_000);
