/** A JSON-RPC request -> the bytes of its answer, whole bodies untouched. */
import type { HeadClock } from "./head-clock.ts";
import {
  type IndexedLog,
  indexLogs,
  isUnfiltered,
  type LogFilter,
  matchesFilter,
  parseLogFilter,
} from "./log-filter.ts";
import type { IndexedBlock } from "./chain-files.ts";
import type { ServedChain } from "./served-chain.ts";

/** Written one after the other, never joined. */
export type Chunks = readonly Buffer[];

export class RpcFault extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface RpcMethods {
  /** The answer's `result`. Throws RpcFault. */
  resultOf(method: string, params: readonly unknown[]): Chunks;
}

type Method = (params: readonly unknown[]) => Chunks;

// A range this long is 0.4 GB of logs: more is a client's mistake.
const LOG_BLOCKS_MAX = 1_000;
// What Ethereum does: two epochs, one epoch.
const FINALIZED_DEPTH = 64;
const SAFE_DEPTH = 32;

const NULL: Chunks = [Buffer.from("null")];
const OPEN = Buffer.from("[");
const CLOSE = Buffer.from("]");
const COMMA = Buffer.from(",");

export function createRpcMethods(chain: ServedChain, clock: HeadClock): RpcMethods {
  const find = createFinder(chain, clock);
  const body = (block: IndexedBlock | null, part: "full" | "light" | "receipts"): Chunks =>
    block === null ? NULL : [chain.bytesOf(block[part])];
  const methods: Readonly<Record<string, Method>> = {
    eth_chainId: () => json(`0x${chain.chainId.toString(16)}`),
    net_version: () => json(String(chain.chainId)),
    web3_clientVersion: () => json("heistwatch-replay"),
    eth_syncing: () => json(false),
    eth_blockNumber: () => json(`0x${(chain.blocks[clock.head()]?.number ?? 0).toString(16)}`),
    eth_getBlockByNumber: ([block, full]) => body(find.byNumberOrTag(block), full === true ? "full" : "light"),
    eth_getBlockByHash: ([hash, full]) => body(find.byHash(hash), full === true ? "full" : "light"),
    eth_getBlockReceipts: ([block]) => body(find.byEither(block), "receipts"),
    eth_getLogs: createGetLogs(chain, find),
    // The replay's own controls, for whoever measures.
    replay_setHead: ([number]) => {
      const place = chain.placeOfNumber(Number(number));
      if (place === undefined) throw new RpcFault(-32_602, "no such block");
      clock.moveTo(place);
      return json(true);
    },
    replay_startTicks: ([everyMs]) => {
      if (typeof everyMs !== "number" || everyMs < 1) throw new RpcFault(-32_602, "the tick is at least 1 ms");
      clock.startTicks(everyMs);
      return json(true);
    },
    replay_stopTicks: () => {
      clock.stopTicks();
      return json(true);
    },
    replay_told: () =>
      json(clock.told().map(({ place, atNs }) => ({ number: chain.blocks[place]?.number, atNs: String(atNs) }))),
    replay_cpuUsage: () => json(process.cpuUsage()),
  };
  return {
    resultOf(method, params) {
      const run = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (run === undefined) throw new RpcFault(-32_601, `the method ${method} does not exist`);
      return run(params);
    },
  };
}

function json(value: unknown): Chunks {
  return [Buffer.from(JSON.stringify(value))];
}

interface Finder {
  byNumberOrTag(text: unknown): IndexedBlock | null;
  byHash(hash: unknown): IndexedBlock | null;
  byEither(text: unknown): IndexedBlock | null;
  /** Places of the known blocks from one number or tag to another, both included. */
  between(from: unknown, to: unknown): readonly IndexedBlock[];
}

/** A block above the head is not known yet, by number or by hash. */
function createFinder(chain: ServedChain, clock: HeadClock): Finder {
  const known = (place: number | undefined): IndexedBlock | null =>
    place === undefined || place > clock.head() ? null : (chain.blocks[place] ?? null);
  const numberOf = (text: unknown): number => {
    if (typeof text === "string" && /^0x[0-9a-f]{1,12}$/i.test(text)) return Number(text);
    return chain.blocks[placeOfTag(text, clock.head())]?.number ?? 0;
  };
  const byNumberOrTag = (text: unknown) => known(chain.placeOfNumber(numberOf(text)));
  const byHash = (hash: unknown) => known(chain.placeOfHash(String(hash).toLowerCase()));
  return {
    byNumberOrTag,
    byHash,
    byEither(text) {
      // EIP-1898 writes { blockHash } or { blockNumber }.
      if (typeof text === "object" && text !== null) {
        const { blockHash, blockNumber } = text as { blockHash?: unknown; blockNumber?: unknown };
        return blockHash === undefined ? byNumberOrTag(blockNumber) : byHash(blockHash);
      }
      return String(text).length === 66 ? byHash(text) : byNumberOrTag(text);
    },
    between(from, to) {
      const [low, high] = [numberOf(from ?? "latest"), numberOf(to ?? "latest")];
      if (high - low >= LOG_BLOCKS_MAX) throw new RpcFault(-32_005, `at most ${LOG_BLOCKS_MAX} blocks a request`);
      const blocks: IndexedBlock[] = [];
      for (let number = low; number <= high; number += 1) {
        const block = known(chain.placeOfNumber(number));
        if (block !== null) blocks.push(block);
      }
      return blocks;
    },
  };
}

function placeOfTag(tag: unknown, head: number): number {
  if (tag === "latest" || tag === "pending") return head;
  if (tag === "safe") return Math.max(0, head - SAFE_DEPTH);
  if (tag === "finalized") return Math.max(0, head - FINALIZED_DEPTH);
  if (tag === "earliest") return 0;
  throw new RpcFault(-32_602, "neither a block number nor a tag");
}

function createGetLogs(chain: ServedChain, find: Finder): Method {
  const indexed = new Map<string, IndexedLog[]>();
  const logsOf = (block: IndexedBlock): IndexedLog[] => {
    let logs = indexed.get(block.hash);
    if (logs === undefined) {
      logs = indexLogs(chain.bytesOf(block.logs));
      indexed.set(block.hash, logs);
    }
    return logs;
  };

  /** The block's matching logs with commas between them, no brackets. */
  const chunksOf = (block: IndexedBlock, filter: LogFilter): Buffer[] => {
    const list = chain.bytesOf(block.logs);
    if (isUnfiltered(filter)) return list.length > 2 ? [list.subarray(1, -1)] : [];
    const found = logsOf(block).filter((log) => matchesFilter(log, filter));
    return joined(found.map(({ start, end }) => list.subarray(start, end)));
  };

  return ([params]) => {
    if (typeof params !== "object" || params === null) throw new RpcFault(-32_602, "the filter is not an object");
    const fields = params as Readonly<Record<string, unknown>>;
    const filter = parseLogFilter(fields);
    const blocks =
      fields["blockHash"] === undefined
        ? find.between(fields["fromBlock"], fields["toBlock"])
        : [find.byHash(fields["blockHash"])];
    const parts: Buffer[] = [];
    for (const block of blocks) {
      if (block === null) throw new RpcFault(-32_000, "unknown block");
      const chunks = chunksOf(block, filter);
      if (chunks.length === 0) continue;
      if (parts.length > 0) parts.push(COMMA);
      parts.push(...chunks);
    }
    return [OPEN, ...parts, CLOSE];
  };
}

function joined(parts: readonly Buffer[]): Buffer[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [COMMA, part]));
}
