/** Chance with a seed: the same seed makes the same choices. (Moments still differ a little: processes are not replayed.) */

export interface Random {
  readonly seed: number;
  /** Uniform in [0, 1). */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(of: readonly T[]): T;
  shuffle<T>(of: readonly T[]): T[];
  /** A lower-case address. */
  address(): string;
  /** A generator of its own, so that what one part draws does not shift what another part gets. */
  fork(): Random;
}

/** Mulberry32: 32 bits of state are plenty for picking moments and amounts. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    seed,
    next,
    between,
    chance: (probability) => next() < probability,
    pick(of) {
      const picked = of[between(0, of.length - 1)];
      if (picked === undefined) throw new Error("nothing to pick from");
      return picked;
    },
    shuffle<T>(of: readonly T[]): T[] {
      const keyed = of.map((one) => ({ one, key: next() }));
      return keyed.toSorted((a, b) => a.key - b.key).map(({ one }) => one);
    },
    address: () =>
      `0x${Array.from({ length: 5 }, () =>
        Math.floor(next() * 2 ** 32)
          .toString(16)
          .padStart(8, "0"),
      ).join("")}`,
    fork: () => createRandom(between(0, 2 ** 31)),
  };
}
