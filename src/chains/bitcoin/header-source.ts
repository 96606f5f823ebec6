/**
 * Headers of the node's best chain, each proven by its hash and its own work, with the target that the chain below it
 * demands and the work of the whole chain.
 */
import type { Header } from "../../types/chain.ts";
import { type Fields, fieldsOf, MalformedAnswerError } from "../answer-fields.ts";
import { UnavailableError } from "../../lib/errors.ts";
import { RpcError } from "../rpc-envelope.ts";
import { HEADER_BYTES, headerOf, proveWork, type RawHeader } from "./header.ts";
import { retargetedBits } from "./difficulty.ts";
import type { Network } from "./networks.ts";
import type { NodeClient } from "./node-client.ts";
import { ProofError } from "./proof-error.ts";

export interface HeaderSource {
  /** Null: the node's best chain does not reach so far. Throws ProofError where the answer proves wrong. */
  headerAt(number: number, signal: AbortSignal): Promise<Header | null>;
}

const RPC_OUT_OF_RANGE = -8;
const HASH = /^[0-9a-f]{64}$/;
// A window, and what is fetched side by side ahead of it.
const REMEMBERED_MAX = 4_096;
// Deeper than any window follows a branch.
const BRANCH_MAX = 200;

interface ProvenHeader {
  readonly raw: RawHeader;
  readonly number: number;
  /** Of the whole chain up to it, as the node says. */
  readonly work: bigint;
  readonly isStale: boolean;
}

export function createHeaderSource({ client, network }: { client: NodeClient; network: Network }): HeaderSource {
  /** By hash: what the next one must add to. */
  const known = new Map<string, ProvenHeader>();
  let lowest = Number.POSITIVE_INFINITY;

  function remember(header: ProvenHeader): void {
    known.delete(header.raw.hash);
    known.set(header.raw.hash, header);
    lowest = Math.min(lowest, header.number);
    for (const oldest of known.keys()) {
      if (known.size <= REMEMBERED_MAX) break;
      known.delete(oldest);
    }
  }

  async function proven(hash: string, number: number, signal: AbortSignal): Promise<ProvenHeader> {
    const answer = fieldsOf(await client.call("getblockheader", [hash, true], signal), "a header");
    const bytes = bytesOf(answer);
    const raw = headerOf(bytes);
    if (raw.hash !== hash) throw new ProofError("header", `the header of block ${number} has another hash`);
    proveWork(bytes, network);
    const { height, confirmations } = answer;
    if (height !== number) throw new MalformedAnswerError(`the node gave a block of another height for ${number}`);
    return { raw, number, work: workIn(answer), isStale: confirmations === -1 };
  }

  /**
   * The headers from the first one that builds on what is known up to this one. Only their sum says what a branch is
   * worth: headers of the lowest difficulty cost nothing, and the node may call their work anything. Where nothing below
   * is known there is only the node's word.
   */
  async function branchTo(tip: ProvenHeader, signal: AbortSignal): Promise<ProvenHeader[]> {
    const branch = [tip];
    for (let lowestOne = tip; !known.has(lowestOne.raw.parentHash); branch.unshift(lowestOne)) {
      if (lowestOne.number <= lowest || branch.length > BRANCH_MAX) return [tip];
      lowestOne = await proven(lowestOne.raw.parentHash, lowestOne.number - 1, signal);
    }
    return branch;
  }

  function checkSum({ raw, number, work }: ProvenHeader): void {
    const below = number === 0 ? 0n : known.get(raw.parentHash)?.work;
    if (work < raw.work || (below !== undefined && work !== below + raw.work))
      throw new ProofError("work", `the node's work up to block ${number} is not the sum of its headers`);
  }

  /** Without this a node could go on with blocks of the easiest target, which cost minutes. */
  async function checkTarget({ raw, number }: ProvenHeader, signal: AbortSignal): Promise<void> {
    if (network.retarget === null || number === 0) return;
    const parent = known.get(raw.parentHash) ?? (await proven(raw.parentHash, number - 1, signal));
    const demanded =
      number % network.retarget.blocks === 0 ? await bitsAfter(parent, network.retarget, signal) : parent.raw.bits;
    if (raw.bits !== demanded)
      throw new ProofError("work", `the target of block ${number} is not the one that the blocks below it demand`);
  }

  /** Of the first block of a new period; `last` is the last one of the period before. */
  async function bitsAfter(
    last: ProvenHeader,
    retarget: NonNullable<Network["retarget"]>,
    signal: AbortSignal,
  ): Promise<number> {
    const number = last.number + 1 - retarget.blocks;
    const hash = await hashAt(client, number, signal);
    if (hash === null) throw new UnavailableError(`block ${number} of node ${client.name} has just changed`);
    const first = await proven(hash, number, signal);
    // Nobody follows the links of a whole period. But another block in its place costs the same work, and one of the
    // same period lies later, which would only make the target harder.
    if (first.raw.bits !== last.raw.bits)
      throw new ProofError("work", `blocks ${number} and ${last.number} of one period have two targets`);
    return retargetedBits(
      { bits: last.raw.bits, tookSeconds: last.raw.timestamp - first.raw.timestamp },
      {
        seconds: retarget.seconds,
        targetMax: network.targetMax,
      },
    );
  }

  return {
    async headerAt(number, signal) {
      const hash = await hashAt(client, number, signal);
      if (hash === null) return null;
      const tip = await proven(hash, number, signal);
      // It left the chain between the two questions.
      if (tip.isStale) throw new UnavailableError(`block ${number} of node ${client.name} has just changed`);
      for (const header of await branchTo(tip, signal)) {
        checkSum(header);
        await checkTarget(header, signal);
        remember(header);
      }
      const { raw, work } = tip;
      return { number, hash, parentHash: raw.parentHash, timestamp: raw.timestamp, work };
    },
  };
}

