/**
 * Own addresses from a CSV file: how long a million of them take to load, what they keep, how long the event loop waits
 * meanwhile, and what a question costs beside a Map of objects. `node bench/own.ts [COUNT]`.
 */
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { normalizeAddress } from "../src/chains/registry.ts";
import type { OwnAddress } from "../src/types/watch.ts";
import { loadOwn } from "../src/watchlist/own.ts";
import { peakRssBytes } from "./peak-rss.ts";
import { createRandom } from "./replay/random.ts";

const CHAIN = "eip155:1";
const TURNS = 5;
const ASKED = 200_000;
const MB = 1e6;
const count = Number(process.argv[2] ?? 1_000_000);

const random = createRandom(1);
const anyAddress = () => `0x${Array.from({ length: 5 }, () => hexOf(random.below(2 ** 32))).join("")}`;
const hexOf = (word: number) => word.toString(16).padStart(8, "0");

async function writeCsv(file: string): Promise<void> {
  const out = createWriteStream(file);
  out.write("chain,address,customerRef,wallet\n");
  for (let index = 0; index < count; index += 1) {
    // 20 characters.
    const row = `${CHAIN},${anyAddress()},customer-${index.toString().padStart(11, "0")},deposit\n`;
    if (!out.write(row)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
}

/** Nanoseconds a question, of the fastest turn; `text` makes each a new string, as those of a block are. */
function timed(of: (address: string) => unknown, asked: readonly Buffer[]): number {
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const texts = asked.map((bytes) => bytes.toString("latin1"));
    const started = performance.now();
    for (const text of texts) of(text);
    best = Math.min(best, performance.now() - started);
  }
  return Math.round((1e6 * best) / asked.length);
}

const folder = mkdtempSync(path.join(tmpdir(), "heistwatch-own-bench-"));
try {
  const file = path.join(folder, "own.csv");
  await writeCsv(file);
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const [cpu, started] = [process.cpuUsage(), performance.now()];
  const { own, problems } = await loadOwn({ paths: [file], normalizeAddress });
  const { user, system } = process.cpuUsage(cpu);
  const wallMs = performance.now() - started;
  delay.disable();
  const peak = peakRssBytes();
  globalThis.gc?.();
  const after = process.memoryUsage().rss;
  console.log({
    count: own.count,
    problems: problems.length,
    wallS: +(wallMs / 1e3).toFixed(1),
    cpuS: +((user + system) / MB).toFixed(1),
    bytesEach: +(own.bytes / own.count).toFixed(1),
    rssGrownMb: Math.round((after - before) / MB),
    peakRssMb: Math.round(peak / MB),
    longestPauseMs: Math.round(delay.max / 1e6),
    p99PauseMs: Math.round(delay.percentile(99) / 1e6),
  });
  const map = new Map<string, OwnAddress>();
  for (const one of own.all()) map.set(one.address, one);
  const known = [...map.keys()];
  const there = Array.from({ length: ASKED }, () => Buffer.from(known[random.below(known.length)] as string));
  const away = Array.from({ length: ASKED }, () => Buffer.from(anyAddress()));
  for (const [what, asked] of [
    ["there", there],
    ["not there", away],
  ] as const) {
    const ours = timed((address) => own.of(CHAIN, address), asked);
    console.log({ what, oursNs: ours, mapNs: timed((address) => map.get(address), asked) });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
