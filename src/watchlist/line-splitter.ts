/** Text that arrives in pieces to numbered lines. A line without an end costs its own rest, not the memory. */

/** No line of a list is longer. */
export const LINE_LENGTH_MAX = 1024 * 1024;

export interface LineSplitter {
  write(text: string): void;
  /** Hands over a last line without a line break. */
  end(): void;
}

export interface LineHandlers {
  /** Without its line break; counts from 1. */
  readonly onLine: (text: string, line: number) => void;
  /** A line over the limit: told once, its text is not kept. */
  readonly onTooLong: (line: number) => void;
}

export function createLineSplitter({ onLine, onTooLong }: LineHandlers): LineSplitter {
  let rest = "";
  let line = 1;
  let isTooLong = false;

  function keep(piece: string): void {
    if (isTooLong) return;
    rest += piece;
    if (rest.length <= LINE_LENGTH_MAX) return;
    isTooLong = true;
    rest = "";
    onTooLong(line);
  }
  function close(): void {
    if (!isTooLong) onLine(rest.endsWith("\r") ? rest.slice(0, -1) : rest, line);
    rest = "";
    isTooLong = false;
    line += 1;
  }
  return {
    write(text) {
      const start = line === 1 && rest === "" && !isTooLong && text.startsWith("\ufeff") ? 1 : 0;
      let from = start;
      for (let end = text.indexOf("\n", from); end !== -1; end = text.indexOf("\n", from)) {
        keep(text.slice(from, end));
        close();
        from = end + 1;
      }
      keep(text.slice(from));
    },
    end() {
      if (rest !== "" || isTooLong) close();
    },
  };
}
