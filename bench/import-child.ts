/** Imports one OFAC-shaped file in a process of its own and prints what it cost, as one line of JSON. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { normalizeAddress } from "../src/chains/registry.ts";
import { ofacAdvanced } from "../src/watchlist/formats/ofac-advanced.ts";
import { importList } from "../src/watchlist/import-list.ts";
import { peakRssBytes } from "./peak-rss.ts";

export interface ImportCost {
  readonly addresses: number;
  readonly problems: number;
  readonly first: string | null;
  readonly last: string | null;
  readonly seconds: number;
  /** Without the time other processes had the cores. */
  readonly cpuSeconds: number;
  readonly idleMb: number;
  /** The most the process held at any time, beyond what it held before. */
  readonly peakOverIdleMb: number;
  /** The longest time nothing else could run. */
  readonly longestBlockMs: number;
}

/** Below this the monitor's own clock is the blockage. */
const RESOLUTION_MS = 1;

async function main(file: string): Promise<void> {
  const idle = process.memoryUsage().rss;
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const start = performance.now();
  const cpu = process.cpuUsage();
  const { list, problemCount } = await importList(file, {
    format: ofacAdvanced,
    options: {
      file,
      list: "ofac-sdn",
      incident: {
        id: "ofac-sdn",
        name: "OFAC SDN list",
        kind: "designation",
        date: null,
        attribution: null,
        attributionBasis: null,
        disputed: false,
        lossUsd: null,
        references: [],
        note: null,
      },
      today: "2026-11-22",
      role: "sanctioned_entity",
      basis: "sanctions",
      confidence: "confirmed",
      source: "https://ofac.treasury.gov",
      sanctionsList: "OFAC SDN",
    },
    normalizeAddress,
    acceptValid: false,
  });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  const entries = list?.entries ?? [];
  const cost: ImportCost = {
    addresses: entries.length,
    problems: problemCount,
    first: entries[0]?.address ?? null,
    last: entries.at(-1)?.address ?? null,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    idleMb: idle / 1e6,
    peakOverIdleMb: (peakRssBytes() - idle) / 1e6,
    longestBlockMs: delay.max / 1e6,
  };
  console.log(JSON.stringify(cost));
}

await main(process.argv[2] ?? "");
