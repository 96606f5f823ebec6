/** Distinct byte strings with flags, packed one after another and found by their bytes. */
import { hashBytes, type HashKey, randomHashKey } from "./byte-hash.ts";
import { SlotIndex, type Sought } from "./slot-index.ts";

/** Bytes of somebody else, and a view of the same. */
export interface ByteSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export class PayloadSet {
  /** How many there are; they are numbered from 0. */
  size = 0;
  private readonly key: HashKey = randomHashKey();
  private readonly index: SlotIndex;
  private readonly flags: Uint8Array;
  /** Entry `n` is from `ends[n]` to `ends[n + 1]`. */
  private readonly ends: Uint32Array;
  private packed: Uint8Array;

  /** At most `capacity` of them; on average of `bytesEach`, more room is made where that is too little. */
  constructor(capacity: number, bytesEach: number) {
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

  hash(view: DataView, at: number, length: number): number {
    return hashBytes(view, at, length, this.key);
  }

  /** The number of the `length` bytes at `at`, or -1. Nothing is allocated where the filter knows the answer. */
  find(source: ByteSource, at: number, length: number): number {
    const hash = hashBytes(source.view, at, length, this.key);
    return this.index.mayHold(hash) ? this.index.find(this.soughtAt(source, at, length, hash)) : -1;
  }

  /** Adds bytes, or flags to bytes that are there; returns their number. */
  add(bytes: Uint8Array, flag: number): number {
    const source = sourceOf(bytes);
    const sought = this.soughtAt(source, 0, bytes.length, this.hash(source.view, 0, bytes.length));
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

  private soughtAt({ bytes }: ByteSource, at: number, length: number, hash: number): Sought {
    return {
      hash,
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
