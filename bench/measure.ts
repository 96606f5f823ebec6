/**
 * What a block costs, variant by variant, on the same generated blocks from the same replay node.
 *
 *     npm run bench -- [--rounds 5] [--blocks 400] [--no-latency]
 *
 * Each run is a process of its own and only its CPU is counted. Rounds go through all variants before the next one
 * starts, so a neighbour's busy minute hits all of them; the table holds medians.
 */
import os from "node:os";
import { parseArgs } from "node:util";
import type { ClientTask, Throughput } from "./client.ts";
import { DEFAULT_CHAIN, ensureChain, FIRST_NUMBER } from "./replay/generate.ts";
import { startReplayNode, type ReplayNode } from "./replay/replay-node.ts";
import { runClient } from "./run-client.ts";
import { markdownTable, median, quantile } from "./table.ts";
import type { VariantName } from "./variants/registry.ts";
import { watchedFile } from "./watched.ts";

interface Plan {
  readonly title: string;
  readonly variant: VariantName;
  readonly watchedCount: number;
  /** Share of the blocks that is read: slow variants need no more to be measured. */
  readonly share?: number;
}

const PLANS: readonly Plan[] = [
  { title: "bare download (undici dispatch, reused buffer)", variant: "bare", watchedCount: 0 },
  { title: "JSON.parse only", variant: "json-parse", watchedCount: 0 },
  { title: "ours, hits' senders, 10^3 watched", variant: "ours", watchedCount: 1e3 },
  { title: "the same, 10^5 watched", variant: "ours", watchedCount: 1e5 },
  { title: "the same, 10^6 watched", variant: "ours", watchedCount: 1e6 },
  { title: "the same, 10^7 watched", variant: "ours", watchedCount: 1e7 },
  { title: "scanner as TypeScript, 10^3 watched", variant: "ours-typescript", watchedCount: 1e3 },
  { title: "reference path, 10^3 watched", variant: "ours-reference", watchedCount: 1e3, share: 0.5 },
  { title: "ours live: every sender, 10^3 watched", variant: "ours-live", watchedCount: 1e3, share: 0.25 },
  { title: "viem getBlock + getLogs, no match", variant: "viem", watchedCount: 0 },
  { title: "ethers getBlock + getLogs, no match", variant: "ethers", watchedCount: 0, share: 0.25 },
];

const LATENCY_PLANS: readonly Plan[] = [
  { title: "bare download", variant: "bare", watchedCount: 0 },
  { title: "JSON.parse only", variant: "json-parse", watchedCount: 0 },
  { title: "ours, hits' senders", variant: "ours", watchedCount: 1e3 },
  { title: "reference path, hits' senders", variant: "ours-reference", watchedCount: 1e3 },
  { title: "ours, every sender", variant: "ours-live", watchedCount: 1e3 },
  { title: "reference path, every sender", variant: "ours-reference-live", watchedCount: 1e3 },
];

// Two blocks under way: the client is never idle while the node answers.
const LANES = 2;
const WARM_UP = 100;
const TICK_MS = 100; // 10 blocks a second.
const LATENCY_WARM_UP = 50;
const LATENCY_BLOCKS = 250;

interface Arguments {
  readonly rounds: number;
  readonly blocks: number;
  readonly latency: boolean;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      rounds: { type: "string", default: "5" },
      blocks: { type: "string", default: "400" },
      latency: { type: "boolean", default: true },
    },
  });
  return { ...values, rounds: Number(values.rounds), blocks: Number(values.blocks) };
}

function taskOf(plan: Plan, node: ReplayNode): Omit<ClientTask, "mode" | "warmUp" | "blocks"> {
  const folder = ensureChain(DEFAULT_CHAIN);
  return {
    variant: plan.variant,
    watchedFile: watchedFile(node.chain, folder, plan.watchedCount),
    chain: node.chain.blocks.map(({ number, hash }) => ({ number, hash })),
    httpUrl: node.httpUrl,
    wsUrl: node.wsUrl,
    lanes: LANES,
  };
}

/** One run of one plan; null when it ended without an answer, which is told and is a result too. */
async function runThroughput(plan: Plan, node: ReplayNode, blocks: number): Promise<Throughput | null> {
  const share = plan.share ?? 1;
  const size = { warmUp: Math.ceil(WARM_UP * share), blocks: Math.ceil(blocks * share) };
  try {
    const answer = await runClient({ task: { ...taskOf(plan, node), mode: "throughput", ...size } });
    return answer.kind === "throughput" ? answer.throughput : null;
  } catch (error) {
    console.error(`${plan.title}: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`);
    return null;
  }
}

