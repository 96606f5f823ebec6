/**
 * A stand-in for a node of the Bitcoin Core family: it serves the recorded chain up to a tip that the test moves, in the
 * words of the recorded node, and fails the way the test says.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Refusal } from "./refusal.ts";
import { poolMethods } from "./scripted-pool.ts";
import { displayOrder, type RecordedBlock, type RecordedChain, recordedChain } from "./recorded-chain.ts";

/** What the node is at present; the test writes to it. */
export interface NodeScript {
  /** Hash of the best block: its ancestors are the active chain. */
  tip: string;
  /** -rest. */
  rest: boolean;
  /** Core 30 and later. */
  spentTxOuts: boolean;
  /** `getblock 3` with prevouts: Core 23 and later; before, 3 was answered as 2. */
  prevouts: boolean;
  txindex: boolean;
  /** What it does in place of answering; null: it is up. */
  starting: string | null;
  initialBlockDownload: boolean;
  /** Height of the best header; null: that of the tip. */
  headers: number | null;
  /** Blocks below this height are deleted. */
  pruneHeight: number | null;
  /** `user:password` that it wants. */
  credentials: string;
  /** Blocks that were never connected: their undo data does not exist. */
  neverConnected: Set<string>;
  /** Raw transactions that wait, in hex by txid: parents before children. */
  pool: Map<string, string>;
  /** -blockfilterindex and `scanblocks`: Core 25 and later. */
  filters: boolean;
  /** `gettxspendingprevout`: Core 24 and later. */
  spenders: boolean;
  /** Scans that meet another one under way from now on. */
  scanBusy: number;
  /** Requests that meet a full work queue from now on. */
  queueFull: number;
  /** Asked first; true: it answered itself. */
  twist: (request: ScriptedRequest, response: ServerResponse) => boolean;
}

export interface ScriptedRequest {
  /** RPC method, or `rest/<resource>`. */
  readonly what: string;
  readonly params: readonly unknown[];
  /** Ids of the call, or of all calls of a batch. */
  readonly ids: readonly unknown[];
}

export interface ScriptedNode {
  readonly url: string;
  readonly script: NodeScript;
  readonly requests: ScriptedRequest[];
  /** Most requests that were under way at once. */
  busiest(): number;
  /** Connections opened so far. */
  connections(): number;
  close(): Promise<void>;
}

export const CREDENTIALS = "heistwatch:canary-pass-7d21";

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
}

const html = (status: number, body = ""): Reply => ({ status, type: "text/html; charset=ISO-8859-1", body });
const plain = (status: number, body: string): Reply => ({ status, type: "text/plain", body: `${body}\r\n` });

export async function startScriptedNode(changes: Partial<NodeScript> = {}): Promise<ScriptedNode> {
  const chain = recordedChain();
  const script: NodeScript = {
    tip: chain.main[284] as string,
    rest: true,
    spentTxOuts: true,
    prevouts: true,
    txindex: true,
    starting: null,
    initialBlockDownload: false,
    headers: null,
    pruneHeight: null,
    credentials: CREDENTIALS,
    neverConnected: new Set(),
    pool: new Map(),
    filters: true,
    spenders: true,
    scanBusy: 0,
    queueFull: 0,
    twist: () => false,
    ...changes,
  };
  const requests: ScriptedRequest[] = [];
  const rpc = createMethods(chain, script);
  let underWay = 0;
  let busiest = 0;
  let connections = 0;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    underWay += 1;
    busiest = Math.max(busiest, underWay);
    response.on("close", () => (underWay -= 1));
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const asked = requestOf(request, text);
    requests.push(asked);
    if (script.twist(asked, response)) return;
    const { status, type, body } = await replyTo({ request, text, asked });
    response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body);
  }

  async function replyTo(of: { request: IncomingMessage; text: string; asked: ScriptedRequest }): Promise<Reply> {
    if (script.queueFull > 0) {
      script.queueFull -= 1;
      return html(503, "Work queue depth exceeded");
    }
    // Lets the others in, so that what is under way at once is seen.
    await new Promise((turn) => setImmediate(turn));
    if (of.asked.what.startsWith("rest/")) return restReply(chain, script, String(of.asked.params[0]));
    if (of.request.method !== "POST") return html(405, "JSONRPC server handles only POST requests");
    if (of.request.headers.authorization !== `Basic ${Buffer.from(script.credentials).toString("base64")}`) {
      return html(401);
    }
    return rpcReply(of.text, rpc, script);
  }

  const server = createServer((request, response) => void handle(request, response));
  server.on("connection", () => (connections += 1));
  server.keepAliveTimeout = 0;
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    script,
    requests,
    busiest: () => busiest,
    connections: () => connections,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function requestOf(request: IncomingMessage, text: string): ScriptedRequest {
  const [, root, ...path] = (request.url ?? "").split("/");
  if (root === "rest") return { what: `rest/${path[0] ?? ""}`, params: [path.join("/")], ids: [] };
  const body: unknown = text === "" ? null : JSON.parse(text);
  const calls = (Array.isArray(body) ? body : [body]) as (RpcRequest | null)[];
  return { what: calls[0]?.method ?? "", params: calls[0]?.params ?? [], ids: calls.map((call) => call?.id) };
}

