/**
 * The daemon itself on a chain that grows fast: no block skipped, memory flat.
 *
 *     node bench/follow.ts [--seconds 120] [--every-ms 50] [--watched 1000]
 *
 * The real `heistwatch run` with its embedded store, every proof and every sender, follows the replay node's heads. Blocks
 * are counted by the daemon's own counters and against the chain. What is printed each ten seconds: the node's head, what is
 * scanned, memory. Ends with exit code 1 when a block is missing.
 */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type DaemonProcess, startDaemon, writeDaemonConfig } from "../test/support/daemon.ts";
import { startReplayNode } from "./replay/replay-node.ts";
import { markdownTable } from "./table.ts";
import { watchedTexts } from "./watched.ts";

// The window below the first block, which the chain must have.
const WINDOW = 70;
// Blocks before the first tick, so that the daemon stands at the head when they begin.
const WARM_UP = 20;
const CATCH_UP_MS = 180_000;

interface Look {
  readonly head: number;
  readonly cursor: number;
  readonly blocks: number;
  readonly holes: number;
  readonly hits: number;
  readonly rssMb: number;
  readonly cpuSeconds: number;
}

async function look(daemon: DaemonProcess): Promise<Look> {
  const response = await fetch(`http://127.0.0.1:${daemon.httpPort}/metrics`);
  const text = await response.text();
  const value = (name: string) => Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  return {
    head: value("heistwatch_chain_head_number"),
    cursor: value("heistwatch_chain_cursor_number"),
    blocks: value("heistwatch_chain_blocks_total"),
    holes: value("heistwatch_chain_gap_blocks"),
    hits: value("heistwatch_match_hits_total"),
    rssMb: value("process_resident_memory_bytes") / 1e6,
    cpuSeconds: value("process_cpu_seconds_total"),
  };
}

async function waitForCursor(daemon: DaemonProcess, number: number): Promise<Look> {
  const until = performance.now() + CATCH_UP_MS;
  for (;;) {
    const seen = await look(daemon);
    if (seen.cursor >= number) return seen;
    if (performance.now() > until)
      throw new Error(`block ${number} not scanned in time: at ${seen.cursor}\n${daemon.output().slice(-3_000)}`);
    await sleep(200);
  }
}

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "120" },
    "every-ms": { type: "string", default: "50" },
    watched: { type: "string", default: "1000" },
  },
});
const seconds = Number(values.seconds);
const everyMs = Number(values["every-ms"]);
const wanted = Math.ceil((seconds * 1000) / everyMs) + WINDOW + WARM_UP;
// In hundreds: a chain once written is used again.
const count = 100 * Math.ceil(wanted / 100);
console.error(`writing a chain of ${count} blocks, if it is not there yet`);
const node = await startReplayNode({ chain: { blocks: count, seed: 1 } });
const dir = mkdtempSync(path.join(os.tmpdir(), "heistwatch-follow-"));
let daemon: DaemonProcess | null = null;
try {
  const first = (node.chain.blocks[0]?.number ?? 0) + WINDOW;
  await node.setHead(first + WARM_UP);
  const watch = watchedTexts(node.chain, Number(values.watched)).map((address) => ({ address }));
  const written = await writeDaemonConfig({
    dir,
    nodeUrl: node.httpUrl,
    nodeWsUrl: node.wsUrl,
    watch,
    start: first + 1,
    logLevel: "info",
    // As an operator would set a chain of this speed; the replay node's blocks are of another date.
    chain: { blockTimeMs: everyMs },
  });
  daemon = await startDaemon(written);
  const before = await waitForCursor(daemon, first + WARM_UP);
  const started = performance.now();
  await node.startTicks(everyMs);
  const rows: string[][] = [];
  const tell = async () => {
    const seen = await look(daemon as DaemonProcess);
    const heads = Number(await node.rpc("eth_blockNumber"));
    const after = (performance.now() - started) / 1000;
    const cpu = (seen.cpuSeconds - before.cpuSeconds) / after;
    rows.push([
      after.toFixed(0),
      String(heads - first),
      String(seen.cursor - first),
      String(heads - seen.cursor),
      seen.rssMb.toFixed(0),
      `${(100 * cpu).toFixed(0)} %`,
      String(seen.hits),
    ]);
    console.error(rows.at(-1)?.join("  "));
  };
  while (performance.now() - started < seconds * 1000) {
    await sleep(10_000);
    await tell();
  }
  await node.stopTicks();
  const last = Number(await node.rpc("eth_blockNumber"));
  const end = await waitForCursor(daemon, last);
  await tell();
  console.log(
    markdownTable(["seconds", "head", "scanned", "behind", "RSS MB", "CPU of one core", "hits"], rows),
    `\n${end.blocks} blocks scanned of ${last - first}, ${end.holes} holes`,
  );
  if (end.blocks !== last - first || end.holes !== 0) process.exitCode = 1;
} finally {
  await daemon?.stop();
  await node.stop();
  rmSync(dir, { recursive: true, force: true });
}
