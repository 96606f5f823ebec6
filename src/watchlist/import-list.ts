/**
 * One file to one list, or the reasons why not. All or nothing, unless the importer takes the good rows and gets the bad
 * ones back. The same address several times in one file is one entry with all its sources.
 */
import type { ListInput, WatchEntryInput, WithdrawnInput } from "../types/watchlist-format.ts";
import { ENTRY_BASES, ENTRY_CONFIDENCES, ENTRY_DEFAULTS } from "../types/watch.ts";
import { createProblems, type Problems, showFound } from "./problems.ts";
import { type ReadEnd, readListFile, type ReadOptions } from "./read-list.ts";

export interface ImportListOptions extends ReadOptions {
  /** Takes the good rows of a file that has bad ones. Not the rows of a file that is broken as a whole. */
  readonly acceptValid: boolean;
}

export interface ImportResult extends Omit<ReadEnd, "head" | "withdrawn"> {
  /** Null: nothing may be taken from this file. Addresses are canonical, each once. */
  readonly list: ListInput | null;
  readonly withdrawn: readonly WithdrawnInput[];
  /** Rows that went into another one. */
  readonly joined: number;
}

export async function importList(file: string, options: ImportListOptions): Promise<ImportResult> {
  const problems = createProblems(file);
  const warnings = createProblems(file);
  const collected = createCollector(options.format.repeats, { problems, warnings });
  const batches = readListFile(file, options);
  for (;;) {
    const step = await batches.next();
    if (step.done !== true) {
      for (const row of step.value) collected.add(row);
      continue;
    }
    const { head, ...end } = step.value;
    const problemCount = end.problemCount + problems.count;
    const isUsable = head !== null && (problemCount === 0 || options.acceptValid);
    return {
      ...end,
      problems: [...end.problems, ...problems.list()],
      problemCount,
      warnings: [...end.warnings, ...warnings.list()],
      // An address that also stands in a row of its own is not taken back.
      withdrawn: isUsable ? end.withdrawn.filter((row) => !collected.has(row)) : [],
      joined: collected.joined(),
      list: isUsable ? { ...head, entries: collected.entries() } : null,
    };
  }
}

interface Collector {
  add(row: WatchEntryInput): void;
  has(row: { readonly chain: string; readonly address: string }): boolean;
  entries(): readonly WatchEntryInput[];
  joined(): number;
}

function createCollector(repeats: boolean, told: { problems: Problems; warnings: Problems }): Collector {
  const byKey = new Map<string, WatchEntryInput>();
  let joined = 0;
  const keyOf = ({ chain, address }: { chain: string; address: string }) => `${chain}/${address}`;
  return {
    add(row) {
      const key = keyOf(row);
      const earlier = byKey.get(key);
      if (earlier === undefined) {
        byKey.set(key, row);
        return;
      }
      const found = `${showFound(row.address)} on ${row.chain}, already on line ${earlier.line}`;
      if (!repeats) {
        told.problems.add({
          line: row.line,
          field: "address",
          found,
          allowed: "each address of a chain once in a list",
        });
        return;
      }
      joined += 1;
      const other = differingClaim(earlier, row);
      if (other !== null)
        told.warnings.add({
          line: row.line,
          field: other,
          found: `${found} with another ${other}`,
          allowed: "one claim; the stronger one is used",
        });
      byKey.set(key, joinRows(earlier, row));
    },
    has: (row) => byKey.has(keyOf(row)),
    entries: () => [...byKey.values()],
    joined: () => joined,
  };
}

function differingClaim(a: WatchEntryInput, b: WatchEntryInput): "role" | "basis" | "default" | null {
  return (["role", "basis", "default"] as const).find((field) => a[field] !== b[field]) ?? null;
}

/** The stronger claim speaks, and every source of both stays: nothing a list says is lost. */
function joinRows(a: WatchEntryInput, b: WatchEntryInput): WatchEntryInput {
  const [strong, weak] = strength(b) < strength(a) ? [b, a] : [a, b];
  const sources = new Map([...strong.sources, ...weak.sources].map((one) => [JSON.stringify(one), one]));
  return {
    ...strong,
    line: Math.min(a.line, b.line),
    default: strongest(ENTRY_DEFAULTS, a.default, b.default),
    sanctioned: strong.sanctioned ?? weak.sanctioned,
    direction: a.direction === b.direction ? a.direction : "both",
    // Valid as long as either says so.
    validFrom:
      a.validFrom == null || b.validFrom == null ? null : a.validFrom < b.validFrom ? a.validFrom : b.validFrom,
    validUntil:
      a.validUntil == null || b.validUntil == null ? null : a.validUntil > b.validUntil ? a.validUntil : b.validUntil,
    note: strong.note ?? weak.note,
    sources: [...sources.values()],
  };
}

/** Lower is stronger. */
function strength(row: WatchEntryInput): number {
  return 10 * ENTRY_BASES.indexOf(row.basis) + ENTRY_CONFIDENCES.indexOf(row.confidence);
}

function strongest<T extends string>(order: readonly T[], a: T, b: T): T {
  return order.indexOf(a) <= order.indexOf(b) ? a : b;
}
