/** What each format says beyond its addresses, and what makes its rows different here. */
import { describe, expect, test } from "@jest/globals";
import { importFormatNamed } from "../../../src/watchlist/formats/registry.ts";
import { addressesOfPattern } from "../../../src/watchlist/formats/stix-pattern.ts";
import type { ImportOptions, WatchEntryInput } from "../../../src/types/watchlist-format.ts";
import { BTC, EVM, EVM_2, SAMPLES, TRON, WRONG_TRON } from "../../conformance/watchlist-samples.ts";
import { importText, keysOf } from "../../support/import-text.ts";

const sampleOf = (name: string) => SAMPLES.find(({ format }) => format === name) ?? SAMPLES[0]!;

function read(format: string, content: string | Uint8Array, options: Partial<ImportOptions> & { name?: string } = {}) {
  const { name = sampleOf(format).name, ...rest } = options;
  return importText(content, { format: importFormatNamed(format)!, name, options: rest });
}

const entryOf = (entries: readonly WatchEntryInput[] | undefined, address: string) =>
  entries?.find((entry) => entry.address === address);

describe("OFAC", () => {
  test("the advanced file gives party, kind, programs and list, by text and not by number", async () => {
    const { list, warnings } = await read("ofac-advanced", sampleOf("ofac-advanced").text);
    expect(entryOf(list?.entries, EVM)).toMatchObject({
      label: "EXAMPLE HEIST GROUP & SONS",
      role: "sanctioned_entity",
      basis: "sanctions",
      confidence: "confirmed",
      default: "on",
      sanctioned: { list: "OFAC SDN", source: "ofac:sdn/90001" },
      note: "Digital Currency Address - ETH; programs DPRK3",
    });
    expect(entryOf(list?.entries, EVM_2)).toMatchObject({ label: "OFAC party 90002", role: "sanctioned_person" });
    expect(warnings).toMatchObject([{ line: 32, found: expect.stringContaining("NEWCOIN") }]);
  });

  test("other numbers for the same texts change nothing", async () => {
    const { text } = sampleOf("ofac-advanced");
    const renumbered = text.replaceAll('"345"', '"7001"').replaceAll('"887"', '"345"').replaceAll('"25"', '"887"');
    expect((await read("ofac-advanced", renumbered)).list).toEqual((await read("ofac-advanced", text)).list);
  });

  test("a coin nobody knows keeps an address of no known form, and says so", async () => {
    const odd = "zz1qexampleofacoinnobodyknows000";
    const text = sampleOf("ofac-advanced").text.replace(EVM_2, odd);
    const { list, warnings } = await read("ofac-advanced", text);
    expect(entryOf(list?.entries, odd)?.chain).toBe("ticker:NEWCOIN");
    expect(warnings).toHaveLength(1);
  });

  test.each([
    ["advanced", "ofac-advanced", "<Sanctions"],
    ["legacy", "ofac-legacy", "<sdnList"],
  ])(
    "a document type in the %s file is refused where it begins, before anything is expanded",
    async (_name, format, root) => {
      const bomb = `<!DOCTYPE a [<!ENTITY a0 "ha">${Array.from({ length: 30 }, (_, n) => `<!ENTITY a${n + 1} "${`&a${n};`.repeat(10)}">`).join("")}]>\n`;
      const { list, problems } = await read(
        format,
        sampleOf(format).text.replace(root, `${bomb}${root}`).replace("DPRK3", "&a30;"),
      );
      expect(list).toBeNull();
      expect(problems).toMatchObject([{ line: 2, found: "a document type (DTD)" }]);
    },
  );

  test.each([
    ["an undeclared entity", "&lol;"],
    ["a NUL written as a number", "&#0;"],
  ])("%s is refused", async (_name, text) => {
    const { list, problems } = await read("ofac-advanced", sampleOf("ofac-advanced").text.replace("OTHER NAME", text));
    expect(list).toBeNull();
    expect(problems[0]).toMatchObject({ line: 23, allowed: "well-formed XML" });
  });

  test("entities of XML itself and characters by number are read", async () => {
    const { list } = await read("ofac-advanced", sampleOf("ofac-advanced").text.replace("SONS", "&#83;&#x4f;NS"));
    expect(entryOf(list?.entries, EVM)?.label).toBe("EXAMPLE HEIST GROUP & SONS");
  });

  test.each(["ISO-8859-1", "UTF-16"])("XML that declares %s is refused", async (encoding) => {
    const { problems } = await read("ofac-legacy", sampleOf("ofac-legacy").text.replace("utf-8", encoding));
    expect(problems[0]?.found).toContain(encoding);
  });

  test("the legacy file gives the same kind of rows, in any namespace prefix", async () => {
    const plain = await read("ofac-legacy", sampleOf("ofac-legacy").text);
    expect(entryOf(plain.list?.entries, TRON)).toMatchObject({
      label: "HEIST, Example",
      role: "sanctioned_person",
      sanctioned: { list: "OFAC SDN", source: "ofac:sdn/90001" },
      note: "Digital Currency Address - TRX; programs DPRK3, CYBER2",
    });
    const prefixed = sampleOf("ofac-legacy")
      .text.replaceAll(/<(\/?)(?=[a-zA-Z])/g, "<$1o:")
      .replace("xmlns=", "xmlns:o=");
    expect((await read("ofac-legacy", prefixed)).list).toEqual(plain.list);
  });

  test("an address in the remarks that cannot be read is told, not skipped", async () => {
    const { problems } = await read("ofac-csv", sampleOf("ofac-csv").text.replace(`ETH ${EVM}`, "ETH"));
    expect(problems).toMatchObject([{ line: 2, field: "remarks" }]);
  });

  test("a tag that collects attributes without an end is refused", async () => {
    const many = Array.from({ length: 200_000 }, (_, n) => ` a${n}="x"`).join("");
    const endless = sampleOf("ofac-advanced").text.replace("<DistinctParties>", `<DistinctParties${many}`);
    expect((await read("ofac-advanced", endless)).problems).toMatchObject([
      { found: "an element with more attributes" },
    ]);
  });

  test("a party without an end, however long, is refused", async () => {
    const endless = `${sampleOf("ofac-advanced").text.split("<DistinctParties>")[0]}<DistinctParties a="${"x".repeat(3_000_000)}`;
    expect((await read("ofac-advanced", endless)).list).toBeNull();
  });
});