/** Hash of the block at a height of the node's best chain; null: it does not reach so far. */
export async function hashAt(client: NodeClient, number: number, signal: AbortSignal): Promise<string | null> {
  try {
    return hashOf(await client.call("getblockhash", [number], signal));
  } catch (error) {
    if (error instanceof RpcError && error.rpcCode === RPC_OUT_OF_RANGE) return null;
    throw error;
  }
}

/** The 80 bytes, from the fields of `getblockheader`. */
function bytesOf(answer: Fields): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES);
  const { version, previousblockhash, merkleroot, time, bits, nonce } = answer;
  if (typeof bits !== "string" || !/^[0-9a-f]{8}$/.test(bits))
    throw new MalformedAnswerError("the header's bits are not 8 hex digits");
  bytes.writeInt32LE(integerOf(version, -(2 ** 31), 2 ** 31 - 1), 0);
  // The first block of a chain has none.
  if (previousblockhash !== undefined) bytes.set(reversed(previousblockhash), 4);
  bytes.set(reversed(merkleroot), 36);
  bytes.writeUInt32LE(integerOf(time, 0, 2 ** 32 - 1), 68);
  bytes.writeUInt32LE(Number.parseInt(bits, 16), 72);
  bytes.writeUInt32LE(integerOf(nonce, 0, 2 ** 32 - 1), 76);
  return bytes;
}

function integerOf(value: unknown, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max)
    throw new MalformedAnswerError("a number of the header is out of range");
  return value;
}

function hashOf(value: unknown): string {
  if (typeof value !== "string" || !HASH.test(value)) throw new MalformedAnswerError("the node's hash is not 32 bytes");
  return value;
}

const reversed = (hash: unknown): Uint8Array => Buffer.from(hashOf(hash), "hex").toReversed();

function workIn({ chainwork }: Fields): bigint {
  return BigInt(`0x${hashOf(chainwork)}`);
}
