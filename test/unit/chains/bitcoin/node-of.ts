/** A client of a scripted node, for the parts of the adapter. */
import { createCredentials } from "../../../../src/chains/bitcoin/credentials.ts";
import { createNodeClient, type NodeClient } from "../../../../src/chains/bitcoin/node-client.ts";
import { createRequestGate } from "../../../../src/lib/request-gate.ts";
import type { Log } from "../../../../src/types/log.ts";
import type { ChainConfig, NodeConfig } from "../../../../src/types/config.ts";
import { CREDENTIALS } from "../../../support/bitcoin/scripted-node.ts";

export const REGTEST = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328";
export const NEVER = new AbortController().signal;

const quiet = () => undefined;
export const SILENT: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export function configOf(url: string, changes: Partial<NodeConfig> = {}): NodeConfig {
  const [user, password] = CREDENTIALS.split(":") as [string, string];
  return {
    name: "own-a",
    operator: "self",
    own: true,
    http: url,
    ws: null,
    rpc: { user, password },
    zmq: [],
    maxConcurrent: 2,
    maxRequestsPerSecond: 100_000,
    timeoutMs: 5_000,
    ...changes,
  };
}

export function clientFor(url: string): NodeClient {
  const { name, rpc, timeoutMs } = configOf(url);
  return createNodeClient({
    name,
    url,
    credentials: createCredentials({ name, url, rpc }),
    timeoutMs,
    gate: createRequestGate({ maxConcurrent: 2, maxPerSecond: 100_000 }),
  });
}

export function chainOf(node: NodeConfig, changes: Partial<ChainConfig> = {}): ChainConfig {
  return {
    name: "bitcoin",
    id: REGTEST,
    family: "bitcoin",
    blockTimeMs: 600_000,
    finality: { by: "depth", depth: 6 },
    windowDepth: 100,
    native: { symbol: "BTC", decimals: 8, slip44: 0, dustBelow: 1_000n },
    traces: "off",
    mempool: "off",
    proofs: "require",
    start: { at: "latest" },
    quorum: 1,
    nodes: [node],
    ...changes,
  };
}
