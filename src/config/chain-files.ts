/** Facts about chains, one file each. The operator's folder comes first, then the one that ships with heistwatch. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { problemsOfIssues } from "./issues.ts";
import type { Problem } from "./problems.ts";
import { type ChainFacts, chainFactsSchema } from "./schema.ts";
import { readYamlFile } from "./yaml-file.ts";

// Two levels up from src/config/ and from dist/config/ alike.
const SHIPPED_FOLDER = fileURLToPath(new URL("../../config/chains", import.meta.url));

/** Path of each chain's file by the chain's name. A file of the operator replaces the shipped one of that name. */
export function findChainFiles(baseDir: string, shippedFolder: string = SHIPPED_FOLDER): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const folder of [shippedFolder, join(baseDir, "chains")]) {
    if (!existsSync(folder)) continue;
    for (const entry of readdirSync(folder)) {
      if (/^[a-z0-9-]+\.yaml$/.test(entry)) files.set(entry.slice(0, -".yaml".length), join(folder, entry));
    }
  }
  return files;
}

export function readChainFile(file: string): { facts: ChainFacts | null; problems: readonly Problem[] } {
  const { yaml, problems } = readYamlFile(file);
  if (yaml === null) return { facts: null, problems };
  const parsed = chainFactsSchema.safeParse(yaml.value);
  if (parsed.success) return { facts: parsed.data, problems };
  return { facts: null, problems: [...problems, ...problemsOfIssues(parsed.error.issues, yaml)] };
}
