/**
 * GraphSense TagPacks (tagpack_schema.yaml of graphsense-lib). A field of the header holds for every tag that does not say
 * it itself. Confidence ids are kept as they are, and decide how strong the claim is here.
 */
import type { FormatReader, ImportFormat, ListHead, ReadContext } from "../../types/watchlist-format.ts";
import type { EntryBasis, EntryConfidence } from "../../types/watch.ts";
import { readYaml, type YamlMapping, type YamlValue } from "../located-yaml.ts";
import { dayOf, isMapping, textOf } from "../plain-values.ts";
import { createProblems, showFound } from "../problems.ts";
import { addForeignRow, headOf } from "./foreign-row.ts";

/** About 20,000 tags; a larger pack is split, as GraphSense does. */
const BYTES_MAX = 8 * 1024 * 1024;

type Strength = readonly [basis: EntryBasis | null, confidence: EntryConfidence];
/** GraphSense's ids, strongest first. Null: the importer knows who says so. */
const CONFIDENCES: ReadonlyMap<string, Strength> = new Map<string, Strength>([
  ["override", [null, "confirmed"]],
  ["ownership", [null, "confirmed"]],
  ["ledger_immanent", ["researcher", "named_by_researcher"]],
  ["manual_transaction", ["researcher", "named_by_researcher"]],
  ["service_api", ["researcher", "named_by_researcher"]],
  ["forensic_investigation", ["researcher", "named_by_researcher"]],
  ["authority_data", ["notice", "confirmed"]],
  ["trusted_provider", ["researcher", "named_by_researcher"]],
  ["service_data", ["researcher", "named_by_researcher"]],
  ["forensic", ["researcher", "named_by_researcher"]],
  ["untrusted_transaction", ["explorer", "block_explorer_label"]],
  ["web_crawl", ["explorer", "block_explorer_label"]],
  ["heuristic", ["explorer", "block_explorer_label"]],
  ["unknown", ["explorer", "block_explorer_label"]],
]);
const LOWEST = "unknown";

export const tagpack: ImportFormat = {
  name: "tagpack",
  title: "GraphSense TagPack",
  maxBytes: BYTES_MAX,
  encoding: "utf-8",
  repeats: true,
  looksLike: (start) => /^tags:/m.test(start) && /^(?:title|creator):/m.test(start),
  createReader(context): FormatReader {
    let text = "";
    return {
      write: (piece) => void (text += piece),
      *finish(): Generator<undefined, ListHead | null> {
        const problems = createProblems(context.options.file);
        const yaml = readYaml(text, problems);
        for (const problem of problems.list()) context.fail(problem);
        yield;
        if (yaml === null || context.failed) return null;
        const pack = yaml.value;
        const tags = isMapping(pack) ? pack["tags"] : null;
        if (!isMapping(pack) || !Array.isArray(tags)) {
          context.fail({ line: 1, field: "tags", found: showFound(tags), allowed: "a mapping with a list of tags" });
          return null;
        }
        for (const [index, tag] of tags.entries()) {
          addTag(pack, tag, { line: yaml.lineOf(["tags", index]), field: `tags[${index}]` }, context);
          yield;
        }
        return headOf(context, dayOf(textOf(pack["lastmod"])));
      },
    };
  },
};

interface At {
  readonly line: number;
  readonly field: string;
}

function addTag(pack: YamlMapping, tag: YamlValue, at: At, context: ReadContext): void {
  if (!isMapping(tag)) return context.refuse({ ...at, found: showFound(tag), allowed: "a mapping" });
  const get = (field: string): string | null => textOf(tag[field]) ?? textOf(pack[field]);
  const address = textOf(tag["address"]);
  if (address === null) {
    const isTransaction = textOf(tag["tx_hash"]) !== null;
    const problem = {
      ...at,
      found: isTransaction ? "a tag of a transaction" : "no address",
      allowed: "tags of addresses",
    };
    return isTransaction ? context.warn(problem) : context.refuse(problem);
  }
  const label = get("label");
  if (label === null) return context.refuse({ ...at, field: `${at.field}.label`, found: "nothing", allowed: "text" });
  const given = confidenceOf(get("confidence"), at, context);
  const [basis, confidence] = CONFIDENCES.get(given) ?? [null, null];
  const source = get("source");
  addForeignRow(
    {
      line: at.line,
      address,
      coin: get("network") ?? get("currency"),
      label,
      basis,
      confidence,
      givenConfidence: given,
      default: isWatchWorthy(get("abuse"), get("category"), get("tag_type"), at, context) ? "on" : "off",
      note: get("context"),
      sources: source === null ? [] : [{ ref: source, label, quoted: textOf(pack["title"]) }],
      addedBy: textOf(pack["creator"]),
    },
    context,
  );
}

function confidenceOf(id: string | null, at: At, context: ReadContext): string {
  if (id !== null && CONFIDENCES.has(id)) return id;
  const found = id === null ? "nothing" : showFound(id);
  const allowed = `one of ${[...CONFIDENCES.keys()].join(", ")}; taken for ${LOWEST}`;
  context.warn({ line: at.line, field: `${at.field}.confidence`, found, allowed });
  return LOWEST;
}

/** Most packs name services. One without an abuse is no thief: kept for whoever switches it on. */
function isWatchWorthy(
  abuse: string | null,
  category: string | null,
  type: string | null,
  at: At,
  context: ReadContext,
) {
  const why =
    type === "mention"
      ? "a mention"
      : abuse === null && category !== null && category !== "user"
        ? `the category ${showFound(category)} without an abuse`
        : null;
  if (why !== null) context.warn({ ...at, found: why, allowed: "an abuse; kept, but not switched on" });
  return why === null;
}
