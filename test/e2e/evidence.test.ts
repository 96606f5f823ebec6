/**
 * Goal: an alert of the running daemon leaves as a file that a stranger can check, and says no more than it can prove.
 * Method: a real node, the real daemon, both ways to export; each file is verified by a process of its own in an empty
 * folder, which can reach no network.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { evidenceReaderOf } from "../../src/chains/registry.ts";
import type { AlertPage } from "../../src/daemon/triage-calls.ts";
import type { Bundle } from "../../src/evidence/bundle.ts";
import { newEvidenceKey, parseEvidenceKey } from "../../src/evidence/keys.ts";
import { verifyBundle } from "../../src/evidence/verify-bundle.ts";
import type { AuditRecord } from "../../src/types/watch-change.ts";
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { verifyOffline } from "../support/verify-offline.ts";
import { waitFor } from "../support/wait-for.ts";
import { cli, cliJson, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { DEPOSIT, startEthereum, steal, STRANGER, THIEF, WATCHING } from "./support/theft.ts";

const PRIVATE = newEvidenceKey();
const { publicKey, keyId } = parseEvidenceKey(PRIVATE);

const dir = createTempDir("evidence");
const tokens = new Map<string, string>();
let node: Anvil;
let desk: Receiver;
let at: WrittenConfig;
let daemon: Heistwatch;

beforeAll(async () => {
  [node, desk] = await Promise.all([startEthereum(), startReceiver()]);
  const written = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    nodeWsUrl: node.wsUrl,
    ...WATCHING,
    webhooks: [{ name: "desk", url: desk.url, secrets: [desk.secret] }],
    extra: { evidence: { key: { env: "EVIDENCE_KEY" } } },
  });
  at = { ...written, env: { ...written.env, EVIDENCE_KEY: PRIVATE } };
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
  for (const [name, role] of [
    ["vera", "viewer"],
    ["ann", "investigator"],
  ] as const)
    tokens.set(name, (await cliJson<{ token: string }>(["people", "add", name, "--role", role], at)).token);
}, 180_000);

afterAll(async () => {
  await daemon?.stop();
  await Promise.all([node?.stop(), desk?.stop()]);
  await dir.remove();
}, 120_000);

async function http(name: string | null, path: string): Promise<Response> {
  const headers: Record<string, string> = name === null ? {} : { authorization: `Bearer ${tokens.get(name)}` };
  return fetch(`http://127.0.0.1:${at.httpPort}/v1/alerts${path}`, { headers });
}

async function alertOf(tx: string | undefined): Promise<string> {
  const found = async () =>
    ((await (await http("vera", "")).json()) as { result: AlertPage }).result.alerts.find(
      ({ txHash }) => txHash === tx,
    );
  await waitFor(`the alert of ${tx}`, async () => (await found()) !== undefined, { timeoutMs: PATIENCE_MS });
  return (await found())?.alertId ?? "";
}

const actsOn = (alertId: string) => cliJson<AuditRecord[]>(["alerts", "history", alertId], at);

function empty(name: string): string {
  const folder = join(dir.path, name);
  mkdirSync(folder);
  return folder;
}

test("an alert is exported to a file, and a stranger verifies it", async () => {
  const [tx] = await steal(node);
  const alertId = await alertOf(tx);
  const file = join(dir.path, "theft.json");
  const out = await cli(["evidence", "export", alertId, "--out", file, "--config", at.configPath], at);
  expect([out.code, out.stdout]).toEqual([0, ""]);
  expect(out.stderr).toContain("native (native):");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const again = await cli(["evidence", "export", alertId, "--out", file, "--config", at.configPath], at);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("cannot be written")]);

  const stranger = await verifyOffline(file, { cwd: empty("stranger"), args: ["--key", publicKey] });
  expect([stranger.code, stranger.stderr]).toEqual([0, ""]);
  expect(stranger.stdout).toContain(`Signed by the key you gave: ${publicKey} (${keyId})`);
  expect(stranger.stdout).toContain(`signed by ${THIEF}`);
  expect(stranger.stdout).toContain(`native (native): ${THIEF} to ${DEPOSIT}, 10000000000000000 base units of`);
  expect(stranger.stdout).toContain("is the word of self (1 of 1 operators asked)");
}, 180_000);

test("over HTTP investigators get the file, byte for byte, and the history says who had it made", async () => {
  const [tx] = await steal(node);
  const alertId = await alertOf(tx);
  const isAbout = ({ body }: { body: unknown }) => (body as { data: { alertId?: string } }).data.alertId === alertId;
  await waitFor("its delivery", () => desk.requests.some(isAbout), { timeoutMs: PATIENCE_MS });
  const stored = async () => {
    const { parts } = JSON.parse(await (await http("ann", `/${alertId}/evidence`)).text()) as Bundle;
    return parts.deliveries[0]?.state === "delivered";
  };
  await waitFor("its delivery in the store", stored, { timeoutMs: PATIENCE_MS });

  expect((await http(null, `/${alertId}/evidence`)).status).toBe(401);
  expect((await http("vera", `/${alertId}/evidence`)).status).toBe(403);
  expect((await http("ann", "/alr_none/evidence")).status).toBe(404);
  expect((await http("ann", `/${alertId}/evidence?format=pdf`)).status).toBe(400);
  const before = await actsOn(alertId);
  const answer = await http("ann", `/${alertId}/evidence`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"]);
  const text = await answer.text();
  const verdict = verifyBundle(Buffer.from(text), { readerOf: evidenceReaderOf, key: publicKey });
  if (!verdict.ok) throw new Error(verdict.reason);
  const { parts } = verdict.findings.bundle;
  expect(parts.deliveries).toMatchObject([{ sink: "desk", attempts: [{ result: "delivered", status: 204 }] }]);
  expect(parts.transfers).toMatchObject([{ own: { address: DEPOSIT, customerRef: "customer-17" } }]);
  expect(JSON.parse(parts.revisions[0]?.body ?? "")).toMatchObject({ data: { alertId } });

  const page = join(dir.path, "theft.html");
  const printed = await http("ann", `/${alertId}/evidence?format=html`);
  expect(printed.headers.get("content-disposition")).toBe('attachment; filename="evidence.html"');
  writeFileSync(page, await printed.text());
  const checked = await verifyOffline(page, { cwd: empty("page"), args: ["--key", publicKey] });
  expect([checked.code, checked.stderr]).toEqual([0, ""]);

  const made = (await actsOn(alertId)).slice(before.length);
  expect(made.map(({ actor, action }) => [actor, action])).toEqual([
    ["ann", "evidence"],
    ["ann", "evidence"],
  ]);
  expect(made[0]?.why).toBe(`sha256 ${createHash("sha256").update(text).digest("hex")}`);
}, 180_000);

test("value inside a contract call is told with its trace, and never as proven", async () => {
  // Sends what it gets to the address in its calldata, and the code that makes it.
  const forwarder = "6000600060006000346000355af100";
  const from = STRANGER;
  const made = await node.rpc<string>("eth_sendTransaction", [
    { from, data: `0x600f600c600039600f6000f3${forwarder}`, gas: "0x30000" },
  ]);
  const { contractAddress } = await node.rpc<{ contractAddress: string }>("eth_getTransactionReceipt", [made]);
  const data = `0x${THIEF.slice(2).padStart(64, "0")}`;
  const tx = await node.rpc<string>("eth_sendTransaction", [
    { from, to: contractAddress, data, value: "0x2386f26fc10000", gas: "0x30000" },
  ]);
  const alertId = await alertOf(tx);
  const text = await (await http("ann", `/${alertId}/evidence`)).text();
  const verdict = verifyBundle(Buffer.from(text), { readerOf: evidenceReaderOf, key: publicKey });
  if (!verdict.ok) throw new Error(verdict.reason);
  const { bundle, proven, trusted } = verdict.findings;
  expect(bundle.parts.lacks).toEqual([]);
  expect(bundle.parts.proof).toMatchObject({ calls: [{ kind: "call", to: THIEF, amount: "10000000000000000" }] });
  const told =
    /^call:0 \(internal\): .* 10000000000000000 base units .*: the node's trace tells it, and no hash covers traces\.$/;
  expect([proven.some((line) => told.test(line)), trusted.some((line) => told.test(line))]).toEqual([false, true]);
  expect(proven).toContainEqual(expect.stringContaining(`Transaction ${tx} is number 0 of that block`));
}, 180_000);

test("a node that forgot the block takes the proof with it, and the bundle says so", async () => {
  const [tx] = await steal(node);
  const alertId = await alertOf(tx);
  await node.rpc("anvil_reset", []);
  const file = join(dir.path, "gone.json");
  const out = await cli(["evidence", "export", alertId, "--out", file, "--config", at.configPath], at);
  expect([out.code, out.stdout]).toEqual([0, ""]);
  const verified = await verifyOffline(file, { cwd: empty("gone"), args: ["--key", publicKey] });
  expect([verified.code, verified.stderr]).toEqual([0, ""]);
  expect(verified.stdout).toContain("Nothing of the chain is proven: node own-a does not have the block (any more).");
  expect(verified.stdout).toMatch(/Proven by this file alone:\n\s+- Nothing of the chain\./);
  expect((JSON.parse(readFileSync(file, "utf8")) as Bundle).parts.proof).toBeNull();
}, 180_000);
