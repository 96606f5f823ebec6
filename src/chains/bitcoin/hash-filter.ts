/** A small bitmap that answers nearly every question of a larger table: six bits of one pair of words for each hash (a Bloom filter). */

const BITS_PER_HASH = 16;
/** Hashes asked for at once: enough to wait for together, and few enough to stay in the fastest cache. */
export const BATCH = 1024;
/** Odd, and its bits look random: 2^32 divided by the golden ratio. */
const SPREAD = 0x9e37_79b1;

export class HashFilter {
  /** Pairs, which share a line of the cache: a question waits for the memory once. */
  private readonly words: Int32Array;
  private readonly shift: number;
  private readonly fetched = new Int32Array(BATCH);

  /** For up to `capacity` hashes; with more it is right as well, and useless. */
  constructor(capacity: number) {
    const bits = Math.max(1, Math.ceil(Math.log2((capacity * BITS_PER_HASH) / 64)));
    this.words = new Int32Array(2 ** (bits + 1));
    this.shift = 32 - bits;
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

  /**
   * Places of those of the first `count` hashes, at most BATCH, that it may hold. The words are fetched in a loop that does
   * nothing else: the processor then waits for many of them at once, and not for one after the other.
   */
  heldOf(hashes: Int32Array, count: number): number[] {
    const { words, shift, fetched } = this;
    for (let place = 0; place < count; place += 1)
      fetched[place] = words[((hashes[place] as number) >>> shift) * 2] as number;
    const held: number[] = [];
    for (let place = 0; place < count; place += 1) {
      const hash = hashes[place] as number;
      const bits = bitsOf(Math.imul(hash, SPREAD));
      if (((fetched[place] as number) & bits) === bits && this.mayHold(hash)) held.push(place);
    }
    return held;
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