describe("bare lists", () => {
  test("0xB10C's file name says what is listed, any other file is what the importer says", async () => {
    const named = await read("addresses-txt", `${TRON}\n`, { name: "sanctioned_addresses_USDT.txt" });
    expect(named.list?.entries[0]).toMatchObject({ basis: "sanctions", sanctioned: { list: "OFAC SDN" } });
    const other = await read("addresses-txt", `${TRON}\n`, { name: "mine.txt" });
    expect(other.list?.entries[0]).toMatchObject({ basis: "researcher", role: "laundering", sanctioned: null });
  });

  test("the same address twice is one entry", async () => {
    const { list, joined } = await read("addresses-json", JSON.stringify([EVM, EVM.toLowerCase(), TRON]), {
      name: "x.json",
    });
    expect(list?.entries).toHaveLength(2);
    expect(joined).toBe(1);
  });
});

describe("TagPack", () => {
  test("a tag inherits from the header and may say otherwise; the confidence id is kept", async () => {
    const { list, warnings } = await read("tagpack", sampleOf("tagpack").text);
    expect(entryOf(list?.entries, EVM)).toMatchObject({
      label: "Example exploiter 1",
      basis: "researcher",
      confidence: "named_by_researcher",
      givenConfidence: "forensic_investigation",
      addedBy: "Investigations desk",
      default: "on",
      sources: [{ ref: "https://example.org/report/1" }, { ref: "https://example.org/list" }],
    });
    expect(entryOf(list?.entries, TRON)).toMatchObject({ basis: "explorer", givenConfidence: "web_crawl" });
    expect(warnings).toMatchObject([{ line: 21, found: "a tag of a transaction" }]);
  });

  test("no confidence and an unknown one count as the lowest, with a word about it", async () => {
    const text = sampleOf("tagpack")
      .text.replace("confidence: forensic_investigation\n", "")
      .replace("web_crawl", "gut_feeling");
    const { list, warnings } = await read("tagpack", text);
    expect(list?.entries.map(({ givenConfidence }) => givenConfidence)).toEqual(["unknown", "unknown"]);
    expect(warnings.filter(({ field }) => field.endsWith("confidence"))).toHaveLength(2);
  });

  test("an exchange without an abuse is kept but not switched on", async () => {
    const text = sampleOf("tagpack")
      .text.replace("abuse: service_hack\n", "")
      .replace("category: user", "category: exchange");
    expect((await read("tagpack", text)).list?.entries.map((entry) => entry.default)).toEqual(["off", "off"]);
  });

  test("several labels of one address stay as its sources, and the stronger claim speaks", async () => {
    const text = sampleOf("tagpack").text.replace(
      `- address: ${TRON}\n  currency: USDT\n  network: TRX`,
      `- address: '${EVM}'`,
    );
    const { list, warnings } = await read("tagpack", text);
    expect(list?.entries).toHaveLength(1);
    expect(list?.entries[0]).toMatchObject({ label: "Example exploiter 1", givenConfidence: "forensic_investigation" });
    expect(list?.entries[0]?.sources.map(({ label }) => label)).toContain("Example exploiter cash-out");
    expect(warnings.map(({ field }) => field)).toContain("basis");
  });
});

