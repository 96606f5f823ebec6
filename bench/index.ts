/**
 * The watchlist's address index against a Set of strings: memory, build, CPU a probe, from 10 to 10,000,000 addresses.
 *
 *     node bench/index.ts [--sizes 10,1000,100000,1000000,10000000]
 *
 * Each structure and size is a process of its own, so that one's garbage is not the other's. Nearly all probes miss, as
 * in a block. CPU time, medians of several passes; texts are probed once, because V8 remembers a string's hash.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { createAddressIndex } from "../src/watchlist/address-index.ts";
import { createSortedAddresses } from "../src/watchlist/sorted-addresses.ts";
import { createRandom } from "./replay/random.ts";
import { markdownTable, median } from "./table.ts";

const CHAIN = "eip155:1";
const PROBES = 1_000_000;
const TEXT_PROBES = 200_000;
const PASSES = 5;
const HIT_EVERY = 400; // One probe in 400 is of a listed address.
const ADDRESS_BYTES = 20;
const STRUCTURES = ["index", "index + sorted store", "Set<string>"] as const;
type Structure = (typeof STRUCTURES)[number];

interface Built {
  hasBytes(bytes: Buffer, offset: number): boolean;
  hasText(text: string): boolean;
}

interface Measured {
  readonly structure: Structure;
  readonly size: number;
  readonly bytesPerAddress: number;
  readonly buildCpuMs: number;
  readonly nsFromBytes: number;
  readonly nsFromText: number;
  readonly fullGcMs: number;
  readonly peakRssMb: number;
}

const BUILDERS: Record<Structure, (listed: Buffer) => Built> = {
  // Every fingerprint found is taken for a hit: the table alone, as it is in front of a store on disk.
  index: (listed) =>
    createAddressIndex({ lists: [{ chain: CHAIN, bytes: listed }], confirmOf: () => () => true }).of(CHAIN),
  "index + sorted store": (listed) => {
    const confirm = createSortedAddresses(listed);
    return createAddressIndex({ lists: [{ chain: CHAIN, bytes: listed }], confirmOf: () => confirm }).of(CHAIN);
  },
  "Set<string>": (listed) => {
    const set = new Set<string>();
    for (let at = 0; at < listed.length; at += ADDRESS_BYTES) set.add(textAt(listed, at));
    return { hasBytes: (bytes, offset) => set.has(textAt(bytes, offset)), hasText: (text) => set.has(text) };
  },
};

function textAt(bytes: Buffer, at: number): string {
  return `0x${bytes.toString("hex", at, at + ADDRESS_BYTES)}`;
}

function memoryInUse(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function cpuMsOf(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function queriesFor(listed: Buffer): Buffer {
  const queries = Buffer.from(createRandom(2).bytes(PROBES * ADDRESS_BYTES));
  const count = listed.length / ADDRESS_BYTES;
  for (let probe = 0; probe < PROBES; probe += HIT_EVERY) {
    const from = (probe % count) * ADDRESS_BYTES;
    listed.copy(queries, probe * ADDRESS_BYTES, from, from + ADDRESS_BYTES);
  }
  return queries;
}

function measure(structure: Structure, size: number): Measured {
  const listed = Buffer.from(createRandom(1).bytes(size * ADDRESS_BYTES));
  const queries = queriesFor(listed);
  const before = memoryInUse();
  let built: Built | undefined;
  const buildCpuMs = cpuMsOf(() => {
    built = BUILDERS[structure](listed);
  });
  const bytesPerAddress = (memoryInUse() - before) / size;
  const started = performance.now();
  globalThis.gc?.();
  const fullGcMs = performance.now() - started;
  const probes = built;
  if (probes === undefined) throw new Error("nothing was built");
  const fromBytes: number[] = [];
  const fromText: number[] = [];
  for (let pass = 0; pass < PASSES; pass += 1) {
    fromBytes.push(cpuMsOf(() => expectHits(PROBES, (probe) => probes.hasBytes(queries, probe * ADDRESS_BYTES))));
    const texts = textsOf(queries);
    fromText.push(cpuMsOf(() => expectHits(TEXT_PROBES, (probe) => probes.hasText(texts[probe] ?? ""))));
  }
  return {
    structure,
    size,
    bytesPerAddress,
    buildCpuMs,
    nsFromBytes: (median(fromBytes) * 1e6) / PROBES,
    nsFromText: (median(fromText) * 1e6) / TEXT_PROBES,
    fullGcMs,
    peakRssMb: process.resourceUsage().maxRSS / 1024,
  };
}

/** Flat and never hashed before, as JSON.parse hands them out. */
function textsOf(queries: Buffer): string[] {
  const texts = Array.from({ length: TEXT_PROBES }, (_, probe) => textAt(queries, probe * ADDRESS_BYTES));
  return JSON.parse(JSON.stringify(texts)) as string[];
}

function expectHits(probes: number, has: (probe: number) => boolean): void {
  let hits = 0;
  for (let probe = 0; probe < probes; probe += 1) if (has(probe)) hits += 1;
  if (hits !== Math.ceil(probes / HIT_EVERY)) throw new Error(`${hits} hits of ${probes / HIT_EVERY}`);
}

async function measureInChild(structure: Structure, size: number): Promise<Measured> {
  const child = fork(import.meta.filename, ["--structure", structure, "--sizes", String(size)], {
    execArgv: ["--expose-gc", "--max-old-space-size=8192"],
  });
  const [message] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => {
      throw new Error(`${structure} of ${size} ended with ${String(code)}`);
    }),
  ])) as [Measured];
  return message;
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
      "full GC ms",
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
      one.fullGcMs.toFixed(0),
      one.peakRssMb.toFixed(0),
    ]),
  );
}

const { values } = parseArgs({
  options: {
    structure: { type: "string" },
    sizes: { type: "string", default: "10,1000,100000,1000000,10000000" },
  },
});
const sizes = values.sizes.split(",").map(Number);
if (values.structure === undefined) {
  const results: Measured[] = [];
  for (const size of sizes) for (const structure of STRUCTURES) results.push(await measureInChild(structure, size));
  console.log(tableOf(results));
} else {
  const [size = 0] = sizes;
  process.send?.(measure(values.structure as Structure, size));
}
