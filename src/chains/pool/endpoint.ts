/** One node of a pool: every request to it is timed, judged and remembered here. */
import type { ChainAdapter, Header } from "../../types/chain.ts";
import type { Evidence, NodeState, NodeStatus } from "../../types/nodes.ts";
import { describeError, UnavailableError } from "../../lib/errors.ts";
import { redactText } from "../../lib/redact.ts";
import { afterEvent, afterRequest, type Health, NEW_PACE, newHealth, type Pace, scoreOf } from "./health.ts";

export interface PoolNode {
  readonly name: string;
  readonly operator: string;
  /** True: may be asked about addresses. */
  readonly own: boolean;
  readonly adapter: ChainAdapter;
}

export interface EndpointOptions {
  readonly node: PoolNode;
  readonly now: () => number;
  /** The node was caught. */
  readonly onLie: (evidence: Evidence) => void;
}

/** What a request shows: one for a head says nothing about blocks, and one for content is no condition of a node's word. */
export interface Request {
  readonly what: "head" | "header" | "content";
  readonly signal: AbortSignal;
  readonly number?: number;
}

export interface Endpoint extends PoolNode {
  /** Asked in the ordinary course: neither down, nor quarantined, nor drained. */
  isUsable(): boolean;
  isDrained(): boolean;
  isQuarantined(): boolean;
  /** A node out of use that may be tried again now; `alone`: there is no other. */
  isDue(alone: boolean): boolean;
  /** Lower is better. */
  score(): number;
  /** Highest head it claimed. */
  head(): number;
  /** Highest block it really named: what it lags by is measured with this. */
  named(): number;
  /** The error of the last request; null after a good one. */
  lastError(): unknown;
  /** One request. Throws what the adapter throws. */
  ask<T>(work: (adapter: ChainAdapter) => Promise<T>, of: Request): Promise<T>;
  claimed(number: number): void;
  gave(number: number): void;
  /** Asks what would bring it back: its head, or the block it lied about. */
  probe(signal: AbortSignal, isAgreed: (header: Header) => Promise<boolean>): Promise<void>;
  drain(forMs: number): void;
  /** Takes it back, also out of quarantine. */
  undrain(): void;
  status(isLagging: boolean): NodeStatus;
}

const LIES: ReadonlySet<unknown> = new Set(["proof_mismatch", "wrong_chain"]);

