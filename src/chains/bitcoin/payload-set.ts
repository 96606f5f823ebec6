/** Distinct byte strings with flags, packed one after another and found by their bytes. */
import { hashBytes, type HashKey } from "./byte-hash.ts";
import { SlotIndex, type Sought } from "./slot-index.ts";

/** Bytes of somebody else, and a view of the same. */
export interface ByteSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export class PayloadSet {
  /** How many there are; they are numbered from 0. */
  size = 0;
  private readonly key: HashKey;
  private readonly index: SlotIndex;
  private readonly flags: Uint8Array;
  /** Entry `n` is from `ends[n]` to `ends[n + 1]`. */
  private readonly ends: Uint32Array;
  private packed: Uint8Array;

  /** At most `capacity` of them; on average of `bytesEach`, more room is made where that is too little. */
  constructor(capacity: number, bytesEach: number, key: HashKey) {
    this.key = key;
    this.index = new SlotIndex(capacity);
    this.flags = new Uint8Array(capacity);
    this.ends = new Uint32Array(capacity + 1);
    this.packed = new Uint8Array(capacity * bytesEach);
  }

  get byteLength(): number {
    return this.index.byteLength + this.flags.byteLength + this.ends.byteLength + this.packed.byteLength;
  }

  flagsOf(entry: number): number {
    return this.flags[entry] as number;
  }

  /** Not a copy. */
  bytesOf(entry: number): Uint8Array {
    return this.packed.subarray(this.ends[entry], this.ends[entry + 1]);
  }

  hashOf(entry: number): number {
    const bytes = this.bytesOf(entry);
    return hashBytes(sourceOf(bytes).view, 0, bytes.length, this.key);
  }

  /** The number of the `length` bytes at `at`, or -1. */
  find(source: ByteSource, at: number, length: number): number {
    return this.index.find(this.soughtAt(source, at, length));
  }

  /** Adds bytes, or flags to bytes that are there; returns their number. */
  add(bytes: Uint8Array, flag: number): number {
    const sought = this.soughtAt(sourceOf(bytes), 0, bytes.length);
    let entry = this.index.find(sought);
    if (entry === -1) {
      entry = this.append(bytes);
      this.index.insert(sought, entry);
    }
    this.flags[entry] = this.flagsOf(entry) | flag;
    return entry;
  }

  /** Gives back the room that no bytes took. */
  trim(): void {
    this.packed = this.packed.slice(0, this.ends[this.size]);
  }

  private append(bytes: Uint8Array): number {
    const start = this.ends[this.size] as number;
    const end = start + bytes.length;
    if (end > this.packed.length) {
      const larger = new Uint8Array(end * 2);
      larger.set(this.packed);
      this.packed = larger;
    }
    this.packed.set(bytes, start);
    this.ends[this.size + 1] = end;
    this.size += 1;
    return this.size - 1;
  }

  private soughtAt({ bytes, view }: ByteSource, at: number, length: number): Sought {
    return {
      hash: hashBytes(view, at, length, this.key),
      isIt: (entry) => {
        const start = this.ends[entry] as number;
        if ((this.ends[entry + 1] as number) - start !== length) return false;
        for (let place = 0; place < length; place += 1)
          if (this.packed[start + place] !== bytes[at + place]) return false;
        return true;
      },
      text: () => textOf(bytes.subarray(at, at + length)),
    };
  }
}

export function sourceOf(bytes: Uint8Array): ByteSource {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
