/** The shipped price feeds (config/price-feeds.yaml) to `PriceFeeds`. */
import { z } from "zod";
import { FEED_QUOTES, type PriceFeed, type PriceFeeds, type PriceRange } from "../types/price-feeds.ts";
import type { ChainId } from "../types/chain.ts";
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

const fileSchema = mapping({
  format: z.literal("heistwatch-price-feeds/1", { error: "heistwatch-price-feeds/1" }),
  version: versionField,
  sources: z.record(slugField, refField, { error: "a mapping of short keys to references" }).nullish(),
  feeds: z.array(z.unknown(), { error: "a list of feeds" }),
  sequencers: z.array(z.unknown(), { error: "a list of sequencer feeds" }).nullish(),
  ranges: z.array(z.unknown(), { error: "a list of ranges" }).nullish(),
});

const place = {
  chain: chainField,
  proxy: addressField,
  note: optional(textField(300)),
  sources: z.array(refField, { error: "a list of references" }).nullish(),
};
const symbolField = z
  .string({ error: "a symbol in capitals such as ETH" })
  .regex(/^[A-Z0-9]{1,16}$/, { error: "a symbol in capitals such as ETH" });
const USD_ALLOWED = "USD such as 0.5 or 40000, above 0";
const usd = z
  .string({ error: USD_ALLOWED })
  .regex(/^\d{1,9}(\.\d{1,9})?$/, { error: USD_ALLOWED })
  .transform(Number)
  .refine((value) => value > 0, { error: USD_ALLOWED });
const rangeSchema = mapping({ bases: z.array(symbolField, { error: "a list of symbols" }), fromUsd: usd, toUsd: usd });
const feedSchema = mapping({
  ...place,
  base: symbolField,
  quote: choiceField(FEED_QUOTES),
  decimals: optional(integerField(0, 36)),
});
const sequencerSchema = mapping(place);

export interface FeedFile {
  readonly feeds: PriceFeeds;
  readonly problems: readonly FileProblem[];
}

export const NO_FEEDS: PriceFeeds = { feeds: [], sequencers: new Map(), ranges: new Map() };

/** Each pair once on a chain: two feeds for one would leave it to chance which is asked. */
export async function loadPriceFeeds(path: string, normalizeAddress: NormalizeAddress): Promise<FeedFile> {
  const read = await readText(path, YAML_BYTES_MAX);
  if ("problem" in read) return { feeds: NO_FEEDS, problems: [read.problem] };
  const problems = createProblems(path);
  const yaml = readYaml(read.text, problems);
  const file = yaml && check(fileSchema, { value: yaml.value, path: [], lineOf: yaml.lineOf }, problems);
  if (yaml === null || file === null) return { feeds: NO_FEEDS, problems: problems.list() };
  const { lineOf } = yaml;

  function proxyOf(row: { chain: string; proxy: string }, at: readonly [string, number]): string | null {
    const found = canonicalAddress(normalizeAddress, row.chain, row.proxy);
    if (found !== null) return found.address;
    const field = `${at[0]}[${at[1]}].proxy`;
    problems.add({
      line: lineOf([...at, "proxy"]),
      field,
      found: showFound(row.proxy),
      allowed: notAnAddress(row.chain),
    });
    return null;
  }

  const feeds = new Map<string, PriceFeed>();
  for (const [index, value] of file.feeds.entries()) {
    const at = ["feeds", index] as const;
    const row = check(feedSchema, { value, path: at, lineOf }, problems);
    const proxy = row && proxyOf(row, at);
    if (row === null || proxy === null) continue;
    const { chain, base, quote, decimals } = row;
    const key = `${chain} ${base}/${quote}`;
    if (feeds.has(key))
      problems.add({
        line: lineOf(at),
        field: `feeds[${index}]`,
        found: `${key} a second time`,
        allowed: "each pair once",
      });
    else feeds.set(key, { chain, base, quote, proxy, decimals });
  }
  const sequencers = new Map<ChainId, string>();
  for (const [index, value] of (file.sequencers ?? []).entries()) {
    const at = ["sequencers", index] as const;
    const row = check(sequencerSchema, { value, path: at, lineOf }, problems);
    const proxy = row && proxyOf(row, at);
    if (row !== null && proxy !== null) sequencers.set(row.chain, proxy);
  }
  const ranges = new Map<string, PriceRange>();
  for (const [index, value] of (file.ranges ?? []).entries()) {
    const at = ["ranges", index] as const;
    const row = check(rangeSchema, { value, path: at, lineOf }, problems);
    for (const symbol of row?.bases ?? []) {
      const { fromUsd, toUsd } = row as PriceRange;
      if (!ranges.has(symbol) && fromUsd < toUsd) ranges.set(symbol, { fromUsd, toUsd });
      else {
        const found = `${symbol} from ${fromUsd} to ${toUsd}`;
        problems.add({ line: lineOf(at), field: `ranges[${index}]`, found, allowed: "each symbol once, and upward" });
      }
    }
  }
  return { feeds: { feeds: [...feeds.values()], sequencers, ranges }, problems: problems.list() };
}