export function createEndpoint({ node, now, onLie }: EndpointOptions): Endpoint {
  let health: Health = newHealth(now());
  let pace: Pace = NEW_PACE;
  let head = -1;
  let named = -1;
  let requests = 0;
  let errors = 0;
  let lastError: unknown = null;
  let drainedUntil: number | null = null;
  /** What failed last; null after a good answer. */
  let failsOn: "head" | "header" | null = null;
  /** The block it lied about; null: it never did, or about its chain. */
  let liedAbout: number | null = null;
  let probing = false;

  const isDrained = () => drainedUntil !== null && drainedUntil > now();

  function failed(error: unknown, { what, number }: Request): void {
    lastError = error;
    errors += 1;
    const { code, details } = error as { code?: unknown; details?: Readonly<Record<string, unknown>> };
    if (!LIES.has(code)) {
      if (what === "content") return;
      health = afterEvent(health, "failure", now());
      failsOn = failsOn === "header" ? "header" : what;
      return;
    }
    // Caught again while in quarantine is the same story, not a new one.
    const isNew = health.state !== "quarantined";
    health = afterEvent(health, isNew ? "lie" : "failure", now());
    liedAbout = code === "proof_mismatch" ? (number ?? null) : null;
    if (!isNew) return;
    onLie({
      chain: node.adapter.chainId,
      node: node.name,
      operator: node.operator,
      at: now(),
      why: redactText(describeError(error)),
      asked: textOf(details?.["asked"]),
      answered: textOf(details?.["answered"]),
    });
  }

  function answered(what: Request["what"]): void {
    // A node that tells its head but no block is of no use: only a block shows that it is back.
    if (failsOn === "header" && what === "head") return;
    failsOn = null;
    health = afterEvent(health, "success", now());
    // Of another chain a moment ago, of ours now: the adapter asks for the chain id until it is right.
    if (health.state === "quarantined" && liedAbout === null) redeem();
    lastError = health.state === "quarantined" ? lastError : null;
  }

  async function ask<T>(work: (adapter: ChainAdapter) => Promise<T>, of: Request): Promise<T> {
    if (health.state === "failing" && health.nextTryAt > now())
      throw new UnavailableError(`node ${node.name} failed a moment ago`, { cause: lastError });
    const startedAt = performance.now();
    requests += 1;
    try {
      const answer = await work(node.adapter);
      pace = afterRequest(pace, { tookMs: performance.now() - startedAt, failed: false });
      answered(of.what);
      return answer;
    } catch (error) {
      // Bugs are not the node's fault, and neither is a caller that stops.
      if (of.signal.aborted || !isOfNode(error)) throw error;
      pace = afterRequest(pace, { tookMs: performance.now() - startedAt, failed: true });
      failed(error, of);
      throw error;
    }
  }

  function redeem(): void {
    health = afterEvent(health, "redeemed", now());
    liedAbout = null;
    lastError = null;
  }

  /** The very block it lied about, proven and the one the others name. */
  async function probeBlock(
    number: number,
    signal: AbortSignal,
    isAgreed: (header: Header) => Promise<boolean>,
  ): Promise<void> {
    const header = await ask((adapter) => adapter.headerAt(number, signal), { what: "header", signal });
    if (header === null || !(await isAgreed(header))) return;
    const block = await ask((adapter) => adapter.blockOf(header, signal), { what: "content", signal, number });
    if (block?.trust.proven === true) redeem();
  }

  async function probeHead(signal: AbortSignal): Promise<void> {
    const number = await ask((adapter) => adapter.headNumber(signal), { what: "head", signal });
    if (failsOn === "header") await ask((adapter) => adapter.headerAt(number, signal), { what: "header", signal });
  }

  function state(isLagging: boolean): NodeState {
    if (isDrained()) return "drained";
    return health.state === "ok" && isLagging ? "lagging" : health.state;
  }

  return {
    ...node,
    isUsable: () => !isDrained() && (health.state === "ok" || health.state === "failing"),
    isDrained,
    isQuarantined: () => health.state === "quarantined",
    isDue: (alone) =>
      !isDrained() &&
      !probing &&
      (health.state === "down" || health.state === "quarantined") &&
      (alone ? health.nextTryAloneAt : health.nextTryAt) <= now(),
    score: () => scoreOf(pace) + (health.state === "failing" ? 1e9 : 0),
    head: () => head,
    named: () => named,
    lastError: () => lastError,
    ask,
    claimed(number) {
      head = Math.max(head, number);
    },
    gave(number) {
      head = Math.max(head, number);
      named = Math.max(named, number);
    },
    async probe(signal, isAgreed) {
      probing = true;
      // Counted before it is known how it ends: a probe that says nothing waits longer than the one before.
      const tried = afterEvent(health, "failure", now());
      try {
        const number = liedAbout;
        if (health.state === "quarantined" && number !== null) await probeBlock(number, signal, isAgreed);
        else await probeHead(signal);
      } catch (error) {
        if (!isOfNode(error)) throw error;
      } finally {
        if (health.state === tried.state) health = tried;
        probing = false;
      }
    },
    drain(forMs) {
      drainedUntil = now() + forMs;
    },
    undrain() {
      drainedUntil = null;
      if (health.state !== "ok") redeem();
    },
    status: (isLagging) => ({
      name: node.name,
      operator: node.operator,
      own: node.own,
      state: state(isLagging),
      since: health.since,
      detail: lastError === null ? "" : redactText(describeError(lastError)).slice(0, 300),
      head,
      latencyMs: Math.round(pace.latencyMs),
      requests,
      errors,
      drainedUntil: isDrained() ? drainedUntil : null,
    }),
  };
}

/** Operating errors of a node are typed; anything else is a bug of ours. */
function isOfNode(error: unknown): boolean {
  return (
    typeof error === "object" && error !== null && typeof (error as { retryable?: unknown }).retryable === "boolean"
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
