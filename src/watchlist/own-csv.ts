/**
 * A CSV file of own addresses, of any length, to checked rows: chunk by chunk, so that memory holds one chunk and the event
 * loop runs in between.
 */
import { stat } from "node:fs/promises";
import { describeError } from "../lib/errors.ts";
import { ROW_ALLOWED, rowOfLine } from "./csv-rows.ts";
import { createTextDecoder, EncodingError } from "./decode-text.ts";
import { check } from "./fields.ts";
import { chunksOf } from "./files.ts";
import { createLineSplitter, LINE_LENGTH_MAX } from "./line-splitter.ts";
import { OWN_COLUMNS, type OwnRow, ownRowSchema } from "./own-row.ts";
import { escapeInvisible, type Problems, showFound } from "./problems.ts";

/** The rows that are right, a chunk's at a time; whatever is wrong with the others, or the file, is a problem. */
export async function* ownRowsOfCsv(file: string, problems: Problems): AsyncGenerator<readonly OwnRow[]> {
  let rows: OwnRow[] = [];
  const table = createTable(problems);
  const splitter = createLineSplitter({
    onLine(text, line) {
      const row = table.read(text, line);
      if (row !== null) rows.push(row);
    },
    onTooLong(line) {
      const found = `a line of more than ${LINE_LENGTH_MAX} characters`;
      problems.add({ line, field: "", found, allowed: ROW_ALLOWED });
    },
  });
  const take = () => {
    const taken = rows;
    rows = [];
    return taken;
  };
  try {
    // Asked before reading: /dev/zero and pipes have no end.
    if (!(await stat(file)).isFile()) return addWhole("something that is not a regular file", "a regular file");
    const decoder = createTextDecoder("utf-8");
    for await (const chunk of chunksOf(file)) {
      splitter.write(decoder.decode(chunk));
      if (table.isRefused()) return;
      yield take();
    }
    splitter.write(decoder.end());
    splitter.end();
  } catch (error) {
    if (error instanceof EncodingError) return addWhole(error.message, "UTF-8 text");
    return addWhole(escapeInvisible(describeError(error)), "a readable file");
  }
  table.end();
  yield take();

  function addWhole(found: string, allowed: string): void {
    problems.add({ line: 0, field: "", found, allowed });
  }
}

interface Table {
  /** Null: the header, nothing, or told why not. */
  read(text: string, line: number): OwnRow | null;
  /** The first row is not the header: no row is looked at. */
  isRefused(): boolean;
  end(): void;
}

const HEADER = `the header ${OWN_COLUMNS.join(",")}`;

function createTable(problems: Problems): Table {
  let columns: readonly string[] | null = null;
  let refused = false;

  function readHeader(fields: readonly string[], line: number): void {
    columns = fields;
    // A header is required: without it two swapped columns of a bank's export go unnoticed.
    refused = fields.toSorted().join() !== OWN_COLUMNS.toSorted().join();
    if (refused) problems.add({ line, field: "", found: showFound(fields.join(",")), allowed: HEADER });
  }

  function readRow(fields: readonly string[], names: readonly string[], line: number): OwnRow | null {
    if (fields.length !== names.length) {
      const allowed = `${names.length}, as in the header`;
      problems.add({ line, field: "", found: `${fields.length} fields`, allowed });
      return null;
    }
    // An empty field is "not known", which only customerRef may be.
    const value = Object.fromEntries(names.map((name, index) => [name, fields[index] || null]));
    const row = check(ownRowSchema, { value, path: [], lineOf: () => line }, problems);
    return row === null ? null : { ...row, line };
  }

  return {
    read(text, line) {
      if (refused) return null;
      const row = rowOfLine({ text, line }, problems);
      if (row === null) return null;
      if (columns !== null) return readRow(row.fields, columns, line);
      readHeader(row.fields, line);
      return null;
    },
    isRefused: () => refused,
    end() {
      if (columns === null && problems.count === 0)
        problems.add({ line: 0, field: "", found: "an empty file", allowed: HEADER });
    },
  };
}
