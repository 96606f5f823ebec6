/** OpenSanctions' wallets: FollowTheMoney entities as JSON lines. `publicKey` is what it calls the address. */
import type { ImportFormat, ReadContext } from "../../types/watchlist-format.ts";
import type { YamlMapping } from "../located-yaml.ts";
import { dayOf, isMapping, textsOf } from "../plain-values.ts";
import { showFound } from "../problems.ts";
import { addForeignRow, headOf } from "./foreign-row.ts";
import { createLineReader, readJsonLine } from "./readers.ts";

/** Whole collections hold millions of entities, few of them wallets. */
const BYTES_MAX = 16 * 1024 * 1024 * 1024;
const SCHEMA = "CryptoWallet";

export const ftm: ImportFormat = {
  name: "ftm",
  title: "OpenSanctions FollowTheMoney (JSON lines)",
  maxBytes: BYTES_MAX,
  encoding: "utf-8",
  repeats: true,
  looksLike(start) {
    const line = start.slice(0, start.includes("\n") ? start.indexOf("\n") : undefined);
    return /^\ufeff?\s{0,100}\{/.test(line) && /"schema"\s{0,9}:/.test(line) && /"properties"\s{0,9}:/.test(line);
  },
  createReader(context) {
    let newest: string | null = null;
    function onLine(text: string, line: number): void {
      if (text.trim() === "") return;
      const located = readJsonLine(text, line, { add: context.refuse });
      if (located === null) return;
      const entity = located.value;
      if (!isMapping(entity))
        return context.refuse({ line, field: "", found: showFound(entity), allowed: "an entity" });
      if (entity["schema"] !== SCHEMA) return;
      addWallet(entity, line, context);
      const seen = dayOf(entity["last_change"]) ?? dayOf(entity["last_seen"]);
      if (seen !== null && (newest === null || seen > newest)) newest = seen;
    }
    return createLineReader({ onLine, head: () => headOf(context, newest) }, context);
  },
};

function addWallet(entity: YamlMapping, line: number, context: ReadContext): void {
  const properties = isMapping(entity["properties"]) ? entity["properties"] : {};
  const addresses = textsOf(properties["publicKey"]);
  const id = typeof entity["id"] === "string" ? entity["id"] : null;
  if (addresses.length === 0 || id === null) {
    const field = id === null ? "id" : "properties.publicKey";
    return context.refuse({ line, field, found: "nothing", allowed: "an id and at least one address" });
  }
  const datasets = textsOf(entity["datasets"]);
  const isSanctioned = textsOf(properties["topics"]).includes("sanction");
  const ref = `opensanctions:${id}`;
  const holder = textsOf(properties["holder"])[0];
  const caption =
    typeof entity["caption"] === "string" && !addresses.includes(entity["caption"]) ? entity["caption"] : null;
  for (const address of addresses)
    addForeignRow(
      {
        line,
        address,
        coin: textsOf(properties["currencySymbol"])[0] ?? textsOf(properties["currency"])[0] ?? null,
        label: caption ?? (holder === undefined ? `wallet ${id}` : `wallet of ${holder}`),
        role: isSanctioned ? "sanctioned_entity" : null,
        sanctioned: isSanctioned ? { list: datasets.join(", ") || "OpenSanctions", source: ref } : null,
        // The field is spelled so in the schema.
        custodian: textsOf(properties["mangingExchange"])[0] ?? null,
        sources: [{ ref, label: datasets.join(", ") || null, quoted: null }],
      },
      context,
    );
}
