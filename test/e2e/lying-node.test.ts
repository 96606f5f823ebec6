/**
 * Goal: a node that hides a log, or makes one up, hides nothing and invents nothing: its block is not scanned, an alarm leaves
 * at once, and the moment it tells the truth the alert leaves, proven.
 * Method: a real node behind a door that rewrites its answers.
 */
import { createServer, type Server } from "node:http";
import { afterEach, expect, test } from "@jest/globals";
import type { AlertBody, SystemBody } from "../../src/alerts/body-schema.ts";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { startDaemon, writeDaemonConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).toReversed()) await undo();
});

interface RawLog {
  topics: string[];
  data: string;
}
type Lie = (logs: RawLog[]) => void;

/** Answers as the node does, but for the logs of every receipt. */
async function openLiar(anvil: Anvil): Promise<{ url: string; lie: (how: Lie | null) => void }> {
  let lie: Lie | null = null;
  const server: Server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString("utf8");
      const answer = (await (
        await fetch(anvil.url, { method: "POST", headers: { "content-type": "application/json" }, body })
      ).json()) as { result: { logs: RawLog[] }[] };
      if (lie !== null && body.includes("eth_getBlockReceipts")) for (const receipt of answer.result) lie(receipt.logs);
      outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    })().catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanup.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a server on a port has an address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    lie: (how) => {
      lie = how;
    },
  };
}

// Any call logs Transfer(caller, first argument, second argument): push the arguments, the caller and the topic, LOG3.
const TOPIC = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const TOKEN_CODE = `0x602435600052600435337f${TOPIC}60206000a3600160005260206000f3`;
const TOKEN = "0x2222222222222222222222222222222222222222";

function alerts(receiver: Receiver): AlertBody["data"][] {
  return receiver.requests
    .map(({ body }) => body as AlertBody | SystemBody)
    .flatMap((body) => ("alertId" in body.data ? [body.data] : []));
}

function alarms(receiver: Receiver): string[] {
  return receiver.requests
    .map(({ body }) => body as AlertBody | SystemBody)
    .flatMap((body) => ("since" in body.data ? [`${body.type}: ${body.data.summary}`] : []));
}

test.each<[string, Lie]>([
  ["hides a log", (logs) => logs.splice(0, 1)],
  ["changes an amount", (logs) => logs.forEach((log) => Object.assign(log, { data: `0x${"0".repeat(63)}1` }))],
  ["changes a sender", (logs) => logs.forEach((log) => (log.topics[1] = `0x${"0".repeat(24)}${"77".repeat(20)}`))],
])(
  "a node that %s stops the chain with an alarm; told the truth, the alert leaves, proven",
  async (_what, how) => {
    const dir = createTempDir("liar");
    cleanup.push(() => dir.remove());
    const anvil = await startAnvil({ chainId: 1 });
    cleanup.push(() => anvil.stop());
    const receiver = await startReceiver();
    cleanup.push(() => receiver.stop());
    const liar = await openLiar(anvil);
    await anvil.rpc("anvil_setCode", [TOKEN, TOKEN_CODE]);
    await anvil.mine(2);
    const [thief = "", payee = ""] = await anvil.rpc<string[]>("eth_accounts");
    const sinks = { url: receiver.url, secrets: [receiver.secret] };
    const daemon = await startDaemon(
      await writeDaemonConfig({
        dir: dir.path,
        nodeUrl: liar.url,
        start: 3,
        watch: [{ address: thief }],
        tokens: [{ address: TOKEN, symbol: "TOK", decimals: 0 }],
        webhooks: [{ name: "desk", ...sinks }],
        operations: [{ name: "ops", ...sinks }],
      }),
    );
    cleanup.push(() => daemon.stop());

    liar.lie(how);
    const data = `0xa9059cbb${payee.slice(2).padStart(64, "0")}${(5_000).toString(16).padStart(64, "0")}`;
    await anvil.rpc("eth_sendTransaction", [{ from: thief, to: TOKEN, data }]);
    const alarm = await waitFor(
      "the alarm",
      () => alarms(receiver).find((text) => text.startsWith("system.degraded")),
      {
        timeoutMs: 30_000,
      },
    );
    expect(alarm).toContain("does not match its hash");
    expect(alerts(receiver)).toEqual([]);

    liar.lie(null);
    await waitFor("the alert", () => alerts(receiver).length > 0, { timeoutMs: 30_000 });
    const [alert] = alerts(receiver);
    expect(alert?.transfers.map(({ category, amount }) => [category, amount])).toEqual([["erc20", "5000"]]);
    expect(alert?.trust.proven).toBe(true);
    await waitFor("the all-clear", () => alarms(receiver).some((text) => text.startsWith("system.recovered")), {
      timeoutMs: 30_000,
    });
  },
  120_000,
);
