/**
 * The watchlist against a Set of strings: memory, start, CPU a probe, from 1,000 to 10,000,000 addresses; and what it
 * costs to build.
 *
 *     node bench/index.ts [--sizes 1000,100000,1000000,10000000]
 *
 * Addresses and entries are in files. Each structure and size is a fresh process that starts from them and never holds the
 * list, so that its memory is what a daemon needs. Nearly all probes miss, as in a block; every hit reads its entry.
 * "In blocks": the addresses of a block together, as the scanner of blocks asks (`chains/evm/scan/core/probe.ts`); "alone":
 * each is answered before the next is asked. CPU time, medians of several passes; texts are probed once, because V8 remembers
 * a string's hash.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { runThrough } from "../src/lib/slices.ts";
import type { FingerprintTable } from "../src/types/address-table.ts";
import { ADDRESS_BYTES } from "../src/watchlist/address-index.ts";
import { openEntryIndex } from "../src/watchlist/entry-index.ts";
import { openFileStorage } from "../src/watchlist/entry-storage.ts";
import { buildWatchlist } from "../src/watchlist/snapshot.ts";
import { entryOf, fillers, WATCHED_CHAIN } from "./fillers.ts";
import { peakRssBytes } from "./peak-rss.ts";
import { createRandom } from "./replay/random.ts";
import { markdownTable, median } from "./table.ts";
import { NO_OWN } from "../src/watchlist/own-index.ts";

const LIST = "bench";
const BENCH = {
  id: "bench",
  name: "Bench",
  kind: "theft",
  date: null,
  attribution: null,
  attributionBasis: null,
  disputed: false,
};
const PROBES = 1_000_000;
const TEXT_PROBES = 200_000;
const HIT_PROBES = 10_000;
const PASSES = 5;
const HIT_EVERY = 400; // One probe in 400 is of a listed address.
const PIECE_BYTES = 2 ** 16 * ADDRESS_BYTES;
const STRUCTURES = ["watchlist", "Set<string>"] as const;
type Structure = (typeof STRUCTURES)[number];
/** What a child is to do; `build`: write the addresses, and build the watchlist from its entries. */
type Task = Structure | "build";

interface Started {
  hasBytes(bytes: Uint8Array, offset: number): boolean;
  /** How many of the addresses in `bytes`, one after the other, are listed. */
  countIn(bytes: Uint8Array): number;
  hasText(text: string): boolean;
}

/** Addresses of 20 bytes each, one after the other, in a file; beside it, with `.entries`, the watchlist of them. */
interface Listed {
  readonly file: string;
  readonly count: number;
  /** Each is overwritten by the next. */
  pieces(): Iterable<Uint8Array>;
}

interface Measured {
  readonly structure: Structure;
  readonly size: number;
  readonly bytesPerAddress: number;
  readonly startCpuMs: number;
  readonly nsInBlocks: number;
  readonly nsFromBytes: number;
  readonly nsFromText: number;
  readonly nsHit: number;
  readonly fullGcMs: number;
  /** Of the process with what was started, before anything is probed. */
  readonly rssMb: number;
  readonly peakRssMb: number;
}

interface Build {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakRssMb: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  readonly fileMb: number;
}

const STARTERS: Record<Structure, (listed: Listed) => Started> = {
  watchlist: ({ file }) => {
    const { addresses, entriesOf } = runThrough(openEntryIndex(openFileStorage(`${file}.entries`)));
    const table = createProbe(addresses, WATCHED_CHAIN);
    const hasText = (text: string) => entriesOf(WATCHED_CHAIN, text).length > 0;
    return {
      hasBytes: (bytes, offset) => table.isIn(bytes, offset) && hasText(textAt(bytes, offset)),
      countIn: (bytes) => table.among(bytes).filter((offset) => hasText(textAt(bytes, offset))).length,
      hasText,
    };
  },
  "Set<string>": (listed) => {
    const set = new Set<string>();
    for (const bytes of listed.pieces())
      for (let at = 0; at < bytes.length; at += ADDRESS_BYTES) set.add(textAt(bytes, at));
    return {
      hasBytes: (bytes, offset) => set.has(textAt(bytes, offset)),
      countIn(bytes) {
        let count = 0;
        for (let at = 0; at < bytes.length; at += ADDRESS_BYTES) if (set.has(textAt(bytes, at))) count += 1;
        return count;
      },
      hasText: (text) => set.has(text),
    };
  },
};

