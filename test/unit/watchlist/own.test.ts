import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { loadOwn, type OwnResult } from "../../../src/watchlist/own.ts";
import { A1, B2, C3, inFolder, normalizeAddress, ROOT } from "./helpers.ts";

const HEADER = "chain,address,customerRef,wallet";
const YAML = `format: heistwatch-own/1
addresses:
  - chain: eip155:1
    address: ${B2.toLowerCase()}
    customerRef: 00123
    wallet: hot
`;

function own(files: Record<string, string | Uint8Array>): Promise<OwnResult> {
  return inFolder(files, (folder) => loadOwn({ paths: [folder], normalizeAddress }));
}

const lines = (result: OwnResult) => result.problems.map(({ line, field }) => [line, field]);

describe("own addresses", () => {
  test("come from CSV and YAML, canonical, with references kept as text", async () => {
    const result = await own({
      "a.csv": `${HEADER}\neip155:1,${A1.toLowerCase()},deposit-1,deposit\n`,
      "b.yaml": YAML,
    });
    expect(result.problems).toEqual([]);
    expect([...result.own.all()]).toEqual([
      { chain: "eip155:1", address: A1, customerRef: "deposit-1", wallet: "deposit" },
      { chain: "eip155:1", address: B2, customerRef: "00123", wallet: "hot" },
    ]);
  });

  test("a CSV may have a byte order mark, CRLF, quotes, blank lines, another column order and no customer", async () => {
    const csv = `\ufeffwallet,customerRef,address,chain\r\ndeposit,"Meyer, ""Jo""",${A1},eip155:1\r\n\r\ncold,,${B2},eip155:1`;
    const result = await own({ "a.csv": csv });
    expect(result.problems).toEqual([]);
    expect([...result.own.all()]).toMatchObject([
      { customerRef: 'Meyer, "Jo"', wallet: "deposit" },
      { customerRef: null, wallet: "cold" },
    ]);
  });

  test.each([
    ["no header", `eip155:1,${A1},c,deposit`, 1, ""],
    ["semicolons", HEADER.replaceAll(",", ";"), 1, ""],
    ["an empty file", "", 0, ""],
    ["too few fields", `${HEADER}\neip155:1,${A1},deposit`, 2, ""],
    ["unknown wallet", `${HEADER}\neip155:1,${A1},c,piggybank`, 2, "wallet"],
    ["no wallet", `${HEADER}\neip155:1,${A1},c,`, 2, "wallet"],
    ["no chain", `${HEADER}\n,${A1},c,hot`, 2, "chain"],
    ["wrong checksum", `${HEADER}\neip155:1,${A1.replace("A", "a")},c,hot`, 2, "address"],
    ["reference with NUL", `${HEADER}\neip155:1,${A1},c\0,hot`, 2, "customerRef"],
    ["reference with text direction", `${HEADER}\neip155:1,${A1},c\u202e,hot`, 2, "customerRef"],
    ["open quote", `${HEADER}\neip155:1,${A1},"c,hot\neip155:1,${B2},d,hot`, 2, ""],
    ["quote inside a field", `${HEADER}\neip155:1,${A1},c"d",hot`, 2, ""],
    ["a line without end", `${HEADER}\n${"x".repeat(5000)}`, 2, ""],
    ["a line longer than is kept", `${HEADER}\n${"x".repeat(3_000_000)}\neip155:1,${A1},c,hot`, 2, ""],
    ["bytes that are not UTF-8", new Uint8Array([...Buffer.from(`${HEADER}\neip155:1,${A1},c`), 0xff]), 0, ""],
    ["UTF-8 that ends in the middle of a sign", new Uint8Array([...Buffer.from(`${HEADER}\n`), 0xe2, 0x82]), 0, ""],
  ])("%s in a CSV is a problem with its line", async (_name, csv: string | Uint8Array, line, field) => {
    expect(lines(await own({ "a.csv": csv }))).toEqual([[line, field]]);
  });

  test("a quote left open and a line without end are told as what they are", async () => {
    const result = await own({ "a.csv": `${HEADER}\neip155:1,"${A1},c,hot\n${"x".repeat(5000)}` });
    expect(result.problems.map(({ found }) => found)).toEqual([
      "a quote that is not closed on its line",
      "a line of 5000 characters",
    ]);
  });

  test("a quoted null or true is text, a plain null is none", async () => {
    const refs = async (text: string) =>
      [...(await own({ "a.yaml": YAML.replace("00123", text) })).own.all()][0]?.customerRef;
    expect(await refs('"null"')).toBe("null");
    expect(await refs("'true'")).toBe("true");
    expect(await refs("null")).toBeNull();
    expect(lines(await own({ "a.yaml": YAML.replace("00123", "true") }))).toEqual([[5, "addresses[0].customerRef"]]);
  });

  test("a quote left open does not hide the lines after it", async () => {
    const result = await own({ "a.csv": `${HEADER}\neip155:1,${A1},"c,hot\neip155:1,${B2},d,hot` });
    expect([...result.own.all()].map(({ address }) => address)).toEqual([B2]);
  });

  test.each([
    ["format", YAML.replace("heistwatch-own/1", "heistwatch/1"), 1, "format"],
    ["unknown key", YAML.replace("wallet: hot", "wallet: hot\n    name: x"), 7, "addresses[0].name"],
    ["wrong address", YAML.replace(B2.toLowerCase(), "0x12"), 3, "address"],
    ["reserved key", YAML.replace("wallet: hot", "wallet: hot\n    __proto__: x"), 7, "addresses[0].__proto__"],
  ])("%s in a YAML is a problem with its line", async (_name, yaml, line, field) => {
    expect(lines(await own({ "a.yaml": yaml }))).toEqual([[line, field]]);
  });

  test("one address with two customers is a problem that names both places, also across files", async () => {
    const rows = [`eip155:1,${A1},one,deposit`, `eip155:1,${A1.toLowerCase()},two,deposit`];
    const inOne = await own({ "a.csv": [HEADER, ...rows].join("\n") });
    const inTwo = await own({ "a.csv": `${HEADER}\n${rows[0]}`, "b.csv": `${HEADER}\n\n${rows[1]}` });
    expect(lines(inOne)).toEqual([[3, "customerRef"]]);
    expect(lines(inTwo)).toEqual([[3, "customerRef"]]);
    expect(inTwo.problems[0]?.file).toMatch(/b\.csv$/);
    expect(inTwo.problems[0]?.found).toMatch(/"two".*"one".*a\.csv:2/);
  });

  test("one address with two wallets is a problem; the same said twice and other chains are not", async () => {
    const first = `${HEADER}\neip155:1,${A1},one,deposit\n`;
    expect(lines(await own({ "a.csv": `${first}eip155:1,${A1},one,hot` }))).toEqual([[3, "wallet"]]);
    const same = await own({ "a.csv": `${first}eip155:1,${A1},one,deposit\neip155:10,${A1},two,hot` });
    expect(same.problems).toEqual([]);
    expect(same.own.count).toBe(2);
  });

  test("a file far longer than what is read at once gives every row, each with its own line", async () => {
    const address = (index: number) => `T${index.toString().padStart(33, "0")}`;
    // References of many bytes a sign fall on every border between two chunks.
    const rows = Array.from(
      { length: 20_000 },
      (_, index) => `tron:0x2b6653dc,${address(index)},客戶-€-${index},deposit`,
    );
    const wrong = [7_000, 19_999];
    for (const at of wrong) rows[at] = rows[at]?.replace("deposit", "piggybank") ?? "";
    const result = await own({ "a.csv": [HEADER, ...rows].join("\r\n") });
    expect(lines(result)).toEqual(wrong.map((at) => [at + 2, "wallet"]));
    const right = [...rows.keys()].filter((index) => !wrong.includes(index));
    expect([...result.own.all()]).toEqual(
      right.map((index) => ({
        chain: "tron:0x2b6653dc",
        address: address(index),
        customerRef: `客戶-€-${index}`,
        wallet: "deposit",
      })),
    );
  });

  test("a pipe is refused, not waited for", async () => {
    const result = await inFolder({}, async (folder) => {
      execFileSync("mkfifo", [path.join(folder, "a.csv")]);
      return loadOwn({ paths: [folder], normalizeAddress });
    });
    expect(result.problems.map(({ found }) => found)).toEqual(["something that is not a regular file"]);
  });

  test("addresses of chains without an adapter are kept as written and counted", async () => {
    const result = await own({ "a.csv": `${HEADER}\ntron:0x2b6653dc,TExample,one,deposit\neip155:1,${C3},two,hot` });
    expect(result).toMatchObject({ noAdapter: 1, problems: [] });
    expect([...result.own.all()]).toMatchObject([{ address: "TExample" }, { address: C3 }]);
  });

  test("the folder ships without addresses, and an empty folder is fine", async () => {
    const shipped = await loadOwn({ paths: [path.join(ROOT, "watchlists/own")], normalizeAddress });
    expect(shipped).toMatchObject({ problems: [], noAdapter: 0 });
    expect([...shipped.own.all()]).toEqual([]);
  });

  test("the examples of its README load", async () => {
    const readme = await readFile(path.join(ROOT, "watchlists/own/README.md"), "utf8");
    const block = (kind: string) => new RegExp(`\`\`\`${kind}\n([^]*?)\`\`\``).exec(readme)?.[1] ?? "";
    const result = await own({ "a.csv": block("csv"), "b.yaml": block("yaml") });
    expect(result.problems).toEqual([]);
    expect(result.own.count).toBe(2);
  });
});
