/** Prometheus metrics. Names end in their unit; labels are bounded: never an address, a transaction or a URL. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { CaseCount } from "../store/triage-store.ts";
import { SEVERITIES } from "../types/alert.ts";
import { NODE_STATES, type PoolStatus } from "../types/nodes.ts";
import type { NativeCheckOutcome } from "../types/chain.ts";
import type { ChainStatus } from "../ingest/loop-state.ts";
import type { MempoolStatus } from "../ingest/mempool-loop.ts";

export interface Metrics {
  readonly registry: Registry;
  chainStatus(chain: string, status: ChainStatus): void;
  committed(chain: string, what: { blocks: number; hits: number; reorgDepth: number }): void;
  mempool(chain: string, status: MempoolStatus): void;
  rpcRequest(of: { chain: string; node: string; method: string; outcome: "ok" | "error" }): void;
  nativeCheck(chain: string, outcome: NativeCheckOutcome): void;
  leader(chain: string, epoch: number | null): void;
  fencedWrite(chain: string): void;
  attempt(of: { sink: string; outcome: string; seconds: number }): void;
  jobFailed(queue: string): void;
  deliveries(
    counts: ReadonlyMap<string, { pending: number; dead: number; oldestPendingAt: number | null }>,
    nowMs: number,
  ): void;
  /** Cases that are not done. */
  cases(counts: readonly CaseCount[]): void;
  gaps(chain: string, holes: number): void;
  /** `waitedFor`: operators whose word on some blocks is still to be compared. */
  pool(chain: string, status: PoolStatus, waitedFor: readonly string[]): void;
  watchlist(chain: string, entries: number): void;
  watchDue(counts: { reviews: number; ended: number }): void;
  staleLists(count: number): void;
  queueUp(up: boolean): void;
  /** Read by scans of the past. */
  past(chain: string, what: { blocks: number; hits: number }): void;
}

