/** Watchlists of any size for the generated chain: some of its people, filled up with addresses nobody uses. */
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { writeAddressFile } from "../src/watchlist/address-file.ts";
import { ADDRESS_BYTES, writeAddress } from "../src/watchlist/address-index.ts";
import type { ChainIndex } from "./replay/chain-files.ts";
import { createRandom } from "./replay/random.ts";

// The busiest people are exchanges and bots; thieves are further down. A thousand of these are hit about once a block.
const FIRST_RANK = 20_000;
/** As many of each list are people of the chain: a longer list costs what its length costs, not more hits. */
const USED = 1_000;
const FILLER_SEED = 20_26;

/** 20 bytes each, those that are hit first. */
export function watchedBytes(chain: ChainIndex, count: number): Uint8Array {
  const end = FIRST_RANK + Math.min(count, USED);
  const used = chain.accounts.filter(({ rank }) => rank >= FIRST_RANK && rank < end);
  const words = new Uint32Array((count * ADDRESS_BYTES) / 4);
  const random = createRandom(FILLER_SEED);
  for (let index = 0; index < words.length; index += 1) words[index] = Math.floor(random.next() * 4_294_967_296);
  const bytes = new Uint8Array(words.buffer);
  used.forEach(({ address }, place) => writeAddress(address, bytes, place * ADDRESS_BYTES));
  return bytes;
}

/** As lower-case text, for peers that read JSON. */
export function watchedTexts(chain: ChainIndex, count: number): string[] {
  const bytes = Buffer.from(watchedBytes(chain, count).buffer);
  return Array.from({ length: count }, (_, place) => `0x${bytes.toString("hex", place * 20, place * 20 + 20)}`);
}

/** As the exact store on disk, written the first time; for processes that are to hold nothing but its index. */
export function watchedFile(chain: ChainIndex, folder: string, count: number): string {
  const file = path.join(os.tmpdir(), `heistwatch-watched-${path.basename(folder)}-${count}-v2.addresses`);
  if (!existsSync(file)) writeAddressFile(file, watchedBytes(chain, count));
  return file;
}
