/**
 * Collected intelligence (heists.json, addresses.json, tokens.json, services.json, transactions.json) to the files we ship:
 * watchlists/<incident>.yaml, watchlists/services/<category>.yaml, watchlists/thefts/transactions.yaml and config/tokens.yaml.
 * Nothing is added and nothing judged here, except which attribution is disputed.
 * Same input, same bytes.
 *
 *   node scripts/make-watchlists.ts <intel folder> [output folder]
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** The day the copies were read. Raise the last number when a list changes and the day does not. */
export const VERSION = "2026-11-22.1";
const COPIES_READ = "2026-11-22";
/** South Korean officials were reported to suspect Lazarus, the researcher's file says it does not resemble DPRK. */
const DISPUTED: ReadonlySet<string> = new Set(["upbit-2025"]);
const OFFICIAL_ROWS = "over 780";

const text = z.string();
const heistSchema = z.object({
  id: text,
  kind: text,
  name: text,
  date: text.nullish(),
  loss_usd: z.number().nullish(),
  attribution: text.nullish(),
  attribution_basis: text.nullish(),
  references: z.array(text),
  note: text.nullish(),
});
const addressSchema = z.object({
  chain: text,
  address: text,
  incident: text,
  role: text,
  label: text,
  basis: text,
  confidence: text,
  independent_sources: z.int(),
  sanctioned: z.object({ list: text, source: text }).nullish(),
  default: text,
  direction: text.nullish(),
  custodian: text.nullish(),
  note: text.nullish(),
  first_seen_tx: text.nullish(),
  account_type: text.nullish(),
  owner: text.nullish(),
  sources: z.array(z.object({ ref: text, label: text.nullish(), quoted_source: text.nullish() })),
});
const tokenSchema = z.object({
  chain: text,
  address: text,
  symbol: text,
  name: text.nullish(),
  decimals: z.int().nullish(),
  kind: text,
  note: text.nullish(),
  sources: z.array(text),
});
const serviceSchema = z.object({
  chain: text,
  address: text,
  entity: text,
  category: text,
  label: text,
  confidence: text,
  conflicting_entities: z.array(text).nullish(),
  note: text.nullish(),
  sources: z.array(text),
});
const transactionSchema = z.object({
  incident: text,
  chain: text,
  tx: text,
  block: z.int().nullish(),
  time: text.nullish(),
  kind: text,
  note: text.nullish(),
  sources: z.array(text),
});
const intelSchema = z.object({
  heists: z.array(heistSchema),
  addresses: z.array(addressSchema),
  tokens: z.array(tokenSchema),
  services: z.array(serviceSchema),
  transactions: z.array(transactionSchema),
});

type Heist = z.output<typeof heistSchema>;
type AddressRow = z.output<typeof addressSchema>;
type TokenRow = z.output<typeof tokenSchema>;
type ServiceRow = z.output<typeof serviceSchema>;
type TransactionRow = z.output<typeof transactionSchema>;

/** Path below the output folder -> text. */
export function makeWatchlists(input: unknown): ReadonlyMap<string, string> {
  const intel = intelSchema.parse(input);
  const known = new Set(intel.heists.map((heist) => heist.id));
  const stray = intel.addresses.find((row) => !known.has(row.incident));
  if (stray !== undefined)
    throw new Error(`${stray.chain} ${stray.address}: no incident ${stray.incident} in heists.json`);
  const files = new Map<string, string>();
  const sanctionedInAll = intel.addresses.filter((row) => row.sanctioned != null).length;
  for (const heist of intel.heists.toSorted((a, b) => compareText(a.id, b.id))) {
    const rows = intel.addresses.filter((row) => row.incident === heist.id);
    if (rows.length > 0) files.set(`watchlists/${heist.id}.yaml`, listFile(heist, rows, sanctionedInAll));
  }
  files.set("config/tokens.yaml", tokenFile(intel.tokens));
  for (const category of [...new Set(intel.services.map((row) => row.category))].toSorted(compareText)) {
    const rows = intel.services.filter((row) => row.category === category);
    files.set(`watchlists/services/${category}.yaml`, serviceFile(category, rows));
  }
  files.set("watchlists/thefts/transactions.yaml", transactionFile(intel.transactions));
  return files;
}

