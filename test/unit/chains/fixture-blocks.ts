/** The recorded mainnet blocks of test/fixtures/evm, read. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const FOLDER = join(import.meta.dirname, "../../fixtures/evm");

interface ManifestFile {
  readonly file: string;
}

export interface FixtureBlock {
  readonly chain: string;
  readonly chainId: number;
  readonly number: number;
  readonly has: readonly string[];
  readonly files: Readonly<Record<string, ManifestFile | undefined>>;
}

export function fixtureBlocks(): FixtureBlock[] {
  const manifest = JSON.parse(readFileSync(join(FOLDER, "manifest.json"), "utf8")) as { blocks: FixtureBlock[] };
  return manifest.blocks;
}

/** One recorded answer; throws where the block has none of that kind. */
export function recorded(block: FixtureBlock, kind: string): unknown {
  const file = block.files[kind]?.file;
  if (file === undefined) throw new Error(`block ${block.number} has no ${kind}`);
  return JSON.parse(gunzipSync(readFileSync(join(FOLDER, file))).toString("utf8")) as unknown;
}
