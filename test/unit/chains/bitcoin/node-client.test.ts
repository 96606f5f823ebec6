import { afterEach, describe, expect, test } from "@jest/globals";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { createCredentials } from "../../../../src/chains/bitcoin/credentials.ts";
import { createNodeClient, type NodeClient } from "../../../../src/chains/bitcoin/node-client.ts";
import { NodeStateError } from "../../../../src/chains/bitcoin/node-state-error.ts";
import { createRequestGate } from "../../../../src/lib/request-gate.ts";
import { RpcError } from "../../../../src/chains/rpc-envelope.ts";
import { describeError } from "../../../../src/lib/errors.ts";
import type { NodeConfig } from "../../../../src/types/config.ts";
import { fixtureJson, recordedChain } from "../../../support/bitcoin/recorded-chain.ts";
import {
  CREDENTIALS,
  type NodeScript,
  type ScriptedNode,
  startScriptedNode,
} from "../../../support/bitcoin/scripted-node.ts";
import { createTempDir } from "../../../support/temp-dir.ts";

const NEVER = new AbortController().signal;
const [USER, PASSWORD] = CREDENTIALS.split(":") as [string, string];

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
});

interface Told {
  readonly method: string;
  readonly outcome: "ok" | "error";
}

function clientOf(
  url: string,
  { rpc = { user: USER, password: PASSWORD }, timeoutMs = 5_000 }: { rpc?: NodeConfig["rpc"]; timeoutMs?: number } = {},
): { client: NodeClient; told: Told[] } {
  const told: Told[] = [];
  const client = createNodeClient({
    name: "own-a",
    url,
    credentials: createCredentials({ name: "own-a", url, rpc }),
    timeoutMs,
    gate: createRequestGate({ maxConcurrent: 2, maxPerSecond: 100_000 }),
    onRequest: (method, outcome) => told.push({ method, outcome }),
  });
  undo.push(() => client.close());
  return { client, told };
}

async function nodeAndClient(changes: Partial<NodeScript> = {}): Promise<{ node: ScriptedNode; client: NodeClient }> {
  const node = await startScriptedNode(changes);
  undo.push(() => node.close());
  return { node, client: clientOf(node.url).client };
}

