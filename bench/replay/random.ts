/** Seeded randomness: the same seed gives the same chain on every machine. */

export interface Random {
  /** In [0, 1). */
  next(): number;
  /** In [0, limit). */
  below(limit: number): number;
  bytes(length: number): Uint8Array;
}

/** mulberry32: 32 bits of state, plenty for choosing transactions and ranks. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    below: (limit) => Math.floor(next() * limit),
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let index = 0; index < length; index += 1) bytes[index] = Math.floor(next() * 256);
      return bytes;
    },
  };
}

/**
 * Ranks from 0, where rank k comes up about 1/(k+1)^exponent as often as rank 0: the inverse of the continuous
 * distribution, close enough for a population and exact in its reproducibility.
 */
export function createZipf(population: number, exponent: number): (random: Random) => number {
  const power = 1 - exponent;
  const span = (population + 1) ** power - 1;
  return (random) => Math.min(population - 1, Math.floor((1 + random.next() * span) ** (1 / power)) - 1);
}
