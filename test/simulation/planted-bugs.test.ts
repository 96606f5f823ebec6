/**
 * Goal: the simulation notices mistakes, so that its silence means something.
 *
 * Method: each mistake of bugs.ts is put between the real code and its fakes, and seeds are run until one of them
 * reports a violation. The same seeds without the mistake report none (simulation.test.ts).
 */
import { expect, test } from "@jest/globals";
import { BUGS } from "./bugs.ts";
import { simulate } from "./simulation.ts";

// Several times what the rarest of them needs.
const SEEDS_MAX = 300;

test.each(BUGS.map((bug) => [bug.name, bug] as const))(
  "caught: %s",
  async (_name, bug) => {
    let caughtBy: number | null = null;
    for (let seed = 1; seed <= SEEDS_MAX && caughtBy === null; seed += 1) {
      const { violations } = await simulate({ seed, bug });
      if (violations.some((text) => bug.shows.test(text))) caughtBy = seed;
    }
    expect(caughtBy).not.toBeNull();
  },
  600_000,
);
