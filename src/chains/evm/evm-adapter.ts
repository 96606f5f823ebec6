/** An EVM chain through one node of the operator: headers and blocks by JSON-RPC, heads by WebSocket as a hint. */
import type { AddressTable } from "../../types/address-table.ts";
import type { Block, BlockWanted, ChainAdapter, Header, NativeCheckOutcome, Transfer } from "../../types/chain.ts";
import type { ChainConfig, NodeConfig } from "../../types/config.ts";
import type { Log } from "../../types/log.ts";
import { WrongChainError } from "../node-errors.ts";
import { createChecksum, normalizeEvmAddress } from "./checksum.ts";
import { bytesOf, numberOf } from "./answer-fields.ts";
import { fieldsOf, MalformedAnswerError } from "../answer-fields.ts";
import { receiptsOf } from "./ask-receipts.ts";
import { createBlockReader } from "./block-reader.ts";
import { type DecodeContext, decodeHeader } from "./decode-block.ts";
import { createEvidenceSource } from "./evidence/evidence-source.ts";
import { followHeadHints } from "./head-hints.ts";
import { findLogCandidates } from "./log-candidates.ts";
import { createEvmMempool } from "./mempool/mempool-source.ts";
import { createNativeCheck } from "./native-check.ts";
import { createProver } from "./prover.ts";
import { createRequestGate } from "../../lib/request-gate.ts";
import { createRpcClient, type RpcClient } from "./rpc-client.ts";
import { type MakeCore, wasmCore } from "./scan/scanner-core.ts";
import { createTracer } from "./tracer.ts";

// A block of 60 M gas with its receipts is about 10 MB of JSON; 256 MB leaves room for any chain and bounds memory.
const MAX_BODY_BYTES = 256 * 1024 * 1024;

const EVERYTHING: BlockWanted = { senders: "all" };

export interface EvmAdapterOptions {
  readonly chain: ChainConfig;
  readonly node: NodeConfig;
  readonly log: Log;
  readonly onRequest?: (method: string, outcome: "ok" | "error") => void;
  /** Called once per sample of a block whose native value was held against balances, for metrics. */
  readonly onNativeCheck?: (outcome: NativeCheckOutcome) => void;
  /** How blocks are scanned; null: by the reference path alone. Only tests and the bench give another than WebAssembly. */
  readonly makeCore?: MakeCore | null;
}

/** What logs tell of the block at a height. */
export interface LogsAt {
  readonly header: Header;
  readonly transfers: readonly Transfer[];
  /** As `BlockTrust` says it, of everything but the transactions' hashes. */
  readonly proven: boolean;
}

export interface EvmAdapter extends ChainAdapter {
  /**
   * Tokens, wraps and approvals that touch a watched address, from header and receipts of the block that the node has at a
   * height: half the bytes of a block, for looking through the past. No coins, delegations or new contracts, so it is no
   * reading of the block. Logs are proven as in `blockOf`; which hash their transaction has is the node's word: whoever tells
   * of one reads the block. Null: the node does not have it.
   */
  logsAt(number: number, watched: AddressTable, signal: AbortSignal): Promise<LogsAt | null>;
}

