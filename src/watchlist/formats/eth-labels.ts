/** eth-labels: scraped explorer tags as one JSON list. Enrichment, not evidence: rows arrive switched off. */
import type { ImportFormat, ReadContext } from "../../types/watchlist-format.ts";
import { integerField, check, optional } from "../fields.ts";
import type { LocatedYaml } from "../located-yaml.ts";
import { createProblems } from "../problems.ts";
import { z } from "zod";
import { addForeignRow } from "./foreign-row.ts";
import { createJsonReader } from "./readers.ts";

/** The whole export has about 100,000 rows. */
const BYTES_MAX = 128 * 1024 * 1024;

const rowSchema = z.object({
  address: z.string({ error: "an address" }),
  chainId: integerField(1, 1e15),
  label: optional(z.string({ error: "text" })),
  nameTag: optional(z.string({ error: "text" })),
});

export const ethLabels: ImportFormat = {
  name: "eth-labels",
  title: "eth-labels (JSON)",
  maxBytes: BYTES_MAX,
  encoding: "utf-8",
  repeats: true,
  looksLike: (start) => /^\ufeff?\s{0,100}\[\s{0,100}\{[^{}]{0,2000}"chainId"/.test(start),
  createReader: (context) =>
    createJsonReader(function* (cursor) {
      for (const _ of cursor.items()) {
        addLabel(cursor.value(), context);
        yield;
      }
      return null;
    }, context),
};

function addLabel(located: LocatedYaml, context: ReadContext): void {
  const problems = createProblems(context.options.file);
  const row = check(rowSchema, { ...located, path: [] }, problems);
  for (const problem of problems.list()) context.refuse(problem);
  if (row === null) return;
  addForeignRow(
    {
      line: located.lineOf([]),
      address: row.address,
      chain: `eip155:${row.chainId}`,
      label: row.nameTag ?? row.label,
      basis: "explorer",
      confidence: "block_explorer_label",
      default: "off",
      note: row.label === null ? null : `explorer label ${row.label}`,
    },
    context,
  );
}