async function measureThroughput({ rounds, blocks }: Arguments): Promise<string> {
  const node = await startReplayNode();
  const runs = new Map<Plan, Throughput[]>(PLANS.map((plan) => [plan, []]));
  const serverMs: number[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const plan of PLANS) {
        if ((runs.get(plan)?.length ?? 0) < round) continue; // It failed before, and would again.
        const before = await node.cpuMs();
        const run = await runThroughput(plan, node, blocks);
        if (plan.variant === "bare") serverMs.push(((await node.cpuMs()) - before) / (blocks + WARM_UP));
        if (run !== null) runs.get(plan)?.push(run);
        console.error(`round ${round + 1}/${rounds} ${plan.title}: ${run?.cpuMsPerBlock.toFixed(2) ?? "failed"} ms`);
      }
    }
  } finally {
    await node.stop();
  }
  return `${throughputTable(runs)}\n\nReplay node: ${median(serverMs).toFixed(2)} ms CPU a block (bare download).`;
}

function throughputTable(runs: ReadonlyMap<Plan, readonly Throughput[]>): string {
  const medianOf = (plan: Plan, value: (run: Throughput) => number) => median((runs.get(plan) ?? []).map(value));
  const [first] = PLANS;
  const bare = ((first && runs.get(first)) ?? []).map((run) => run.cpuMsPerBlock);
  const rows = PLANS.map((plan) => {
    const cpus = (runs.get(plan) ?? []).map((run) => run.cpuMsPerBlock);
    if (cpus.length === 0) return [plan.title, "failed", "", "", "", "", "", "", ""];
    return [
      plan.title,
      median(cpus).toFixed(2),
      `${Math.min(...cpus).toFixed(2)}–${Math.max(...cpus).toFixed(2)}`,
      (median(cpus) / median(bare)).toFixed(1),
      (Math.min(...cpus) / Math.min(...bare)).toFixed(1),
      medianOf(plan, (run) => run.wallMsPerBlock).toFixed(2),
      medianOf(plan, (run) => run.peakRssMb).toFixed(0),
      String(medianOf(plan, (run) => run.hits)),
      (medianOf(plan, (run) => run.startMs) / 1000).toFixed(1),
    ];
  });
  return markdownTable(
    [
      "variant",
      "CPU ms/block",
      "min–max",
      "× bare",
      "× bare, of minima",
      "wall ms/block",
      "peak RSS MB",
      "hits",
      "start s",
    ],
    rows,
  );
}

/** Milliseconds from the node telling the head to the block being read. */
async function latencyOf(plan: Plan): Promise<number[]> {
  const node = await startReplayNode({ head: FIRST_NUMBER });
  try {
    const size = { warmUp: LATENCY_WARM_UP, blocks: LATENCY_BLOCKS };
    const answer = await runClient({
      task: { ...taskOf(plan, node), mode: "latency", ...size },
      onReady: () => node.startTicks(TICK_MS),
    });
    const told = new Map((await node.told()).map(({ number, atNs }) => [number, atNs]));
    const read = answer.kind === "latency" ? answer.latency : [];
    return read.map(({ number, atNs }) => Number(BigInt(atNs) - (told.get(number) ?? 0n)) / 1e6);
  } finally {
    await node.stop();
  }
}

async function measureLatency(): Promise<string> {
  const rows: string[][] = [];
  for (const plan of LATENCY_PLANS) {
    const latencies = await latencyOf(plan);
    rows.push([plan.title, ...[0.5, 0.99, 1].map((share) => quantile(latencies, share).toFixed(1))]);
  }
  return markdownTable([`newHeads at ${1000 / TICK_MS} blocks/s`, "p50 ms", "p99 ms", "max ms"], rows);
}

function machine(): string {
  const [cpu] = os.cpus();
  const load = os.loadavg()[0] ?? 0;
  return `${os.cpus().length} × ${cpu?.model ?? "?"}, Node ${process.version}, load ${load.toFixed(1)} at the start, ${new Date().toISOString()}`;
}

const asked = readArguments();
console.error("writing the chain, if it is not there yet");
ensureChain(DEFAULT_CHAIN);
console.log(`${machine()}\n`);
console.log(`${await measureThroughput(asked)}\n`);
if (asked.latency) console.log(await measureLatency());