describe("MISP", () => {
  test("symbol, TLP of attribute or event, organization and event are kept", async () => {
    const { list } = await read("misp", sampleOf("misp").text);
    expect(entryOf(list?.entries, EVM)).toMatchObject({
      tlp: "amber",
      addedBy: "EXAMPLE-CERT",
      label: "Example heist addresses",
    });
    expect(entryOf(list?.entries, BTC)?.tlp).toBe("green");
  });

  test("a deleted attribute takes its address back, one not for detection is switched off", async () => {
    const text = sampleOf("misp").text.replace(`"value":"${TRON}"`, `"deleted":true,"value":"${TRON}"`);
    const { list, withdrawn } = await read("misp", text);
    expect(entryOf(list?.entries, TRON)).toBeUndefined();
    expect(withdrawn).toMatchObject([{ address: TRON, line: 8, reason: "deleted in MISP" }]);
    const quiet = await read(
      "misp",
      sampleOf("misp").text.replace(`"to_ids":true,"value":"${EVM}"`, `"to_ids":false,"value":"${EVM}"`),
    );
    expect(entryOf(quiet.list?.entries, EVM)?.default).toBe("off");
  });

  test("an address deleted in one place and told in another is not taken back; nothing is taken back by a refused file", async () => {
    const deleted = `{"type":"btc","deleted":true,"value":"${BTC}"},`;
    const text = sampleOf("misp").text.replace('"Attribute":[{"type":"btc"', `"Attribute":[${deleted}{"type":"btc"`);
    const { list, withdrawn } = await read("misp", text);
    expect(entryOf(list?.entries, BTC)).toBeDefined();
    expect(withdrawn).toEqual([]);
    const broken = sampleOf("misp")
      .text.replace('"type":"btc"', '"deleted":true,"type":"btc"')
      .replace(TRON, WRONG_TRON);
    expect(await read("misp", broken)).toMatchObject({ list: null, withdrawn: [] });
  });

  test("an API answer and a list of events are read, a manifest is refused in words", async () => {
    const event = sampleOf("misp").text.trim();
    const keys = keysOf(await read("misp", event));
    expect(keysOf(await read("misp", `{"response":[${event}]}`))).toEqual(keys);
    expect(keysOf(await read("misp", `[${event}]`))).toEqual(keys);
    const manifest = `{"5f0f2c7e-8c0c-4c7e-9d0e-1b1c5a2f0001":{"info":"Example","date":"2026-11-05"}}`;
    expect((await read("misp", manifest)).problems[0]?.allowed).toContain("not its manifest");
  });
});

