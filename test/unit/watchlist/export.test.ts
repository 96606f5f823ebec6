/** Lists that leave and come back. */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { getAddress } from "ethers";
import type { WatchEntryInput } from "../../../src/types/watchlist-format.ts";
import { ENTRY_DIRECTIONS, TLP_LEVELS } from "../../../src/types/watch.ts";
import type { ExportFormat } from "../../../src/watchlist/export/exported.ts";
import { EXPORT_FORMATS } from "../../../src/watchlist/export/registry.ts";
import { sniff } from "../../../src/watchlist/find-format.ts";
import { importFormatNamed } from "../../../src/watchlist/formats/registry.ts";
import { BTC, EVM, TRON } from "../../conformance/watchlist-samples.ts";
import { IMPORT_OPTIONS, importText } from "../../support/import-text.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");
const HEAD = { list: "example", version: "2026-11-20.2", incident: IMPORT_OPTIONS.incident };

const ENTRY: WatchEntryInput = {
  line: 2,
  chain: "eip155:1",
  address: EVM,
  role: "exploiter",
  label: 'first "hop", =not a formula',
  basis: "court_filing",
  confidence: "confirmed",
  independentSources: 3,
  sanctioned: null,
  default: "on",
  direction: "to_only",
  custodian: "Example Exchange",
  note: "a note; with, signs",
  firstSeenTx: `0x${"ab".repeat(32)}`,
  accountType: null,
  owner: null,
  sources: [
    { ref: "https://example.org/a b|c", label: "a label", quoted: null },
    { ref: "index-file:1 (copy, accessed 2026-10-05)", label: null, quoted: null },
  ],
  tlp: "amber+strict",
  validFrom: "2026-11-01",
  validUntil: "2027-11-01T10:00:00Z",
  case: "C-17",
  addedBy: "alice",
  givenConfidence: "90",
};
const SANCTIONED: WatchEntryInput = {
  ...ENTRY,
  line: 3,
  chain: "tron:0x2b6653dc",
  address: TRON,
  label: "=HYPERLINK(1)",
  basis: "sanctions",
  sanctioned: { list: "OFAC SDN", source: "ofac:sdn/1" },
  tlp: null,
};
const VICTIM: WatchEntryInput = {
  ...ENTRY,
  line: 4,
  chain: "bip122:000000000019d6689c085ae165831e93",
  address: BTC,
  role: "victim",
  default: "never",
};

const formatNamed = (name: string) => EXPORT_FORMATS.find((format) => format.name === name)!;
const write = (format: ExportFormat, entries: readonly WatchEntryInput[]) =>
  [...format.write({ ...HEAD, entries }, NOW)].join("");

/** Back in through the import of the same name. */
async function roundTrip(name: string, entries: readonly WatchEntryInput[]): Promise<readonly WatchEntryInput[]> {
  const text = write(formatNamed(name), entries);
  const format = importFormatNamed(name)!;
  expect(sniff("x", Buffer.from(text))).toEqual({ format });
  const { list, problems } = await importText(text, { format });
  expect(problems).toEqual([]);
  return list?.entries ?? [];
}

/** Without what stands where, and the source every import adds. */
const told = (entry: WatchEntryInput) => ({
  ...entry,
  line: 0,
  sources: entry.sources.filter(({ ref }) => ref !== IMPORT_OPTIONS.source),
});