function listFile(heist: Heist, rows: readonly AddressRow[], sanctionedInAll: number): string {
  const sorted = rows.toSorted((a, b) => compareText(a.chain, b.chain) || compareText(a.address, b.address));
  const keys = sourceKeys(
    sorted.flatMap((row) => [
      ...row.sources.map((source) => source.ref),
      ...(row.sanctioned ? [row.sanctioned.source] : []),
    ]),
  );
  const lines = [
    ...listHeader(heist, sorted, sanctionedInAll),
    "format: heistwatch/1",
    `list: ${scalar(heist.id)}`,
    `version: ${quoted(VERSION)}`,
    "",
    "incident:",
    ...fields("  ", [
      ["id", heist.id],
      ["name", heist.name],
      ["kind", heist.kind],
      ["date", heist.date],
      ["attribution", heist.attribution],
      ["attributionBasis", heist.attribution_basis],
      ["disputed", DISPUTED.has(heist.id)],
      ["lossUsd", heist.loss_usd],
      ["note", heist.note],
    ]),
    "  references:",
    ...heist.references.map((reference) => `    - ${scalar(reference)}`),
    "",
    ...sourceTable(keys),
    "entries:",
    ...sorted.flatMap((row) => entryLines(row, keys)),
  ];
  return `${lines.join("\n")}\n`;
}

function listHeader(heist: Heist, rows: readonly AddressRow[], sanctionedInAll: number): string[] {
  const lines = [
    `# ${heist.name}: ${rows.length} addresses for heistwatch, from public sources named in each row.`,
    "# Made by scripts/make-watchlists.ts: a change by hand is lost the next time. Own additions belong in a file of their own.",
    "# on: watched. off: watched when this list is named under watchlists.enable. never: victims and restrained funds.",
  ];
  const sanctioned = rows.filter((row) => row.sanctioned != null).length;
  if (sanctioned > 0) {
    lines.push(
      `# NOT a full OFAC list: ${sanctioned} sanctioned rows here, ${sanctionedInAll} in all shipped lists, of ${OFFICIAL_ROWS} in the official file.`,
      `# Status as of the copies read on ${COPIES_READ}; import the official list before relying on it.`,
    );
  }
  if (DISPUTED.has(heist.id))
    lines.push("# The attribution is disputed: alerts from this list are at most medium and say so.");
  return [...lines, ""];
}

function entryLines(row: AddressRow, keys: ReadonlyMap<string, string>): string[] {
  const sources = row.sources.map((source) => {
    const pairs: Pair[] = [
      ["ref", keys.get(source.ref)],
      ["label", source.label],
      ["quoted", source.quoted_source],
    ];
    return `      - { ${inline(pairs)} }`;
  });
  const sanctioned =
    row.sanctioned &&
    `    sanctioned: { ${inline([
      ["list", row.sanctioned.list],
      ["source", keys.get(row.sanctioned.source)],
    ])} }`;
  const [first, ...rest] = fields("    ", [
    ["chain", row.chain],
    ["address", row.address],
    ["role", row.role],
    ["label", row.label],
    ["basis", row.basis],
    ["confidence", row.confidence],
    ["independentSources", row.independent_sources],
  ]);
  const tail = fields("    ", [
    ["default", row.default],
    ["direction", row.direction === "both" ? null : row.direction],
    ["custodian", row.custodian],
    ["accountType", row.account_type],
    ["owner", row.owner],
    ["firstSeenTx", row.first_seen_tx],
    ["note", row.note],
  ]);
  return [
    `  - ${first?.trimStart()}`,
    ...rest,
    ...(sanctioned ? [sanctioned] : []),
    ...tail,
    "    sources:",
    ...sources,
  ];
}

