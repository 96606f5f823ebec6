/** Which price an asset has: by its kind in the token list and its symbol there, which no stranger's contract can claim. Pure. */
import type { TokenKind } from "../types/tokens.ts";

export interface PricedAs {
  /** Bases of price feeds, the best first. */
  readonly bases: readonly string[];
  /** USD it is worth where no feed is known for any of them; null: then its value is unknown. */
  readonly assumedUsd: 1 | null;
  /** It is held to be worth this much; a price far from it is told. */
  readonly pegUsd: 1 | null;
}

/** The same coin under another name: POL took MATIC's place one for one, and some feeds kept the old name. */
const RENAMED: Readonly<Record<string, readonly string[]>> = { POL: ["POL", "MATIC"], MATIC: ["MATIC", "POL"] };

/** Bridged under a name of their own. */
const BRIDGED: Readonly<Record<string, string>> = { "USDC.E": "USDC", USDBC: "USDC" };

/** Stable coins of other currencies. */
const OTHER_PEGS: Readonly<Record<string, string>> = { EURC: "EUR", EURS: "EUR", JEUR: "EUR" };

/** Shares of a vault of stable coins: worth more each day. */
const VAULT_SHARES: ReadonlySet<string> = new Set(["SDAI", "SUSDE"]);

/** `kind` null: the coin of the chain. Null: nothing here can price it. */
export function pricedAs(symbol: string, kind: TokenKind | null): PricedAs | null {
  const name = symbol.toUpperCase();
  switch (kind) {
    case "stablecoin":
      return stableAs(name);
    case "wrapped_native":
      return name.startsWith("W") ? byFeed(namesOf(name.slice(1))) : null;
    case "btc":
      return byFeed([name, "BTC"]);
    case "liquid_staking":
    case "token":
    case null:
      return byFeed(namesOf(name));
  }
}

function stableAs(name: string): PricedAs {
  const currency = OTHER_PEGS[name];
  if (currency !== undefined) return byFeed([name, currency]);
  if (VAULT_SHARES.has(name)) return byFeed([name]);
  return { bases: [BRIDGED[name] ?? name], assumedUsd: 1, pegUsd: 1 };
}

function byFeed(bases: readonly string[]): PricedAs {
  return { bases, assumedUsd: null, pegUsd: null };
}

function namesOf(name: string): readonly string[] {
  return RENAMED[name] ?? [name];
}
