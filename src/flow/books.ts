/** What a ledger says in all, and the proof that nothing vanished: all that was stolen is held, ended, on a bridge, or became another asset. */
import type { AssetId, ChainId } from "../types/chain.ts";
import type { FlowTotals, TrailEnd } from "../types/flow.ts";
import { bookedOf } from "./handoffs.ts";
import type { Ledger } from "./ledger.ts";

/** Of one asset of one chain; `injected + convIn = held + ended + pending + convOut`. */
export interface Books extends FlowTotals {
  readonly held: bigint;
  readonly ended: bigint;
  /** On bridges, not arrived and not given back. */
  readonly pending: bigint;
}

export function booksOf(ledger: Ledger): Books[] {
  const books = new Map<string, Books>();
  const add = (chain: ChainId, asset: AssetId, by: Partial<Omit<Books, "chain" | "asset">>) => {
    const key = `${chain}|${asset}`;
    const before = books.get(key);
    const of = (field: keyof typeof by) => (before?.[field] ?? 0n) + (by[field] ?? 0n);
    const conversions = { convIn: of("convIn"), convOut: of("convOut") };
    const rest = { held: of("held"), ended: of("ended"), pending: of("pending") };
    books.set(key, { chain, asset, injected: of("injected"), ...conversions, ...rest });
  };
  for (const { chain, asset, ...totals } of ledger.rows.totals.values()) add(chain, asset, totals);
  for (const { chain, asset, tainted } of ledger.rows.positions.values()) add(chain, asset, { held: tainted });
  for (const { chain, asset, tainted } of ledger.rows.ends.values()) add(chain, asset, { ended: tainted });
  for (const handoff of ledger.rows.handoffs.values()) {
    const { pending, convOut, bridgeFee } = bookedOf(ledger, handoff);
    add(handoff.chain, handoff.asset, { pending, convOut, ended: bridgeFee });
  }
  return [...books.values()];
}

/** All trail ends, with what bridges kept of refunds (BRG-5). */
export function trailEndsOf(ledger: Ledger): TrailEnd[] {
  const kept = new Map<string, TrailEnd>();
  for (const handoff of ledger.rows.handoffs.values()) {
    const { chain, asset, bridge: ref } = handoff;
    const tainted = bookedOf(ledger, handoff).bridgeFee;
    const key = `${chain}|${asset}|${ref}`;
    if (tainted > 0n)
      kept.set(key, { chain, asset, kind: "bridgeFee", ref, tainted: (kept.get(key)?.tainted ?? 0n) + tainted });
  }
  return [...ledger.rows.ends.values(), ...kept.values()];
}

/**
 * Throws where taint has vanished or come from nowhere, and names the asset and by how much. Holds with `haircut` and `fifo`;
 * `poison` makes taint out of clean funds by definition.
 */
export function assertNothingVanished(ledger: Ledger): void {
  const wrong = booksOf(ledger).flatMap(({ chain, asset, injected, convIn, convOut, held, ended, pending }) => {
    const missing = injected + convIn - held - ended - pending - convOut;
    const parts = `injected ${injected} + converted in ${convIn}; held ${held}, ended ${ended}, pending ${pending}, converted out ${convOut}`;
    return missing === 0n ? [] : [`${missing} of ${asset} on ${chain} (${parts})`];
  });
  if (wrong.length > 0) throw new Error(`assertion failed: taint is missing: ${wrong.join("; ")}`);
}
