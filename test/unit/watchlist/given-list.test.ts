import { expect, test } from "@jest/globals";
import { normalizeAddress } from "../../../src/chains/registry.ts";
import type { ListInput } from "../../../src/types/watchlist-format.ts";
import { parseGivenList, toGivenList } from "../../../src/watchlist/given-list.ts";
import { importFormatNamed } from "../../../src/watchlist/formats/registry.ts";
import { importText } from "../../support/import-text.ts";

const FIRST = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
const CSV = [
  "address,chain,label,independentSources,tlp,case,source",
  `${FIRST},ethereum,Hop 1,3,amber,C-7,https://example.org/report`,
].join("\n");
const read = async () => {
  const format = importFormatNamed("csv");
  if (format === null) throw new Error("no csv");
  const { list } = await importText(CSV, { format });
  if (list === null) throw new Error("not read");
  return { ...list, incident: { ...list.incident, lossUsd: 308_000_000, disputed: true } };
};
const given = (list: ListInput, change: object = {}) =>
  parseGivenList(JSON.parse(JSON.stringify({ ...toGivenList(list), ...change })), { from: "a.csv", normalizeAddress });

test("a list comes out as it went in, over any wire that carries JSON", async () => {
  const list = await read();
  const { list: got, problems } = given(list);
  expect(problems).toEqual([]);
  expect(got).toMatchObject({ list: "example", version: list.version, incident: list.incident });
  expect(got?.entries.map(({ entry }) => entry)).toMatchObject([
    { id: `example/eip155:1/${FIRST}`, independentSources: 3, label: "Hop 1", tlp: "amber", case: "C-7" },
  ]);
});

test.each<[string, object, string]>([
  ["no head", { incident: null }, "incident"],
  ["a row of nothing", { entries: [{}] }, "entries[0].chain"],
  ["rows that are no list", { entries: {} }, "entries"],
  ["another format", { format: "heistwatch/2" }, "format"],
])("%s is told and nothing else", async (_what, change, field) => {
  expect(given(await read(), change).problems.map((problem) => problem.field)).toContain(field);
});

test("the same address twice is a problem", async () => {
  const list = await read();
  expect(given({ ...list, entries: [...list.entries, ...list.entries] }).problems).toHaveLength(1);
});
