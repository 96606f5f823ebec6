/** Spreadsheets as people really send them. */
import { describe, expect, test } from "@jest/globals";
import { csv } from "../../../src/watchlist/formats/csv.ts";
import { BTC, EVM, EVM_2, TRON } from "../../conformance/watchlist-samples.ts";
import { importText, keysOf } from "../../support/import-text.ts";

const read = (content: string | Uint8Array, acceptValid = false) =>
  importText(content, { format: csv, name: "case.csv", acceptValid });

function utf16(text: string, order: "le" | "be", bom: boolean): Uint8Array {
  const bytes = Buffer.from((bom ? "\ufeff" : "") + text, "utf16le");
  return order === "le" ? bytes : bytes.swap16();
}

const TABLE = `Adresse;Bezeichnung\r\n${EVM};Täter €1\r\n`;
/** Windows-1252, where the euro sign has a place of its own. */
const WINDOWS = Buffer.from(TABLE.replace("€", "\x80"), "latin1");

describe("a spreadsheet is read in the encoding it was saved in", () => {
  test.each([
    ["UTF-8", Buffer.from(TABLE)],
    ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${TABLE}`)],
    ["UTF-16 little-endian", utf16(TABLE, "le", true)],
    ["UTF-16 big-endian", utf16(TABLE, "be", true)],
    ["UTF-16 little-endian without a mark", utf16(TABLE, "le", false)],
    ["UTF-16 big-endian without a mark", utf16(TABLE, "be", false)],
    ["Windows-1252", WINDOWS],
  ])("%s", async (_name, bytes) => {
    const { list, problems } = await read(bytes);
    expect(problems).toEqual([]);
    expect(list?.entries).toMatchObject([{ address: EVM, label: "Täter €1" }]);
  });

  test("a byte that no UTF-8 has, far behind the first chunk, still decides", async () => {
    const filler = `${EVM};${"x".repeat(150)}\r\n`.repeat(1000);
    const bytes = Buffer.concat([
      Buffer.from(`Adresse;Name\r\n${filler}`),
      Buffer.from(`${TRON};T\xe4ter\r\n`, "latin1"),
    ]);
    const { list } = await read(bytes);
    expect(list?.entries.at(-1)).toMatchObject({ address: TRON, label: "Täter" });
  });

  test("UTF-16 cut in the middle of a character is refused", async () => {
    expect((await read(utf16(TABLE, "le", true).subarray(0, -1))).list).toBeNull();
  });
});

describe("a header in the writer's words", () => {
  test.each([
    ["semicolons", `Wallet Address;Network;Owner\n${EVM};Ethereum;x\n`],
    ["tabs", `address\tchain\tlabel\n${EVM}\teip155:1\tx\n`],
    ["bars", `ADDR|chain_id|name tag\n${EVM}|1|x\n`],
    ["Excel's own line", `sep=;\naddress;chain;label\n${EVM};1;x\n`],
    ["a title above", `Case 17\n\n"as of 2026-11-22"\n"address","blockchain","label"\n"${EVM}","ETH","x"\n`],
    ["Korean", `주소,network,name\n${EVM},eth,x\n`],
  ])("%s", async (_name, text) => {
    const { list, problems } = await read(text);
    expect(problems).toEqual([]);
    expect(list?.entries).toMatchObject([{ chain: "eip155:1", address: EVM, label: "x" }]);
  });

  test("a column nobody knows is told, two for one field are refused", async () => {
    const { warnings } = await read(`address,mood\n${EVM},bad\n`);
    expect(warnings).toMatchObject([{ line: 1, found: expect.stringContaining('"mood"') }]);
    expect((await read(`address,wallet\n${EVM},${EVM_2}\n`)).problems).toMatchObject([{ line: 1, field: "address" }]);
  });

  test("no header is refused: two swapped columns would go unnoticed", async () => {
    expect((await read(`${EVM},x\n${TRON},y\n`)).problems).toMatchObject([{ found: "no header" }]);
  });

  test("what a cell says wins over what the importer says; empty words say nothing", async () => {
    const { list } = await read(
      `address,role,basis,confidence,tlp,case,valid until,source\n${EVM},theft,court filing,confirmed,TLP:RED,C-17,2027-01-01,https://a.example/1 https://b.example/2\n${TRON},n/a,-,high,,,,\n`,
    );
    expect(list?.entries).toMatchObject([
      {
        role: "theft",
        basis: "court_filing",
        confidence: "confirmed",
        tlp: "red",
        case: "C-17",
        validUntil: "2027-01-01",
        sources: [{ ref: "https://a.example/1" }, { ref: "https://b.example/2" }, { ref: "https://example.org/list" }],
      },
      { role: "laundering", basis: "researcher", confidence: "named_by_researcher", givenConfidence: "high" },
    ]);
  });

  test("a chain nobody knows, a role nobody knows and too many cells are told by line", async () => {
    const { problems } = await read(`address,chain,role\n${EVM},moon,\n${TRON},,thief\n${BTC},,,extra\n${EVM_2},,\n`);
    expect(problems).toMatchObject([
      { line: 2, field: "chain" },
      { line: 3, field: "role" },
      { line: 4, found: "4 cells" },
    ]);
  });
});

describe("hostile cells", () => {
  test.each(["=1+1", '=HYPERLINK("http://x")', "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3"])(
    "the formula %s is refused",
    async (formula) => {
      const { problems } = await read(`address,label\n${EVM},"${formula.replaceAll('"', '""')}"\n`);
      expect(problems).toMatchObject([{ line: 2, field: "label", found: expect.stringContaining("formula") }]);
    },
  );

  test("a quote left open costs its own line, not the file's rest", async () => {
    const rows = Array.from({ length: 60 }, (_, n) => `0x${(n + 256).toString(16).padStart(40, "0")},x`);
    rows[10] = `${rows[10]?.split(",")[0]},"open`;
    const { list, problems } = await read(`address,label\n${rows.join("\n")}\n`, true);
    expect(problems.map(({ line }) => line)).toEqual([12]);
    expect(list?.entries).toHaveLength(59);
  });

  test("two quotes some rows apart do not make one cell of the rows between: none is lost without a word", async () => {
    const { list, problems } = await read(`address,label\n${EVM},"x\n${TRON},y\n${BTC},z\n${EVM_2},x"\n`, true);
    expect(problems.map(({ line }) => line)).toEqual([2, 5]);
    expect(list?.entries.map(({ address }) => address)).toEqual([TRON, BTC]);
  });

  test("a quote left open on the last line is told", async () => {
    const { problems } = await read(`address,label\n${EVM},x\n${TRON},"open\n`);
    expect(problems).toMatchObject([{ line: 3 }]);
  });

  test("a cell may hold line breaks, and the lines after it keep their numbers", async () => {
    const { list } = await read(`address,note\n${EVM},"a\n\nb ""c"""\n${TRON},x\n`);
    expect(list?.entries).toMatchObject([
      { line: 2, note: 'a b "c"' },
      { line: 5, note: "x" },
    ]);
  });

  test("one endless line does not keep the others out", async () => {
    const { list, problems } = await read(`address,note\n${EVM},${"x".repeat(2_000_000)}\n${TRON},x\n`, true);
    expect(problems).toMatchObject([{ line: 2, found: "a longer line" }]);
    expect(keysOf({ list } as never)).toHaveLength(1);
  });

  test("a hundred thousand open quotes are read in linear time", async () => {
    const { problemCount } = await read(`address\n${'"x\n\n'.repeat(50_000)}`, true);
    expect(problemCount).toBeGreaterThan(0);
  });
});
