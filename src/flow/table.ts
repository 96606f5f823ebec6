/**
 * Rows by key that remember what they were. Whoever changes rows inside `recording` gets a journal: for each row that was
 * touched what it was before, once. Putting a journal back undoes the changes; a store writes and undoes by the same rows.
 */
import type { FlowRows, FlowTable, RowBefore } from "../types/flow.ts";

export interface Rows<V> {
  readonly size: number;
  get(key: string): V | undefined;
  set(key: string, row: V): void;
  delete(key: string): void;
  entries(): IterableIterator<[string, V]>;
  values(): IterableIterator<V>;
}

/** Told of every change, undone ones too: for indexes over a table. */
export type RowWatcher<V> = (key: string, before: V | undefined, after: V | undefined) => void;

/** What was touched first wins: later changes of the same row add nothing. */
export class Journal {
  readonly #rows = new Map<string, RowBefore>();

  note(row: RowBefore): void {
    const id = `${row.table} ${row.key}`;
    if (!this.#rows.has(id)) this.#rows.set(id, row);
  }

  rows(): RowBefore[] {
    return [...this.#rows.values()];
  }
}

/** Where changes are written down while they happen: a block's journal inside an operation's. */
export class Recorder {
  readonly #open: Journal[] = [];

  recording<T>(work: () => T): { readonly result: T; readonly journal: RowBefore[] } {
    const journal = new Journal();
    this.#open.push(journal);
    try {
      const result = work();
      return { result, journal: journal.rows() };
    } finally {
      this.#open.pop();
    }
  }

  note(row: RowBefore): void {
    for (const journal of this.#open) journal.note(row);
  }
}

export function createRows<T extends FlowTable>(
  table: T,
  recorder: Recorder,
  watch?: RowWatcher<FlowRows[T]>,
): Rows<FlowRows[T]> {
  const rows = new Map<string, FlowRows[T]>();
  const put = (key: string, after: FlowRows[T] | undefined): void => {
    const before = rows.get(key);
    if (before === undefined && after === undefined) return;
    recorder.note({ table, key, before });
    if (after === undefined) rows.delete(key);
    else rows.set(key, after);
    watch?.(key, before, after);
  };
  return {
    get size() {
      return rows.size;
    },
    get: (key) => rows.get(key),
    set: put,
    delete: (key) => put(key, undefined),
    entries: () => rows.entries(),
    values: () => rows.values(),
  };
}
