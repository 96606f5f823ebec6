/**
 * The watchlist's address index against a Set of strings: memory, build, CPU a probe, from 1,000 to 10,000,000 addresses.
 *
 *     node bench/index.ts [--sizes 1000,100000,1000000,10000000]
 *
 * The addresses are in a file. Each structure and size is a fresh process that builds from it and never holds the list, so
 * that its memory is what a daemon needs. Nearly all probes miss, as in a block. CPU time, medians of several passes; texts
 * are probed once, because V8 remembers a string's hash.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { type AddressFile, openAddressFile, writeAddressFile } from "../src/watchlist/address-file.ts";
import { ADDRESS_BYTES, type AddressBytes, createAddressIndex } from "../src/watchlist/address-index.ts";
import { createRandom } from "./replay/random.ts";
import { markdownTable, median } from "./table.ts";

const CHAIN = "eip155:1";
const PROBES = 1_000_000;
const TEXT_PROBES = 200_000;
const HIT_PROBES = 10_000;
const PASSES = 5;
const HIT_EVERY = 400; // One probe in 400 is of a listed address.
const STRUCTURES = ["index", "index + file", "Set<string>"] as const;
type Structure = (typeof STRUCTURES)[number];
/** What a child is to do; `file`: write the addresses. */
type Task = Structure | "file";

interface Built {
  hasBytes(bytes: Uint8Array, offset: number): boolean;
  hasText(text: string): boolean;
}

interface Measured {
  readonly structure: Structure;
  readonly size: number;
  readonly bytesPerAddress: number;
  readonly buildCpuMs: number;
  readonly nsFromBytes: number;
  readonly nsFromText: number;
  readonly nsHit: number;
  readonly fullGcMs: number;
  /** Of the process with what was built, before anything is probed. */
  readonly rssMb: number;
  readonly peakRssMb: number;
}

const BUILDERS: Record<Structure, (listed: AddressFile) => Built> = {
  // Every fingerprint found is taken for a hit: the table alone, as a scanner of blocks asks it.
  index: (listed) => indexOf(listed).of(CHAIN, () => true),
  "index + file": (listed) => indexOf(listed).of(CHAIN, listed.has),
  "Set<string>": (listed) => {
    const set = new Set<string>();
    for (const { bytes } of listsOf(listed))
      for (let at = 0; at < bytes.length; at += ADDRESS_BYTES) set.add(textAt(bytes, at));
    return { hasBytes: (bytes, offset) => set.has(textAt(bytes, offset)), hasText: (text) => set.has(text) };
  },
};

function indexOf(listed: AddressFile) {
  return createAddressIndex({ count: listed.count, lists: listsOf(listed) });
}

function* listsOf(listed: AddressFile): Generator<AddressBytes> {
  for (const bytes of listed.pieces()) yield { chain: CHAIN, bytes };
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
function sampleOf(listed: AddressFile, count: number): Uint8Array {
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

function measure(structure: Structure, listed: AddressFile): Measured {
  const before = memoryInUse();
  let built: Built | undefined;
  const buildCpuMs = cpuMsOf(() => {
    built = BUILDERS[structure](listed);
  });
  const bytesPerAddress = (memoryInUse() - before) / listed.count;
  const rssMb = process.memoryUsage.rss() / 2 ** 20;
  const peakRssMb = process.resourceUsage().maxRSS / 1024;
  const started = performance.now();
  globalThis.gc?.();
  const fullGcMs = performance.now() - started;
  if (built === undefined) throw new Error("nothing was built");
  const sizes = { structure, size: listed.count, bytesPerAddress, buildCpuMs, fullGcMs, rssMb, peakRssMb };
  return { ...sizes, ...probe(built, sampleOf(listed, HIT_PROBES)) };
}

function probe(built: Built, sample: Uint8Array): Pick<Measured, "nsFromBytes" | "nsFromText" | "nsHit"> {
  const queries = queriesFrom(sample);
  const fromBytes: number[] = [];
  const fromText: number[] = [];
  const hits: number[] = [];
  for (let pass = 0; pass < PASSES; pass += 1) {
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

/** CPU milliseconds. */
function writeList(file: string, size: number): number {
  const bytes = createRandom(1).bytes(size * ADDRESS_BYTES);
  return cpuMsOf(() => {
    writeAddressFile(file, bytes);
  });
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
    const results: Measured[] = [];
    for (const size of sizes) {
      const file = path.join(folder, String(size));
      const writeCpuMs = (await runInChild("file", size, file)) as number;
      console.log(`${size.toLocaleString("en")} addresses sorted and written: ${writeCpuMs.toFixed(0)} ms CPU`);
      for (const structure of STRUCTURES) results.push((await runInChild(structure, size, file)) as Measured);
      rmSync(file);
    }
    console.log(`\n${tableOf(results)}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function tableOf(results: readonly Measured[]): string {
  return markdownTable(
    [
      "structure",
      "addresses",
      "bytes/address",
      "build CPU ms",
      "ns/probe, bytes",
      "M probes/s",
      "ns/probe, text",
      "ns/hit",
      "full GC ms",
      "RSS MB",
      "peak RSS MB",
    ],
    results.map((one) => [
      one.structure,
      one.size.toLocaleString("en"),
      one.bytesPerAddress.toFixed(1),
      one.buildCpuMs.toFixed(0),
      one.nsFromBytes.toFixed(0),
      (1000 / one.nsFromBytes).toFixed(1),
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
else if (values.task === "file") process.send?.(writeList(values.file, sizes[0] ?? 0));
else process.send?.(measure(values.task as Structure, openAddressFile(values.file)));
