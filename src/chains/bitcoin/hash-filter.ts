/** A small bitmap that answers nearly every question of a larger table: six bits of one pair of words for each hash (a Bloom filter). */

const BITS_PER_HASH = 16;
/** Odd, and its bits look random: 2^32 divided by the golden ratio. */
const SPREAD = 0x9e37_79b1;

/** How many words a filter of up to `capacity` hashes needs; with more it is right as well, and useless. */
export function filterWordsFor(capacity: number): number {
  const bits = Math.max(1, Math.ceil(Math.log2((capacity * BITS_PER_HASH) / 64)));
  return 2 ** (bits + 1);
}

export class HashFilter {
  /** Pairs, which share a line of the cache: a question waits for the memory once. */
  private readonly words: Int32Array;
  private readonly shift: number;

  /** `words`: zeros, of a number that filterWordsFor gave. */
  constructor(words: Int32Array) {
    this.words = words;
    this.shift = 33 - Math.log2(words.length);
  }

  get byteLength(): number {
    return this.words.byteLength;
  }

  add(hash: number): void {
    const first = (hash >>> this.shift) * 2;
    const spread = Math.imul(hash, SPREAD);
    this.words[first] = (this.words[first] as number) | bitsOf(spread);
    this.words[first + 1] = (this.words[first + 1] as number) | bitsOf(spread >>> 17);
  }

  /** `hash`: 32 random-looking bits. False: it was not added. True: it was, or about once in a thousand it was not. */
  mayHold(hash: number): boolean {
    const first = (hash >>> this.shift) * 2;
    const spread = Math.imul(hash, SPREAD);
    const bits = bitsOf(spread);
    if (((this.words[first] as number) & bits) !== bits) return false;
    const others = bitsOf(spread >>> 17);
    return ((this.words[first + 1] as number) & others) === others;
  }
}

/** Three bits, by the lowest 15 of what is given: a shift looks at five. */
function bitsOf(spread: number): number {
  return (1 << spread) | (1 << (spread >>> 5)) | (1 << (spread >>> 10));
}
