/**
 * src/chains/evm/scan/core -> src/chains/evm/scan/scanner.wasm, by AssemblyScript. The build is deterministic: a test
 * builds it again and compares.
 *
 *     node scripts/build-scanner.ts [file to write]
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const CORE = join(ROOT, "src/chains/evm/scan/core");
const OPTIONS = [
  "--runtime stub --importMemory --initialMemory 1 --noExportMemory",
  "--enable simd -O3 --converge --noAssert --use abort=",
];

/** A file with a twin for WebAssembly (`memory.asc.ts` of `memory.ts`) is replaced by the twin. */
function copyCore(folder: string): void {
  const files = readdirSync(CORE).filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
  for (const file of files.filter((name) => !name.endsWith(".asc.ts"))) {
    const twin = file.replace(/\.ts$/, ".asc.ts");
    copyFileSync(join(CORE, files.includes(twin) ? twin : file), join(folder, file));
  }
}

const target = process.argv[2] ?? join(ROOT, "src/chains/evm/scan/scanner.wasm");
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
