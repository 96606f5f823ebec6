/**
 * The shipped token list to a `TokenList`. Only these contracts, and the native coins, are `listed`: what a stranger's
 * contract calls itself counts for nothing.
 */
import { z } from "zod";
import type { Asset, AssetId } from "../types/chain.ts";
import { TOKEN_KINDS, type TokenKind, type TokenList } from "../types/tokens.ts";
import type { FileProblem } from "../types/watchlist-format.ts";
import { canonicalAddress, type NormalizeAddress, notAnAddress } from "./addresses.ts";
import {
  addressField,
  chainField,
  check,
  choiceField,
  integerField,
  mapping,
  optional,
  refField,
  slugField,
  textField,
  versionField,
} from "./fields.ts";
import { readText } from "./files.ts";
import { readYaml, YAML_BYTES_MAX } from "./located-yaml.ts";
import { createProblems, showFound } from "./problems.ts";

/** The CAIP-19 asset namespace of a token contract, by CAIP-2 namespace of its chain. */
const ASSET_NAMESPACES: ReadonlyMap<string, string> = new Map([["eip155", "erc20"]]);

const fileSchema = mapping({
  format: z.literal("heistwatch-tokens/1", { error: "heistwatch-tokens/1" }),
  version: versionField,
  sources: z.record(slugField, refField, { error: "a mapping of short keys to references" }).nullish(),
  tokens: z.array(z.unknown(), { error: "a list of tokens" }),
});

const tokenSchema = mapping({
  chain: chainField,
  address: addressField,
  symbol: textField(32),
  name: optional(textField(100)),
  decimals: optional(integerField(0, 77)), // 10^77 is the largest power of ten in 256 bits
  kind: choiceField(TOKEN_KINDS),
  note: optional(textField(300)),
  sources: z.array(refField, { error: "a list of references" }).nullish(),
});

export interface TokenOptions {
  readonly path: string;
  /** The chains' own coins, from the chain configuration. */
  readonly natives: readonly Asset[];
  readonly normalizeAddress: NormalizeAddress;
}

export interface TokenResult {
  readonly tokens: TokenList;
  /** Contracts listed, natives not counted. */
  readonly count: number;
  readonly problems: readonly FileProblem[];
}

export async function loadTokens(options: TokenOptions): Promise<TokenResult> {
  const read = await readText(options.path, YAML_BYTES_MAX);
  if ("problem" in read) return { tokens: createTokenList(options.natives), count: 0, problems: [read.problem] };
  const { assets, kinds, problems } = parseTokens(read.text, options);
  return { tokens: createTokenList([...assets, ...options.natives], kinds), count: assets.length, problems };
}

export function createTokenList(
  assets: readonly Asset[],
  kinds: ReadonlyMap<AssetId, TokenKind> = new Map(),
): TokenList {
  const byId = new Map<AssetId, Asset>(assets.map((asset) => [asset.id, asset]));
  return {
    // Strangers are not remembered: anyone can make new contracts faster than we could forget them.
    assetOf: (id) => byId.get(id) ?? { id, symbol: null, decimals: null, listed: false, dustBelow: 1n },
    kindOf: (id) => kinds.get(id) ?? null,
  };
}

interface ParsedTokens {
  readonly assets: readonly Asset[];
  readonly kinds: ReadonlyMap<AssetId, TokenKind>;
  readonly problems: readonly FileProblem[];
}

function parseTokens(text: string, options: TokenOptions): ParsedTokens {
  const problems = createProblems(options.path);
  const assets = new Map<AssetId, Asset>();
  const kinds = new Map<AssetId, TokenKind>();
  const yaml = readYaml(text, problems);
  const file = yaml && check(fileSchema, { value: yaml.value, path: [], lineOf: yaml.lineOf }, problems);
  if (yaml === null || file === null) return { assets: [], kinds, problems: problems.list() };
  for (const [index, value] of file.tokens.entries()) {
    const at = ["tokens", index];
    const token = check(tokenSchema, { value, path: at, lineOf: yaml.lineOf }, problems);
    if (token === null) continue;
    const refuse = (field: string, found: string, allowed: string) => {
      problems.add({ line: yaml.lineOf([...at, field]), field: `tokens[${index}].${field}`, found, allowed });
    };
    const canonical = canonicalAddress(options.normalizeAddress, token.chain, token.address);
    const namespace = ASSET_NAMESPACES.get(token.chain.split(":")[0] ?? "");
    const id = `${token.chain}/${namespace}:${canonical?.address}`;
    if (namespace === undefined)
      refuse("chain", showFound(token.chain), `a chain of ${[...ASSET_NAMESPACES.keys()].join(", ")}`);
    else if (canonical === null) refuse("address", showFound(token.address), notAnAddress(token.chain));
    else if (assets.has(id)) refuse("address", `${showFound(token.address)} a second time`, "each token once");
    else {
      assets.set(id, { id, symbol: token.symbol, decimals: token.decimals, listed: true, dustBelow: dustBelow(token) });
      kinds.set(id, token.kind);
    }
  }
  return { assets: [...assets.values()], kinds, problems: problems.list() };
}

/** Stablecoins: a tenth of a unit. Any other token: nothing but zero, because an amount of unknown value is never dust. */
function dustBelow(token: { kind: string; decimals: number | null }): bigint {
  if (token.kind !== "stablecoin" || token.decimals === null || token.decimals === 0) return 1n;
  return 10n ** BigInt(token.decimals - 1);
}
