/**
 * A 100-MB file of the shape of OFAC's `sdn_advanced.xml`, imported in a fresh process: time, memory beyond idle, longest
 * time in which nothing else could run. Exit code 1 when memory is over what is promised.
 *
 *     node bench/import.ts [--mb 100] [--runs 3]
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import type { ImportCost } from "./import-child.ts";
import { type OfacFile, writeOfacFile } from "./ofac-file.ts";
import { markdownTable } from "./table.ts";

export const PEAK_OVER_IDLE_MB_MAX = 150;

export interface MeasuredImport {
  readonly file: OfacFile;
  readonly costs: readonly ImportCost[];
}

/** Writes the file below the system's temporary folder, and leaves nothing there. */
export async function measureImport(options: { mb: number; runs: number }): Promise<MeasuredImport> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "heistwatch-import-bench-"));
  try {
    const name = path.join(folder, "sdn_advanced.xml");
    const file = await writeOfacFile(name, options.mb * 1e6);
    const costs: ImportCost[] = [];
    for (let run = 0; run < options.runs; run += 1) costs.push(await importInChild(name));
    return { file, costs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function importInChild(file: string): Promise<ImportCost> {
  const child = path.join(import.meta.dirname, "import-child.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [child, file]);
  return JSON.parse(stdout) as ImportCost;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { mb: { type: "string", default: "100" }, runs: { type: "string", default: "3" } },
  });
  const { file, costs } = await measureImport({ mb: Number(values.mb), runs: Number(values.runs) });
  console.log(`${(file.bytes / 1e6).toFixed(0)} MB, ${file.parties} parties, ${file.addresses.length} addresses\n`);
  const rows = costs.map((cost) => [
    cost.seconds.toFixed(1),
    cost.cpuSeconds.toFixed(1),
    cost.idleMb.toFixed(0),
    cost.peakOverIdleMb.toFixed(0),
    cost.longestBlockMs.toFixed(0),
    String(cost.addresses),
  ]);
  console.log(
    markdownTable(["seconds", "CPU seconds", "idle MB", "peak over idle MB", "longest blockage ms", "addresses"], rows),
  );
  if (costs.some((cost) => cost.peakOverIdleMb > PEAK_OVER_IDLE_MB_MAX)) process.exitCode = 1;
}

if (process.argv[1] === import.meta.filename) await main();
