/** How stolen funds came to where they are (EVD-1): from a hit back to an origin, always along the largest payment. */
import type { FlowEdge, FlowHit, FlowVia } from "../types/flow.ts";
import { type Ledger, nodeKeyOf } from "./ledger.ts";

export interface FlowPath {
  /** From the origin to the hit. */
  readonly edges: readonly FlowEdge[];
  /** How many other payments came together on the way. */
  readonly alternatives: number;
  /** The part of the hit that this path explains, each step in proportion. */
  readonly coversBps: number;
  /** What it passed: swaps, bridges, mixers that an analyst linked. Neighbours that are the same are told once. */
  readonly via: readonly FlowVia[];
}

/** Longer ones are cut off at their old end. */
const EDGES_MAX = 10_000;

/** Null: nothing was traced to it (role `source`). */
export function pathOf(ledger: Ledger, hit: FlowHit): FlowPath | null {
  const last = hit.edge === null ? undefined : ledger.rows.edges.get(hit.edge);
  return last === undefined ? null : pathTo(ledger, last);
}

export function pathTo(ledger: Ledger, last: FlowEdge): FlowPath {
  const edges = [last];
  const seen = new Set<FlowEdge>(edges);
  let alternatives = last.joined?.others ?? 0;
  let covered = coverOf(last);
  for (let edge = last; edge.kind !== "origin" && edges.length < EDGES_MAX; ) {
    const before = edgesInto(ledger, edge);
    const next = largestOf(before);
    if (next === null || seen.has(next)) break;
    alternatives += before.length - 1 + (next.joined?.others ?? 0);
    const whole = before.reduce((sum, { tainted }) => sum + tainted, 0n);
    covered = covered.concat([[next.tainted, whole], ...coverOf(next)]);
    edges.push(next);
    seen.add(next);
    edge = next;
  }
  return { edges: edges.toReversed(), alternatives, coversBps: bpsOfProduct(covered), via: viaOf(edges.toReversed()) };
}

type Part = readonly [part: bigint, whole: bigint];

function coverOf({ joined }: FlowEdge): Part[] {
  return joined === undefined ? [] : [[joined.part, joined.whole]];
}

/** Payments into where this one came from, recorded before it. A bridge's were recorded on another chain: all of them. */
function edgesInto(ledger: Ledger, edge: FlowEdge): FlowEdge[] {
  const keys = ledger.edgesTo.of(nodeKeyOf(edge.chain, edge.from));
  const edges = keys.flatMap((key) => ledger.rows.edges.get(key) ?? []);
  return edges.filter((one) => one.chain !== edge.chain || isBefore(one, edge));
}

function isBefore(a: FlowEdge, b: FlowEdge): boolean {
  return a.block - b.block < 0 || (a.block === b.block && (a.txIndex - b.txIndex || a.place - b.place) < 0);
}

/** The largest, of equals the earliest; payments that left no taint behind are none. */
function largestOf(edges: readonly FlowEdge[]): FlowEdge | null {
  let best: FlowEdge | null = null;
  for (const edge of edges) if (best === null || edge.tainted > best.tainted) best = edge;
  return best;
}

function bpsOfProduct(parts: readonly Part[]): number {
  let part = 10_000n;
  let whole = 1n;
  for (const [one, of] of parts) {
    part *= one;
    whole *= of;
  }
  return Number(part / whole);
}

function viaOf(edges: readonly FlowEdge[]): FlowVia[] {
  const passed: FlowVia[] = [];
  for (const { via } of edges)
    if (via !== undefined && JSON.stringify(via) !== JSON.stringify(passed.at(-1))) passed.push(via);
  return passed;
}