interface Probe {
  isIn(bytes: Uint8Array, offset: number): boolean;
  /** Offsets of those that are in the table. */
  among(bytes: Uint8Array): number[];
}

// As many questions as the scanner collects.
const QUESTIONS_MAX = 4096;

/** By the description of the table, as the scanner does it. */
function createProbe(table: FingerprintTable, chain: string): Probe {
  const { memory, wordsAt, fingerprintsAt, slots } = table;
  const words = new Int32Array(memory.buffer, wordsAt, ADDRESS_BYTES * 512);
  const fingerprints = new Int32Array(memory.buffer, fingerprintsAt, 2 * slots);
  const seed = table.seedOf(chain) ?? { low: 0, high: 0 };
  // Of each question: both words of its fingerprint, its first place, what stands there.
  const questions = new Int32Array(4 * QUESTIONS_MAX);
  const ask = (bytes: Uint8Array, offset: number, question: number) => {
    let { low, high } = seed;
    for (let index = 0; index < ADDRESS_BYTES; index += 1) {
      const word = 2 * (index * 256 + (bytes[offset + index] as number));
      low ^= words[word] as number;
      high ^= words[word + 1] as number;
    }
    questions[question] = low === 0 ? 1 : low;
    questions[question + 1] = high;
    questions[question + 2] = 2 * Math.floor((high >>> 4) * slots * 2 ** -28);
  };
  const isThere = (question: number) => {
    const low = questions[question];
    const high = questions[question + 1];
    let place = questions[question + 2] as number;
    while (fingerprints[place] !== 0) {
      if (fingerprints[place] === low && fingerprints[place + 1] === high) return true;
      place += 2;
      if (place === fingerprints.length) place = 0;
    }
    return false;
  };
  return {
    isIn(bytes, offset) {
      ask(bytes, offset, 0);
      return isThere(0);
    },
    among(bytes) {
      const found: number[] = [];
      for (let from = 0; from < bytes.length; from += QUESTIONS_MAX * ADDRESS_BYTES) {
        const end = 4 * Math.min(QUESTIONS_MAX, (bytes.length - from) / ADDRESS_BYTES);
        const offsetOf = (question: number) => from + (question / 4) * ADDRESS_BYTES;
        for (let at = 0; at < end; at += 4) ask(bytes, offsetOf(at), at);
        for (let at = 0; at < end; at += 4) questions[at + 3] = fingerprints[questions[at + 2] as number] as number;
        for (let at = 0; at < end; at += 4) if (questions[at + 3] !== 0 && isThere(at)) found.push(offsetOf(at));
      }
      return found;
    },
  };
}

function openListed(file: string): Listed {
  const count = statSync(file).size / ADDRESS_BYTES;
  function* pieces() {
    const open = openSync(file, "r");
    const buffer = new Uint8Array(PIECE_BYTES);
    for (let read = readSync(open, buffer); read > 0; read = readSync(open, buffer)) yield buffer.subarray(0, read);
    closeSync(open);
  }
  return { file, count, pieces };
}

function textAt(bytes: Uint8Array, at: number): string {
  const { buffer, byteOffset } = bytes;
  return `0x${Buffer.from(buffer, byteOffset + at, ADDRESS_BYTES).toString("hex")}`;
}

function memoryInUse(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage(); // WebAssembly's memory is in `external`.
  return heapUsed + external;
}

