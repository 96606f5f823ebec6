/** The shipped list of known transactions: thefts, what prepared them, and where the funds went next. */
import { z } from "zod";
import type { ChainId } from "../types/chain.ts";
import type { FileProblem } from "../types/watchlist-format.ts";
import {
  chainField,
  check,
  hashField,
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
import { createProblems } from "./problems.ts";

const fileSchema = mapping({
  format: z.literal("heistwatch-thefts/1", { error: "heistwatch-thefts/1" }),
  version: versionField,
  sources: z.record(slugField, refField, { error: "a mapping of short keys to references" }),
  transactions: z.array(z.unknown(), { error: "a list of transactions" }),
});

const transactionSchema = mapping({
  incident: slugField,
  chain: chainField,
  tx: hashField,
  block: optional(integerField(0, Number.MAX_SAFE_INTEGER)),
  time: optional(textField(30)),
  kind: textField(40),
  note: optional(textField(300)),
  sources: z.array(slugField, { error: "a list of source keys" }).min(1, { error: "at least one source key" }),
});

export interface TheftTransaction {
  readonly incident: string;
  readonly chain: ChainId;
  readonly tx: string;
  /** Null where no opened source gives it. */
  readonly block: number | null;
  readonly kind: string;
  readonly note: string | null;
}

export async function loadTheftTransactions(
  file: string,
): Promise<{ transactions: readonly TheftTransaction[]; problems: readonly FileProblem[] }> {
  const read = await readText(file, YAML_BYTES_MAX);
  if ("problem" in read) return { transactions: [], problems: [read.problem] };
  const problems = createProblems(file);
  const yaml = readYaml(read.text, problems);
  const whole = yaml && check(fileSchema, { value: yaml.value, path: [], lineOf: yaml.lineOf }, problems);
  if (yaml === null || whole === null) return { transactions: [], problems: problems.list() };
  const rows = whole.transactions.map((value, index) =>
    check(transactionSchema, { value, path: ["transactions", index], lineOf: yaml.lineOf }, problems),
  );
  const transactions = rows
    .filter((row) => row !== null)
    .map(({ incident, chain, tx, block, kind, note }) => ({
      incident,
      chain,
      tx,
      block: block ?? null,
      kind,
      note: note ?? null,
    }));
  return { transactions, problems: problems.list() };
}
