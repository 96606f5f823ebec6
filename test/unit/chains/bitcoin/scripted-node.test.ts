/** The stand-in for a node says what the recorded nodes said: status, type and body. */
import { afterEach, expect, test } from "@jest/globals";
import { fixtureJson, recordedChain } from "../../../support/bitcoin/recorded-chain.ts";
import {
  CREDENTIALS,
  type NodeScript,
  type ScriptedNode,
  startScriptedNode,
} from "../../../support/bitcoin/scripted-node.ts";

interface Recorded {
  readonly httpStatus: number;
  readonly headers?: { readonly "Content-Type"?: string };
  readonly body: string;
}

const HASH = recordedChain().main[256] as string;
const UNKNOWN = `${"0".repeat(62)}ab`;

let node: ScriptedNode | null = null;
afterEach(async () => {
  await node?.close();
  node = null;
});

async function ask(
  script: Partial<NodeScript>,
  request: { rest?: string; call?: object; auth?: string; method?: string },
) {
  node = await startScriptedNode(script);
  const authorization = `Basic ${Buffer.from(request.auth ?? CREDENTIALS).toString("base64")}`;
  const response =
    request.rest === undefined
      ? await fetch(node.url, {
          method: request.method ?? "POST",
          headers: { authorization },
          ...(request.call === undefined ? {} : { body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...request.call }) }),
        })
      : await fetch(`${node.url}/rest/${request.rest}`);
  return { status: response.status, type: response.headers.get("content-type"), body: await response.text() };
}

const call = (method: string, ...params: unknown[]) => ({ call: { method, params } });

const ERRORS: readonly [file: string, script: Partial<NodeScript>, request: Parameters<typeof ask>[1]][] = [
  ["rest-block-unknown", {}, { rest: `block/${UNKNOWN}.bin` }],
  ["rest-spenttxouts-unknown", {}, { rest: `spenttxouts/${UNKNOWN}.bin` }],
  ["rest-block-badhash", {}, { rest: "block/xyz.bin" }],
  ["rest-disabled", { rest: false }, { rest: `block/${HASH}.bin` }],
  ["rest-spenttxouts-unsupported-v29", { spentTxOuts: false }, { rest: `spenttxouts/${HASH}.bin` }],
  ["rest-warmup-normal-8", { starting: "Loading block index…" }, { rest: `block/${HASH}.bin` }],
  ["rpc-warmup-normal-7", { starting: "Loading block index…" }, call("getblockcount")],
  ["rpc-bad-auth", {}, { ...call("getblockcount"), auth: "nobody:nothing" }],
  ["rpc-work-queue-exceeded", { queueFull: 1 }, call("getblockcount")],
  ["rpc-getblock-unknown", {}, call("getblock", UNKNOWN, 3)],
  ["rpc-getblockhash-range", {}, call("getblockhash", 999_999)],
  ["rpc-getblock-pruned", { pruneHeight: 260 }, call("getblock", HASH, 3)],
  ["rpc-unknown-method", {}, call("nosuchmethod")],
  ["rpc-getrawtransaction-notfound-noindex", { txindex: false }, call("getrawtransaction", UNKNOWN, false)],
  ["rpc-get-method", {}, { method: "GET" }],
];

test.each(ERRORS)("%s", async (file, script, request) => {
  const recorded = fixtureJson(`errors/${file}.json`) as Recorded;
  const { status, type, body } = await ask(script, request);
  expect(status).toBe(recorded.httpStatus);
  expect(body).toBe(recorded.body);
  expect(type).toBe(recorded.headers?.["Content-Type"]);
});

test.each(["rest-block-pruned", "rest-spenttxouts-pruned"])("%s, but for the hash", async (file) => {
  const recorded = fixtureJson(`errors/${file}.json`) as Recorded;
  const resource = file.split("-")[1] ?? "";
  const { status, body } = await ask({ pruneHeight: 260 }, { rest: `${resource}/${HASH}.bin` });
  expect(status).toBe(recorded.httpStatus);
  expect(body.replace(HASH, "")).toBe(recorded.body.replace(/^[0-9a-f]{64}/, ""));
});

test.each([
  ["getblockhash", [256]],
  ["getblockheader", [HASH]],
  ["getblockheader-stale", ["4d8d05a5ef5fa1a7e008580c17ff0630917c8fd836992f0d49ceeb6ec8cc3c8b"]],
  ["getblockchaininfo", []],
  ["getrawtransaction-v0", ["0eb2c7763be2754ce82cfbaa15c4934c57ac97b91e5a2817a51eeadd8c8f7b95"]],
])("%s: every field it gives has the recorded value", async (file, params) => {
  const recorded = JSON.parse((fixtureJson(`regtest/rpc/${file}.json`) as Recorded).body) as { result: object };
  const { body } = await ask({}, call(file.split("-")[0] ?? "", ...params));
  const { result } = JSON.parse(body) as { result: object };
  if (typeof result === "string") expect(result).toBe(recorded.result);
  else expect(recorded.result).toMatchObject(result);
});

test("getblock 3 gives the recorded prevouts, getblock 0 the recorded bytes", async () => {
  const recorded = JSON.parse((fixtureJson("regtest/rpc/getblock-v0.json") as Recorded).body) as { result: string };
  const { request } = fixtureJson("regtest/rpc/getblock-v0.json") as { request: { params: unknown[] } };
  const { body } = await ask({}, call("getblock", ...request.params));
  expect((JSON.parse(body) as { result: string }).result).toBe(recorded.result);
});