function cpuMsOf(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Addresses from all over the list. */
function sampleOf(listed: Listed, count: number): Uint8Array {
  const sample = new Uint8Array(count * ADDRESS_BYTES);
  let position = 0;
  let taken = 0;
  for (const piece of listed.pieces())
    for (let at = 0; at < piece.length; at += ADDRESS_BYTES, position += 1)
      while (taken < count && position >= Math.floor((taken * listed.count) / count)) {
        sample.set(piece.subarray(at, at + ADDRESS_BYTES), taken * ADDRESS_BYTES);
        taken += 1;
      }
  return shuffled(sample);
}

/** Neighbours in the file would share its pages. */
function shuffled(addresses: Uint8Array): Uint8Array {
  const random = createRandom(3);
  const places = Array.from({ length: addresses.length / ADDRESS_BYTES }, (_, place) => ({
    place,
    key: random.next(),
  }));
  const mixed = new Uint8Array(addresses.length);
  for (const [to, { place }] of places.toSorted((a, b) => a.key - b.key).entries())
    mixed.set(addresses.subarray(place * ADDRESS_BYTES, (place + 1) * ADDRESS_BYTES), to * ADDRESS_BYTES);
  return mixed;
}

function queriesFrom(sample: Uint8Array): Uint8Array {
  const queries = createRandom(2).bytes(PROBES * ADDRESS_BYTES);
  for (let hit = 0; hit * HIT_EVERY < PROBES; hit += 1) {
    const from = hit * ADDRESS_BYTES;
    queries.set(sample.subarray(from, from + ADDRESS_BYTES), hit * HIT_EVERY * ADDRESS_BYTES);
  }
  return queries;
}

function measure(structure: Structure, listed: Listed): Measured {
  const before = memoryInUse();
  let built: Started | undefined;
  const startCpuMs = cpuMsOf(() => {
    built = STARTERS[structure](listed);
  });
  const bytesPerAddress = (memoryInUse() - before) / listed.count;
  const rssMb = process.memoryUsage.rss() / 2 ** 20;
  const peakRssMb = peakRssBytes() / 2 ** 20;
  const started = performance.now();
  globalThis.gc?.();
  const fullGcMs = performance.now() - started;
  if (built === undefined) throw new Error("nothing was built");
  const sizes = { structure, size: listed.count, bytesPerAddress, startCpuMs, fullGcMs, rssMb, peakRssMb };
  return { ...sizes, ...probe(built, sampleOf(listed, HIT_PROBES)) };
}

type Probed = Pick<Measured, "nsInBlocks" | "nsFromBytes" | "nsFromText" | "nsHit">;

function probe(built: Started, sample: Uint8Array): Probed {
  const queries = queriesFrom(sample);
  const inBlocks: number[] = [];
  const fromBytes: number[] = [];
  const fromText: number[] = [];
  const hits: number[] = [];
  for (let pass = 0; pass < PASSES; pass += 1) {
    inBlocks.push(
      cpuMsOf(() => {
        const found = built.countIn(queries);
        if (found !== PROBES / HIT_EVERY) throw new Error(`${found} hits instead of ${PROBES / HIT_EVERY}`);
      }),
    );
    fromBytes.push(
      cpuMsOf(() => expectHits(PROBES, PROBES / HIT_EVERY, (at) => built.hasBytes(queries, at * ADDRESS_BYTES))),
    );
    const texts = textsOf(queries);
    fromText.push(
      cpuMsOf(() => expectHits(TEXT_PROBES, TEXT_PROBES / HIT_EVERY, (at) => built.hasText(texts[at] ?? ""))),
    );
    hits.push(cpuMsOf(() => expectHits(HIT_PROBES, HIT_PROBES, (at) => built.hasBytes(sample, at * ADDRESS_BYTES))));
  }
  return {
    nsInBlocks: (median(inBlocks) * 1e6) / PROBES,
    nsFromBytes: (median(fromBytes) * 1e6) / PROBES,
    nsFromText: (median(fromText) * 1e6) / TEXT_PROBES,
    nsHit: (median(hits) * 1e6) / HIT_PROBES,
  };
}

/** Flat and never hashed before, as JSON.parse hands them out. */
function textsOf(queries: Uint8Array): string[] {
  const texts = Array.from({ length: TEXT_PROBES }, (_, at) => textAt(queries, at * ADDRESS_BYTES));
  return JSON.parse(JSON.stringify(texts)) as string[];
}

function expectHits(probes: number, expected: number, has: (at: number) => boolean): void {
  let hits = 0;
  for (let at = 0; at < probes; at += 1) if (has(at)) hits += 1;
  if (hits !== expected) throw new Error(`${hits} hits instead of ${expected}`);
}

/** The raw list, then the watchlist as the daemon builds it: in slices, while the event loop runs. */
async function build(file: string, count: number): Promise<Build> {
  writeRaw(file, count);
  const incident = { ...BENCH, lossUsd: null, references: [], note: null };
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const [startedCpu, started] = [process.cpuUsage(), performance.now()];
  const watchlist = await buildWatchlist(
    {
      file: `${file}.entries`,
      lists: [{ list: LIST, incident }],
      entries: entries(count),
      count,
      own: NO_OWN,
      enable: [],
    },
    new AbortController().signal,
  );
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(startedCpu);
  delay.disable();
  watchlist.close();
  return {
    wallMs,
    cpuMs: (user + system) / 1000,
    peakRssMb: peakRssBytes() / 2 ** 20,
    loopDelayP99Ms: delay.percentile(99) / 1e6,
    loopDelayMaxMs: delay.max / 1e6,
    fileMb: statSync(`${file}.entries`).size / 2 ** 20,
  };
}

function writeRaw(file: string, count: number): void {
  const open = openSync(file, "w");
  const bytes = Buffer.alloc(PIECE_BYTES);
  let filled = 0;
  for (const text of fillers(count)) {
    filled += bytes.write(text.slice(2), filled, "hex");
    if (filled === bytes.length) filled -= writeSync(open, bytes);
  }
  writeSync(open, bytes, 0, filled);
  closeSync(open);
}

function* entries(count: number) {
  for (const address of fillers(count)) yield { entry: entryOf(LIST, address), hasAdapter: true };
}

async function runInChild(task: Task, size: number, file: string): Promise<unknown> {
  const child = fork(import.meta.filename, ["--task", task, "--sizes", String(size), "--file", file], {
    execArgv: ["--expose-gc", "--max-old-space-size=8192"],
  });
  const [message] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => {
      throw new Error(`${task} of ${size} ended with ${String(code)}`);
    }),
  ])) as [unknown];
  return message;
}