export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const gauge = (name: string, help: string, labelNames: string[]) =>
    new Gauge({ name: `heistwatch_${name}`, help, labelNames, registers });
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `heistwatch_${name}`, help, labelNames, registers });

  const head = gauge("chain_head_number", "Highest block the node names", ["chain"]);
  const cursor = gauge("chain_cursor_number", "Highest block scanned and stored", ["chain"]);
  const finalized = gauge("chain_finalized_number", "Highest final block", ["chain"]);
  const lag = gauge("chain_lag_blocks", "Blocks between the node's head and the cursor", ["chain"]);
  const tipTime = gauge("chain_last_block_timestamp_seconds", "Block time of the last scanned block", ["chain"]);
  const trouble = gauge("chain_trouble", "1 when the chain does not move, by reason", ["chain", "kind"]);
  const gap = gauge("chain_gap_blocks", "Unscanned blocks below the cursor; must be 0", ["chain"]);
  const blocks = counter("chain_blocks_total", "Blocks scanned and stored", ["chain"]);
  const hits = counter("match_hits_total", "Hits stored", ["chain"]);
  const reorgs = counter("chain_reorgs_total", "Reorgs followed", ["chain"]);
  const depth = new Histogram({
    name: "heistwatch_chain_reorg_depth_blocks",
    help: "Depth of reorgs",
    labelNames: ["chain"],
    buckets: [1, 2, 3, 5, 8, 16, 32, 64],
    registers,
  });
  const tracked = gauge("mempool_tracked_transactions", "Watched transactions waiting in the mempool", ["chain"]);
  const skipped = gauge("mempool_skipped_transactions", "Pending ones never looked at since the start", ["chain"]);
  const unseen = gauge("mempool_inputs_unseen", "1 while it is not known which pending coins are watched ones", [
    "chain",
  ]);
  const agreed = gauge("pool_agreed_head_number", "Highest block that enough operators have", ["chain"]);
  const absent = gauge("pool_operator_missing", "1 while the chain goes on without this operator", [
    "chain",
    "operator",
  ]);
  const disputes = gauge("pool_disputed", "1 while operators disagree about a block", ["chain"]);
  const unchecked = gauge(
    "pool_operator_unchecked",
    "1 while blocks scanned without this operator are not compared yet",
    ["chain", "operator"],
  );
  const nodeState = gauge("node_state", "1 for the state a node is in", ["chain", "node", "state"]);
  const nodeHead = gauge("node_head_number", "Highest block a node named", ["chain", "node"]);
  const nodeLatency = gauge("node_latency_seconds", "Moving average of a node's answers", ["chain", "node"]);
  const rpc = counter("rpc_requests_total", "Requests to nodes", ["chain", "node", "method", "outcome"]);
  const nativeChecks = counter("native_checks_total", "Samples of native value held against balances", [
    "chain",
    "outcome",
    "traced",
  ]);
  const leading = gauge("leader", "1 while this daemon leads the chain", ["chain"]);
  const epochs = gauge("leader_epoch", "Epoch of our lease", ["chain"]);
  const fenced = counter("fenced_writes_total", "Writes refused because another daemon leads", ["chain"]);
  const attempts = counter("delivery_attempts_total", "Delivery attempts", ["sink", "outcome"]);
  const attemptTime = new Histogram({
    name: "heistwatch_delivery_attempt_duration_seconds",
    help: "Time of one attempt",
    labelNames: ["sink"],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const failed = counter("queue_jobs_failed_total", "Jobs that threw; the sweep brings their work back", ["queue"]);
  const pending = gauge("deliveries_pending", "Deliveries still to be sent", ["sink"]);
  const dead = gauge("delivery_dead_letters", "Deliveries given up; kept, re-drivable", ["sink"]);
  const oldest = gauge("delivery_oldest_undelivered_seconds", "Age of the oldest delivery still to be sent", ["sink"]);
  const cases = gauge("triage_cases", "Cases that are not done", ["state", "severity"]);
  const overdue = gauge("triage_overdue_cases", "Cases that are not done and past their due date", ["severity"]);
  const entries = gauge("watchlist_entries", "Entries matched on a followed chain", ["chain"]);
  const reviews = gauge("watchlist_reviews_due", "Entries that somebody should have looked at again", []);
  const ended = gauge("watchlist_entries_ended", "Entries whose dates are over: only recorded", []);
  const stale = gauge("watchlists_stale", "Lists past their maximum age", []);
  const pastBlocks = counter("past_blocks_total", "Blocks read by scans of the past", ["chain"]);
  const pastHits = counter("past_hits_total", "Hits that scans of the past found first", ["chain"]);
  const queue = gauge("queue_up", "1 while the queue takes work", []);
  gauge("build_info", "Version", ["version"]).set({ version }, 1);

  return {
    registry,
    chainStatus(chain, status) {
      head.set({ chain }, status.headNumber);
      cursor.set({ chain }, status.cursorNumber);
      finalized.set({ chain }, status.finalizedNumber);
      lag.set({ chain }, Math.max(0, status.headNumber - status.cursorNumber));
      tipTime.set({ chain }, status.tipTimestamp);
      for (const kind of ["node", "mismatch", "lag", "stalled", "tooDeep", "store", "dispute"])
        trouble.set({ chain, kind }, status.trouble?.kind === kind ? 1 : 0);
    },
    pool(chain, { agreedHead, operators, missing, dispute, nodes }, waitedFor) {
      agreed.set({ chain }, agreedHead);
      disputes.set({ chain }, dispute === null ? 0 : 1);
      for (const operator of operators) {
        absent.set({ chain, operator }, missing.some((one) => one.operator === operator) ? 1 : 0);
        unchecked.set({ chain, operator }, waitedFor.includes(operator) ? 1 : 0);
      }
      for (const node of nodes) {
        for (const state of NODE_STATES) nodeState.set({ chain, node: node.name, state }, node.state === state ? 1 : 0);
        nodeHead.set({ chain, node: node.name }, node.head);
        nodeLatency.set({ chain, node: node.name }, node.latencyMs / 1000);
      }
    },
    committed(chain, what) {
      blocks.inc({ chain }, what.blocks);
      hits.inc({ chain }, what.reorgDepth > 0 ? 0 : what.hits);
      if (what.reorgDepth > 0) {
        reorgs.inc({ chain });
        depth.observe({ chain }, what.reorgDepth);
      }
    },
    mempool(chain, status) {
      tracked.set({ chain }, status.tracked);
      skipped.set({ chain }, status.skipped);
      unseen.set({ chain }, status.inputsUnseen ? 1 : 0);
    },
    rpcRequest: (of) => rpc.inc(of),
    nativeCheck: (chain, { kind, traced }) => nativeChecks.inc({ chain, outcome: kind, traced: String(traced) }),
    leader(chain, epoch) {
      leading.set({ chain }, epoch === null ? 0 : 1);
      if (epoch !== null) epochs.set({ chain }, epoch);
    },
    fencedWrite: (chain) => fenced.inc({ chain }),
    attempt({ sink, outcome, seconds }) {
      attempts.inc({ sink, outcome });
      attemptTime.observe({ sink }, seconds);
    },
    jobFailed: (name) => failed.inc({ queue: name }),
    deliveries(counts, nowMs) {
      for (const each of [pending, dead, oldest]) each.reset();
      for (const [sink, count] of counts) {
        pending.set({ sink }, count.pending);
        dead.set({ sink }, count.dead);
        oldest.set({ sink }, count.oldestPendingAt === null ? 0 : Math.max(0, (nowMs - count.oldestPendingAt) / 1000));
      }
    },
    cases(counts) {
      cases.reset();
      for (const { state, severity, count } of counts) cases.set({ state, severity }, count);
      // All of them, always: an alarm on a metric that is not there never fires.
      for (const severity of SEVERITIES) {
        const due = counts.filter((one) => one.severity === severity).map((one) => one.overdue);
        overdue.set(
          { severity },
          due.reduce((sum, one) => sum + one, 0),
        );
      }
    },
    gaps: (chain, holes) => gap.set({ chain }, holes),
    watchlist: (chain, count) => entries.set({ chain }, count),
    watchDue(counts) {
      reviews.set(counts.reviews);
      ended.set(counts.ended);
    },
    staleLists: (count) => stale.set(count),
    queueUp: (up) => queue.set(up ? 1 : 0),
    past(chain, what) {
      pastBlocks.inc({ chain }, what.blocks);
      pastHits.inc({ chain }, what.hits);
    },
  };
}