describe("export", () => {
  test("JSON lines come back as they were", async () => {
    const entries = [ENTRY, SANCTIONED, VICTIM];
    expect((await roundTrip("heistwatch-lines", entries)).map(told)).toEqual(entries.map(told));
  });

  test("CSV comes back as it was, references percent-encoded where a cell cannot hold them", async () => {
    const entries = [ENTRY, SANCTIONED, VICTIM];
    const back = await roundTrip("csv", entries);
    expect(back.map(told)).toEqual(entries.map(told));
  });

  test("no cell of the CSV is a formula to a spreadsheet", () => {
    const nasty = ["=1", "+1", "-1", "@x", "'=1", "''@x", "\t=1"].map((label) => ({
      ...ENTRY,
      label,
      note: label,
      case: label,
    }));
    const rows = write(formatNamed("csv"), nasty).split("\r\n").slice(1, -1);
    for (const row of rows)
      for (const cell of row.split(",")) expect(cell.replace(/^"/, "")).not.toMatch(/^[=+\-@\t\r]/);
  });

  test("CSV gives back any label, whatever signs it has", async () => {
    const char = fc.constantFrom("=", "+", "-", "@", "'", '"', ",", ";", "|", "a", "Z", "é", "€", "\u{1f600}", " ");
    const label = fc.oneof(
      fc.array(char, { minLength: 1, maxLength: 12 }).map((parts) => parts.join("").trim().replace(/\s+/g, " ")),
      fc.constantFrom("n/a", "unknown", "-", "'-", "none", "''none"),
    );
    await fc.assert(
      fc.asyncProperty(
        label.filter((text) => text !== ""),
        async (text) => {
          const [back] = await roundTrip("csv", [{ ...ENTRY, label: text }]);
          expect(back?.label).toBe(text);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("STIX keeps address, name, note, marking and validity, and names no victim", async () => {
    const back = await roundTrip("stix", [ENTRY, SANCTIONED, VICTIM]);
    expect(back).toMatchObject([
      {
        chain: "eip155:1",
        address: EVM,
        label: ENTRY.label,
        note: ENTRY.note,
        tlp: "amber+strict",
        validFrom: "2026-11-01T00:00:00.000Z",
        validUntil: "2027-11-01T10:00:00.000Z",
        givenConfidence: "90",
      },
      { chain: "tron:0x2b6653dc", address: TRON },
    ]);
    expect(back).toHaveLength(2);
    expect(write(formatNamed("stix"), [VICTIM])).not.toContain(BTC);
  });

  test("MISP keeps chain, address, label, note and marking, and names no victim", async () => {
    const arbitrum = { ...ENTRY, chain: "eip155:42161" };
    const bitcoin = { ...VICTIM, default: "on" as const, role: "theft" as const };
    const back = await roundTrip("misp", [ENTRY, arbitrum, SANCTIONED, bitcoin]);
    expect(back).toMatchObject([
      { chain: "eip155:1", address: EVM, label: ENTRY.label, note: ENTRY.note, tlp: "amber+strict" },
      { chain: "eip155:42161", address: EVM },
      { chain: "tron:0x2b6653dc", address: TRON },
      { chain: bitcoin.chain, address: BTC },
    ]);
    expect(write(formatNamed("misp"), [VICTIM])).not.toContain(BTC);
  });

  test("the same list gives the same ids, and one address on two chains two indicators of one wallet", () => {
    const entries = [ENTRY, { ...ENTRY, chain: "eip155:10" }, SANCTIONED];
    const bundle = JSON.parse(write(formatNamed("stix"), entries)) as { objects: { type: string; id: string }[] };
    expect(bundle.objects.map(({ type }) => type)).toEqual([
      "cryptocurrency-wallet",
      "indicator",
      "indicator",
      "cryptocurrency-wallet",
      "indicator",
    ]);
    expect(new Set(bundle.objects.map(({ id }) => id)).size).toBe(5);
    expect(write(formatNamed("stix"), entries)).toBe(write(formatNamed("stix"), entries));
  });

  test("an empty list and any entry are valid JSON", () => {
    const entry = fc.record({
      bytes: fc.uint8Array({ minLength: 20, maxLength: 20 }),
      label: fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }),
      tlp: fc.option(fc.constantFrom(...TLP_LEVELS), { nil: null }),
      direction: fc.constantFrom(...ENTRY_DIRECTIONS),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), (rows) => {
        const entries = rows.map(({ bytes, ...row }) => ({
          ...ENTRY,
          ...row,
          address: getAddress(`0x${Buffer.from(bytes).toString("hex")}`),
        }));
        for (const name of ["stix", "misp"]) JSON.parse(write(formatNamed(name), entries));
      }),
      { numRuns: 100 },
    );
  });
});
