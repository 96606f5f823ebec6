/** The watchlist over the HTTP of a running daemon, by people with tokens: what they may, what they may not, and how much. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { json } from "node:stream/consumers";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { getAddress } from "ethers";
import { sql } from "kysely";
import type { GivenOutcome } from "../../src/daemon/watch-given.ts";
import type { Outcome } from "../../src/daemon/watch-outcome.ts";
import { openStore } from "../../src/store/database.ts";
import type { AuditRecord, Proposal } from "../../src/types/watch-change.ts";
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { cliJson, type Heistwatch, startHeistwatch, until } from "./support/heistwatch.ts";
import { startEthereum, WATCHING } from "./support/theft.ts";

const ROLES = { vera: "viewer", ivan: "investigator", ann: "approver", ben: "approver", otto: "admin" } as const;
type Name = keyof typeof ROLES;

let dir: TempDir;
let node: Anvil;
let at: WrittenConfig;
let daemon: Heistwatch;
const tokens = new Map<string, string>();

beforeAll(async () => {
  dir = createTempDir("watch-http");
  node = await startEthereum();
  at = await writeDaemonConfig({ dir: dir.path, nodeUrl: node.url, ...WATCHING });
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
  const { token } = await cliJson<{ token: string }>(["people", "add", "otto", "--role", "admin"], at);
  tokens.set("otto", token);
  for (const [name, role] of Object.entries(ROLES)) {
    if (name === "otto") continue;
    const answer = await ask<{ token: string }>("otto", "people/add", { name, role });
    tokens.set(name, answer.result.token);
  }
}, 120_000);

afterAll(async () => {
  await daemon.stop();
  await node.stop();
  await dir.remove();
}, 60_000);

interface Answer<T> {
  readonly status: number;
  readonly result: T;
  readonly error: string;
}

async function post<T>(path: string, args: unknown, token: string | undefined): Promise<Answer<T>> {
  const answer = await fetch(`http://127.0.0.1:${at.httpPort}/v1/${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(args),
  });
  return { status: answer.status, ...((await answer.json()) as Omit<Answer<T>, "status">) };
}
const ask = <T = Outcome>(name: Name, path: string, args: unknown) => post<T>(path, args, tokens.get(name));
/** Says how long its body is, sends the beginning and listens: whoever goes on sending may miss the answer. */
async function announced(name: Name, path: string, body: string): Promise<[number | undefined, string]> {
  const sending = request(`http://127.0.0.1:${at.httpPort}/v1/${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      authorization: `Bearer ${tokens.get(name)}`,
    },
  });
  sending.write(body.slice(0, 1_000));
  const [answer] = (await once(sending, "response")) as [IncomingMessage];
  const { error } = (await json(answer)) as { error: string };
  sending.destroy();
  return [answer.statusCode, error];
}
const refused = async (name: Name, path: string, args: unknown) => {
  const { status, error } = await ask(name, path, args);
  return `${status} ${error}`;
};
const statusesOf = (answers: readonly Answer<unknown>[]) =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b);
const addressOf = (number: number) =>
  getAddress(`0x${(0xa000_0000_0000n + BigInt(number)).toString(16).padStart(40, "c")}`);
const entryOf = (address: string) => `operator-test-heist/eip155:1/${address}`;
async function added(name: Name, number: number): Promise<string> {
  const address = addressOf(number);
  const { status, result } = await ask(name, "watch/add", { address, incident: "test-heist" });
  expect([status, result.done]).toEqual([200, "applied"]);
  return entryOf(address);
}
async function proposed(name: Name, entryId: string): Promise<{ proposalId: string; changeHash: string }> {
  const { result } = await ask<Extract<Outcome, { done: "proposed" }>>(name, "watch/remove", { entryId, why: "wrong" });
  expect(result.done).toBe("proposed");
  return { proposalId: result.proposalId ?? "", changeHash: result.changeHash };
}
const isWatched = async (entryId: string) =>
  (await ask<{ id: string }[]>("vera", "watch/show", { address: entryId.split("/").at(-1) })).result.some(
    ({ id }) => id === entryId,
  );

test("without a token that is somebody's, nobody asks anything", async () => {
  const ivan = tokens.get("ivan") ?? "";
  const wrong = [
    undefined,
    "",
    "heistwatch",
    ivan.slice(0, -1),
    `${ivan}0`,
    ivan.replace(/_[0-9a-f]{64}_/, `_${"0".repeat(64)}_`),
  ];
  for (const token of wrong) {
    expect((await post("watch/list", {}, token)).status).toBe(401);
    expect((await post("watch/add", { address: addressOf(1), incident: "test-heist" }, token)).status).toBe(401);
  }
  expect(await isWatched(entryOf(addressOf(1)))).toBe(false);
  await ask("otto", "people/add", { name: "leaver", role: "approver" });
  const { result } = await ask<{ token: string }>("otto", "people/add", { name: "leaver", role: "approver" });
  expect((await post("watch/proposals", {}, result.token)).status).toBe(200);
  await ask("otto", "people/revoke", { name: "leaver" });
  expect((await post("watch/proposals", {}, result.token)).status).toBe(401);
});

test("each role may what it may, and no more", async () => {
  const input = { address: addressOf(2), incident: "test-heist" };
  expect(await refused("vera", "watch/add", input)).toBe("403 vera is viewer; this needs investigator or above");
  expect(await refused("ann", "people/add", { name: "eve", role: "admin" })).toContain(
    "403 ann is approver; this needs admin",
  );
  const entryId = await added("ivan", 2);
  const proposal = await proposed("ann", entryId);
  expect(await refused("ivan", "watch/approve", proposal)).toContain("403 ivan is investigator; this needs approver");
  expect(await isWatched(entryId)).toBe(true);
  const [record, first] = (await ask<AuditRecord[]>("vera", "watch/history", { entryId })).result;
  expect(record).toMatchObject({ actor: "ann", action: "propose remove" });
  expect(first).toMatchObject({ actor: "ivan", action: "add", approver: null });
});

test("a removal is another person's to approve, bound to what they saw, done once and over after a day", async () => {
  const entryId = await added("ivan", 3);
  const proposal = await proposed("ann", entryId);
  expect(await refused("ann", "watch/approve", proposal)).toBe("403 who proposed it cannot approve it");
  const other = { ...proposal, changeHash: "0".repeat(64) };
  expect(await refused("ben", "watch/approve", other)).toContain("403 this is not the change you looked at");
  expect(await refused("ben", "watch/approve", { proposalId: proposal.proposalId })).toMatch(/^400 /);
  expect(await isWatched(entryId)).toBe(true);
  expect((await ask("ben", "watch/approve", proposal)).result.done).toBe("applied");
  expect(await isWatched(entryId)).toBe(false);
  expect(await refused("ben", "watch/approve", proposal)).toBe("403 it is approved");

  const late = await proposed("ann", await added("ivan", 4));
  await withStoreOf((db) =>
    sql`update watch_proposal set expires_at = 1 where proposal_id = ${late.proposalId}`.execute(db),
  );
  expect(await refused("ben", "watch/approve", late)).toMatch(/^403 it (has|is) expired/);
  expect(await isWatched(entryOf(addressOf(4)))).toBe(true);
}, 120_000);

/** The daemon is stopped meanwhile. */
async function withStoreOf(work: (db: Awaited<ReturnType<typeof openStore>>["db"]) => Promise<unknown>): Promise<void> {
  expect(await daemon.stop()).toBe(0);
  const store = await openStore({ databaseUrl: null, dataDir: join(dir.path, "data") });
  await work(store.db);
  await store.close();
  daemon = await startHeistwatch(at);
}

test("what was changed since it was proposed is not removed", async () => {
  const entryId = await added("ivan", 5);
  const proposal = await proposed("ann", entryId);
  const change = { entryId, patch: { note: "an exchange asked for it" }, why: "known now" };
  expect((await ask("ivan", "watch/change", change)).result.done).toBe("applied");
  expect(await refused("ben", "watch/approve", proposal)).toMatch(/^409 .*was changed meanwhile/);
  expect(await isWatched(entryId)).toBe(true);
  const open = (await ask<Proposal[]>("vera", "watch/proposals", { state: "open" })).result;
  expect(open.map(({ proposalId }) => proposalId)).toContain(proposal.proposalId);
});

test("two people at once: one removal, one dispute, one addition each time", async () => {
  const entryId = await added("ivan", 6);
  const proposal = await proposed("ivan", entryId);
  const both = await Promise.all([ask("ann", "watch/approve", proposal), ask("ben", "watch/approve", proposal)]);
  expect(statusesOf(both)).toEqual([200, 403]);
  const disputed = await added("ivan", 7);
  const dispute = { entryId: disputed, why: "market maker" };
  const disputes = await Promise.all([ask("ann", "watch/dispute", dispute), ask("ben", "watch/dispute", dispute)]);
  expect(statusesOf(disputes)).toEqual([200, 403]);
  const again = { address: addressOf(6), incident: "test-heist" };
  const adds = await Promise.all([ask("ann", "watch/add", again), ask("ben", "watch/add", again)]);
  expect(statusesOf(adds)).toEqual([200, 403]);
});

test("a list of thousands comes in one request; one beyond the limit, and one of a viewer, change nothing", async () => {
  const list = (entries: number, padding = "") => ({
    list: {
      format: "heistwatch/1",
      list: "partner-list",
      version: "2026-11-22",
      incident: { id: "partner", name: "Partner", kind: "theft", date: "2026-01-01", disputed: false, references: [] },
      entries: Array.from({ length: entries }, (_, index) => ({
        chain: "eip155:1",
        address: addressOf(1_000 + index),
        role: "theft",
        label: `row ${index}${padding}`,
        basis: "researcher",
        confidence: "named_by_researcher",
        independentSources: "1",
        default: "on",
        sources: [{ ref: "https://example.org/partner", label: null }],
      })),
    },
    from: "partner.yaml",
    acceptShrink: false,
    canaries: [],
    ageMaxDays: null,
    dryRun: false,
  });
  const given = list(3_000);
  expect(JSON.stringify(given).length).toBeGreaterThan(600_000);
  expect((await ask("vera", "watch/import", given)).status).toBe(403);
  expect(await announced("ivan", "watch/import", JSON.stringify(list(90_000)))).toEqual([
    413,
    "Request body is too large",
  ]);
  expect(await isWatched(`partner-list/eip155:1/${addressOf(1_000)}`)).toBe(false);

  const taken = await ask<GivenOutcome>("ivan", "watch/import", given);
  expect([taken.status, taken.result.refusals]).toEqual([200, []]);
  expect(await isWatched(`partner-list/eip155:1/${addressOf(3_999)}`)).toBe(true);
}, 120_000);
