/** Watchlists of any size for the generated chain: some of its people, filled up with addresses nobody uses. */
import type { ChainIndex } from "./replay/chain-files.ts";
import { createRandom } from "./replay/random.ts";
import type { Watched } from "./variants/variant.ts";

// The busiest people are exchanges and bots; thieves are further down. A thousand of these are hit about once a block.
const FIRST_RANK = 20_000;
// A longer list is hit more often, but not by as much: most of a million listed addresses are long abandoned.
const USED_MAX = 5_000;
const FILLER_SEED = 20_26;

export function watchedAddresses(chain: ChainIndex, count: number): Watched {
  const end = FIRST_RANK + Math.min(count, USED_MAX);
  const used = chain.accounts.filter(({ rank }) => rank >= FIRST_RANK && rank < end).map(({ address }) => address);
  const random = createRandom(FILLER_SEED);
  const unused = Array.from({ length: count - used.length }, () => fillerAddress(random.next));
  return { used, unused };
}

function fillerAddress(next: () => number): string {
  let text = "0x";
  for (let word = 0; word < 5; word += 1)
    text += Math.floor(next() * 4_294_967_296)
      .toString(16)
      .padStart(8, "0");
  return text;
}