type Methods = Record<string, (params: readonly unknown[]) => unknown>;

interface RpcRequest {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** JSON-RPC 2.0: errors come with HTTP 200. */
function rpcReply(text: string, methods: Methods, script: NodeScript): Reply {
  const body = JSON.parse(text) as RpcRequest | readonly RpcRequest[];
  const one = ({ id, method, params }: RpcRequest) => {
    try {
      if (script.starting !== null) throw new Refusal(-28, script.starting);
      const call = methods[method];
      if (call === undefined) throw new Refusal(-32601, "Method not found");
      return { jsonrpc: "2.0", result: call(params), id };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { jsonrpc: "2.0", error: { code: error.code, message: error.message }, id };
    }
  };
  const answer = Array.isArray(body) ? body.map(one) : one(body as RpcRequest);
  return { status: 200, type: "application/json", body: `${JSON.stringify(answer)}\n` };
}

/** The active chain of a tip, by height. */
function activeChain({ blocks }: RecordedChain, tip: string): string[] {
  const hashes: string[] = [];
  for (let block = blocks.get(tip); block !== undefined; block = blocks.get(block.parent)) {
    hashes[block.height] = block.hash;
  }
  return hashes;
}

function createMethods(chain: RecordedChain, script: NodeScript): Methods {
  const active = () => activeChain(chain, script.tip);
  const tip = () => chain.blocks.get(script.tip) as RecordedBlock;
  const found = (hash: unknown, message = "Block not found"): RecordedBlock => {
    if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash))
      throw new Refusal(-8, "blockhash must be of length 64");
    const block = chain.blocks.get(hash);
    if (block === undefined) throw new Refusal(-5, message);
    return block;
  };
  const header = (block: RecordedBlock) => headerFields(block, active());

  return {
    getblockchaininfo: () => ({
      chain: "regtest",
      blocks: tip().height,
      headers: script.headers ?? tip().height,
      bestblockhash: script.tip,
      time: tip().block.readUInt32LE(68),
      initialblockdownload: script.initialBlockDownload,
      chainwork: workAt(tip().height),
      pruned: script.pruneHeight !== null,
      ...(script.pruneHeight === null ? {} : { pruneheight: script.pruneHeight }),
      warnings: [],
    }),
    getblockhash([height]) {
      const hash = active()[Number(height)];
      if (hash === undefined) throw new Refusal(-8, "Block height out of range");
      return hash;
    },
    getblockheader: ([hash, verbose]) => {
      const block = found(hash);
      return verbose === false ? block.block.toString("hex", 0, 80) : header(block);
    },
    getblock([hash, verbosity]) {
      const block = found(hash);
      if (isPruned(block, script)) throw new Refusal(-1, "Block not available (pruned data)");
      if (verbosity === 0) return block.block.toString("hex");
      const hasPrevouts = verbosity === 3 && script.prevouts && !script.neverConnected.has(block.hash);
      const tx = hasPrevouts ? block.verbose.tx : block.verbose.tx.map(withoutPrevouts);
      return { ...header(block), tx };
    },
    ...poolMethods(chain, script, active),
    getrawtransaction([txid, verbose]) {
      const pooled = script.pool.get(String(txid));
      if (pooled !== undefined) return verbose === true ? { txid, hex: pooled } : pooled;
      const all = script.txindex ? (chain.transactions.get(String(txid)) ?? []) : [];
      const line = active();
      const one = all.find(({ block }) => line.includes(block));
      if (one !== undefined) return verbose === true ? { txid, hex: one.hex, blockhash: one.block } : one.hex;
      throw new Refusal(
        -5,
        script.txindex
          ? "No such mempool or blockchain transaction. Use gettransaction for wallet transactions."
          : "No such mempool transaction. Use -txindex or provide a block hash to enable blockchain transaction queries. Use gettransaction for wallet transactions.",
      );
    },
    getindexinfo() {
      const index = { synced: true, best_block_height: tip().height };
      return {
        ...(script.txindex ? { txindex: index } : {}),
        ...(script.filters ? { "basic block filter index": index } : {}),
      };
    },
  };
}

