/** Indexes over the tables, kept up with every change and every undo, never stored. */
import { assert } from "../lib/assert.ts";

/** Keys of rows by two names. Lookups make no text. */
export interface GroupIndex {
  change(first: string, second: string, key: string, isThere: boolean): void;
  of(first: string, second: string): ReadonlySet<string>;
  has(first: string, second: string): boolean;
}

const NONE: ReadonlySet<string> = new Set();

export function createGroupIndex(): GroupIndex {
  const groups = new Map<string, Map<string, Set<string>>>();
  const of = (first: string, second: string) => groups.get(first)?.get(second) ?? NONE;
  return {
    of,
    has: (first, second) => groups.get(first)?.has(second) ?? false,
    change(first, second, key, isThere) {
      const group = groups.get(first) ?? new Map<string, Set<string>>();
      groups.set(first, group);
      const keys = group.get(second) ?? new Set<string>();
      if (isThere) keys.add(key);
      else keys.delete(key);
      if (keys.size === 0) group.delete(second);
      else group.set(second, keys);
    },
  };
}

/** Keys of edges into a node. They come and go at the end, because blocks do. */
export interface EdgeIndex {
  add(node: string, edge: string): void;
  remove(node: string, edge: string): void;
  of(node: string): readonly string[];
}

export function createEdgeIndex(): EdgeIndex {
  // Most nodes have one edge: a text there saves the array.
  const edges = new Map<string, string | string[]>();
  const listOf = (node: string): readonly string[] => {
    const found = edges.get(node);
    return found === undefined ? [] : typeof found === "string" ? [found] : found;
  };
  return {
    of: listOf,
    add(node, edge) {
      const found = edges.get(node);
      if (found === undefined) edges.set(node, edge);
      else if (typeof found === "string") edges.set(node, [found, edge]);
      else found.push(edge);
    },
    remove(node, edge) {
      const found = edges.get(node);
      const last = typeof found === "string" ? found : found?.pop();
      assert(last === edge, "edges are taken back in the reverse of their order");
      if (typeof found === "string" || found?.length === 0) edges.delete(node);
    },
  };
}
