/**
 * Goal: a bundle of each chain family and kind of transfer verifies on a clean machine.
 * Method: real blocks; the files are verified by processes in an empty folder, without environment and network.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { renderPage } from "../../src/evidence/page.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { offline, verifyOffline } from "../support/verify-offline.ts";
import { BITCOIN_KINDS, EVM_KINDS } from "../unit/evidence/kinds.ts";
import { bundleOf, KEY, OTHER_KEY, verify } from "../unit/evidence/make.ts";

const COMMAND = join(import.meta.dirname, "../../src/cli/evidence.ts");
const files = createTempDir("evidence-files");
const clean = createTempDir("evidence-clean");
afterAll(() => Promise.all([files.remove(), clean.remove()]));

function fileOf(name: string, content: string | Uint8Array): string {
  const file = join(files.path, name);
  writeFileSync(file, content);
  return file;
}

test.each([
  ["EVM", EVM_KINDS],
  ["Bitcoin", BITCOIN_KINDS],
] as const)("every kind of %s", async (family, kinds) => {
  const paths: string[] = [];
  for (const { name, make } of kinds)
    paths.push(fileOf(`${family} ${name.replace(/\W+/g, "-")}.json`, bundleOf(await make())));
  // The command itself, once for each file; a process for each would take minutes.
  const script = `import { verifyEvidence } from ${JSON.stringify(COMMAND)};
    for (const file of ${JSON.stringify(paths)})
      console.log("exit", await verifyEvidence(file, { key: ${JSON.stringify(KEY.publicKey)} }));`;
  const { code, stdout, stderr } = await offline(["--input-type=module", "--eval", script], clean.path);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout.match(/^exit 0$/gm)).toHaveLength(kinds.length);
  expect(stdout.match(/^Signed by the key you gave/gm)).toHaveLength(kinds.length);
  expect(readdirSync(clean.path)).toEqual([]);
});

test("the process that verifies could not have used the network", async () => {
  const dial = 'import net from "node:net"; net.connect(9, "127.0.0.1");';
  const used = await offline(["--input-type=module", "--eval", dial], clean.path);
  expect([used.code, used.stderr]).toEqual([99, "the network was used"]);
});

test("what does not hold ends with 1 and its reason, what cannot be read too", async () => {
  const [kind] = EVM_KINDS;
  const text = bundleOf(await (kind?.make() ?? Promise.reject(new Error("a kind"))));
  const cwd = clean.path;
  const whole = fileOf("whole.json", text);
  const cut = await verifyOffline(fileOf("cut.json", text.slice(0, -1)), { cwd });
  expect([cut.code, cut.stdout, cut.stderr]).toEqual([
    1,
    "",
    expect.stringMatching(/^heistwatch: the file is not JSON/),
  ]);
  const json = await verifyOffline(fileOf("cut.json", text.slice(0, -1)), { cwd, args: ["--json"] });
  expect([json.code, JSON.parse(json.stdout)]).toEqual([1, { ok: false, reason: expect.any(String) }]);
  const otherKey = await verifyOffline(whole, { cwd, args: ["--key", OTHER_KEY.publicKey] });
  expect([otherKey.code, otherKey.stderr]).toEqual([1, expect.stringContaining("signed by another key")]);
  const noKey = await verifyOffline(whole, { cwd, args: ["--key", "hwpk_"] });
  expect([noKey.code, noKey.stderr]).toEqual([1, expect.stringContaining("--key takes a public key")]);
  const otherHash = await verifyOffline(whole, { cwd, args: ["--block-hash", "0x00"] });
  expect([otherHash.code, otherHash.stderr]).toEqual([1, expect.stringContaining("not 0x00")]);
  const nothing = await verifyOffline(join(files.path, "nothing.json"), { cwd });
  expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining("cannot be read")]);
});

test("a page verifies as long as it says what its bundle says", async () => {
  const [kind] = EVM_KINDS;
  const text = bundleOf(await (kind?.make() ?? Promise.reject(new Error("a kind"))));
  const verdict = verify(text);
  if (!verdict.ok) throw new Error(verdict.reason);
  const page = renderPage(verdict.findings, text);
  const cwd = clean.path;
  const good = await verifyOffline(fileOf("good.html", page), { cwd, args: ["--key", KEY.publicKey] });
  expect([good.code, good.stderr]).toEqual([0, ""]);
  const retold = page.replace("<h2>Proven by the bundle alone</h2>", "<h2>Proven by everybody</h2>");
  expect(retold).not.toBe(page);
  const bad = await verifyOffline(fileOf("retold.html", retold), { cwd });
  expect([bad.code, bad.stderr]).toEqual([
    1,
    expect.stringContaining("the page is not the one that this heistwatch makes of it"),
  ]);
  const empty = await verifyOffline(fileOf("empty.html", "<!doctype html>"), { cwd });
  expect([empty.code, empty.stderr]).toEqual([1, "heistwatch: this page holds no bundle\n"]);
});
