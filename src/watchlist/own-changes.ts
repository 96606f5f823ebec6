/**
 * Own addresses that change one by one while blocks are matched: an index of millions, and beside it the few that changed
 * since it was made, which win. Immutable: whoever matches with the addresses from before goes on with exactly those.
 */
import type { OwnChange } from "../types/own.ts";
import type { Address, ChainId } from "../types/chain.ts";
import type { OwnAddress } from "../types/watch.ts";
import { createOwnIndexBuilder, type OwnIndex } from "./own-index.ts";

export interface ChangingOwn {
  readonly base: OwnIndex;
  /** By chain and address: as it is now; null: it is gone. */
  readonly changed: ReadonlyMap<string, OwnAddress | null>;
  /** Both as one. */
  readonly own: OwnIndex;
}

/** Some milliseconds to copy at each change; one made into an index takes a few seconds for millions, in slices. */
export const CHANGED_MAX = 20_000;

export function unchangedOwn(base: OwnIndex): ChangingOwn {
  return { base, changed: new Map(), own: base };
}

/** `mark`: another one after each change. Stops in between, so that others can run. */
export function* changeOwn(
  before: ChangingOwn,
  { changes, mark }: { changes: Iterable<OwnChange>; mark: string },
): Generator<void, ChangingOwn> {
  const changed = new Map(before.changed);
  for (const { chain, address, after } of changes) {
    changed.set(keyOf(chain, address), after);
    yield;
  }
  const own = yield* joined({ base: before.base, changed, mark });
  if (changed.size <= CHANGED_MAX) return { base: before.base, changed, own };
  const builder = createOwnIndexBuilder();
  for (const one of own.all()) {
    builder.add(one, { source: 0, line: 0 });
    yield;
  }
  return unchangedOwn({ ...(yield* builder.finish()), digest: mark });
}

function* joined({ base, changed, mark }: Pick<ChangingOwn, "base" | "changed"> & { mark: string }) {
  let { count } = base;
  for (const [key, now] of changed) {
    const [chain, address] = placeOf(key);
    count += Number(now !== null) - Number(base.of(chain, address) !== null);
    yield;
  }
  const own: OwnIndex = {
    of(chain, address) {
      const now = changed.get(keyOf(chain, address));
      return now === undefined ? base.of(chain, address) : now;
    },
    count,
    digest: mark,
    bytes: base.bytes,
    *all() {
      for (const one of base.all()) if (!changed.has(keyOf(one.chain, one.address))) yield one;
      for (const now of changed.values()) if (now !== null) yield now;
    },
  };
  return own;
}

function keyOf(chain: ChainId, address: Address): string {
  return `${chain}/${address}`;
}

/** A chain id has no slash. */
function placeOf(key: string): [ChainId, Address] {
  const at = key.indexOf("/");
  return [key.slice(0, at), key.slice(at + 1)];
}
