/**
 * Investigators' spreadsheets as CSV: a header in their words, their delimiter, their encoding. One row an address; what
 * a cell says is taken, what it leaves out comes from the importer. A cell that a spreadsheet would run is refused.
 */
import type { ChainId } from "../../types/chain.ts";
import type { FormatReader, ImportFormat, ListHead, ReadContext } from "../../types/watchlist-format.ts";
import {
  ENTRY_BASES,
  ENTRY_CONFIDENCES,
  ENTRY_DEFAULTS,
  ENTRY_DIRECTIONS,
  ENTRY_ROLES,
  TLP_LEVELS,
  type Tlp,
} from "../../types/watch.ts";
import { chainNamed, chainOf } from "../coins.ts";
import { OPEN_QUOTE, splitRow } from "../csv-rows.ts";
import { createLineSplitter } from "../line-splitter.ts";
import { hasInvisible, showFound } from "../problems.ts";
import { isFormula, isNothing, unescapeCell } from "./csv-cells.ts";
import { type CsvField, type CsvHeader, HEADER_LINES_MAX, readHeader, SOURCE_SEPARATOR } from "./csv-columns.ts";
import { addForeignRow, headOf } from "./foreign-row.ts";
import { tooLong } from "./readers.ts";

/** Ten million rows of two hundred characters. */
const BYTES_MAX = 4 * 1024 * 1024 * 1024;
/** A cell may hold a few paragraphs; a quote left open costs its own line, not the file's rest. */
const ROW_LINES_MAX = 20;
const ROW_LENGTH_MAX = 64 * 1024;
export const csv: ImportFormat = {
  name: "csv",
  title: "CSV with a header",
  maxBytes: BYTES_MAX,
  encoding: "any",
  repeats: true,
  looksLike: (start) =>
    start
      .replace(/^\ufeff/, "")
      .split("\n", HEADER_LINES_MAX)
      .some((line) => isHeader(line)),
  createReader,
};

/** Free text with the word address in it is no header: cells are short. */
function isHeader(line: string): boolean {
  if (line.length > 4096 || /^\s*[{["<]/.test(line.replace(/^"[^"]{0,64}"/, ""))) return false;
  const header = readHeader(line.trimEnd());
  return header !== null;
}

interface Waiting {
  text: string;
  lines: string[];
  line: number;
  quotes: number;
}

function createReader(context: ReadContext): FormatReader {
  let header: CsvHeader | null = null;
  let waiting: Waiting | null = null;

  function onLine(text: string, line: number): void {
    if (context.failed) return;
    if (header === null) header = findHeader(text, line, context);
    else takeLine(header, text, line);
  }
  /** Lines belong together until their quotes are even. */
  function takeLine(of: CsvHeader, text: string, line: number): void {
    const quotes = countQuotes(text);
    if (waiting === null) {
      if (quotes % 2 === 0) addRow(of, text, line, context);
      else waiting = { text, lines: [text], line, quotes };
      return;
    }
    waiting.text += `\n${text}`;
    waiting.lines.push(text);
    waiting.quotes += quotes;
    if (waiting.quotes % 2 === 0) {
      const { text: whole, line: first, lines } = waiting;
      if (lines.slice(1).some((one) => holdsAddress(one, of.delimiter))) return giveUp(of);
      waiting = null;
      addRow(of, whole, first, context);
    } else if (waiting.lines.length >= ROW_LINES_MAX || waiting.text.length > ROW_LENGTH_MAX) giveUp(of);
  }
  /** The first of the waiting lines is wrong; the others are read again. */
  function giveUp(of: CsvHeader): void {
    if (waiting === null) return;
    const { lines, line } = waiting;
    waiting = null;
    context.refuse({ line, field: "", found: OPEN_QUOTE, allowed: `quotes closed within ${ROW_LINES_MAX} lines` });
    for (const [index, text] of lines.slice(1).entries()) takeLine(of, text, line + 1 + index);
  }
  const splitter = createLineSplitter({ onLine, onTooLong: (line) => context.refuse(tooLong(line)) });
  return {
    write: (text) => splitter.write(text),
    *finish(): Generator<undefined, ListHead | null> {
      splitter.end();
      while (header !== null && waiting !== null) {
        giveUp(header);
        yield;
      }
      if (header === null && !context.failed) context.fail(noHeader(0, "no header"));
      return headOf(context, null);
    },
  };
}

/** A quote opened in one row and closed some rows on would take all of them for the text of one cell. */
function holdsAddress(line: string, delimiter: string): boolean {
  return line.split(delimiter).some((part) => chainOf(null, part.replaceAll('"', "").trim()) !== null);
}

function countQuotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) count += 1;
  return count;
}

function noHeader(line: number, found: string) {
  return { line, field: "", found, allowed: `a header within ${HEADER_LINES_MAX} lines, with a column called address` };
}

function findHeader(text: string, line: number, context: ReadContext): CsvHeader | null {
  // What a spreadsheet program writes to name its delimiter.
  if (/^sep=.$/.test(text)) return null;
  const header = readHeader(text.trimEnd());
  if (header === null) {
    if (line >= HEADER_LINES_MAX) context.fail(noHeader(line, showFound(text)));
    return null;
  }
  if ("twice" in header) {
    context.fail({ line, field: header.twice, found: `two columns for ${header.twice}`, allowed: "one" });
    return null;
  }
  for (const column of header.unread)
    context.warn({
      line,
      field: "",
      found: `the column ${showFound(column)}, which is not read`,
      allowed: "a known column",
    });
  return header;
}

