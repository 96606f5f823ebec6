import { afterEach, expect, test } from "@jest/globals";
import type { AlertBody } from "../../src/alerts/body-schema.ts";
import { startAnvil } from "../support/anvil.ts";
import { type DaemonConfig, startDaemon, writeDaemonConfig } from "../support/daemon.ts";
import { startReceiver } from "../support/receiver.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";

const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).toReversed()) await undo();
});

function kept<T extends { stop(): Promise<void> }>(started: T): T {
  cleanup.push(() => started.stop());
  return started;
}

test("an address listed between two runs is found in the blocks that are not final yet, once, and marked late", async () => {
  const dir = createTempDir("list-change");
  cleanup.push(() => dir.remove());
  const anvil = kept(await startAnvil({ chainId: 1 }));
  const receiver = kept(await startReceiver());
  const [known = "", newcomer = "", payee = ""] = await anvil.rpc<string[]>("eth_accounts");
  const config = (watched: string[]): DaemonConfig => ({
    dir: dir.path,
    nodeUrl: anvil.url,
    nodeWsUrl: anvil.wsUrl,
    watch: watched.map((address) => ({ address })),
    webhooks: [{ name: "hook", url: receiver.url, secrets: [receiver.secret] }],
  });
  const pay = (from: string) =>
    anvil.rpc<string>("eth_sendTransaction", [{ from, to: payee, value: "0xde0b6b3a7640000" }]);

  const first = kept(await startDaemon(await writeDaemonConfig(config([known]))));
  await waitFor("the chain to be followed", () => first.output().includes("chain followed from here"));
  const unseen = await pay(newcomer);
  const seen = await pay(known);
  await waitFor("the alert of the known address", () => receiver.requests.length === 1);
  await first.stop();

  kept(await startDaemon(await writeDaemonConfig(config([known, newcomer]))));
  await waitFor("the alert of the newcomer", () => receiver.requests.length === 2, { timeoutMs: 30_000 });
  const alerts = receiver.requests.map((request) => (request.body as AlertBody).data);
  expect(alerts.map((alert) => [alert.transaction.hash, alert.late])).toEqual([
    [seen, false],
    [unseen, true],
  ]);
  // The known address is told the same way under both lists: no second revision.
  const last = await pay(known);
  await waitFor("the alert after the rematch", () => receiver.requests.length >= 3);
  expect(receiver.requests.map((request) => (request.body as AlertBody).data.transaction.hash)).toEqual([
    seen,
    unseen,
    last,
  ]);
});
