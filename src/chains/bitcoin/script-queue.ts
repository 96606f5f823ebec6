/**
 * Asks a table about scripts in batches. One look into its filter waits for the memory about as long as everything else
 * that is done for a script; the processor waits for many of them at once where they stand in a row.
 */
import { BATCH } from "./hash-filter.ts";
import type { ByteSource } from "./payload-set.ts";
import { isAddressed } from "./script-sieve.ts";
import type { ScriptTable } from "./script-table.ts";

export class ScriptQueue {
  private readonly table: ScriptTable;
  private readonly source: ByteSource;
  private readonly marks: Uint8Array;
  /** What the sieve is to be asked for, where the scripts begin, and the transactions they are of. */
  private readonly hashes = new Int32Array(BATCH);
  private readonly starts = new Uint32Array(BATCH);
  private readonly owners = new Uint32Array(BATCH);
  private waiting = 0;

  /** `marks`: by place in the block, set to 1 where a script of a transaction touches what is watched. */
  constructor(table: ScriptTable, source: ByteSource, marks: Uint8Array) {
    this.table = table;
    this.source = source;
    this.marks = marks;
  }

  /** The `length` bytes at `at`, with their size before them, are a script of the transaction `owner`. */
  add(at: number, length: number, owner: number): void {
    const { waiting } = this;
    if (isAddressed(length)) {
      this.hashes[waiting] = this.table.sieve.hashAt(this.source.view, at, length);
      this.starts[waiting] = at;
      this.owners[waiting] = owner;
      this.waiting = waiting + 1;
      if (waiting + 1 === BATCH) this.flush();
    } else if (this.table.touches(this.source, at, length)) this.marks[owner] = 1;
  }

  /** Asks for all that wait. */
  flush(): void {
    for (const place of this.table.sieve.heldOf(this.hashes, this.waiting)) this.confirm(place);
    this.waiting = 0;
  }

  private confirm(place: number): void {
    const [at, owner] = [this.starts[place] as number, this.owners[place] as number];
    // Scripts that are as short as addressed ones have a size of one byte.
    if (this.table.touches(this.source, at, this.source.bytes[at - 1] as number)) this.marks[owner] = 1;
  }
}