const withoutPrevouts = ({ fee: _fee, vin, ...rest }: RecordedBlock["verbose"]["tx"][number]) => ({
  ...rest,
  vin: vin.map(({ prevout: _prevout, ...one }) => one),
});

const isPruned = ({ height }: RecordedBlock, { pruneHeight }: NodeScript) => height < (pruneHeight ?? 0);

/** Every block of a regtest chain is worth two hashes. */
export const workAt = (height: number): string => (2 * (height + 1)).toString(16).padStart(64, "0");

function headerFields({ hash, height, parent, block, verbose }: RecordedBlock, active: readonly string[]) {
  const version = block.readInt32LE(0);
  const isActive = active[height] === hash;
  return {
    hash,
    confirmations: isActive ? active.length - height : -1,
    height,
    version,
    versionHex: (version >>> 0).toString(16).padStart(8, "0"),
    merkleroot: displayOrder(block.subarray(36, 68)),
    time: block.readUInt32LE(68),
    nonce: block.readUInt32LE(76),
    bits: block.readUInt32LE(72).toString(16).padStart(8, "0"),
    chainwork: workAt(height),
    nTx: verbose.tx.length,
    ...(height === 0 ? {} : { previousblockhash: parent }),
    ...(isActive && height + 1 < active.length ? { nextblockhash: active[height + 1] } : {}),
  };
}

function restReply(chain: RecordedChain, script: NodeScript, path: string): Reply {
  if (!script.rest) return html(404);
  if (script.starting !== null) return plain(503, `Service temporarily unavailable: ${script.starting}`);
  const [, resource = "", hash = ""] = /^([a-z]+)\/([0-9a-zA-Z]+)\.bin$/.exec(path) ?? [];
  const known = resource === "block" || (resource === "spenttxouts" && script.spentTxOuts);
  if (!known) return html(404);
  if (!/^[0-9a-f]{64}$/.test(hash)) return plain(400, `Invalid hash: ${hash}`);
  const block = chain.blocks.get(hash);
  if (block === undefined) return plain(404, `${hash} not found`);
  if (resource === "block" && isPruned(block, script)) return plain(404, `${hash} not available (pruned data)`);
  if (resource === "block") return { status: 200, type: "application/octet-stream", body: block.block };
  const hasUndo = !isPruned(block, script) && !script.neverConnected.has(hash);
  if (!hasUndo) return plain(404, `${hash} undo not available`);
  return { status: 200, type: "application/octet-stream", body: block.spent };
}