function tokenFile(tokens: readonly TokenRow[]): string {
  const sorted = tokens.toSorted(
    (a, b) => compareText(a.chain, b.chain) || compareText(a.symbol, b.symbol) || compareText(a.address, b.address),
  );
  const keys = sourceKeys(sorted.flatMap((token) => token.sources));
  const lines = [
    `# ${tokens.length} token contracts that may be called by their name in an alert. Any other contract's token is "unlisted".`,
    "# Made by scripts/make-watchlists.ts. Without decimals: no opened source gives them, read decimals() on chain.",
    "",
    "format: heistwatch-tokens/1",
    `version: ${quoted(VERSION)}`,
    "",
    ...sourceTable(keys),
    "tokens:",
    ...sorted.map((token) => {
      const pairs: Pair[] = [
        ["chain", token.chain],
        ["address", token.address],
        ["symbol", quotedText(token.symbol)],
        ["name", token.name],
        ["decimals", token.decimals],
        ["kind", token.kind],
        ["note", token.note],
      ];
      return `  - { ${inline(pairs)}, sources: [${token.sources.map((ref) => keys.get(ref)).join(", ")}] }`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}

function serviceFile(category: string, rows: readonly ServiceRow[]): string {
  const sorted = rows.toSorted(
    (a, b) => compareText(a.chain, b.chain) || compareText(a.entity, b.entity) || compareText(a.address, b.address),
  );
  const keys = sourceKeys(sorted.flatMap((row) => row.sources));
  const lines = [
    `# ${rows.length} addresses of services (${category}), from public sources named in each row. They are not watched: adding one to a`,
    "# watchlist is refused unless it is said twice. Hot wallets change; a service that is not here is no less a service.",
    "# Made by scripts/make-watchlists.ts.",
    "",
    "format: heistwatch-services/1",
    `version: ${quoted(VERSION)}`,
    `category: ${category}`,
    "",
    ...sourceTable(keys),
    "services:",
    ...sorted.map((row) => {
      const pairs: Pair[] = [
        ["chain", row.chain],
        ["address", row.address],
        ["entity", quotedText(row.entity)],
        ["label", quotedText(row.label)],
        ["confidence", row.confidence],
        ["note", row.note],
      ];
      const conflicting = row.conflicting_entities?.map(quoted).join(", ");
      const more = conflicting === undefined ? "" : `, conflicting: [${conflicting}]`;
      return `  - { ${inline(pairs)}${more}, sources: [${row.sources.map((ref) => keys.get(ref)).join(", ")}] }`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}

function transactionFile(transactions: readonly TransactionRow[]): string {
  const sorted = transactions.toSorted(
    (a, b) =>
      compareText(a.incident, b.incident) ||
      compareText(a.chain, b.chain) ||
      (a.block ?? 0) - (b.block ?? 0) ||
      compareText(a.tx, b.tx),
  );
  const keys = sourceKeys(sorted.flatMap((row) => row.sources));
  const lines = [
    `# ${sorted.length} transactions of thefts and of what followed, from public sources named in each row, for heistwatch replay.`,
    "# Made by scripts/make-watchlists.ts. Without block: no opened source gives it.",
    "",
    "format: heistwatch-thefts/1",
    `version: ${quoted(VERSION)}`,
    "",
    ...sourceTable(keys),
    "transactions:",
    ...sorted.map((row) => {
      const pairs: Pair[] = [
        ["incident", row.incident],
        ["chain", row.chain],
        ["tx", quotedText(row.tx)],
        ["block", row.block],
        ["time", row.time == null ? null : quotedText(row.time)],
        ["kind", row.kind],
        ["note", row.note == null ? null : quotedText(row.note)],
      ];
      return `  - { ${inline(pairs)}, sources: [${row.sources.map((ref) => keys.get(ref)).join(", ")}] }`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}

/** Short keys s1, s2, ... by first use. */
export function sourceKeys(refs: readonly string[]): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const ref of refs) if (!keys.has(ref)) keys.set(ref, `s${keys.size + 1}`);
  return keys;
}

export function sourceTable(keys: ReadonlyMap<string, string>): string[] {
  return [
    "# What ref and source name in the rows.",
    "sources:",
    ...[...keys].map(([ref, key]) => `  ${key}: ${scalar(ref)}`),
    "",
  ];
}

type Value = string | number | boolean | Quoted | null | undefined;
export type Pair = readonly [key: string, value: Value];
interface Quoted {
  readonly quoted: string;
}

function fields(indent: string, pairs: readonly Pair[]): string[] {
  return pairs.filter(([, value]) => value != null).map(([key, value]) => `${indent}${key}: ${scalar(value)}`);
}

export function inline(pairs: readonly Pair[]): string {
  return pairs
    .filter(([, value]) => value != null)
    .map(([key, value]) => `${key}: ${scalar(value)}`)
    .join(", ");
}

/** Plain only where every YAML reader agrees: no numbers, dates or 1.1 booleans in disguise. */
const PLAIN = /^[a-z][a-z0-9_-]*(:[A-Za-z0-9]+)?$/;
const RESERVED: ReadonlySet<string> = new Set(["on", "off", "yes", "no", "y", "n", "true", "false", "null"]);

function scalar(value: Value): string {
  if (typeof value === "object" && value !== null) return quoted(value.quoted);
  if (typeof value !== "string") return String(value);
  return PLAIN.test(value) && !RESERVED.has(value) ? value : quoted(value);
}

/** A JSON string is a YAML double-quoted string. */
export function quoted(value: string): string {
  return JSON.stringify(value);
}

export function quotedText(value: string): Quoted {
  return { quoted: value };
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function main(args: readonly string[]): void {
  const [folder, output = "."] = args;
  if (folder === undefined) {
    console.error("usage: make-watchlists.ts <intel folder> [output folder]");
    process.exitCode = 1;
    return;
  }
  const read = (name: string): unknown => JSON.parse(readFileSync(path.join(folder, name), "utf8"));
  const files = makeWatchlists({
    heists: read("heists.json"),
    addresses: read("addresses.json"),
    tokens: read("tokens.json"),
    services: read("services.json"),
    transactions: read("transactions.json"),
  });
  for (const [name, content] of files) {
    const target = path.join(output, name);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
  console.log(`${files.size} files written below ${path.resolve(output)}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