/** A server that answers everything the same way. */
async function serverOf(answer: (response: ServerResponse, body: string) => unknown): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
    request.on("end", () => answer(response, body));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  undo.push(() => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function failureOf(work: Promise<unknown>): Promise<RpcError | NodeStateError> {
  const error = await work.then(
    () => new Error("it was answered"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof RpcError || error instanceof NodeStateError) return error;
  throw error;
}

/** What an operator may come to see of an error. */
const seen = (error: RpcError | NodeStateError): string =>
  [error.message, error.stack, JSON.stringify(error.details), describeError(error), inspect(error)].join("\n");

function expectNoSecret(error: RpcError | NodeStateError): void {
  for (const secret of [PASSWORD, Buffer.from(CREDENTIALS).toString("base64")])
    expect(seen(error)).not.toContain(secret);
}

function halfAnAnswer(response: ServerResponse): void {
  response.writeHead(200, { "content-length": "100" });
  response.write('{"resu', () => response.destroy());
}

describe("answers", () => {
  test("a call, a batch with an error in it, and a block as bytes", async () => {
    const { client } = await nodeAndClient();
    const { main, blocks } = recordedChain();
    const hash = main[264] as string;
    expect(await client.call("getblockhash", [264], NEVER)).toBe(hash);
    const [first, second] = await client.callMany("getblockhash", [[264], [999]], NEVER);
    expect(first).toBe(hash);
    expect(second).toMatchObject({ rpcCode: -8 });
    const reply = await client.rest(`block/${hash}.bin`, NEVER);
    if (!reply.found) throw new Error(reply.why);
    expect(Buffer.from(reply.bytes).equals(blocks.get(hash)?.block as Buffer)).toBe(true);
  });

  test("an answer in the old form, with HTTP 500 and both members, is read all the same", async () => {
    const recorded = fixtureJson("errors/rpc-getblock-unknown-v1.json") as { httpStatus: number; body: string };
    const { client } = clientOf(
      await serverOf((response) => response.writeHead(recorded.httpStatus).end(recorded.body)),
    );
    expect(await failureOf(client.call("getblock", ["00"], NEVER))).toMatchObject({ rpcCode: -5 });
  });

  test("a resource that is not there and a path that does not exist are told apart by their words", async () => {
    const { node, client } = await nodeAndClient();
    const hash = "00".repeat(32);
    expect(await client.rest(`block/${hash}.bin`, NEVER)).toEqual({ found: false, why: `${hash} not found` });
    node.script.rest = false;
    expect(await client.rest(`block/${hash}.bin`, NEVER)).toEqual({ found: false, why: "" });
  });

  test("many calls share few connections, and no more than the cap are under way", async () => {
    const { node, client } = await nodeAndClient();
    await Promise.all(Array.from({ length: 40 }, (_, height) => client.call("getblockhash", [height], NEVER)));
    expect(node.busiest()).toBe(2);
    // Now and then a call comes in the moment before a connection is free again.
    expect(node.connections()).toBeLessThan(10);
  });
});

describe("what keeps a node from answering is a state of its own, and shows no secret", () => {
  const recorded = (file: string) => fixtureJson(`errors/${file}.json`) as { httpStatus: number; body: string };
  const CASES: readonly [file: string, state: string, text: RegExp][] = [
    ["rpc-warmup-normal-7", "starting", /own-a is starting: .*Loading block index/],
    ["rpc-warmup-normal-9", "starting", /Verifying blocks/],
    ["rpc-warmup-normal-jsonrpc1", "starting", /Loading banlist/],
    ["rest-warmup-normal-8", "starting", /own-a is starting: .*Loading block index/],
    ["rpc-bad-auth", "refused", /own-a refuses the credentials: check user and password/],
    ["rpc-work-queue-exceeded", "busy", /full work queue/],
  ];
  test.each(CASES)("%s: %s", async (file, state, text) => {
    const { httpStatus, body } = recorded(file);
    const { client } = clientOf(await serverOf((response) => response.writeHead(httpStatus).end(body)));
    const failure = await failureOf(client.call("getblockcount", [], NEVER));
    expect(failure).toMatchObject({ code: "node_state", state, retryable: true });
    expect(failure.message).toMatch(text);
    expectNoSecret(failure);
  });

  test("a batch that a starting node refuses as a whole says so", async () => {
    const { httpStatus, body } = recorded("rpc-warmup-normal-7");
    const { client } = clientOf(await serverOf((response) => response.writeHead(httpStatus).end(body)));
    expect(await failureOf(client.callMany("getrawtransaction", [["a"], ["b"]], NEVER))).toMatchObject({
      state: "starting",
    });
  });

  test("a queue that is full for a moment costs time, not the answer", async () => {
    const { node, client } = await nodeAndClient({ queueFull: 2 });
    expect(await client.call("getblockhash", [1], NEVER)).toBe(recordedChain().main[1]);
    expect(node.requests).toHaveLength(3);
  });

  test("a user who may not call a method is told which setting says so", async () => {
    const { client } = clientOf(await serverOf((response) => response.writeHead(403).end()));
    expect((await failureOf(client.call("getblock", [], NEVER))).message).toMatch(
      /does not allow getblock.*rpcwhitelist/,
    );
  });
});

describe("hostile answers are errors that may be waited out", () => {
  const CASES: readonly [what: string, answer: (response: ServerResponse, body: string) => unknown, text: RegExp][] = [
    ["HTML", (response) => response.end("<html>Log in</html>"), /HTTP 200 and no JSON/],
    ["nothing", (response) => response.end(), /no JSON/],
    ["a bad gateway", (response) => response.writeHead(502).end("<h1>Bad gateway</h1>"), /HTTP 502 and no JSON/],
    ["a 405", (response) => response.writeHead(405).end("JSONRPC server handles only POST requests"), /no JSON/],
    ["another id", (response) => response.end('{"result":1,"error":null,"id":77}'), /another request's id/],
    ["no result", (response, body) => response.end(`{"id":${(JSON.parse(body) as { id: number }).id}}`), /no result/],
    ["a list", (response) => response.end("[]"), /another request's id/],
    ["half an answer", halfAnAnswer, /did not answer/],
    ["a cut connection", (response) => response.destroy(), /did not answer/],
    ["a redirect", (response) => response.writeHead(302, { location: "/else" }).end(), /HTTP 302 and no JSON/],
    [
      "the password, quoted",
      (response) => response.end(`{"error":{"code":-1,"message":"no ${PASSWORD} of ${USER}:${PASSWORD}"},"id":1}`),
      /refused getblockcount: no …/,
    ],
    [
      "the whole header, quoted",
      (response) =>
        response.end(`{"error":{"code":-1,"message":"${Buffer.from(CREDENTIALS).toString("base64")}"},"id":1}`),
      /refused getblockcount: …/,
    ],
  ];
  test.each(CASES)("%s", async (_what, answer, text) => {
    const { client, told } = clientOf(await serverOf(answer));
    const failure = await failureOf(client.call("getblockcount", [], NEVER));
    expect(failure.message).toMatch(text);
    expect(failure.retryable).toBe(true);
    expectNoSecret(failure);
    expect(told).toEqual([{ method: "getblockcount", outcome: "error" }]);
  });

  test("a node that says nothing is given up, and every place is free again", async () => {
    const { client } = clientOf(
      await serverOf((response, body) =>
        body.includes("silent")
          ? undefined
          : response.end(JSON.stringify({ id: (JSON.parse(body) as { id: number }).id, result: 7 })),
      ),
      {
        timeoutMs: 150,
      },
    );
    for (let index = 0; index < 4; index += 1) {
      expect((await failureOf(client.call("silent", [], NEVER))).message).toMatch(/no answer within 150 ms/);
    }
    expect(await client.call("good", [], NEVER)).toBe(7);
  });

  test("one answer for a batch is no answer, and an answer missing from it is an error in its place", async () => {
    const one = clientOf(await serverOf((response) => response.end('{"result":"ab","error":null,"id":3}'))).client;
    expect((await failureOf(one.callMany("m", [[1], [2]], NEVER))).message).toMatch(/one answer for several calls/);
    const short = clientOf(
      await serverOf((response, body) => {
        const [first] = JSON.parse(body) as { id: number }[];
        response.end(JSON.stringify([{ id: first?.id, result: "ab" }]));
      }),
    ).client;
    const [known, missing] = await short.callMany("m", [[1], [2]], NEVER);
    expect(known).toBe("ab");
    expect(missing).toBeInstanceOf(RpcError);
  });
});

describe("the cookie of a node", () => {
  test("a node that started again has a new cookie: it is read again, once for all requests under way", async () => {
    const dir = createTempDir("cookie");
    undo.push(() => dir.remove());
    const cookieFile = join(dir.path, ".cookie");
    writeFileSync(cookieFile, "__cookie__:first-of-its-kind\n");
    const node = await startScriptedNode({ credentials: "__cookie__:first-of-its-kind" });
    undo.push(() => node.close());
    const { client } = clientOf(node.url, { rpc: { cookieFile } });
    const calls = () => Promise.all([1, 2, 3, 4].map((height) => client.call("getblockhash", [height], NEVER)));
    await calls();
    node.script.credentials = "__cookie__:second-of-its-kind";
    writeFileSync(cookieFile, "__cookie__:second-of-its-kind");
    expect(await calls()).toEqual(recordedChain().main.slice(1, 5));

    node.script.credentials = "__cookie__:third-of-its-kind";
    const failure = await failureOf(client.call("getblockhash", [1], NEVER));
    expect(failure).toMatchObject({ state: "refused" });
    for (const word of ["first-of", "second-of"]) expect(seen(failure)).not.toContain(word);
    unlinkSync(cookieFile);
    expect((await failureOf(client.call("getblockhash", [1], NEVER))).message).toMatch(/cannot be read \(ENOENT\)/);
  });

  test("a file that holds no cookie is not sent to anybody", async () => {
    const dir = createTempDir("cookie");
    undo.push(() => dir.remove());
    const cookieFile = join(dir.path, "id_rsa");
    writeFileSync(cookieFile, "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n");
    const { node } = await nodeAndClient();
    const { client } = clientOf(node.url, { rpc: { cookieFile } });
    expect((await failureOf(client.call("getblockhash", [1], NEVER))).message).toMatch(/holds no cookie/);
    expect(node.requests).toEqual([]);
  });
});
