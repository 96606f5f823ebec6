/** Where lists say different things about one address. Shown to people; nothing is merged or chosen here. */
import type { WatchEntry } from "../types/watch.ts";
import { compareText } from "./problems.ts";

/** What lists may differ in, and what an alert is made of. */
const CLAIMS = ["role", "basis", "confidence", "default", "direction", "incident", "sanctioned"] as const;
export type ClaimName = (typeof CLAIMS)[number];

export type ClaimingEntry = Pick<WatchEntry, "id" | "list" | "chain" | "address" | "label" | ClaimName>;

export interface Disagreement {
  readonly chain: string;
  readonly address: string;
  /** Claims that are not the same in all entries. */
  readonly differs: readonly ClaimName[];
  /** All of them, in the order given. */
  readonly entries: readonly ClaimingEntry[];
}

/** By chain and address. Entries that agree in every claim are none, however their labels are worded. */
export function findDisagreements(entries: Iterable<ClaimingEntry>): readonly Disagreement[] {
  const byAddress = new Map<string, ClaimingEntry[]>();
  for (const entry of entries) {
    const key = `${entry.chain}/${entry.address}`;
    const others = byAddress.get(key);
    if (others === undefined) byAddress.set(key, [entry]);
    else others.push(entry);
  }
  const found: Disagreement[] = [];
  for (const claims of byAddress.values()) {
    const [first] = claims;
    if (first === undefined || claims.length < 2) continue;
    const differs = CLAIMS.filter((claim) => claims.some((one) => told(one, claim) !== told(first, claim)));
    if (differs.length > 0) found.push({ chain: first.chain, address: first.address, differs, entries: claims });
  }
  return found.toSorted((a, b) => compareText(a.chain, b.chain) || compareText(a.address, b.address));
}

/** Sanctioned by whom is a detail; sanctioned or not is a claim. */
function told(entry: ClaimingEntry, claim: ClaimName): string {
  return claim === "sanctioned" ? String(entry.sanctioned !== null) : entry[claim];
}
