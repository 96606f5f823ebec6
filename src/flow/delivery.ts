/** A stolen payment on its way to the rules that say where it ends up. */
import type { Address, AssetId } from "../types/chain.ts";
import type { BridgeEvent } from "../types/flow-block.ts";
import type { EdgeNode, FlowBasis, FlowEdge, FlowEdgeKind, FlowVia, Lot } from "../types/flow.ts";
import type { addEdge } from "./work.ts";

/** A payment of which `tainted` is stolen. */
export interface Delivery {
  readonly kind: FlowEdgeKind;
  readonly asset: AssetId;
  readonly amount: bigint;
  readonly tainted: bigint;
  readonly from: EdgeNode;
  /** `holder` empty: it is destroyed. */
  readonly to: { readonly holder: string; readonly owner: Address | null };
  /** What it has on arrival. */
  readonly hop: number;
  readonly steps: number;
  readonly basis: FlowBasis;
  /** What its sender has: an order to a bridge keeps it. */
  readonly senderHop: number;
  /** Whose receivers are counted; null: nobody's. */
  readonly sender: Address | null;
  /** Orders of this transaction that name this payment. */
  readonly orders: readonly BridgeEvent[];
  readonly lots?: readonly Lot[];
  readonly joined?: FlowEdge["joined"];
  readonly via?: FlowVia;
}

/** ORG-1: what every payment has that is the theft itself. */
export const BEGINNING = {
  kind: "origin",
  hop: 0,
  steps: 0,
  basis: "exact",
  senderHop: 0,
  sender: null,
  orders: [],
} as const satisfies Partial<Delivery>;

/** The edge of a delivery, without what depends on where it ends. */
export function edgeOf(delivery: Delivery): Parameters<typeof addEdge>[1] {
  const { kind, from, to, asset, amount, tainted, hop, joined, via } = delivery;
  return {
    kind,
    from,
    to: { holder: to.holder, address: to.owner, asset },
    amount,
    tainted,
    hop,
    ...(joined === undefined ? {} : { joined }),
    ...(via === undefined ? {} : { via }),
  };
}
