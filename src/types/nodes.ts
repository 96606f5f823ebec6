/** What is known about the nodes of a chain, for alarms, metrics and `heistwatch node list`. Times are unix milliseconds. */
import type { ContractCall } from "./chain.ts";

export type NodeState = "ok" | "failing" | "lagging" | "down" | "quarantined" | "drained";

export const NODE_STATES: readonly NodeState[] = ["ok", "failing", "lagging", "down", "quarantined", "drained"];

/** What a node was caught at: kept as long as the store, also after it is trusted again. */
export interface Evidence {
  readonly chain: string;
  readonly node: string;
  readonly operator: string;
  readonly at: number;
  readonly why: string;
  readonly asked: string;
  /** The answer as far as it is kept: its beginning, its length and its digest. */
  readonly answered: string;
}

export interface NodeStatus {
  readonly name: string;
  readonly operator: string;
  readonly own: boolean;
  readonly state: NodeState;
  readonly since: number;
  /** Why it is not ok; empty when it is. */
  readonly detail: string;
  /** Highest block it named; -1 before the first. */
  readonly head: number;
  readonly latencyMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly drainedUntil: number | null;
}

/** Operators that name different blocks at one height. */
export interface Dispute {
  readonly height: number;
  readonly since: number;
  readonly sides: readonly { readonly hash: string; readonly operators: readonly string[] }[];
}

export interface PoolStatus {
  readonly operators: readonly string[];
  readonly quorum: number;
  /** Highest block that enough operators have; -1 before the first. */
  readonly agreedHead: number;
  /** Operators without any node that answers and keeps up. */
  readonly missing: readonly { readonly operator: string; readonly since: number; readonly why: string }[];
  readonly dispute: Dispute | null;
  readonly nodes: readonly NodeStatus[];
}

/** One own node that can be asked what a contract says. */
export interface ContractCaller {
  readonly node: string;
  readonly operator: string;
  /** The answer as hex. Throws what the node client throws. */
  call(of: ContractCall, signal: AbortSignal): Promise<string>;
}
