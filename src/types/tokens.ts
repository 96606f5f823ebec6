import type { Asset, AssetId } from "./chain.ts";

export const TOKEN_KINDS = ["stablecoin", "wrapped_native", "liquid_staking", "btc", "token"] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** Which assets are known by contract: whatever a stranger's token calls itself, only these are `listed`. */
export interface TokenList {
  /** Never null: an unknown asset comes back unlisted. */
  assetOf(id: AssetId): Asset;
  /** What a listed token stands for; null for coins and strangers. */
  kindOf?(id: AssetId): TokenKind | null;
}
