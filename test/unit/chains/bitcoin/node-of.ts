/** A client of a scripted node, for the parts of the adapter. */
import { createCredentials } from "../../../../src/chains/bitcoin/credentials.ts";
import { createNodeClient, type NodeClient } from "../../../../src/chains/bitcoin/node-client.ts";
import { createRequestGate } from "../../../../src/chains/request-gate.ts";
import type { Log } from "../../../../src/types/log.ts";
import type { NodeConfig } from "../../../../src/types/config.ts";
import { CREDENTIALS } from "../../../support/bitcoin/scripted-node.ts";

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
