/** How own addresses that people gave change. */
import type { Address, ChainId } from "./chain.ts";
import type { OwnAddress } from "./watch.ts";

/** One address before and after; null: nobody had given it, or nobody does any more. */
export interface OwnChange {
  readonly chain: ChainId;
  readonly address: Address;
  readonly before: OwnAddress | null;
  readonly after: OwnAddress | null;
}

/** Of all that people gave. */
export interface OwnState {
  /** Rises with every change. */
  readonly revision: number;
  /** Another one after each change; empty: there never was one. */
  readonly mark: string;
  /** How many addresses. */
  readonly addresses: number;
}
