/**
 * Goal: no spelling of a forbidden address makes a webhook sink open a connection.
 * Method: one listener on every local address counts connections while the sink is pointed at each spelling.
 */
import type { LookupAddress } from "node:dns";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ResolveAll } from "../../src/deliver/address-guard.ts";
import { createWebhookSink } from "../../src/deliver/sinks/webhook.ts";
import { NEVER, OPENABLE } from "../unit/deliver/address-vectors.ts";

const answering =
  (...addresses: string[]): ResolveAll =>
  (_host, answer) =>
    answer(null, addresses.map(toLookupAddress));

function toLookupAddress(address: string): LookupAddress {
  return { address, family: address.includes(":") ? 6 : 4 };
}

describe("a webhook sink, watched by a listener on every local address", () => {
  let server: Server;
  let port = 0;
  let connections = 0;

  beforeAll(async () => {
    server = createServer((socket) => {
      connections += 1;
      // Read on, or the socket never sees the other end close.
      socket.on("error", () => undefined).resume();
      socket.end("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
    });
    await new Promise<void>((listening) => server.listen(0, "::", listening));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => new Promise((closed) => server.close(closed)));

  async function send(host: string, over: { allowNetworks?: string[]; resolve?: ResolveAll; port?: string } = {}) {
    const { allowNetworks = [], resolve, port: at = `:${port}` } = over;
    const config = {
      kind: "webhook",
      name: "siem",
      url: `http://${host}${at}/`,
      secrets: [`whsec_${Buffer.alloc(32, 1).toString("base64")}`],
      timeoutMs: 2_000,
      concurrency: 1,
      headers: {},
      allowNetworks,
      allowHttp: true,
    } as const;
    const deps = { version: "0", now: () => 0, ...(resolve === undefined ? {} : { resolve }) };
    const sink = createWebhookSink(config, deps);
    const message = { webhookId: "msg_1", type: "alert.created", severity: "high", body: "{}", timestamp: 1 } as const;
    try {
      return await sink.send(message, new AbortController().signal);
    } finally {
      await sink.close();
    }
  }

  // Spellings that the URL parser, the resolver or the kernel would turn into this machine.
  const LOCAL_HOSTS = [
    "127.0.0.1",
    "127.1",
    "127.0.0.1.",
    "127.255.255.254",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "0x0",
    "１２７.0.0.1",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "127．0．0．1",
    "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "ｌｏｃａｌｈｏｓｔ",
    "00000177.1",
    "0x7F.0X0.0.1",
    "127.0x1",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "168.63.129.16",
    "100.100.100.200",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "[fc00::1]",
    "localhost",
    "LOCALHOST",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::ffff:0.0.0.0]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
  ];

  test.each(LOCAL_HOSTS)("http://%s/ is refused before the dial: 0 connections", async (host) => {
    connections = 0;
    expect(await send(host)).toMatchObject({
      result: "retry",
      status: null,
      error: expect.stringMatching(/^refused to connect to .*allowNetworks/),
    });
    expect(connections).toBe(0);
  });

  test.each([...NEVER, ...OPENABLE].map(([address]) => address).filter((address) => /^[0-9a-f.:]+$/i.test(address)))(
    "a name that resolves to a public address and to %s is refused: 0 connections",
    async (address) => {
      connections = 0;
      const outcome = await send("hooks.example", { resolve: answering("93.184.216.34", address) });
      expect(outcome).toMatchObject({ result: "retry", error: expect.stringMatching(/^refused to connect/) });
      expect(connections).toBe(0);
    },
  );

  // Whether a resolver knows the dotted name differs from machine to machine; that nothing is dialled does not.
  test("http://localhost./ is not dialled", async () => {
    connections = 0;
    expect(await send("localhost.")).toMatchObject({ result: "retry", status: null });
    expect(connections).toBe(0);
  });

  test.each([301, 302, 303, 307, 308])(
    "a %i that points to a private address is not followed: 0 connections",
    async (status) => {
      const moved = createServer((socket) => {
        socket.on("error", () => undefined).resume();
        const head = `HTTP/1.1 ${status} Moved\r\nlocation: http://[::1]:${port}/\r\ncontent-length: 0\r\nconnection: close`;
        socket.end(`${head}\r\n\r\n`);
      });
      await new Promise<void>((listening) => moved.listen(0, "127.0.0.2", listening));
      try {
        connections = 0;
        const at = `127.0.0.2:${(moved.address() as AddressInfo).port}`;
        const outcome = await send(at, { allowNetworks: ["127.0.0.2/32"], port: "" });
        expect(outcome).toMatchObject({ result: "retry", status, error: expect.stringContaining("never followed") });
        expect(connections).toBe(0);
      } finally {
        await new Promise((closed) => moved.close(closed));
      }
    },
  );

  test.each(["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])(
    "%s of the environment is not used",
    async (name) => {
      const before = process.env[name];
      process.env[name] = `http://127.0.0.1:${port}`;
      try {
        connections = 0;
        expect(await send("hooks.example", { resolve: answering("10.0.0.1") })).toMatchObject({ result: "retry" });
        expect(connections).toBe(0);
      } finally {
        if (before === undefined) delete process.env[name];
        else process.env[name] = before;
      }
    },
  );

  test.each([":1", ":22", ":25", ":80", ":6379", ":65535"])("no port opens what the address closes: %s", async (at) => {
    connections = 0;
    for (const host of ["127.0.0.1", "169.254.169.254", "[::ffff:7f00:1]"])
      expect(await send(host, { port: at })).toMatchObject({ error: expect.stringMatching(/^refused to connect/) });
    expect(connections).toBe(0);
  });

  test.each(["evil@127.0.0.1", "user:pass@127.0.0.1"])("%s does not get past the configuration", async (host) => {
    connections = 0;
    await expect(send(host)).rejects.toThrow("holds credentials");
    expect(connections).toBe(0);
  });

  test.each(["[fe80::1%eth0]", "[fe80::1%25lo]", "[::1%25lo]"])("%s is no URL", async (host) => {
    await expect(send(host)).rejects.toThrow("is not a URL");
  });

  test("a name that turns from an allowed address to a refused one is refused at the next dial", async () => {
    connections = 0;
    const answers = ["127.0.0.2", "127.0.0.1"];
    const resolve: ResolveAll = (_host, answer) => answer(null, [toLookupAddress(answers.shift() ?? "")]);
    const over = { allowNetworks: ["127.0.0.2/32"], resolve };
    expect(await send("hooks.example", over)).toMatchObject({ result: "delivered" });
    expect(await send("hooks.example", over)).toMatchObject({ result: "retry" });
    expect(connections).toBe(1);
  });

  test("the listener does hear what is allowed", async () => {
    const over = { allowNetworks: ["127.0.0.0/8", "::1"] };
    for (const host of ["127.0.0.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "localhost"]) {
      connections = 0;
      expect(await send(host, over)).toMatchObject({ result: "delivered", status: 204 });
      expect(connections).toBe(1);
    }
  });
});
