/** Own addresses that change one by one, against a Map: below and above what is kept beside the index. */
import { expect, test } from "@jest/globals";
import { createRandom } from "../../../bench/replay/random.ts";
import { runThrough } from "../../../src/lib/slices.ts";
import type { OwnChange } from "../../../src/types/own.ts";
import type { OwnAddress } from "../../../src/types/watch.ts";
import { CHANGED_MAX, changeOwn, unchangedOwn } from "../../../src/watchlist/own-changes.ts";
import { createOwnIndex } from "../../../src/watchlist/own-index.ts";

const CHAINS = ["eip155:1", "eip155:10"];
const ownOf = (random: ReturnType<typeof createRandom>, among: number): OwnAddress => ({
  chain: CHAINS[random.below(2)] as string,
  address: `0x${random.below(among).toString(16)}`,
  customerRef: `customer-${random.below(1_000)}`,
  wallet: "deposit",
});
const keyOf = ({ chain, address }: Pick<OwnAddress, "chain" | "address">) => `${chain}/${address}`;
const sorted = (all: Iterable<OwnAddress>) => [...all].map((own) => `${keyOf(own)} ${own.customerRef}`).toSorted();

test.each([
  [1, 40, 200],
  [2, 60_000, CHANGED_MAX],
])("answers, counts and lists what a Map does (seed %i, %i addresses, %i at once)", (seed, among, most) => {
  const random = createRandom(seed);
  const map = new Map<string, OwnAddress>();
  for (let made = 0; made < among; made += 1) {
    const own = ownOf(random, among);
    map.set(keyOf(own), own);
  }
  let own = unchangedOwn(createOwnIndex(map.values()));
  for (let round = 0; round < 3; round += 1) {
    const changes: OwnChange[] = [];
    for (let made = 0; made < most; made += 1) {
      const one = ownOf(random, among);
      const after = random.below(3) === 0 ? null : one;
      changes.push({ chain: one.chain, address: one.address, before: map.get(keyOf(one)) ?? null, after });
      if (after === null) map.delete(keyOf(one));
      else map.set(keyOf(one), after);
    }
    const before = { own, all: sorted(own.own.all()) };
    own = runThrough(changeOwn(own, { changes, mark: `mark ${round}` }));
    expect(own.own.digest).toBe(`mark ${round}`);
    expect(own.own.count).toBe(map.size);
    expect(sorted(own.own.all())).toEqual(sorted(map.values()));
    for (const { chain, address } of changes)
      if (own.own.of(chain, address)?.customerRef !== map.get(keyOf({ chain, address }))?.customerRef)
        throw new Error(`${chain}/${address} answers otherwise`);
    // Who matches with those from before goes on with them.
    expect(sorted(before.own.own.all())).toEqual(before.all);
    expect(own.changed.size).toBeLessThanOrEqual(CHANGED_MAX);
  }
});
