/** What is committed as WebAssembly is what the source beside it says, and can do nothing but scan its memory. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";

/** What the types of Node leave out. */
interface Reflection {
  imports(module: WebAssembly.Module): object[];
  exports(module: WebAssembly.Module): object[];
}

const ROOT = join(import.meta.dirname, "../../../..");
const committed = (family: string) => readFileSync(join(ROOT, "src/chains", family, "scan/scanner.wasm"));

describe.each(["evm", "bitcoin"])("%s", (family) => {
  test("scanner.wasm is what its source compiles to", async () => {
    const folder = mkdtempSync(join(tmpdir(), "heistwatch-build-test-"));
    const target = join(folder, "scanner.wasm");
    try {
      // In a process of its own: the compiler is no business of jest's module loader.
      await promisify(execFile)(process.execPath, [join(ROOT, "scripts/build-scanner.ts"), family, target]);
      const [built, kept] = [readFileSync(target), committed(family)];
      // As texts: a difference is told by length, not by a dump of both.
      expect(`${built.length} bytes, equal: ${built.equals(kept)}`).toBe(`${kept.length} bytes, equal: true`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("it imports its memory, exports its scan, and nothing else", () => {
    const compiled = new WebAssembly.Module(committed(family));
    const { imports, exports } = WebAssembly.Module as unknown as Reflection;
    expect(imports(compiled)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
    expect(exports(compiled)).toEqual([{ name: "scan", kind: "function" }]);
  });
});
