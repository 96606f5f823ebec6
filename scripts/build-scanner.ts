/**
 * src/chains/<family>/scan/core -> src/chains/<family>/scan/scanner.wasm, by AssemblyScript. The build is deterministic: a
 * test builds it again and compares.
 *
 *     node scripts/build-scanner.ts evm|bitcoin [file to write]
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const FAMILIES = ["evm", "bitcoin"];
const family = process.argv[2] ?? "";
if (!FAMILIES.includes(family)) throw new Error(`which scanner? One of ${FAMILIES.join(", ")}`);
const SCAN = join(ROOT, "src/chains", family, "scan");
const CORE = join(SCAN, "core");
const OPTIONS = [
  "--runtime stub --importMemory --initialMemory 1 --noExportMemory",
  "--enable simd -O3 --converge --noAssert --use abort=",
];

/** A file that is for WebAssembly (`memory.asc.ts`) takes the place of its twin for Node (`memory.ts`), where it has one. */
function copyCore(folder: string): void {
  const files = readdirSync(CORE).filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
  for (const file of new Set(files.map((name) => name.replace(/\.asc\.ts$/, ".ts")))) {
    const twin = file.replace(/\.ts$/, ".asc.ts");
    copyFileSync(join(CORE, files.includes(twin) ? twin : file), join(folder, file));
  }
}

const target = process.argv[3] ?? join(SCAN, "scanner.wasm");
const folder = mkdtempSync(join(tmpdir(), "heistwatch-scanner-"));
try {
  copyCore(folder);
  const compiler = join(ROOT, "node_modules/assemblyscript/bin/asc.js");
  const args = ["scan.ts", "--outFile", "scanner.wasm", ...OPTIONS.join(" ").split(" ")];
  execFileSync(process.execPath, [compiler, ...args], { cwd: folder, stdio: "inherit" });
  copyFileSync(join(folder, "scanner.wasm"), target);
  console.log(`${target}: ${statSync(target).size} bytes`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
