/** What single lists must be, and what their entries' dates mean: through files, the command line and HTTP alike. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AlertBody, SystemBody } from "../../src/alerts/body-schema.ts";
import type { GivenOutcome } from "../../src/daemon/watch-given.ts";
import type { EntryImpact } from "../../src/store/watch-reach.ts";
import type { AuditRecord, Proposal } from "../../src/types/watch-change.ts";
import type { WatchEntry } from "../../src/types/watch.ts";
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { otherKey, signed } from "../support/minisign.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cli, cliJson, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { DEPOSIT, startEthereum, steal, STRANGER, THIEF, WATCHING } from "./support/theft.ts";

// Accounts of anvil that no list names.
const FIRST = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
const SECOND = "0x976EA74026E726554dB657fA54763abd0C3a0aa9";
const NOBODY = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";
// Of watchlists/services/aggregator.yaml.
const SERVICE = "0x111111125421cA6dc452d289314280a0f8842A65";
const BURN = "0x000000000000000000000000000000000000dEaD";
const { text: KEY, pair: PAIR, id: KEY_ID } = otherKey();
const RULES = {
  "test-heist": { canaries: ["thief"], maxAgeDays: 3_650 },
  signed: { keys: ["./lists.pub"] },
  absent: { maxAgeDays: 1 },
};

let dir: TempDir;
let node: Anvil;
let desk: Receiver;
let pager: Receiver;
let at: WrittenConfig;
let daemon: Heistwatch;
let list: string;

beforeEach(async () => {
  dir = createTempDir("watch-rules");
  [node, desk, pager] = await Promise.all([startEthereum(), startReceiver(), startReceiver()]);
  const hook = (name: string, { url, secret }: Receiver) => ({ name, url, secrets: [secret], concurrency: 16 });
  at = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    nodeWsUrl: node.wsUrl,
    ...WATCHING,
    webhooks: [hook("desk", desk)],
    operations: [hook("pager", pager)],
    extra: { watchlists: { paths: ["./lists"], own: ["./own"], tokens: "./tokens.yaml", rules: RULES } },
  });
  list = join(dir.path, "lists/test-heist.yaml");
  writeFileSync(join(dir.path, "lists.pub"), `untrusted comment: ours\n${KEY}\n`);
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
}, 120_000);

afterEach(async () => {
  await daemon.stop();
  await Promise.all([desk.stop(), pager.stop(), node.stop()]);
  await dir.remove();
}, 60_000);

function rewrite(text: string): void {
  writeFileSync(`${list}.next`, text);
  renameSync(`${list}.next`, list);
}

const pages = () => pager.requests.map(({ body }) => body as SystemBody);
const paged = (type: string, text: string) =>
  waitFor(
    `the page ${type}: ${text}`,
    () => pages().some((page) => page.type === type && page.data.summary.includes(text)),
    { timeoutMs: PATIENCE_MS },
  );
const countOf = (type: string) => pages().filter((page) => page.type === type).length;
const alertsOf = (tx: string | undefined) =>
  desk.requests
    .map(({ body }) => body as AlertBody)
    .filter(({ type, data }) => type.startsWith("alert.") && data.transaction.hash === tx);
const told = (tx: string | undefined) =>
  waitFor(`the alert of ${tx}`, () => alertsOf(tx).length > 0, { timeoutMs: PATIENCE_MS });
const run = (...args: string[]) => cli([...args, "--config", at.configPath], at);
const show = (address: string) => cliJson<WatchEntry[]>(["watch", "show", address], at);
const history = () => cliJson<AuditRecord[]>(["watch", "history"], at);
const refusals = async () => (await history()).filter(({ action }) => action === "refuse import");

test("a file that is older or lacks its canary is refused, paged and kept in the audit trail; a good one is taken", async () => {
  const good = readFileSync(list, "utf8");
  const row = good.slice(good.lastIndexOf("  - chain"));
  const rowOf = (address: string, extra = "") => row.replace(/0x[0-9a-fA-F]{40}/, address) + extra;

  // What is not here at all is not fresh, and who screens is told so.
  await paged("system.degraded", "Watchlist stale: the list absent is not here");
  expect((await daemon.get("/readyz")).text).toContain("lists fresh: false");
  expect(await daemon.metric("heistwatch_watchlists_stale")).toBe(1);
  const freshness = await run("watch", "freshness", "--json");
  expect([freshness.code, JSON.parse(freshness.stdout)]).toMatchObject([
    1,
    {
      fresh: false,
      lists: [
        { list: "absent", fresh: false },
        { list: "test-heist", fresh: true },
      ],
    },
  ]);

  rewrite(good.replace("2026-11-22.1", "2026-11-20.1") + rowOf(FIRST));
  await paged("watchlist.importRefused", "version 2026-11-20.1 is older than 2026-11-22.1");
  rewrite(good.replace("label: thief", "label: somebody") + rowOf(FIRST));
  await paged("watchlist.importRefused", '"thief" stands nowhere in it');
  expect(await show(FIRST)).toEqual([]);
  expect((await refusals()).map(({ subject, why }) => [subject, why?.includes("test-heist.yaml")])).toEqual([
    ["test-heist", true],
    ["test-heist", true],
  ]);
  await told((await steal(node))[0]);

  // Told once, also after a restart, while it stays as it is.
  const before = countOf("watchlist.importRefused");
  await daemon.stop();
  daemon = await startHeistwatch(at);
  await until(daemon, "heistwatch runs");
  await told((await steal(node))[0]);
  expect(countOf("watchlist.importRefused")).toBe(before);

  const sanctioned = `    sanctioned: { list: "OFAC SDN", source: "https://example.org/list" }\n`;
  rewrite(
    good.replace("2026-11-22.1", "2026-11-22.2") +
      rowOf(FIRST) +
      rowOf(DEPOSIT, sanctioned) +
      rowOf(STRANGER, `    validUntil: "2020-01-01"\n`) +
      rowOf(SECOND, `${sanctioned}    validUntil: "2020-01-01"\n`),
  );
  await paged("watchlist.changed", "Compliance: ");
  await paged("watchlist.due", `are over: test-heist/eip155:1/${STRANGER}`);
  expect((await run("watch", "show", STRANGER)).stdout).toContain("over, what moved since is only recorded");
  expect((await run("watch", "show", SECOND)).stdout).toContain("of a sanctioned entry the dates end nothing");
  const [over] = await steal(node, 1, { from: STRANGER, to: NOBODY });
  const [stillTold] = await steal(node, 1, { from: SECOND });
  await told(stillTold);
  const impact = () => cliJson<EntryImpact>(["watch", "impact", `test-heist/eip155:1/${STRANGER}`], at);
  expect(await impact()).toMatchObject({ hits: 1, alerts: [] });
  expect(alertsOf(over)).toEqual([]);
}, 300_000);

test("an import that is unsigned, shrinks or names what should not be watched is refused and paged, whoever hands it over", async () => {
  const csv = (name: string, rows: readonly string[]) => {
    const file = join(dir.path, name);
    writeFileSync(file, ["address,chain,label", ...rows.map((one) => `${one},ethereum,of the desk`)].join("\n"));
    return file;
  };
  const importing = (file: string, id: string, ...args: string[]) => ["watch", "import", file, "--list", id, ...args];
  const isRefused = async (args: string[], words: string) => {
    const { code, stdout, stderr } = await run(...args);
    expect([args.join(" "), code, stdout + stderr]).toEqual([args.join(" "), 1, expect.stringContaining(words)]);
    await paged("watchlist.importRefused", words);
  };

  const file = csv("signed.csv", [FIRST, SECOND]);
  await isRefused(importing(file, "signed"), "has no signature, and must have one of");
  const other = otherKey();
  writeFileSync(`${file}.minisig`, signed(readFileSync(file, "utf8"), other.pair, KEY_ID));
  await isRefused(importing(file, "signed"), "the file is not what the key");
  writeFileSync(`${file}.minisig`, signed(readFileSync(file, "utf8"), PAIR, KEY_ID));
  expect((await refusals()).length).toBe(2);
  expect((await cliJson<GivenOutcome>(importing(file, "signed"), at)).imported.added).toHaveLength(2);
  // By hand, without anything in the configuration.
  const key = ["--key", join(dir.path, "lists.pub")];
  expect((await run(...importing(file, "signed", ...key))).stdout).toContain("Signed by the key");
  writeFileSync(file, `${readFileSync(file, "utf8")}\n`);
  expect((await run(...importing(file, "signed", ...key))).stderr).toContain("the file is not what the key");

  // Over HTTP nobody can show the file itself.
  const { token } = await cliJson<{ token: string }>(["people", "add", "ann", "--role", "investigator"], at);
  const post = async (body: object) => {
    const answer = await fetch(`http://127.0.0.1:${at.httpPort}/v1/watch/import`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const [known] = await show(FIRST);
  const incident = { id: "signed", name: "signed", kind: "theft", disputed: false };
  const given = {
    format: "heistwatch/1",
    list: "signed",
    version: known?.listVersion.slice(0, 10),
    incident,
    entries: [],
  };
  const asked = { list: given, from: "by-http", acceptShrink: false, canaries: [], ageMaxDays: null, dryRun: false };
  const answer = await post(asked);
  expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('"code":"unsigned"')]);
  await paged("watchlist.importRefused", "by-http, handed over by ann");
  const signature = { text: readFileSync(`${file}.minisig`, "utf8"), blake2b512: "0".repeat(128) };
  expect((await post({ ...asked, signature })).status).toBe(400);

  await isRefused(importing(csv("service.csv", [SERVICE]), "desk"), "belongs to a service");
  await isRefused(importing(csv("burn.csv", [BURN]), "desk"), "is a burn address");
  const some = await cliJson<GivenOutcome>(importing(csv("burn.csv", [BURN, FIRST]), "desk", "--override", "seen"), at);
  expect(some.imported.added).toHaveLength(2);
  await isRefused(importing(csv("less.csv", [FIRST]), "desk", "--override", "seen"), "1 of 2 entries would go (50 %)");
  // A list of sanctions may name anything: told, and never refused for it.
  const ofac = csv("ofac.csv", [SERVICE, DEPOSIT]);
  const listed = await cliJson<GivenOutcome>(importing(ofac, "ofac", "--sanctions-list", "OFAC SDN"), at);
  expect(listed.imported.added).toHaveLength(2);
  await paged("watchlist.changed", "Compliance: ofac.csv says that an address of ours is sanctioned");
}, 300_000);

test("a row that its publisher takes back stays watched until a second person approves, then its alerts are taken back", async () => {
  const wallet = (address: string, n: number, revoked = false) => [
    { type: "cryptocurrency-wallet", spec_version: "2.1", id: `cryptocurrency-wallet--${idOf(n)}`, value: address },
    {
      type: "indicator",
      spec_version: "2.1",
      id: `indicator--${idOf(n)}`,
      created: "2026-11-05T10:00:00.000Z",
      modified: "2026-11-05T10:00:00.000Z",
      name: "a thief",
      pattern: `[cryptocurrency-wallet:value = '${address}']`,
      pattern_type: "stix",
      valid_from: "2026-11-05T10:00:00Z",
      revoked,
    },
  ];
  const addresses = [FIRST, SECOND, STRANGER, ...Array.from({ length: 6 }, (_, n) => `0x${String(n + 1).repeat(40)}`)];
  const file = join(dir.path, "feed.json");
  const write = (revoked: string | null) =>
    writeFileSync(
      file,
      JSON.stringify({
        type: "bundle",
        id: `bundle--${idOf(0)}`,
        objects: addresses.flatMap((address, n) => wallet(address, n, address === revoked)),
      }),
    );
  const importing = ["watch", "import", file, "--list", "feed"];
  write(null);
  expect((await cliJson<GivenOutcome>(importing, at)).imported.added).toHaveLength(9);
  const [tx] = await steal(node, 1, { from: FIRST });
  await told(tx);
  write(FIRST);
  const { imported } = await cliJson<GivenOutcome>(importing, at);
  expect(imported.held).toEqual([`feed/eip155:1/${FIRST}`]);
  const [later] = await steal(node, 1, { from: FIRST });
  await told(later);

  const [proposal] = await cliJson<Proposal[]>(["watch", "proposals"], at);
  const approve = ["watch", "approve", proposal?.proposalId ?? "", "--config", at.configPath];
  const alone = await cli(approve, at);
  expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining("who proposed it cannot approve it")]);
  const { token } = await cliJson<{ token: string }>(["people", "add", "ben", "--role", "approver"], at);
  expect((await cli([...approve, "--as", "ben"], at, { HEISTWATCH_TOKEN: token })).code).toBe(0);
  for (const one of [tx, later])
    await waitFor(
      `the retraction of ${one}`,
      () => alertsOf(one).at(-1)?.data.retraction?.reason === "entryWithdrawn",
      {
        timeoutMs: PATIENCE_MS,
      },
    );
  await told((await steal(node, 1, { from: THIEF }))[0]);
}, 300_000);

test("what an address did before anybody watched it is shown first, and check and test read what the store holds", async () => {
  const token = `0x${"ab".repeat(20)}`;
  await node.rpc("anvil_setCode", [token, TOKEN_CODE]);
  const word = (text: string) => text.toLowerCase().replace("0x", "").padStart(64, "0");
  for (const to of [DEPOSIT, STRANGER, THIEF]) {
    const data = `0xa9059cbb${word(to)}${word("0x1")}`;
    await node.rpc("eth_sendTransaction", [{ from: FIRST, to: token, data, gas: "0x30000" }]);
  }
  await node.mine();
  const head = Number(await node.rpc<string>("eth_blockNumber", []));
  const isSeen = async () =>
    ((await daemon.metric("heistwatch_chain_cursor_number", { chain: "ethereum" })) ?? 0) >= head;
  await waitFor("its blocks to be seen", isSeen, { timeoutMs: PATIENCE_MS });
  const adding = ["watch", "add", FIRST, "--incident", "test-heist"];
  const { stdout } = await run(...adding);
  // Value that leaves no log is not in the node's index: there may be more.
  expect(stdout).toContain(
    "Last 24 h: at least 3 transfers, with 3 other addresses and 1 of our customers (customer-17)",
  );

  await cliJson([...adding, "--yes"], at);
  const [tx] = await steal(node, 1, { from: FIRST });
  await told(tx);
  const block = alertsOf(tx)[0]?.data.block?.number ?? 0;
  const testing = ["test", "--chain", "ethereum", "--block", String(block)];
  expect(await cliJson(testing, at)).toMatchObject({ lists: { from: "store" }, alerts: [{ data: { watch: [{}] } }] });
  await daemon.stop();
  expect((await run("check")).stdout).toContain("as the store has them, revision 2");
  const elsewhere = await writeDaemonConfig({ dir: dir.path, nodeUrl: node.url, ...WATCHING, dataDirName: "none" });
  const fresh = await cli([...testing, "--config", elsewhere.configPath], elsewhere);
  expect(fresh.stdout).toContain("from the files alone: there is no store yet");
  expect(fresh.stdout).toContain("0 alerts");
}, 300_000);

// Any call logs Transfer(caller, first argument, second argument).
const TRANSFER_TOPIC = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const TOKEN_CODE = `0x602435600052600435337f${TRANSFER_TOPIC}60206000a3600160005260206000f3`;
const idOf = (n: number) => `2c1f7f0e-6d1a-4f5b-9d2e-${String(n).padStart(12, "0")}`;
