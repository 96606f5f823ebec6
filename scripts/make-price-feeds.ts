/**
 * Collected Chainlink proxies (price-feeds.json) to config/price-feeds.yaml. Nothing is added and nothing judged here.
 * Same input, same bytes.
 *
 *   node scripts/make-price-feeds.ts <price-feeds.json> [output file]
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import {
  compareText,
  inline,
  type Pair,
  quoted,
  quotedText,
  sourceKeys,
  sourceTable,
  VERSION,
} from "./make-watchlists.ts";

const rowSchema = z.object({
  chain: z.string(),
  base: z.string().nullable(),
  quote: z.string().nullable(),
  kind: z.enum(["chainlink_price_feed", "chainlink_l2_sequencer_uptime"]),
  proxy: z.string(),
  decimals: z.int().nullable(),
  sources: z.array(z.string()),
});
type Row = z.output<typeof rowSchema>;

export function makePriceFeeds(input: unknown): string {
  const rows = z
    .array(rowSchema)
    .parse(input)
    .toSorted((a, b) => compareText(a.chain, b.chain) || compareText(pairOf(a), pairOf(b)));
  const feeds = rows.filter(({ kind }) => kind === "chainlink_price_feed");
  const sequencers = rows.filter(({ kind }) => kind === "chainlink_l2_sequencer_uptime");
  const keys = sourceKeys(rows.flatMap((row) => row.sources));
  const sourcesOf = (row: Row) => `sources: [${row.sources.map((ref) => keys.get(ref)).join(", ")}]`;
  const lines = [
    `# ${feeds.length} Chainlink price feeds (the proxies, which stay where they are), asked of your own nodes only.`,
    "# Made by scripts/make-price-feeds.ts. Without decimals: no opened source gives them, they are asked of the contract.",
    "",
    "format: heistwatch-price-feeds/1",
    `version: ${quoted(VERSION)}`,
    "",
    ...sourceTable(keys),
    "feeds:",
    ...feeds.map((row) => {
      const pairs: Pair[] = [
        ["chain", row.chain],
        ["base", quotedText(row.base ?? "")],
        ["quote", quotedText(row.quote ?? "")],
        ["proxy", row.proxy],
        ["decimals", row.decimals],
      ];
      return `  - { ${inline(pairs)}, ${sourcesOf(row)} }`;
    }),
    "",
    "# Is the rollup's sequencer up? The source calls these contracts addresses, not proxies; both answer alike.",
    "sequencers:",
    ...sequencers.map((row) => {
      const pairs: Pair[] = [
        ["chain", row.chain],
        ["proxy", row.proxy],
      ];
      return `  - { ${inline(pairs)}, ${sourcesOf(row)} }`;
    }),
    "",
    "# What these cost in the last years, with a factor of ten on each side where it may move: from a node that nobody checks, a price",
    "# outside is unknown. A second source is believed all the same.",
    "ranges:",
    "  - { bases: [BTC, CBBTC, TBTC, WBTC], fromUsd: 10000, toUsd: 1000000 }",
    "  - { bases: [ETH, STETH], fromUsd: 200, toUsd: 40000 }",
    "  - { bases: [BNB], fromUsd: 50, toUsd: 10000 }",
    "  - { bases: [MATIC, POL], fromUsd: 0.02, toUsd: 20 }",
    "  - { bases: [DAI, FDUSD, FRAX, TUSD, USDC, USDE, USDS, USDT], fromUsd: 0.5, toUsd: 1.5 }",
    "  - { bases: [EUR], fromUsd: 0.7, toUsd: 1.8 }",
  ];
  return `${lines.join("\n")}\n`;
}

function pairOf({ base, quote }: Row): string {
  return `${base}/${quote}`;
}

function main([input, output = "config/price-feeds.yaml"]: readonly string[]): void {
  if (input === undefined) {
    console.error("usage: make-price-feeds.ts <price-feeds.json> [output file]");
    process.exitCode = 1;
    return;
  }
  writeFileSync(output, makePriceFeeds(JSON.parse(readFileSync(input, "utf8"))));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
