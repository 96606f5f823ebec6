/** Which blocks of the past touch some addresses, by a node's block filters (BIP 158, -blockfilterindex=1). */
import type { Address, Candidates } from "../../types/chain.ts";
import { sleep } from "../../lib/sleep.ts";
import { UnavailableError } from "../../lib/errors.ts";
import { fieldsOf, listOf, MalformedAnswerError } from "../answer-fields.ts";
import { descriptorOf, needlesOf } from "./needles.ts";
import { hashIn, isRefusal, RPC_METHOD_NOT_FOUND } from "./node-answers.ts";
import type { Network } from "./networks.ts";
import type { NodeClient } from "./node-client.ts";
import type { NodeScan } from "./node-scan.ts";

export interface HistoryOptions {
  /** Of a node of our own: it learns whom we watch. */
  readonly client: NodeClient;
  readonly scan: NodeScan;
  readonly network: Network;
}

/** The method `candidates` of ChainAdapter. */
export type ReadCandidates = (
  addresses: readonly Address[],
  range: { readonly from: number; readonly to: number },
  signal: AbortSignal,
) => Promise<Candidates | null>;

// A scan of so many blocks takes about a second for a thousand scripts: short enough to be stopped between two, and to
// let the exchange's own scans in.
const BLOCKS_A_SCAN = 10_000;
// A block costs seven times as much with ten thousand scripts as with one thousand.
const SCRIPTS_A_SCAN = 10_000;
const PAUSE_MS = 50;
const HEADERS_A_REQUEST = 500;

/**
 * Sees every script that an address stands for, and the other forms of its key but P2PK and bare multisig. What the
 * filters do not name is the node's word alone.
 */
export function createHistory({ client, scan, network }: HistoryOptions): ReadCandidates {
  /** True where the node's filters reach up to that block. */
  async function hasFilters(to: number, signal: AbortSignal): Promise<boolean> {
    const indexes = fieldsOf(await client.call("getindexinfo", [], signal).catch(noneIfMissing), "the node's indexes");
    const index = indexes["basic block filter index"];
    if (index === undefined) return false;
    const { best_block_height: height } = fieldsOf(index, "the block filter index");
    return typeof height === "number" && height >= to;
  }

  /** Hashes of the blocks of one range that some of the scripts may be in. */
  async function scanRange(
    scripts: readonly string[],
    { from, to }: { from: number; to: number },
    signal: AbortSignal,
  ): Promise<string[]> {
    const answer = await scan("scanblocks", [scripts.map(descriptorOf), from, to], signal);
    if (answer["completed"] === false) throw new UnavailableError(`node ${client.name} gave up a scan of its blocks`);
    if (answer["from_height"] !== from || answer["to_height"] !== to)
      throw new MalformedAnswerError("the node scanned another range of blocks than it was asked to");
    return listOf(answer["relevant_blocks"], "the blocks of a scan").map((hash) => hashIn(hash, "a block of a scan"));
  }

  /** Heights of blocks of the node's chain, each within the range. */
  async function numbersOf(
    hashes: readonly string[],
    range: { from: number; to: number },
    signal: AbortSignal,
  ): Promise<number[]> {
    const numbers: number[] = [];
    for (let at = 0; at < hashes.length; at += HEADERS_A_REQUEST) {
      const params = hashes.slice(at, at + HEADERS_A_REQUEST).map((hash) => [hash, true]);
      for (const answer of await client.callMany("getblockheader", params, signal)) {
        if (answer instanceof Error) throw answer;
        numbers.push(heightOf(answer, range));
      }
    }
    return numbers;
  }

  async function scanAll(
    scripts: readonly string[],
    { from, to }: { from: number; to: number },
    signal: AbortSignal,
  ): Promise<Candidates> {
    const numbers = new Set<number>();
    for (let first = from; first <= to; first += BLOCKS_A_SCAN) {
      const range = { from: first, to: Math.min(first + BLOCKS_A_SCAN - 1, to) };
      const hashes = new Set<string>();
      for (let at = 0; at < scripts.length; at += SCRIPTS_A_SCAN) {
        for (const hash of await scanRange(scripts.slice(at, at + SCRIPTS_A_SCAN), range, signal)) hashes.add(hash);
        await sleep(PAUSE_MS, signal);
      }
      for (const number of await numbersOf([...hashes], range, signal)) numbers.add(number);
    }
    return { numbers: [...numbers].toSorted((a, b) => a - b), covers: "everything" };
  }

  return async (addresses, range, signal) => {
    const { scripts, unscannable } = needlesOf(addresses, network);
    if (unscannable > 0 || !(await hasFilters(range.to, signal))) return null;
    try {
      return await scanAll(scripts, range, signal);
    } catch (error) {
      // Filters without a way to scan them: before Core 25, and Litecoin.
      if (isRefusal(error, RPC_METHOD_NOT_FOUND)) return null;
      throw error;
    }
  };
}

/** Nodes before Core 0.21 have no such question, and no filters that can be scanned. */
function noneIfMissing(error: unknown): Record<string, never> {
  if (isRefusal(error, RPC_METHOD_NOT_FOUND)) return {};
  throw error;
}

function heightOf(answer: unknown, { from, to }: { from: number; to: number }): number {
  const { height } = fieldsOf(answer, "a header");
  if (typeof height !== "number" || !Number.isInteger(height) || height < from || height > to)
    throw new MalformedAnswerError("a block of a scan is not of the range that was scanned");
  return height;
}
