/** A chain of the Bitcoin family through one node of the operator: polled over RPC and REST, woken by ZMQ. */
import type { Block, ChainAdapter, Header } from "../../types/chain.ts";
import type { ChainConfig, NodeConfig } from "../../types/config.ts";
import type { Log } from "../../types/log.ts";
import { ConfigError } from "../../lib/errors.ts";
import { excerptOf } from "../excerpt.ts";
import { ProofMismatchError } from "../node-errors.ts";
import { createRequestGate } from "../../lib/request-gate.ts";
import { normalizeBitcoinAddress, targetOf } from "./address.ts";
import { type BlockBytes, createBlockSource } from "./block-source.ts";
import { createCredentials } from "./credentials.ts";
import { createHeaderSource } from "./header-source.ts";
import { type Network, networkOf } from "./networks.ts";
import { createNodeClient, type NodeClient } from "./node-client.ts";
import { createNodeWatch } from "./node-watch.ts";
import { ProofError } from "./proof-error.ts";
import { readBlock } from "./read-block.ts";
import type { ScriptTable } from "./script-table.ts";
import { createScriptTables } from "./script-tables.ts";
import { checkSpent } from "./check-spent.ts";
import { createEvidenceSource } from "./evidence/evidence-source.ts";
import { createHistory } from "./history.ts";
import { type CoinSet, createCoinSet } from "./mempool/coin-set.ts";
import { createBitcoinMempool } from "./mempool/mempool-source.ts";
import { createNodeScan } from "./node-scan.ts";
import { placeOf } from "./transaction-place.ts";
import { followBlockHints } from "./zmq-feed.ts";

const RECONNECT_MS = 5_000;
// A scan of all coins of Bitcoin takes minutes, on slow disks an hour.
const SCAN_MS = 2 * 3_600_000;
// One over the coins and one over the filters.
const SCAN_GATE = { maxConcurrent: 2, maxPerSecond: 20 };

export interface BitcoinAdapterOptions {
  readonly chain: ChainConfig;
  readonly node: NodeConfig;
  readonly log: Log;
  readonly onRequest?: (method: string, outcome: "ok" | "error") => void;
}

/** Throws ConfigError where the chain is none that we know. */
export function createBitcoinAdapter({ chain, node, log, onRequest }: BitcoinAdapterOptions): ChainAdapter {
  const network = networkOf(chain.id);
  if (network === null)
    throw new ConfigError(`chain ${chain.name}: ${chain.id} is no network of the Bitcoin family that heistwatch knows`);
  const { finality } = chain;
  if (finality.by !== "depth")
    throw new ConfigError(`chain ${chain.name}: its nodes know no final block: finality needs a depth`);
  const { client, patient } = createClients(node, onRequest);
  const watch = createNodeWatch({ client, network });
  const headers = createHeaderSource({ client, network });
  const blocks = createBlockSource({ client, log });
  const closing = new AbortController();
  const tableOf = createScriptTables(network, closing.signal);
  const evidence = createEvidenceSource({ client, network, own: node.own });
  // Nobody else may learn whom we watch.
  const scan = node.own ? createNodeScan({ client, patient, log }) : null;
  const coins = createCoinSet();
  const mempool =
    chain.mempool === "off"
      ? null
      : createBitcoinMempool({ node, client, headers, network, coins, scan, tableOf, log });

  return {
    family: "bitcoin",
    chainId: chain.id,
    blockTimeMs: chain.blockTimeMs,
    normalizeAddress: (text) => normalizeBitcoinAddress(text, network),
    headNumber: watch.head,

    async headerAt(number, signal) {
      const header = await headers.headerAt(number, signal).catch((error: unknown) => {
        throw caughtAt(error, { node: node.name, asked: `getblockheader ${number}`, answered: "" });
      });
      // Nothing above its best block: but is that the chain's end, or only the node's?
      if (header === null) await watch.checkTip(signal);
      return header;
    },

    async blockOf(header, signal, wanted): Promise<Block | null> {
      // First, because it may take seconds, and a block's bytes need not wait for it in memory.
      const watched = wanted?.watched === undefined ? null : await tableOf(wanted.watched);
      const bytes = await blocks.read(header, signal);
      if (bytes === null) return null;
      const { transfers } = contentOf(header, bytes, { network, watched, coins, node: node.name });
      bytes.release();
      // Values move in transactions only: nothing is hidden that would have to be traced.
      const trust = { proven: true, operators: [node.operator], missing: [], traced: true };
      return { ...header, transfers, trust: bytes.spentProven ? trust : { ...trust, inputsTold: true } };
    },

    async placeOf(transaction, signal) {
      return node.own
        ? placeOf((method, params, until) => client.call(method, params, until), transaction, signal)
        : null;
    },

    async equivalents(address, watched) {
      const target = targetOf(address, network);
      return target === null || !("script" in target) ? [] : (await tableOf(watched)).match(target.script).equivalent;
    },

    async evidence(claims, signal) {
      try {
        return await evidence(claims, signal);
      } catch (error) {
        throw caughtAt(error, { node: node.name, asked: `block ${claims.block.hash}`, answered: "" });
      }
    },

    finalizedNumber: async (signal) => (await watch.head(signal)) - finality.depth,

    onHint(wake, signal) {
      for (const url of node.zmq ?? []) {
        void followBlockHints({ node: node.name, url, reconnectMs: RECONNECT_MS, log }, wake, signal);
      }
    },

    ...(scan === null ? {} : { candidates: createHistory({ client, scan, network }) }),
    ...(mempool === null ? {} : { mempool }),

    async close() {
      closing.abort();
      await mempool?.close();
      await Promise.all([client.close(), patient.close()]);
    },
  };
}

/** `patient`: waits as long as a scan takes, and asks for nothing else. */
function createClients(
  node: NodeConfig,
  onRequest: BitcoinAdapterOptions["onRequest"],
): { client: NodeClient; patient: NodeClient } {
  const connection = {
    name: node.name,
    url: node.http,
    credentials: createCredentials({ name: node.name, url: node.http, rpc: node.rpc }),
    ...(onRequest === undefined ? {} : { onRequest }),
  };
  const { maxConcurrent, maxRequestsPerSecond: maxPerSecond, timeoutMs } = node;
  const gate = createRequestGate({ maxConcurrent, maxPerSecond });
  return {
    client: createNodeClient({ ...connection, timeoutMs, gate }),
    patient: createNodeClient({ ...connection, timeoutMs: SCAN_MS, gate: createRequestGate(SCAN_GATE) }),
  };
}

function contentOf(
  header: Header,
  { block, spent }: BlockBytes,
  { network, watched, coins, node }: { network: Network; watched: ScriptTable | null; coins: CoinSet; node: string },
): ReturnType<typeof readBlock> {
  try {
    const content = readBlock({ header, block, spent, network, watched });
    if (coins.size() > 0) checkSpent({ block, spent }, coins);
    return content;
  } catch (error) {
    const answered = `block ${excerptOf(hexOf(block))}, spent ${excerptOf(hexOf(spent))}`;
    throw caughtAt(error, { node, asked: `block ${header.hash}`, answered });
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** What does not prove, with what was asked and answered: kept as evidence. */
function caughtAt(error: unknown, evidence: { node: string; asked: string; answered: string }): unknown {
  if (!(error instanceof ProofError)) return error;
  return new ProofMismatchError(`node ${evidence.node} gave what does not prove: ${error.message}`, {
    cause: error,
    details: { ...error.details, ...evidence },
  });
}
