/** A small bitmap that answers nearly every question of a larger table: three bits of one word for each hash (a Bloom filter). */

const BITS_PER_HASH = 16;

export class HashFilter {
  private readonly words: Int32Array;
  private readonly shift: number;

  /** For up to `capacity` hashes; with more it is right as well, and useless. */
  constructor(capacity: number) {
    const bits = Math.max(1, Math.ceil(Math.log2((capacity * BITS_PER_HASH) / 32)));
    this.words = new Int32Array(2 ** bits);
    this.shift = 32 - bits;
  }

  get byteLength(): number {
    return this.words.byteLength;
  }

  add(hash: number): void {
    const word = hash >>> this.shift;
    this.words[word] = (this.words[word] as number) | bitsOf(hash);
  }

  /** `hash`: 32 random-looking bits. False: it was not added. True: it was, or about once in a hundred it was not. */
  mayHold(hash: number): boolean {
    const bits = bitsOf(hash);
    return ((this.words[hash >>> this.shift] as number) & bits) === bits;
  }
}

/** From the low bits: the high ones choose the word. */
function bitsOf(hash: number): number {
  return (1 << (hash & 31)) | (1 << ((hash >>> 5) & 31)) | (1 << ((hash >>> 10) & 31));
}
