/** Lists of others through the real command line and daemon: in, out again, and what is refused on the way. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import path from "node:path";
import type { AlertBody } from "../../src/alerts/body-schema.ts";
import type { GivenOutcome } from "../../src/daemon/watch-given.ts";
import type { AuditRecord, Proposal } from "../../src/types/watch-change.ts";
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cli, cliJson, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { DEPOSIT, startEthereum, steal, WATCHING } from "./support/theft.ts";

// Accounts of anvil that no list names.
const FIRST = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
const SECOND = "0x976EA74026E726554dB657fA54763abd0C3a0aa9";
const THIRD = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";
const BURN = "0x000000000000000000000000000000000000dEaD";
const idOf = (address: string) => `desk/eip155:1/${address}`;

let dir: TempDir;
let node: Anvil;
let desk: Receiver;
let at: WrittenConfig;
let daemon: Heistwatch;

beforeEach(async () => {
  dir = createTempDir("watch-import");
  [node, desk] = await Promise.all([startEthereum(), startReceiver()]);
  const { url, secret } = desk;
  const webhooks = [{ name: "desk", url, secrets: [secret], concurrency: 16 }];
  at = await writeDaemonConfig({ dir: dir.path, nodeUrl: node.url, nodeWsUrl: node.wsUrl, ...WATCHING, webhooks });
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
}, 120_000);

afterEach(async () => {
  await daemon.stop();
  await Promise.all([desk.stop(), node.stop()]);
  await dir.remove();
}, 60_000);

function csv(name: string, ...addresses: string[]): string {
  const file = path.join(dir.path, name);
  writeFileSync(file, ["address,chain,label", ...addresses.map((one) => `${one},ethereum,of the desk`)].join("\n"));
  return file;
}
const importing = (file: string, ...args: string[]) => ["watch", "import", file, "--list", "desk", ...args];
const imported = (file: string, ...args: string[]) => cliJson<GivenOutcome>(importing(file, ...args), at);
async function refused(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli([...args, "--config", at.configPath], at);
  expect([args.join(" "), code]).toEqual([args.join(" "), 1]);
  return stdout + stderr;
}
const told = (tx: string | undefined) =>
  waitFor(
    `the alert of ${tx}`,
    () => desk.requests.some(({ body }) => (body as AlertBody).data.transaction?.hash === tx),
    {
      timeoutMs: PATIENCE_MS,
    },
  );
const entries = async () =>
  (await cliJson<{ id: string }[]>(["watch", "search", "desk/eip155:1"], at)).map(({ id }) => id).toSorted();

test("a list is imported whole or not at all, told at once, and a shorter one is refused", async () => {
  const withTypo = csv("desk.csv", FIRST, SECOND, THIRD, `${THIRD.slice(0, -1)}a`);
  expect(await refused(...importing(withTypo))).toMatch(/desk\.csv:5: address: found .*Nothing was imported/s);
  expect(await entries()).toEqual([]);
  const seen = await imported(withTypo, "--accept-valid", "--dry-run");
  expect(seen.imported.added).toHaveLength(3);
  expect(await entries()).toEqual([]);

  const done = await imported(withTypo, "--accept-valid", "--why", "case 7");
  expect(done).toMatchObject({ refusals: [], imported: { list: "desk", changed: [], held: [], proposalId: null } });
  expect(await entries()).toEqual([FIRST, SECOND, THIRD].map(idOf).toSorted());
  await told((await steal(node, 1, { from: SECOND }))[0]);
  const [record] = await cliJson<AuditRecord[]>(["watch", "history"], at);
  expect(record).toMatchObject({ actor: userInfo().username, action: "import", subject: "desk", why: "case 7" });

  const out = path.join(dir.path, "out.csv");
  expect(
    (await cli(["watch", "export", "--list", "desk", "--format", "csv", "--out", out, "--config", at.configPath], at))
      .code,
  ).toBe(0);
  expect((await imported(out, "--source", "file:desk.csv", "--dry-run")).imported).toMatchObject({
    added: [],
    held: [],
  });
  const lines = path.join(dir.path, "out.jsonl");
  for (const format of ["jsonl", "stix", "misp"]) {
    const { code, stdout } = await cli(
      ["watch", "export", "--list", "desk", "--format", format, "--config", at.configPath],
      at,
    );
    expect([format, code, stdout.includes(THIRD)]).toEqual([format, 0, true]);
    if (format === "jsonl") writeFileSync(lines, stdout);
  }
  expect((await imported(lines)).imported).toMatchObject({ added: [], changed: [], held: [] });

  const shorter = csv("shorter.csv", FIRST);
  expect(await refused(...importing(shorter))).toMatch(/2 of 3 entries would go \(67 %\).*--accept-shrink/);
  expect(await cliJson<Proposal[]>(["watch", "proposals"], at)).toEqual([]);
  const { imported: shrunk } = await imported(shorter, "--accept-shrink");
  expect(shrunk.held.toSorted()).toEqual([SECOND, THIRD].map(idOf).toSorted());
  expect(await entries()).toHaveLength(3);
  const [proposal] = await cliJson<Proposal[]>(["watch", "proposals"], at);
  expect(proposal).toMatchObject({ proposalId: shrunk.proposalId, proposer: userInfo().username });

  expect(await refused(...importing(csv("own.csv", FIRST, SECOND, THIRD, DEPOSIT)))).toMatch(
    /own\.csv:5: .*is one of our own addresses/,
  );
  expect(await refused(...importing(csv("again.csv", FIRST, SECOND, THIRD), "--canary", "LAZARUS"))).toContain(
    '"LAZARUS" stands nowhere in it',
  );
}, 180_000);

test("an address that should not be watched is refused with the reason, and a typo with what was meant", async () => {
  const adding = ["--incident", "test-heist", "--yes"];
  expect(await refused("watch", "add", BURN, ...adding)).toMatch(/Refused: .*is a burn address/);
  expect(await refused("watch", "add", DEPOSIT, ...adding)).toContain("is one of our own addresses");
  const wrongCase = FIRST.replace("dc", "dC");
  expect(wrongCase).not.toBe(FIRST);
  expect(await refused("watch", "add", wrongCase, ...adding)).toContain(`was it meant to be ${FIRST}`);
  const lookAlike = `${FIRST.slice(0, 6)}${"1".repeat(32)}${FIRST.slice(-4)}`.toLowerCase();
  await cliJson(["watch", "add", FIRST, ...adding], at);
  const { stdout } = await cli(["watch", "add", lookAlike, "--incident", "test-heist", "--config", at.configPath], at);
  expect(stdout).toContain(`begins and ends like ${FIRST}`);

  await cliJson(["watch", "add", BURN, ...adding, "--override", "the thief burnt it"], at);
  const [record] = await cliJson<AuditRecord[]>(["watch", "history"], at);
  expect(record).toMatchObject({ action: "add", why: "override: the thief burnt it" });
}, 180_000);
