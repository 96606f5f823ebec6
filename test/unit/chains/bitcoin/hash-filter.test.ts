/** Goal: a filter never denies what was added, and rarely claims what was not. */
import { expect, test } from "@jest/globals";
import { filterWordsFor, HashFilter } from "../../../../src/chains/bitcoin/hash-filter.ts";
import { createRandom } from "../proof/mutants.ts";

test("a full filter holds what was added, and about one in a thousand of what was not", () => {
  const random = createRandom(20_261_122);
  const filter = new HashFilter(new Int32Array(filterWordsFor(2 ** 16)));
  const hash = () => random.below(2 ** 32) | 0;
  const added = Array.from({ length: 2 ** 16 }, hash);
  for (const one of added) filter.add(one);
  expect(added.filter((one) => !filter.mayHold(one))).toEqual([]);
  const strangers = Array.from({ length: 2 ** 16 }, hash).filter((one) => filter.mayHold(one));
  expect(strangers.length).toBeLessThan(2 ** 16 / 200);
});
