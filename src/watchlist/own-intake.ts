/** Checked rows of own addresses into an index, whatever they come from. */
import { canonicalAddress, type NormalizeAddress, notAnAddress } from "./addresses.ts";
import type { OwnIndexBuilder } from "./own-index.ts";
import type { OwnRow } from "./own-row.ts";
import { type Problems, showFound } from "./problems.ts";

export interface Known {
  readonly builder: OwnIndexBuilder;
  readonly sources: readonly string[];
  noAdapter: number;
}

export interface Adding {
  readonly source: number;
  readonly known: Known;
  readonly problems: Problems;
  readonly normalize: NormalizeAddress;
}

/** In canonical writing; one address belongs to one customer and one wallet. */
export function addRow({ line, ...row }: OwnRow, { source, known, problems, normalize }: Adding): void {
  const canonical = canonicalAddress(normalize, row.chain, row.address);
  if (canonical === null) {
    problems.add({ line, field: "address", found: showFound(row.address), allowed: notAnAddress(row.chain) });
    return;
  }
  const { builder, sources } = known;
  if (builder.isFull) {
    problems.add({ line, field: "", found: "one address too many", allowed: "own addresses that fit in 4 GiB" });
    return;
  }
  const earlier = builder.add({ ...row, address: canonical.address }, { source, line });
  if (earlier === null) {
    if (!canonical.hasAdapter) known.noAdapter += 1;
    return;
  }
  for (const field of ["customerRef", "wallet"] as const) {
    if (earlier.own[field] === row[field]) continue;
    const place = `${sources[earlier.from.source]}:${earlier.from.line}`;
    const found = `${showFound(row[field])} for ${canonical.address}, which is ${showFound(earlier.own[field])} at ${place}`;
    problems.add({ line, field, found, allowed: "one customer and one wallet for each address" });
  }
}
