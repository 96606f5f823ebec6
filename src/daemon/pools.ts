/** The node pools of all chains, for whoever looks at them: alarms, metrics, heartbeat, `heistwatch node`. */
import type { Logger } from "pino";
import type { NodePool } from "../chains/pool/node-pool.ts";
import { createChainPool } from "../chains/registry.ts";
import type { Clock } from "../lib/clock.ts";
import { AppError, describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import type { EvidenceStore } from "../store/evidence.ts";
import type { ChainConfig } from "../types/config.ts";
import type { Evidence } from "../types/nodes.ts";
import type { Metrics } from "./metrics.ts";
import type { NodeControl } from "./operator-calls.ts";

export interface NamedPool {
  readonly chain: string;
  readonly pool: NodePool;
}

export function createNamedPool(
  chain: ChainConfig,
  { log, clock, metrics, evidence }: { log: Logger; clock: Clock; metrics: Metrics; evidence: EvidenceStore },
): NamedPool {
  const chainLog = log.child({ stage: "chains", chain: chain.name });
  const pool = createChainPool({
    chain,
    log: chainLog,
    now: () => clock.now(),
    onRequest: (request) => metrics.rpcRequest({ chain: chain.name, ...request }),
    onNativeCheck: (outcome) => metrics.nativeCheck(chain.name, outcome),
    onLie: keepEvidence(evidence, chainLog),
  });
  return { chain: chain.name, pool };
}

export function createNodeControl(pools: readonly NamedPool[], evidence: EvidenceStore, log: Logger): NodeControl {
  function poolOf(name: string): NodePool {
    const found = pools.find(({ pool }) => pool.status().nodes.some((node) => node.name === name));
    if (found === undefined) throw new AppError(`there is no node ${name}`);
    return found.pool;
  }
  return {
    async list() {
      const rows = pools.flatMap(({ chain, pool }) => pool.status().nodes.map((node) => ({ chain, ...node })));
      return Promise.all(
        rows.map(async (row) => ({ ...row, evidence: (await evidence.list({ node: row.name, limit: 1 }))[0] ?? null })),
      );
    },
    drain(name, forMs) {
      poolOf(name).drain(name, forMs);
      log.warn({ node: name, forMs }, "node drained by the operator");
    },
    undrain(name) {
      poolOf(name).undrain(name);
      log.warn({ node: name }, "node taken back by the operator");
    },
  };
}

/** Stored beside the line: what a node was caught at must not hold up the chain. */
function keepEvidence(store: EvidenceStore, log: Logger): (evidence: Evidence) => void {
  return (evidence) => {
    store
      .add(evidence)
      .catch((error: unknown) =>
        log.error(
          { node: evidence.node, error: redactText(describeError(error)) },
          "evidence against a node not stored",
        ),
      );
  };
}