describe("STIX", () => {
  const { text } = sampleOf("stix");

  test("the indicator's name, validity, confidence and marking hold for its wallet", async () => {
    const { list } = await read("stix", text);
    expect(entryOf(list?.entries, EVM)).toMatchObject({
      label: "Example heist wallet",
      validFrom: "2026-11-05T10:00:00.000Z",
      validUntil: "2027-11-05T10:00:00.000Z",
      givenConfidence: "90",
      tlp: "amber",
    });
  });

  test("revoked takes the address back; a newer version of the same object counts", async () => {
    const revoked = text.replace('"confidence":90', '"revoked":true');
    const { list, withdrawn } = await read("stix", revoked);
    expect(keysOf({ list } as never)).toEqual([`tron:0x2b6653dc/${TRON}`]);
    expect(withdrawn).toMatchObject([{ address: EVM, reason: "revoked in STIX" }]);
    const [, , , indicator = ""] = text.trim().split("\n");
    const newer = indicator
      .replace("2026-11-06T", "2026-11-07T")
      .replace('"confidence":90', '"revoked":true')
      .replace(/\]\}$/, "");
    for (const objects of [`${newer},`, ""]) {
      const after =
        objects === ""
          ? text.trim().replace(/\]\}$/, `,${newer}]}`)
          : text.replace('"objects":[', `"objects":[${objects}`);
      expect((await read("stix", after)).withdrawn).toMatchObject([{ address: EVM }]);
    }
  });

  test("a validity that is no moment is refused: it must not mean for ever", async () => {
    const { problems } = await read("stix", text.replace("2027-11-05T10:00:00Z", "soon"));
    expect(problems).toMatchObject([{ line: 4, field: "validUntil" }]);
  });

  test("the older dialect's address, and an indicator without a wallet object", async () => {
    const old = text.replace(`"value":"${TRON}"`, `"address":"${TRON}"`);
    expect(keysOf(await read("stix", old))).toEqual(sampleOf("stix").keys);
    const alone = text.replace(/\{"type":"cryptocurrency-wallet".*\n/, "");
    expect(entryOf((await read("stix", alone)).list?.entries, EVM)?.label).toBe("Example heist wallet");
  });

  test("a marking that cannot be looked up counts as red", async () => {
    const { list, warnings } = await read("stix", text.replace("f88d31f6", "00000000"));
    expect(entryOf(list?.entries, EVM)?.tlp).toBe("red");
    expect(warnings).toHaveLength(1);
  });

  test("the fixed ids mean what the standard says, whatever the bundle claims", async () => {
    const lie = `{"type":"marking-definition","id":"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82","definition_type":"tlp","definition":{"tlp":"white"}},`;
    const { list } = await read("stix", text.replace('"objects":[', `"objects":[${lie}`));
    expect(entryOf(list?.entries, EVM)?.tlp).toBe("amber");
  });

  test("a pattern that says more than any of these addresses is refused, not half read", () => {
    const wallet = (address: string) => `cryptocurrency-wallet:value = '${address}'`;
    expect(addressesOfPattern(`[${wallet("a")}]`)).toEqual(["a"]);
    expect(addressesOfPattern(`[${wallet("a")} OR ${wallet("b")}] OR [${wallet("c")}]`)).toEqual(["a", "b", "c"]);
    expect(addressesOfPattern("[cryptocurrency-wallet:value IN ('a', 'b')]")).toEqual(["a", "b"]);
    for (const more of [
      `[${wallet("a")} AND ${wallet("b")}]`,
      `[${wallet("a")}] FOLLOWEDBY [${wallet("b")}]`,
      `[NOT ${wallet("a")}]`,
      `[cryptocurrency-wallet:value != 'a']`,
      `[${wallet("a")} OR file:name = 'x']`,
      `[${wallet("a")}`,
      wallet("a"),
      `[${wallet("a\\' OR 1")}]`,
    ])
      expect(addressesOfPattern(more)).toBeNull();
  });
});

