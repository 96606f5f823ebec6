/** Reads the fields of Bitcoin's serialization from bytes, in order and never past the end. Copies nothing. */
import { ProofError } from "./proof-error.ts";

const HIGH_WORD = 2 ** 32;
export const AMOUNT_BYTES = 8;

export class ByteReader {
  /** Where the next field begins. */
  at: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  private readonly what: string;

  /** `what` names the bytes in errors. */
  constructor(bytes: Uint8Array, what: string, at = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.what = what;
    this.at = at;
  }

  skip(count: number): void {
    if (count > this.bytes.length - this.at) this.fail("ends too early");
    this.at += count;
  }

  byte(): number {
    const { at } = this;
    this.skip(1);
    return this.bytes[at] as number;
  }

  uint32(): number {
    const { at } = this;
    this.skip(4);
    return this.view.getUint32(at, true);
  }

  /** A number in 1, 3, 5 or 9 bytes; a form longer than it needs to be is refused, as nodes do. */
  compactSize(): number {
    const first = this.byte();
    return first < 0xfd ? first : this.longCompactSize(first);
  }

  private longCompactSize(first: number): number {
    const { at } = this;
    this.skip(first === 0xfd ? 2 : first === 0xfe ? 4 : 8);
    if (first === 0xfd) return this.canonical(this.view.getUint16(at, true), 0xfd);
    const low = this.view.getUint32(at, true);
    if (first === 0xfe) return this.canonical(low, 0x1_0000);
    // Above 2^53 it is not exact, and far more than any bytes can hold all the same.
    return this.canonical(low + this.view.getUint32(at + 4, true) * HIGH_WORD, HIGH_WORD);
  }

  private canonical(value: number, atLeast: number): number {
    if (value < atLeast) this.fail("has a size that is not written in its shortest form");
    return value;
  }

  /** How many items follow, where each has at least `itemBytes`: a count that cannot be true ends here, before anything is allocated. */
  count(itemBytes: number): number {
    const value = this.compactSize();
    if (value * itemBytes > this.bytes.length - this.at) this.fail(`counts ${value} items, more than it has bytes for`);
    return value;
  }

  /** The amount, of 0 to `max` base units, that begins here; not passed by. */
  amountAhead(max: number): number {
    const { at, view } = this;
    if (at + AMOUNT_BYTES > this.bytes.length) this.fail("ends too early");
    const value = view.getUint32(at, true) + view.getUint32(at + 4, true) * HIGH_WORD;
    // A negative amount is above 2^63 when read like this.
    if (value > max) this.fail("has an amount out of range");
    return value;
  }

  /** Passes `before` bytes, a size, as many bytes as it says and `after` more. Returns where the sized bytes begin. */
  passSized(before: number, after: number): number {
    const sizeAt = this.at + before;
    const size = this.bytes[sizeAt];
    if (size === undefined || size >= 0xfd) return this.passLong(before, after);
    this.at = sizeAt + 1 + size + after;
    if (this.at > this.bytes.length) this.fail("ends too early");
    return sizeAt + 1;
  }

  private passLong(before: number, after: number): number {
    this.skip(before);
    const size = this.compactSize();
    const start = this.at;
    this.skip(size + after);
    return start;
  }

  end(): void {
    if (this.at !== this.bytes.length) this.fail(`goes on for ${this.bytes.length - this.at} bytes after its end`);
  }

  fail(reason: string): never {
    throw new ProofError("format", `${this.what} ${reason}, at byte ${this.at}`);
  }
}
