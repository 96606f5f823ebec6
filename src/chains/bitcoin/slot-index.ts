/** Where entries with a given hash are: open addressing. Holds numbers of entries, not their bytes; whoever asks compares those. */

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
  /** Entry + 1; 0: empty. */
  private readonly slots: Uint32Array;
  /** Eight bits of the hash of what is in the slot: entries are rarely compared in vain. */
  private readonly tags: Uint8Array;
  /** Entries without a free slot near their place: bytes made to share a hash cost a bounded time all the same. */
  private readonly crowded = new Map<string, number>();

  constructor(capacity: number) {
    this.slots = new Uint32Array(Math.max(capacity, 1) * SLOTS_PER_ENTRY);
    this.tags = new Uint8Array(this.slots.length);
  }

  get byteLength(): number {
    return this.slots.byteLength + this.tags.byteLength;
  }

  /** The entry that is sought, or -1. */
  find(sought: Sought): number {
    const tag = tagOf(sought.hash);
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
  insert(sought: Sought, entry: number): void {
    let slot = this.firstSlot(sought.hash);
    for (let probe = 0; probe < PROBES_MAX; probe += 1) {
      if (this.slots[slot] === 0) {
        this.slots[slot] = entry + 1;
        this.tags[slot] = tagOf(sought.hash);
        return;
      }
      slot = slot + 1 === this.slots.length ? 0 : slot + 1;
    }
    this.crowded.set(sought.text(), entry);
  }

  private firstSlot(hash: number): number {
    return Math.floor(((hash >>> 0) / 2 ** 32) * this.slots.length);
  }
}

/** From the low bits: the high ones choose the slot. */
function tagOf(hash: number): number {
  return hash & 0xff;
}