describe("our own", () => {
  const { text } = sampleOf("heistwatch-lines");

  test("the same address twice is a problem, as in YAML", async () => {
    const { list, problems } = await read(
      "heistwatch-lines",
      text.replace("tron:0x2b6653dc", "eip155:1").replace(TRON, EVM.toLowerCase()),
    );
    expect(list).toBeNull();
    expect(problems).toMatchObject([{ line: 4, found: expect.stringContaining("already on line 2") }]);
  });

  test.each([
    ["a wrong version", '"2026-11-20.2"', '"v7"', 1],
    ["a key nobody knows", '"list":', '"lst":1,"list":', 1],
    ["another format", "heistwatch/1", "heistwatch/9", 1],
  ])("%s in the head leaves nothing of the file, also with the good rows accepted", async (_name, from, to, line) => {
    const { list, problems } = await importText(text.replace(from, to), {
      format: importFormatNamed("heistwatch-lines")!,
      acceptValid: true,
    });
    expect(list).toBeNull();
    expect(problems[0]?.line).toBe(line);
  });

  test("what the YAML says of a row the lines say too, and the other way round", async () => {
    const yaml = await read("heistwatch-yaml", sampleOf("heistwatch-yaml").text);
    const lines = await read("heistwatch-lines", text);
    const rows = (result: typeof yaml) => result.list?.entries.map((entry) => ({ ...entry, line: 0 }));
    expect(rows(lines)).toEqual(rows(yaml));
  });
});

describe("OpenSanctions and eth-labels", () => {
  test("a wallet with the topic sanction is sanctioned by its dataset; others are what the importer says", async () => {
    const { list } = await read("ftm", sampleOf("ftm").text);
    expect(entryOf(list?.entries, EVM)).toMatchObject({
      label: "wallet of NK-example",
      role: "sanctioned_entity",
      basis: "sanctions",
      sanctioned: { list: "us_ofac_sdn", source: "opensanctions:ofac-wallet-0001" },
    });
    expect(entryOf(list?.entries, TRON)).toMatchObject({
      label: "cash-out",
      role: "laundering",
      basis: "researcher",
      sanctioned: null,
    });
  });

  test("a bad line of many is told by its number", async () => {
    const { problems } = await read("ftm", `${sampleOf("ftm").text}{"id":\n`);
    expect(problems).toMatchObject([{ line: 4 }]);
  });

  test("a sanctioned address is never switched off, not even by a format that switches off", async () => {
    const { list } = await read("eth-labels", sampleOf("eth-labels").text, { sanctionsList: "OFAC SDN" });
    expect(list?.entries.map((entry) => entry.default)).toEqual(["on", "on"]);
  });

  test("explorer labels arrive switched off, on the chain they name", async () => {
    const { list } = await read("eth-labels", sampleOf("eth-labels").text);
    expect(list?.entries).toMatchObject([
      { chain: "eip155:1", label: "Example Exploiter 1", basis: "explorer", default: "off" },
      { chain: "eip155:56", label: "phish-hack", default: "off" },
    ]);
  });
});

test("a wrong checksum is refused on chains no adapter reads too", async () => {
  expect((await read("addresses-txt", `${EVM}\n${WRONG_TRON}\n`, { name: "x.txt" })).problems).toMatchObject([
    { line: 2, field: "address" },
  ]);
});
