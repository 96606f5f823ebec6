/** The compiled scanners beside the compiled code, which reads them when it is loaded: tsc copies no such files. */
import { cpSync, statSync } from "node:fs";

cpSync("src", "dist", { recursive: true, filter: (file) => file.endsWith(".wasm") || statSync(file).isDirectory() });
