/**
 * Where entries with a given hash may be: open addressing behind a small filter that answers nearly every question alone.
 * Holds numbers of entries, not their bytes; whoever asks compares those.
 */

const FILTER_BITS_PER_ENTRY = 16;
const SLOTS_PER_ENTRY = 2;
/** With half of the slots empty hardly any entry is further from its place. */
const PROBES_MAX = 64;

/** What an entry is compared with. */
export interface Sought {
  /** 32 random-looking bits. */
  readonly hash: number;
  isIt(entry: number): boolean;
  /** The bytes themselves, one character each. */
  text(): string;
}

export class SlotIndex {
  private readonly filter: Int32Array;
  private readonly filterShift: number;
  /** Entry + 1; 0: empty. */
  private readonly slots: Uint32Array;
  /** Eight bits of the hash of what is in the slot: entries are rarely compared in vain. */
  private readonly tags: Uint8Array;
  /** Entries without a free slot near their place. So many bytes with one hash, should anybody ever find them, cost no time. */
  private readonly crowded = new Map<string, number>();

  constructor(capacity: number) {
    const filterBits = Math.max(5, Math.ceil(Math.log2(capacity * FILTER_BITS_PER_ENTRY)));
    this.filterShift = 32 - filterBits;
    this.filter = new Int32Array(2 ** (filterBits - 5));
    this.slots = new Uint32Array(Math.max(capacity, 1) * SLOTS_PER_ENTRY);
    this.tags = new Uint8Array(this.slots.length);
  }

  get byteLength(): number {
    return this.filter.byteLength + this.slots.byteLength + this.tags.byteLength;
  }

  /** False: certainly nothing. True: so, or about once in sixteen for what is not there. */
  mayHold(hash: number): boolean {
    const bit = hash >>> this.filterShift;
    return (((this.filter[bit >>> 5] as number) >>> (bit & 31)) & 1) !== 0;
  }

  /** The entry that is sought, or -1. */
  find(sought: Sought): number {
    const tag = sought.hash & 0xff;
    let slot = this.firstSlot(sought.hash);
    for (let probe = 0; probe < PROBES_MAX; probe += 1) {
      const held = this.slots[slot] as number;
      if (held === 0) return -1;
      if (this.tags[slot] === tag && sought.isIt(held - 1)) return held - 1;
      slot = slot + 1 === this.slots.length ? 0 : slot + 1;
    }
    return this.crowded.get(sought.text()) ?? -1;
  }

  /** Adds an entry that is not there yet. */
  insert({ hash, text }: Sought, entry: number): void {
    const bit = hash >>> this.filterShift;
    this.filter[bit >>> 5] = (this.filter[bit >>> 5] as number) | (1 << (bit & 31));
    let slot = this.firstSlot(hash);
    for (let probe = 0; probe < PROBES_MAX; probe += 1) {
      if (this.slots[slot] === 0) {
        this.slots[slot] = entry + 1;
        this.tags[slot] = hash & 0xff;
        return;
      }
      slot = slot + 1 === this.slots.length ? 0 : slot + 1;
    }
    this.crowded.set(text(), entry);
  }

  private firstSlot(hash: number): number {
    return Math.floor(((hash >>> 0) / 2 ** 32) * this.slots.length);
  }
}