async function measureAll(sizes: readonly number[]): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "heistwatch-bench-index-"));
  try {
    const builds: [number, Build][] = [];
    const results: Measured[] = [];
    for (const size of sizes) {
      const file = path.join(folder, String(size));
      builds.push([size, (await runInChild("build", size, file)) as Build]);
      for (const structure of STRUCTURES) results.push((await runInChild(structure, size, file)) as Measured);
      rmSync(file);
      rmSync(`${file}.entries`);
    }
    console.log(`\n${buildsTable(builds)}`);
    console.log(`\n${tableOf(results)}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function buildsTable(builds: readonly (readonly [number, Build])[]): string {
  return markdownTable(
    ["entries", "build s", "CPU s", "µs/entry", "peak RSS MB", "loop delay p99 ms", "max ms", "file MB"],
    builds.map(([size, one]) => [
      size.toLocaleString("en"),
      (one.wallMs / 1000).toFixed(1),
      (one.cpuMs / 1000).toFixed(1),
      ((one.cpuMs * 1000) / size).toFixed(1),
      one.peakRssMb.toFixed(0),
      one.loopDelayP99Ms.toFixed(1),
      one.loopDelayMaxMs.toFixed(1),
      one.fileMb.toFixed(0),
    ]),
  );
}

function tableOf(results: readonly Measured[]): string {
  return markdownTable(
    [
      "structure",
      "addresses",
      "bytes/address",
      "start CPU ms",
      "ns/probe, in blocks",
      "M probes/s",
      "ns/probe, alone",
      "ns/probe, alone, text",
      "ns/hit",
      "full GC ms",
      "RSS MB",
      "peak RSS MB",
    ],
    results.map((one) => [
      one.structure,
      one.size.toLocaleString("en"),
      one.bytesPerAddress.toFixed(1),
      one.startCpuMs.toFixed(0),
      one.nsInBlocks.toFixed(0),
      (1000 / one.nsInBlocks).toFixed(1),
      one.nsFromBytes.toFixed(0),
      one.nsFromText.toFixed(0),
      one.nsHit.toFixed(0),
      one.fullGcMs.toFixed(0),
      one.rssMb.toFixed(0),
      one.peakRssMb.toFixed(0),
    ]),
  );
}

const { values } = parseArgs({
  options: {
    task: { type: "string" },
    file: { type: "string", default: "" },
    sizes: { type: "string", default: "1000,100000,1000000,10000000" },
  },
});
const sizes = values.sizes.split(",").map(Number);
if (values.task === undefined) await measureAll(sizes);
else if (values.task === "build") process.send?.(await build(values.file, sizes[0] ?? 0));
else process.send?.(measure(values.task as Structure, openListed(values.file)));
