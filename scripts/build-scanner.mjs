/**
 * src/chains/evm/scan/core -> src/chains/evm/scan/scanner.wasm, by AssemblyScript. The build is deterministic: a test
 * builds it again and compares.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";

const CORE = join(import.meta.dirname, "../src/chains/evm/scan/core");
const TARGET = join(import.meta.dirname, "../src/chains/evm/scan/scanner.wasm");

/**
 * A file with a twin for WebAssembly is read from the twin.
 * @param {string} name
 */
function readCore(name) {
  const twin = join(CORE, name.replace(/\.ts$/, ".asc.ts"));
  const path = existsSync(twin) ? twin : join(CORE, name);
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

const OPTIONS = [
  "--runtime stub --importMemory --initialMemory 1 --noExportMemory",
  "--enable simd -O3 --converge --noAssert --use abort=",
].join(" ");

export async function buildScanner() {
  let built = null;
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main(["scan.ts", "--outFile", "scanner.wasm", ...OPTIONS.split(" ")], {
    stderr,
    readFile: (name) => readCore(name),
    writeFile: (name, content) => {
      if (name.endsWith(".wasm")) built = content;
    },
    listFiles: () => [],
  });
  if (error !== null || built === null)
    throw new Error(`AssemblyScript: ${error?.message ?? ""}\n${stderr.toString()}`);
  return built;
}

if (process.argv[1] === import.meta.filename) {
  const built = await buildScanner();
  writeFileSync(TARGET, built);
  console.log(`${TARGET}: ${built.length} bytes`);
}