export function createEvmAdapter({
  chain,
  node,
  log,
  onRequest,
  onNativeCheck,
  makeCore = wasmCore,
}: EvmAdapterOptions): EvmAdapter {
  const rpc = createRpcClient({
    name: node.name,
    url: node.http,
    timeoutMs: node.timeoutMs,
    maxBodyBytes: MAX_BODY_BYTES,
    gate: createRequestGate({ maxConcurrent: node.maxConcurrent, maxPerSecond: node.maxRequestsPerSecond }),
    ...(onRequest === undefined ? {} : { onRequest }),
  });
  const evmChainId = Number(chain.id.slice("eip155:".length));
  const decode: DecodeContext = {
    chain: chain.id,
    nativeAssetId: `${chain.id}/slip44:${chain.native.slip44}`,
    checksum: createChecksum(),
  };
  const tracer = createTracer({ rpc, mode: chain.traces, checksum: decode.checksum, log });
  const prover = createProver({ rpc, chain, node: node.name, log });
  // Whoever turned tracing off wants no heavy calls at all.
  const nativeCheck =
    chain.traces === "off"
      ? null
      : createNativeCheck({
          rpc,
          context: decode,
          own: node.own,
          log,
          ...(onNativeCheck === undefined ? {} : { onNativeCheck }),
        });
  const reader = createBlockReader({ chain, decode, prover, tracer, nativeCheck, makeCore });
  const chainCheck = createChainCheck(rpc, { node: node.name, expected: evmChainId });

  return {
    family: "evm",
    chainId: chain.id,
    blockTimeMs: chain.blockTimeMs,
    normalizeAddress: normalizeEvmAddress,

    async headNumber(signal) {
      await chainCheck(signal);
      return numberOf(await rpc.call("eth_blockNumber", [], signal), "eth_blockNumber");
    },

    async headerAt(number, signal) {
      await chainCheck(signal);
      const answer = await rpc.call("eth_getBlockByNumber", [`0x${number.toString(16)}`, false], signal);
      const header = headerIn(answer, number);
      if (header !== null) prover.checkHeader(answer, header);
      return header;
    },

    async blockOf(header, signal, wanted = EVERYTHING): Promise<Block | null> {
      const [block, receipts] = await Promise.all([
        rpc.ask("eth_getBlockByHash", [header.hash, true], signal),
        receiptsOf(rpc, header, signal),
      ]);
      if (receipts === null) return null;
      const read = await reader.read({ header, block, receipts }, wanted, signal);
      block.release();
      if ("release" in receipts) receipts.release();
      if (read === null) return null;
      const { transfers, proven, traced } = read;
      return { ...header, transfers, trust: { proven, operators: [node.operator], missing: [], traced } };
    },

    candidates: (addresses, range, signal) =>
      node.own ? findLogCandidates(rpc, { addresses, ...range }, signal) : Promise.resolve(null),

    async logsAt(number, watched, signal) {
      await chainCheck(signal);
      const block = await rpc.ask("eth_getBlockByNumber", [`0x${number.toString(16)}`, false], signal);
      const header = headerIn(block.result(), number);
      const receipts = header === null ? null : await receiptsOf(rpc, header, signal);
      if (header === null || receipts === null) return null;
      const transfers = reader.readLogs({ header, block, receipts }, watched);
      block.release();
      if ("release" in receipts) receipts.release();
      if (transfers !== null) return { header, transfers, proven: true };
      const whole = await this.blockOf(header, signal, { watched, senders: "all" });
      if (whole === null) return null;
      return {
        header,
        transfers: whole.transfers.filter(({ key }) => key.startsWith("log:")),
        proven: whole.trust.proven,
      };
    },

    evidence: createEvidenceSource({ rpc, tracer }),

    async finalizedNumber(signal) {
      if (chain.finality.by === "depth") return (await this.headNumber(signal)) - chain.finality.depth;
      const answer = await rpc.call("eth_getBlockByNumber", ["finalized", false], signal);
      return answer === null ? -1 : decodeHeader(answer).number;
    },

    async isContract(address, signal) {
      // The question names a watched address: only our own node may hear it.
      if (!node.own) return null;
      const code = await rpc.call("eth_getCode", [address, "latest"], signal);
      return typeof code === "string" ? code.length > 2 && !code.startsWith(DELEGATED) : null;
    },

    async placeOf(transaction, signal) {
      if (!node.own) return null;
      await chainCheck(signal);
      const answer = await rpc.call("eth_getTransactionByHash", [transaction], signal);
      if (answer === null) return null;
      const { blockNumber } = fieldsOf(answer, "a transaction");
      return { block: blockNumber == null ? null : numberOf(blockNumber, "blockNumber") };
    },

    async callContract({ to, data, at }, signal) {
      const block = at === "latest" ? at : { blockHash: at };
      return bytesOf(await rpc.call("eth_call", [{ to, data }, block], signal), "eth_call");
    },

    onHint(wake, signal) {
      if (node.ws === null) return;
      const silentMs = Math.min(Math.max(30 * chain.blockTimeMs, 30_000), 300_000);
      void followHeadHints({ node: node.name, url: node.ws, silentMs, reconnectMs: 5_000, log }, wake, signal);
    },

    ...(chain.mempool === "auto" ? { mempool: createEvmMempool({ rpc, chain, node, decode, log }) } : {}),

    async close() {
      await nativeCheck?.close();
      await rpc.close();
    },
  };
}

// EIP-7702: an ordinary account that lets a contract's code act for it.
const DELEGATED = "0xef0100";

/** Null: the node has no block at that height. */
function headerIn(answer: unknown, number: number): Header | null {
  if (answer === null) return null;
  const header = decodeHeader(answer);
  if (header.number !== number)
    throw new MalformedAnswerError("the node answered with a block of another height", {
      details: { asked: number, answered: header.number },
    });
  return header;
}

// Hourly: an endpoint behind a load balancer can change its chain while we run.
const CHAIN_CHECK_MS = 3_600_000;

/** A node of another chain answers everything, all wrong: its chain id is asked at the first call and every hour. */
function createChainCheck(
  rpc: RpcClient,
  of: { node: string; expected: number },
): (signal: AbortSignal) => Promise<void> {
  let checkedAt = Number.NEGATIVE_INFINITY;
  return async (signal) => {
    if (performance.now() - checkedAt < CHAIN_CHECK_MS) return;
    const answered = numberOf(await rpc.call("eth_chainId", [], signal), "eth_chainId");
    if (answered !== of.expected) {
      throw new WrongChainError(
        `node ${of.node} serves chain id ${answered}, the configuration says ${of.expected}: check its URL`,
        { details: { ...of, asked: "eth_chainId", answered: String(answered) } },
      );
    }
    checkedAt = performance.now();
  };
}
