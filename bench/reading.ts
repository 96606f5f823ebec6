/** What the measured process does: reads blocks, in lanes for throughput or at each head for latency. */
import type { ClientAnswer, ClientTask, Throughput } from "./client.ts";
import { peakRssBytes } from "./peak-rss.ts";
import { VARIANTS, type VariantName } from "./variants/registry.ts";
import type { OpenVariant } from "./variants/variant.ts";

export async function startReading(task: ClientTask, tell: (answer: ClientAnswer) => void): Promise<void> {
  const started = performance.now();
  const open = VARIANTS[task.variant as VariantName];
  const variant = await open(task);
  const startMs = performance.now() - started;
  if (task.mode === "latency") await readAtHeads({ task, variant }, tell);
  else tell({ kind: "throughput", throughput: { ...(await readRange({ task, variant })), startMs } });
  await variant.close();
}

interface Reading {
  readonly task: ClientTask;
  readonly variant: OpenVariant;
}

async function readRange(reading: Reading): Promise<Omit<Throughput, "startMs">> {
  const { warmUp, blocks } = reading.task;
  await readBlocks(reading, warmUp);
  const wall = performance.now();
  const cpu = process.cpuUsage();
  const hits = await readBlocks(reading, blocks);
  const { user, system } = process.cpuUsage(cpu);
  return {
    cpuMsPerBlock: (user + system) / 1000 / blocks,
    wallMsPerBlock: (performance.now() - wall) / blocks,
    peakRssMb: peakRssBytes() / 2 ** 20,
    hits,
  };
}

async function readBlocks({ task, variant }: Reading, count: number): Promise<number> {
  let next = 0;
  let hits = 0;
  const runLane = async (lane: number) => {
    while (next < count) {
      const block = task.chain[next % task.chain.length];
      next += 1;
      if (block === undefined) return;
      const found = await variant.read({ number: block.number, hash: block.hash, lane });
      hits += found;
    }
  };
  await Promise.all(Array.from({ length: task.lanes }, (_, lane) => runLane(lane)));
  return hits;
}

/** Reads every block from the first head on, in order, until the chain's end. */
async function readAtHeads({ task, variant }: Reading, tell: (answer: ClientAnswer) => void): Promise<void> {
  if (variant.onHead === undefined) throw new Error(`${task.variant} has no live mode`);
  const stop = new AbortController();
  const latency: { number: number; atNs: string }[] = [];
  const done = Promise.withResolvers<void>();
  let head = 0; // Place of the newest head; place 0 is there from the start.
  let read = 0;
  let isReading = false;

  async function catchUp(): Promise<void> {
    if (isReading) return;
    isReading = true;
    while (read < head) {
      read += 1;
      const block = task.chain[read];
      if (block === undefined) break;
      await variant.read({ number: block.number, hash: block.hash, lane: 0 });
      latency.push({ number: block.number, atNs: String(process.hrtime.bigint()) });
    }
    isReading = false;
    if (read >= task.warmUp + task.blocks) done.resolve();
  }

  await variant.onHead((number) => {
    head = Math.max(head, number - (task.chain[0]?.number ?? 0));
    catchUp().catch(done.reject);
  }, stop.signal);
  tell({ kind: "ready" });
  await done.promise;
  stop.abort();
  tell({ kind: "latency", latency: latency.slice(task.warmUp) });
}
