/** The three ways of reading a block, on real answers of a node's HTTP side: what each makes of the same bytes. */
import { createChecksum } from "../../../../src/chains/evm/checksum.ts";
import { type BlockReader, createBlockReader, type NodeAnswers } from "../../../../src/chains/evm/block-reader.ts";
import { createProver } from "../../../../src/chains/evm/prover.ts";
import { createRequestGate } from "../../../../src/lib/request-gate.ts";
import { createRpcClient, type RpcAnswer } from "../../../../src/chains/evm/rpc-client.ts";
import { RpcError } from "../../../../src/chains/rpc-envelope.ts";
import { type MakeCore, wasmCore } from "../../../../src/chains/evm/scan/scanner-core.ts";
import { typescriptCore } from "../../../../src/chains/evm/scan/typescript-core.ts";
import { createTracer } from "../../../../src/chains/evm/tracer.ts";
import type { AddressTable } from "../../../../src/types/address-table.ts";
import type { BlockWanted, Transfer } from "../../../../src/types/chain.ts";
import type { Log } from "../../../../src/types/log.ts";
import { startRpcServer } from "../rpc-server.ts";

export const signal = new AbortController().signal;

/** A whole answer, once the request's id is known. */
export type Body = (id: number) => string | Uint8Array;

export interface ToldNode {
  /** Asks for an answer of this body, as the adapter asks. */
  ask(body: Body): Promise<RpcAnswer>;
  close(): Promise<void>;
}

export const envelope =
  (result: string): Body =>
  (id) =>
    `{"jsonrpc":"2.0","id":${id},"result":${result}}`;

/** A node that says what it is told. One question at a time. */
export async function startToldNode(): Promise<ToldNode> {
  let body: Body = envelope("null");
  const server = await startRpcServer(({ id }, response) => response.end(body(id)));
  const gate = createRequestGate({ maxConcurrent: 1, maxPerSecond: Number.POSITIVE_INFINITY });
  const limits = { timeoutMs: 60_000, maxBodyBytes: 64 * 1024 * 1024, gate };
  const client = createRpcClient({ name: "told", url: server.url, ...limits });
  return {
    ask(told) {
      body = told;
      return client.ask("eth_any", [], signal);
    },
    async close() {
      await client.close();
      await server.close();
    },
  };
}

export type Outcome =
  | { readonly kind: "read"; readonly transfers: readonly Transfer[]; readonly proven: boolean }
  | { readonly kind: "absent" }
  | { readonly kind: "refused"; readonly error: string };

export interface Way {
  readonly name: string;
  /** The scanner itself called the last block it was given proven; always false on the reference path. */
  scanned(): boolean;
  read(answers: NodeAnswers, wanted: BlockWanted): Promise<Outcome>;
}

export interface Ways {
  readonly reference: Way;
  readonly wasm: Way;
  readonly typescript: Way;
}

/** Readers of one chain, without traces. Blocks that do not match are refused. */
export function createWays(chainId: number): Ways {
  return {
    reference: createWay("reference", chainId, null),
    wasm: createWay("wasm", chainId, wasmCore),
    typescript: createWay("typescript", chainId, typescriptCore),
  };
}

function createWay(name: string, chainId: number, core: MakeCore | null): Way {
  let verdict = false;
  const watching: MakeCore | null =
    core === null
      ? null
      : (memory) => {
          const { scan } = core(memory);
          return { scan: (question) => (verdict = scan(question)) };
        };
  const reader = createReader(chainId, watching);
  return {
    name,
    scanned: () => verdict,
    async read(answers, wanted) {
      verdict = false;
      try {
        const read = await reader.read(answers, wanted, signal);
        return read === null ? { kind: "absent" } : { kind: "read", transfers: read.transfers, proven: read.proven };
      } catch (error) {
        // Whatever it is: a trap of the scanner or a TypeError would be an outcome that the reference does not have.
        return { kind: "refused", error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
      }
    },
  };
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const checksum = createChecksum();

/** A node that has no other method than those for blocks and receipts. */
const bare = {
  call: () => Promise.reject(new RpcError("the method does not exist", { details: {}, rpcCode: -32_601 })),
};

export function createReader(chainId: number, makeCore: MakeCore | null): BlockReader {
  const chain = { id: `eip155:${chainId}`, proofs: "require" } as const;
  return createBlockReader({
    chain,
    decode: { chain: chain.id, nativeAssetId: `${chain.id}/slip44:60`, checksum },
    prover: createProver({ rpc: bare, chain, node: "told", log: silent }),
    tracer: createTracer({ rpc: bare, mode: "off", checksum, log: silent }),
    nativeCheck: null,
    makeCore,
  });
}

/** A copy of what says who is watched: the hash's words and the fingerprints. */
export function tableBytes({ memory, wordsAt, freeFrom }: AddressTable): Buffer {
  return Buffer.from(Buffer.from(memory.buffer, wordsAt, freeFrom - wordsAt));
}
