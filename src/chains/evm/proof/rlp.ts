/**
 * RLP, written back to front into one reused buffer: the length of a list is known when its first byte is written, so
 * nothing is measured or copied twice. The caller writes the last field first.
 * https://ethereum.org/en/developers/docs/data-structures-and-encoding/rlp/
 */

/** Value of a lower-case hex digit by its character code; 255 for anything else. */
const NIBBLES = new Uint8Array(128).fill(255);
for (let value = 0; value < 16; value += 1) NIBBLES[value.toString(16).charCodeAt(0)] = value;

/** Byte of two hex digits, by their character codes as a little-endian pair; `NO_PAIR` for anything else. */
const PAIRS = new Uint16Array(0x1_0000).fill(256);
const NO_PAIR = 256;
for (let byte = 0; byte < 256; byte += 1) {
  const [high, low] = byte.toString(16).padStart(2, "0");
  PAIRS[String(high).charCodeAt(0) | (String(low).charCodeAt(0) << 8)] = byte;
}

// Above this Node's own decoder is faster, though what it wrote must be read back; measured on 24.21.
const SCRATCH_BYTES = 2_048;
const scratch = Buffer.alloc(SCRATCH_BYTES);
/** The same bytes by pairs; every machine that Node runs on is little-endian. The first pair is `0x`. */
const pairs = new Uint16Array(scratch.buffer, scratch.byteOffset, SCRATCH_BYTES / 2);

const EMPTY_STRING = 0x80;
const STRING = 0x80;
const LIST = 0xc0;
/** Lengths above this need their own bytes. */
const SHORT_LENGTH_MAX = 55;

export class RlpWriter {
  private bytes: Buffer;
  /** The first written byte; everything from here to the end is content. */
  private start: number;

  constructor(capacity = 64 * 1024) {
    this.bytes = Buffer.allocUnsafe(capacity);
    this.start = capacity;
  }

  /** Bytes written since `clear`. Remember it before writing a list or string, then close with `endList` or `endString`. */
  get size(): number {
    return this.bytes.length - this.start;
  }

  clear(): void {
    this.start = this.bytes.length;
  }

  /** What was written, all of it or since `mark`. Valid until the next write. */
  view(mark = 0): Uint8Array {
    return this.bytes.subarray(this.start, this.bytes.length - mark);
  }

  /** One byte as it is, without a header. */
  rawByte(value: number): void {
    this.reserve(1);
    this.bytes[--this.start] = value;
  }

  /** Bytes as they are, without a header. */
  rawBytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.start -= bytes.length;
    this.bytes.set(bytes, this.start);
  }

  /** The bytes of `0x…` without a header. False, with nothing promised about the buffer, unless all of it is lower-case hex. */
  rawHex(text: string): boolean {
    const { length } = text;
    if (length % 2 !== 0 || !text.startsWith("0x")) return false;
    const size = length / 2 - 1;
    this.reserve(size);
    this.start -= size;
    if (length > SCRATCH_BYTES) return this.longHex(text.slice(2), size);
    // One copy and a table over digit pairs: twice as fast as reading the text by characters. A character outside of
    // ASCII takes more than one byte.
    if (scratch.write(text) !== length) return false;
    const { bytes, start } = this;
    let seen = 0;
    for (let at = 0; at < size; at += 1) {
      const value = PAIRS[pairs[at + 1] ?? 0] ?? NO_PAIR;
      seen |= value;
      bytes[start + at] = value;
    }
    return seen < NO_PAIR;
  }

  private longHex(digits: string, size: number): boolean {
    this.bytes.write(digits, this.start, "hex");
    // `write` takes upper case, and a character outside of Latin-1 by its low byte: it must read back as it came.
    return this.bytes.toString("hex", this.start, this.start + size) === digits;
  }

  /** A whole item: the integer of `0x…`, at most 32 bytes, leading zeros dropped. False unless it is lower-case hex. */
  quantityHex(text: string): boolean {
    if (text.length < 3 || text.length > 66 || text[0] !== "0" || text[1] !== "x") return false;
    let first = 2;
    while (first < text.length && text.charCodeAt(first) === 48) first += 1;
    const mark = this.size;
    this.reserve(32);
    let seen = 0;
    for (let at = text.length - 1; at >= first; at -= 2) {
      const low = NIBBLES[text.charCodeAt(at)] ?? 255;
      const high = at > first ? (NIBBLES[text.charCodeAt(at - 1)] ?? 255) : 0;
      seen |= high | low;
      this.bytes[--this.start] = (high << 4) | low;
    }
    this.endString(mark);
    return seen < 16;
  }

  /** A whole item: a safe integer. */
  uint(value: number): void {
    const mark = this.size;
    for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) this.rawByte(rest % 256);
    this.endString(mark);
  }

  /** A whole item: a byte string. */
  string(bytes: Uint8Array): void {
    const mark = this.size;
    this.rawBytes(bytes);
    this.endString(mark);
  }

  emptyString(): void {
    this.rawByte(EMPTY_STRING);
  }

  /** Everything written since `mark` becomes one byte string. */
  endString(mark: number): void {
    const size = this.size - mark;
    if (size === 1 && (this.bytes[this.start] ?? 0) < EMPTY_STRING) return;
    this.header(STRING, size);
  }

  /** Everything written since `mark` becomes one list. */
  endList(mark: number): void {
    this.header(LIST, this.size - mark);
  }

  private header(kind: number, size: number): void {
    if (size <= SHORT_LENGTH_MAX) return this.rawByte(kind + size);
    let lengthBytes = 0;
    for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) {
      this.rawByte(rest % 256);
      lengthBytes += 1;
    }
    this.rawByte(kind + SHORT_LENGTH_MAX + lengthBytes);
  }

  private reserve(size: number): void {
    if (this.start >= size) return;
    const content = this.view();
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, content.length + size));
    larger.set(content, larger.length - content.length);
    this.bytes = larger;
    this.start = larger.length - content.length;
  }
}
