import { afterEach, describe, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { followHeadHints } from "../../../src/chains/evm/head-hints.ts";
import type { Log } from "../../../src/types/log.ts";
import { freePort } from "../../support/free-port.ts";
import { waitFor } from "../../support/wait-for.ts";
import { head, type HeadServer, startHeadServer, subscribed, WS_CANARY, type WsSocket } from "./ws-server.ts";

let server: HeadServer | null = null;
let running: { stop: AbortController; ended: Promise<void> } | null = null;

afterEach(async () => {
  running?.stop.abort();
  await running?.ended;
  await server?.close();
  server = null;
  running = null;
});

interface Feed {
  readonly wakes: () => number;
  readonly logged: string[];
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

function follow(url: string, { silentMs = 60_000, reconnectMs = 20 } = {}): Feed {
  let wakes = 0;
  const logged: string[] = [];
  const write = (facts: object, message: string) => logged.push(`${message} ${JSON.stringify(facts)}`);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const stop = new AbortController();
  const ended = followHeadHints({ node: "own-a", url, silentMs, reconnectMs, log }, () => (wakes += 1), stop.signal);
  running = { stop, ended };
  return { wakes: () => wakes, logged, stop, ended };
}

async function serve(onRequest: Parameters<typeof startHeadServer>[0] = subscribed): Promise<HeadServer> {
  server = await startHeadServer(onRequest);
  return server;
}

const lastSocket = (of: HeadServer) => of.connections.at(-1)?.socket as WsSocket;

test("subscribes to new heads, and each head wakes", async () => {
  const node = await serve();
  const feed = follow(node.url);
  await waitFor("the subscription", () => node.connections[0]?.requests.length);
  expect(node.connections[0]?.requests).toMatchObject([{ method: "eth_subscribe", params: ["newHeads"] }]);
  expect(feed.wakes()).toBe(0);
  for (const number of [1, 2, 3]) lastSocket(node).send(head(number));
  await waitFor("three wakes", () => feed.wakes() === 3);
  expect(node.connections).toHaveLength(1);
  expect(feed.logged).toEqual([]);
});

test("a feed that closes is opened again, and wakes again", async () => {
  const node = await serve();
  const feed = follow(node.url);
  for (const round of [1, 2, 3]) {
    await waitFor("a subscription", () => node.connections[round - 1]?.requests.length);
    lastSocket(node).send(head(round));
    await waitFor("a wake", () => feed.wakes() === round);
    if (round === 2) lastSocket(node).terminate();
    else lastSocket(node).close();
  }
  expect(feed.logged.every((line) => line.includes("head feed ended"))).toBe(true);
});

test("a feed that stays silent is opened again, one that speaks is left alone", async () => {
  const node = await serve();
  follow(node.url, { silentMs: 300 });
  await waitFor("a second connection", () => node.connections.length === 2);
  const talking = setInterval(() => lastSocket(node).send(head()), 50);
  try {
    const connections = node.connections.length;
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(node.connections).toHaveLength(connections);
  } finally {
    clearInterval(talking);
  }
});

test("a silent connection is closed, not kept beside the new one", async () => {
  let closed = 0;
  const node = await serve((socket, request) => {
    socket.on("close", () => (closed += 1));
    subscribed(socket, request);
  });
  follow(node.url, { silentMs: 300 });
  await waitFor("a third connection", () => node.connections.length === 3);
  await waitFor("the first to be closed", () => closed >= 1);
});

test("a refused subscription is tried again later", async () => {
  const node = await serve((socket, { id }) =>
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32601, message: `no feed for ${WS_CANARY}` } })),
  );
  const feed = follow(node.url);
  await waitFor("a second try", () => node.connections.length >= 2);
  expect(feed.logged[0]).toContain("refused the subscription");
  expect(feed.wakes()).toBe(0);
});

test("nonsense neither wakes nor ends the feed", async () => {
  const node = await serve();
  const feed = follow(node.url);
  await waitFor("the subscription", () => node.connections[0]?.requests.length);
  const socket = lastSocket(node);
  const nonsense = ["<html>", "null", "[]", "7", '""', "{}", '{"id":99,"result":1}', '{"method":"eth_other"}', ""];
  for (const text of nonsense) socket.send(text);
  socket.send(new Uint8Array([0, 255, 1]));
  socket.send(head());
  await waitFor("the one true wake", () => feed.wakes() === 1);
  expect(node.connections).toHaveLength(1);
});

test("after the abort nothing wakes and nothing is open", async () => {
  let closed = 0;
  const node = await serve((socket, request) => {
    socket.on("close", () => (closed += 1));
    subscribed(socket, request);
  });
  const feed = follow(node.url);
  await waitFor("the subscription", () => node.connections[0]?.requests.length);
  feed.stop.abort();
  lastSocket(node).send(head());
  await feed.ended;
  await waitFor("the connection to be closed", () => closed === 1);
  expect(feed.wakes()).toBe(0);
});

test("the key in the URL is in no line of the log", async () => {
  const dead = `ws://127.0.0.1:${await freePort()}/v3/${WS_CANARY}`;
  const urls = [dead, `ws://${WS_CANARY}@[::bad/`, `wss://user:${WS_CANARY}@127.0.0.1:99999/`, `ftp://x/${WS_CANARY}`];
  for (const url of urls) {
    const feed = follow(url);
    await waitFor("two tries", () => feed.logged.length >= 2);
    feed.stop.abort();
    await feed.ended;
    expect(feed.logged.join("\n")).not.toContain(WS_CANARY);
  }
});

describe("in a process of its own, where one forgotten promise is the end", () => {
  const SCRIPT = `
    const { followHeadHints } = await import(${JSON.stringify(path.join(import.meta.dirname, "../../../src/chains/evm/head-hints.ts"))});
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const signal = AbortSignal.timeout(700);
    await followHeadHints({ node: "n", url: process.argv[1], silentMs: 60_000, reconnectMs: 50, log }, () => {}, signal);
    console.log("still here");`;

  async function outputOf(url: string): Promise<string> {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", SCRIPT, url]);
    return stdout + stderr;
  }

  test("a dead URL does not end it", async () => {
    expect(await outputOf(`ws://127.0.0.1:${await freePort()}/`)).toBe("still here\n");
  });

  test.each([
    [
      "refuses",
      (socket: WsSocket, id: number) => socket.send(JSON.stringify({ id, error: { code: 1, message: "no" } })),
    ],
    ["sends HTML", (socket: WsSocket) => socket.send("<html>")],
    ["sends null", (socket: WsSocket) => socket.send('{"method":"eth_subscription","params":null}')],
    ["hangs up", (socket: WsSocket) => socket.terminate()],
  ])("a node that %s does not end it", async (_what, answer) => {
    const node = await serve((socket, { id }) => answer(socket, id));
    expect(await outputOf(node.url)).toBe("still here\n");
  });
});
