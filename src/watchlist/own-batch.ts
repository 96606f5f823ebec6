/** Own addresses as a person hands them over: checked like the rows of a file, each problem with its place in the batch. */
import { z } from "zod";
import type { OwnAddress } from "../types/watch.ts";
import type { FileProblem } from "../types/watchlist-format.ts";
import { canonicalAddress, type NormalizeAddress, notAnAddress } from "./addresses.ts";
import { addressField, chainField, check, mapping } from "./fields.ts";
import { ownRowSchema } from "./own-row.ts";
import { createProblems, showFound } from "./problems.ts";

export type OwnPlace = Pick<OwnAddress, "chain" | "address">;

export interface OwnBatch<T extends OwnPlace> {
  /** In canonical writing, each address once, by its place in the batch, from 1. */
  readonly rows: ReadonlyMap<number, T>;
  readonly problems: readonly FileProblem[];
}

export interface BatchOptions {
  /** Named in problems. */
  readonly from: string;
  readonly normalizeAddress: NormalizeAddress;
}

const placeSchema = mapping({ chain: chainField, address: addressField });

export function checkOwnRows(values: readonly unknown[], options: BatchOptions): OwnBatch<OwnAddress> {
  return checkBatch(values, ownRowSchema, options);
}

export function checkOwnPlaces(values: readonly unknown[], options: BatchOptions): OwnBatch<OwnPlace> {
  return checkBatch(values, placeSchema, options);
}

function checkBatch<T extends OwnPlace>(
  values: readonly unknown[],
  schema: z.ZodType<T>,
  { from, normalizeAddress }: BatchOptions,
): OwnBatch<T> {
  const problems = createProblems(from);
  const rows = new Map<number, T>();
  const first = new Map<string, { row: T; line: number }>();
  for (const [index, value] of values.entries()) {
    const line = index + 1;
    const row = check(schema, { value, path: [], lineOf: () => line }, problems);
    if (row === null) continue;
    const canonical = canonicalAddress(normalizeAddress, row.chain, row.address);
    if (canonical === null) {
      problems.add({ line, field: "address", found: showFound(row.address), allowed: notAnAddress(row.chain) });
      continue;
    }
    const own = { ...row, address: canonical.address };
    const earlier = first.get(`${own.chain}/${own.address}`);
    if (earlier === undefined) {
      rows.set(line, own);
      first.set(`${own.chain}/${own.address}`, { row: own, line });
    } else if (!isSame(earlier.row, own)) {
      const found = `${own.address}, which row ${earlier.line} says otherwise`;
      problems.add({ line, field: "address", found, allowed: "one customer and one wallet for each address" });
    }
  }
  return { rows, problems: problems.list() };
}

function isSame(a: OwnPlace, b: OwnPlace): boolean {
  return Object.entries(a).every(([field, value]) => (b as unknown as Record<string, unknown>)[field] === value);
}

/** Whether both say the same of one address. */
export function isSameOwn(a: OwnAddress, b: OwnAddress): boolean {
  return a.customerRef === b.customerRef && a.wallet === b.wallet;
}
