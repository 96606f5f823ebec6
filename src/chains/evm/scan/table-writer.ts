/** Writes the core's tables into its memory, one behind the other, each at a multiple of four. */
import { assert } from "../../../lib/assert.ts";

// As core/json.ts reads them.
const ENTRY_BYTES = 36;
const ENTRY_TEXT = 5;

export class TableWriter {
  private readonly memory: Uint8Array;
  private readonly view: DataView;
  private next: number;

  constructor(memory: WebAssembly.Memory, from: number) {
    this.memory = new Uint8Array(memory.buffer);
    this.view = new DataView(memory.buffer);
    this.next = from;
  }

  /** The first byte behind what was written. */
  get end(): number {
    return this.next;
  }

  /** Each of these returns the position of what it wrote. */
  ints(values: readonly number[]): number {
    const position = this.next;
    values.forEach((value, index) => this.view.setInt32(position + 4 * index, value, true));
    this.next += 4 * values.length;
    return position;
  }

  bytes(bytes: Uint8Array): number {
    const position = this.next;
    this.memory.set(bytes, position);
    this.next = (position + bytes.length + 3) & ~3;
    return position;
  }

  text(text: string): number {
    return this.bytes(Buffer.from(text, "latin1"));
  }

  /** The keys of one kind of object, and an entry for "none yet", after which the first key is expected. */
  keys(keys: readonly string[]): number {
    const position = this.ints([keys.length, keys.length]);
    for (const key of [...keys, ""]) {
      assert(key.length < ENTRY_BYTES - ENTRY_TEXT, `${key} fits its entry`);
      const entry = new Uint8Array(ENTRY_BYTES);
      entry[ENTRY_TEXT - 1] = key.length;
      entry.set(Buffer.from(key, "latin1"), ENTRY_TEXT);
      this.bytes(entry);
    }
    return position;
  }
}
