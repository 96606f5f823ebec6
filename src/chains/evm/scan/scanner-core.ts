/** The core as WebAssembly, on the memory that holds the watched addresses. */
import { readFileSync } from "node:fs";

/** Answers the question at a position of its memory; see `core/scan.ts`. */
export interface ScannerCore {
  scan(question: number): boolean;
}

export type MakeCore = (memory: WebAssembly.Memory) => ScannerCore;

const compiled = new WebAssembly.Module(readFileSync(new URL("scanner.wasm", import.meta.url)));

export const wasmCore: MakeCore = (memory) => {
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  const scan = exports["scan"] as (question: number) => number;
  return { scan: (question) => scan(question) !== 0 };
};
