/** Screening over the HTTP of a running daemon: what is said before a deposit is credited and a withdrawal sent. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { ScreenAnswer } from "../../src/daemon/screen-answer.ts";
import type { KeptPage } from "../../src/daemon/screen-calls.ts";
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cliJson, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { DEPOSIT, startEthereum, steal, STRANGER, SUSPECT, THIEF, WATCHING } from "./support/theft.ts";

const CHAIN = "eip155:1";
let dir: TempDir;
let node: Anvil;
let at: WrittenConfig;
let daemon: Heistwatch;
let token = "";

beforeAll(async () => {
  dir = createTempDir("screen");
  node = await startEthereum();
  at = await writeDaemonConfig({ dir: dir.path, nodeUrl: node.url, ...WATCHING });
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
  ({ token } = await cliJson<{ token: string }>(["people", "add", "pipeline", "--role", "service"], at));
  await node.mine();
}, 120_000);

afterAll(async () => {
  await daemon.stop();
  await node.stop();
  await dir.remove();
}, 60_000);

interface Answered {
  readonly status: number;
  readonly result: ScreenAnswer;
  readonly error?: string;
}

async function post(body: unknown, bearer = token): Promise<Answered> {
  const answer = await fetch(`http://127.0.0.1:${at.httpPort}/v1/screen`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${bearer}` },
    body: JSON.stringify(body),
  });
  return { status: answer.status, ...((await answer.json()) as { result: ScreenAnswer }) };
}

async function ask(...items: object[]): Promise<ScreenAnswer> {
  const { status, result, error } = await post({ items });
  expect([status, error]).toEqual([200, undefined]);
  return result;
}
const deposit = (address: string) => ({ chain: CHAIN, address, direction: "deposit" });
const told = ({ items }: ScreenAnswer) =>
  items.map(({ verdict, reasons }) => [verdict, ...reasons.map(({ code }) => code)].join(" "));

/** Once their blocks are scanned. */
async function askScanned(...hashes: string[]): Promise<ScreenAnswer> {
  const items = hashes.map((transaction) => ({ chain: CHAIN, transaction }));
  return waitFor("their blocks scanned", async () => {
    const answer = await ask(...items);
    return told(answer).some((one) => one.includes("notScannedYet")) ? null : answer;
  });
}

/** Once everything is scanned a stranger is clear. */
async function untilClear(): Promise<void> {
  await waitFor("a clear answer", async () => (await ask(deposit(STRANGER))).verdict === "clear", {
    timeoutMs: PATIENCE_MS,
  });
}

test("a stranger is clear, who is listed is held or reviewed, and each answer is kept as it left", async () => {
  await untilClear();
  const answer = await ask(deposit(STRANGER), deposit(THIEF), deposit(SUSPECT), deposit("0x12"));
  expect(told(answer)).toEqual(["clear", "hold listed", "review listed", "unknown invalidAddress"]);
  expect(answer.items[1]?.watch[0]).toMatchObject({
    list: "test-heist",
    match: "exact",
    sanctioned: { list: "OFAC SDN" },
  });
  const kept = await cliJson<{ answer: ScreenAnswer; actor: string }>(["screen", "show", answer.answerId], at);
  expect(kept.answer).toEqual(answer);
  expect(kept.actor).toBe("pipeline");
  const found = await cliJson<KeptPage["answers"]>(
    ["screen", "list", "--chain", CHAIN, "--about", THIEF.toLowerCase()],
    at,
  );
  expect(found).toEqual([]);
  const [first] = await cliJson<KeptPage["answers"]>(["screen", "list", "--chain", "ethereum", "--about", THIEF], at);
  expect(first?.answerId).toBe(answer.answerId);
});

test("a transaction is read from its block", async () => {
  const [theft = ""] = await steal(node);
  const [harmless = ""] = await steal(node, 1, { from: STRANGER });
  const answer = await askScanned(theft, harmless.toUpperCase().replace("X", "x"));
  expect(told(answer)).toEqual(["hold transfer", "clear"]);
  expect(answer.items[0]?.reasons[0]?.text).toContain("your deposit address");
  expect((await ask(deposit(DEPOSIT))).items[0]?.exposure.alerts).toHaveLength(1);
});
