/** Watchlists of any size for the generated chain: some of its people, filled up with addresses nobody uses. */
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { getAddress } from "ethers";
import { runThrough } from "../src/lib/slices.ts";
import { createEntryIndexBuilder } from "../src/watchlist/entry-index-builder.ts";
import { createFileStorage } from "../src/watchlist/entry-storage.ts";
import { entryOf, fillers } from "./fillers.ts";
import type { ChainIndex } from "./replay/chain-files.ts";

// The busiest people are exchanges and bots; thieves are further down. A thousand of these are hit about once a block.
const FIRST_RANK = 20_000;
/** As many of each list are people of the chain: a longer list costs what its length costs, not more hits. */
const USED = 1_000;

/** As lower-case text, for peers that read JSON. */
export function watchedTexts(chain: ChainIndex, count: number): string[] {
  const people = peopleOf(chain, count);
  return [...people, ...fillers(count - people.length)];
}

/** As an entry index in a file, written the first time; for processes that are to hold nothing but its table. */
export function watchedFile(chain: ChainIndex, folder: string, count: number): string {
  const file = path.join(os.tmpdir(), `heistwatch-watched-${path.basename(folder)}-${count}.entries`);
  if (!existsSync(file)) writeWatchedFile(file, chain, count);
  return file;
}

export function writeWatchedFile(file: string, chain: ChainIndex, count: number): void {
  const people = peopleOf(chain, count);
  writeEntryFile({ file, count, fillers: fillers(count - people.length), people });
}

/** `people` get their canonical text, so that they are hit; fillers are in rising order. */
export function writeEntryFile(of: {
  file: string;
  count: number;
  fillers: Iterable<string>;
  people: readonly string[];
}): void {
  const storage = createFileStorage(of.file);
  const builder = createEntryIndexBuilder({ count: of.count, storage });
  for (const address of of.fillers) builder.add(entryOf("bench-fillers", address));
  for (const address of of.people.map((one) => getAddress(one)).toSorted())
    builder.add(entryOf("bench-people", address));
  runThrough(builder.finish({})).close();
}

function peopleOf(chain: ChainIndex, count: number): string[] {
  const end = FIRST_RANK + Math.min(count, USED);
  return chain.accounts
    .filter(({ rank }) => rank >= FIRST_RANK && rank < end)
    .map(({ address }) => address.toLowerCase());
}
