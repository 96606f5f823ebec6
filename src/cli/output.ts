/** Tables and colours for people, one JSON value for machines. */
import { styleText } from "node:util";
import type { Log } from "../types/log.ts";
import { SEVERITIES, type Severity } from "../types/alert.ts";

type Style = Parameters<typeof styleText>[0];

export function paint(style: Style, text: string): string {
  // styleText looks at NO_COLOR and at whether the stream is a terminal.
  return styleText(style, text, { stream: process.stdout });
}

const SEVERITY_STYLE: Record<Severity, Style> = {
  critical: ["bold", "red"],
  high: "red",
  medium: "yellow",
  low: "cyan",
  info: "gray",
};

export function paintSeverity(text: string): string {
  const severity = SEVERITIES.find((one) => one === text);
  return severity === undefined ? text : paint(SEVERITY_STYLE[severity], text);
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Columns padded to their widest cell; the last one runs free. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => stripped(row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === cells.length - 1 ? cell : cell + " ".repeat((widths[column] ?? 0) - stripped(cell).length),
      )
      .join("  ");
  return [paint("bold", line(header)), ...rows.map(line)].join("\n");
}

// eslint-style control characters are what colours are made of.
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

function stripped(text: string): string {
  return text.replace(COLOUR, "");
}

export function timeOf(ms: number | null): string {
  return ms === null ? "" : new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

export function short(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** For commands whose output is their answer: what a part would log belongs to the daemon's log. */
export const SILENT_LOG: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
