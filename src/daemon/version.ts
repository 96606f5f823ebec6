/** Our own version, from the package we are part of. */
import { readFileSync } from "node:fs";

interface PackageFile {
  readonly version: string;
}

export const VERSION = (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as PackageFile)
  .version;
