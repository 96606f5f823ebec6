/** Own addresses given while heistwatch runs: by command line and by HTTP; the next alert names their customer. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { OwnOutcome } from "../../src/daemon/own-desk.ts";
import type { Anvil } from "../support/anvil.ts";
import { writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver, TEST_WEBHOOK_SECRET } from "../support/receiver.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cli, cliJson, type Heistwatch, PATIENCE_MS, startHeistwatch, until } from "./support/heistwatch.ts";
import { startEthereum, steal, STRANGER, WATCHING } from "./support/theft.ts";

// Accounts of anvil that no list names.
const NEW_DEPOSIT = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";

const dir = createTempDir("own");
let node: Anvil;
let desk: Receiver;
let at: WrittenConfig;
let daemon: Heistwatch;

beforeAll(async () => {
  [node, desk] = await Promise.all([startEthereum(), startReceiver()]);
  at = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: node.url,
    ...WATCHING,
    webhooks: [{ name: "desk", url: desk.url, secrets: [TEST_WEBHOOK_SECRET] }],
  });
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
}, 120_000);

afterAll(async () => {
  await daemon?.stop();
  await Promise.all([node?.stop(), desk?.stop()]);
  await dir.remove();
}, 120_000);

interface Told {
  readonly data: {
    readonly kind: string;
    readonly transaction: { hash: string };
    readonly own: { customerRef: string };
  };
}

/** What is told first of a new theft. */
async function theftTo(address: string): Promise<Told["data"]> {
  const [hash] = await steal(node, 1, { to: address });
  const told = () =>
    desk.requests.map(({ body }) => (body as Told).data).find(({ transaction }) => transaction?.hash === hash) ?? null;
  return waitFor(`the alert of ${hash}`, told, { timeoutMs: PATIENCE_MS });
}

test("an address given by command line or HTTP is ours from the next second on", async () => {
  const file = join(dir.path, "new.csv");
  writeFileSync(file, `chain,address,customerRef,wallet\neip155:1,${STRANGER},deposit-cli,deposit\n`);
  const added = await cliJson<OwnOutcome>(["own", "add", "--file", file], at);
  expect(added).toMatchObject({ added: 1, addresses: 1 });
  await until(daemon, "given by people, are in force");
  expect(await theftTo(STRANGER)).toMatchObject({ kind: "exposure", own: { customerRef: "deposit-cli" } });

  const { token } = await cliJson<{ token: string }>(["people", "add", "ivan", "--role", "investigator"], at);
  const post = async (call: string, args: object) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const url = `http://127.0.0.1:${at.httpPort}/v1/own/${call}`;
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(args) });
    return { status: answer.status, body: (await answer.json()) as { result?: OwnOutcome; error?: string } };
  };
  const row = { chain: "eip155:1", address: NEW_DEPOSIT, customerRef: "deposit-http", wallet: "deposit" };
  expect(await post("add", { addresses: [row, { ...row, address: "0x12" }] })).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining("addresses:2: address") },
  });
  expect(await post("add", { addresses: [row] })).toMatchObject({ status: 200, body: { result: { addresses: 2 } } });
  expect((await post("remove", { addresses: [row], why: "w" })).status).toBe(403);
  await waitFor(
    "both to be in force",
    () => daemon.logs().some(({ msg, ["addresses"]: count }) => msg.includes("given by people") && count === 2),
    { timeoutMs: PATIENCE_MS },
  );
  expect(await theftTo(NEW_DEPOSIT)).toMatchObject({ kind: "exposure", own: { customerRef: "deposit-http" } });

  const shown = await cli(["own", "show", NEW_DEPOSIT, "--config", at.configPath], at);
  expect(shown.stdout).toMatch(/eip155:1 +deposit +deposit-http +people/);
  const wrong = await cli(["own", "add", NEW_DEPOSIT, "--config", at.configPath], at);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("say with --chain")]);
}, 240_000);
