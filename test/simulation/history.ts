/** What happened, in order: a digest always, the lines themselves when somebody wants to read them. */
import { hash32 } from "./random.ts";

export interface History {
  note(line: string): void;
  digest(): string;
  lines(): readonly string[];
}

const LINES_KEPT = 4_000;

export function createHistory(now: () => number, keepLines: boolean): History {
  const startedAt = now();
  const lines: string[] = [];
  let count = 0;
  let [a, b] = [0, 0];
  return {
    note(text) {
      const line = `${((now() - startedAt) / 1000).toFixed(3)} ${text}`;
      count += 1;
      a = hash32(line, a);
      b = hash32(line, b ^ 0x5bd1e995);
      if (!keepLines) return;
      lines.push(line);
      if (lines.length > 2 * LINES_KEPT) lines.splice(0, LINES_KEPT);
    },
    digest: () => `${count}-${a.toString(16)}${b.toString(16)}`,
    lines: () => lines,
  };
}
