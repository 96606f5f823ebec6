import type { Asset, AssetId } from "./chain.ts";

/** Which assets are known by contract: whatever a stranger's token calls itself, only these are `listed`. */
export interface TokenList {
  /** Never null: an unknown asset comes back unlisted. */
  assetOf(id: AssetId): Asset;
}