type Cells = Partial<Record<CsvField, string>>;

function addRow(header: CsvHeader, text: string, line: number, context: ReadContext): void {
  const row = splitRow(text, header.delimiter);
  if (typeof row === "string")
    return context.refuse({ line, field: "", found: row, allowed: "cells with their quotes closed" });
  if (row.every((cell) => cell === "")) return;
  if (row.length > header.fields.length && row.slice(header.fields.length).some((cell) => cell !== ""))
    return context.refuse({
      line,
      field: "",
      found: `${row.length} cells`,
      allowed: `${header.fields.length}, as in the header`,
    });
  const cells = readCells(header, row, line, context);
  if (cells !== null) addCells(cells, line, context);
}

/** Null after telling about a formula or a character that cannot be seen. */
function readCells(header: CsvHeader, row: readonly string[], line: number, context: ReadContext): Cells | null {
  const cells: Cells = {};
  for (const [index, field] of header.fields.entries()) {
    if (field === null) continue;
    const cell = (row[index] ?? "").trim();
    if (isNothing(cell)) continue;
    if (isFormula(cell)) {
      context.refuse({ line, field, found: `the formula ${showFound(cell)}`, allowed: "text" });
      return null;
    }
    if (hasInvisible(cell.replace(/[\r\n\t]/g, " "))) {
      context.refuse({
        line,
        field,
        found: showFound(cell),
        allowed: "text without control, zero-width or text-direction characters",
      });
      return null;
    }
    cells[field] = unescapeCell(cell);
  }
  return cells;
}

function addCells(cells: Cells, line: number, context: ReadContext): void {
  const problems: { field: string; found: string; allowed: string }[] = [];
  const choice = <T extends string>(field: CsvField, choices: readonly T[]): T | null => {
    const value = cells[field];
    if (value === undefined) return null;
    const chosen = choices.find((one) => one === value.toLowerCase().replaceAll(" ", "_"));
    if (chosen === undefined)
      problems.push({ field, found: showFound(value), allowed: `one of ${choices.join(", ")}` });
    return chosen ?? null;
  };
  const chain = chainOfCells(cells, problems);
  // A confidence in the writer's own words is kept as they wrote it.
  const ours = ENTRY_CONFIDENCES.find((one) => one === cells.confidence) ?? null;
  const row = {
    line,
    address: cells.address ?? "",
    chain,
    coin: cells.coin ?? null,
    label: cells.label ?? null,
    role: choice("role", ENTRY_ROLES),
    basis: choice("basis", ENTRY_BASES),
    confidence: ours,
    independentSources: cells.independentSources ?? null,
    givenConfidence: cells.givenConfidence ?? (ours === null ? (cells.confidence ?? null) : null),
    sanctioned:
      cells.sanctionsList === undefined || cells.sanctionsSource === undefined
        ? null
        : { list: cells.sanctionsList, source: cells.sanctionsSource },
    default: choice("default", ENTRY_DEFAULTS),
    direction: choice("direction", ENTRY_DIRECTIONS),
    custodian: cells.custodian ?? null,
    note: cells.note ?? null,
    firstSeenTx: cells.firstSeenTx ?? null,
    sources: sourcesOf(cells),
    tlp: cells.tlp === undefined ? null : tlpOf(cells.tlp, problems),
    validFrom: cells.validFrom ?? null,
    validUntil: cells.validUntil ?? null,
    case: cells.case ?? null,
    addedBy: cells.addedBy ?? null,
  };
  for (const problem of problems) context.refuse({ line, ...problem });
  if (problems.length > 0) return;
  if (row.address === "")
    context.refuse({ line, field: "address", found: "nothing", allowed: "an address in each row" });
  else addForeignRow(row, context);
}

type Found = { field: string; found: string; allowed: string }[];

/** Null: the coin or the form of the address decides. */
function chainOfCells(cells: Cells, problems: Found): ChainId | null {
  if (cells.chain === undefined) return null;
  const chain = chainNamed(cells.chain);
  if (chain === null)
    problems.push({
      field: "chain",
      found: showFound(cells.chain),
      allowed: "a CAIP-2 id such as eip155:1, an EVM chain number, or a name such as ethereum or bitcoin",
    });
  return chain;
}

const SOURCES_MAX = 20;

/** Several sources: between our own separator, or links with anything between them. */
function sourcesOf({ source, sourceLabel }: Cells) {
  if (source === undefined) return [];
  const words = source.split(/[\s;]+/).filter((word) => word !== "");
  const areLinks = words.every((word) => word.includes("://"));
  const refs = areLinks && !source.includes(SOURCE_SEPARATOR) ? words : source.split(SOURCE_SEPARATOR);
  const labels = (sourceLabel ?? "").split(SOURCE_SEPARATOR).map((label) => (isNothing(label) ? null : label));
  return refs.slice(0, SOURCES_MAX).map((ref, index) => ({ ref, label: labels[index] ?? null, quoted: null }));
}

function tlpOf(text: string, problems: Found): Tlp | null {
  const word = text.toLowerCase().replace(/^tlp\s*[:-]?\s*/, "");
  const tlp = word === "white" ? "clear" : TLP_LEVELS.find((one) => one === word);
  if (tlp === undefined)
    problems.push({ field: "tlp", found: showFound(text), allowed: `one of ${TLP_LEVELS.join(", ")}` });
  return tlp ?? null;
}
