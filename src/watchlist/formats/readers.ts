/** How most formats are read: line by line, or as one JSON document walked in steps. */
import type { FormatReader, LineProblem, ListHead, ReadContext } from "../../types/watchlist-format.ts";
import { createJsonCursor, type JsonCursor, JsonTextError, parseJsonText } from "../json-text.ts";
import { createLineSplitter, LINE_LENGTH_MAX } from "../line-splitter.ts";
import type { LocatedYaml } from "../located-yaml.ts";
import type { Problems } from "../problems.ts";
import { headOf } from "./foreign-row.ts";

export interface LineReading {
  readonly onLine: (text: string, line: number) => void;
  /** Asked after the last line. */
  readonly head: () => ListHead | null;
}

export function createLineReader({ onLine, head }: LineReading, context: ReadContext): FormatReader {
  const lines = createLineSplitter({ onLine, onTooLong: (line) => context.refuse(tooLong(line)) });
  return {
    write: (text) => lines.write(text),
    *finish(): Generator<undefined, ListHead | null> {
      lines.end();
      yield;
      return head();
    },
  };
}

export function tooLong(line: number): LineProblem {
  return { line, field: "", found: "a longer line", allowed: `at most ${LINE_LENGTH_MAX} characters` };
}

/** `walk` takes the document from the cursor and returns the day it says it is of. */
export function createJsonReader(
  walk: (cursor: JsonCursor) => Generator<undefined, string | null>,
  context: ReadContext,
): FormatReader {
  let text = "";
  return {
    write: (piece) => void (text += piece),
    *finish(): Generator<undefined, ListHead | null> {
      try {
        const cursor = createJsonCursor(text);
        const version = yield* walk(cursor);
        cursor.end();
        return headOf(context, version);
      } catch (error) {
        context.fail(jsonProblem(error));
        return null;
      }
    },
  };
}

/** Any error but one of the JSON text is a bug of ours. */
function jsonProblem(error: unknown): LineProblem {
  if (!(error instanceof JsonTextError)) throw error;
  return { line: error.line, field: "", found: error.found, allowed: "strict JSON, each key once" };
}

/** One line of JSON, or null after telling what it is. */
export function readJsonLine(text: string, line: number, problems: Pick<Problems, "add">): LocatedYaml | null {
  try {
    return parseJsonText(text, line);
  } catch (error) {
    problems.add(jsonProblem(error));
    return null;
  }
}
