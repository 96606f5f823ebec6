import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { loadTheftTransactions } from "../../../src/watchlist/thefts.ts";
import { createTempDir } from "../../support/temp-dir.ts";

const SHIPPED = path.join(import.meta.dirname, "../../../watchlists/thefts/transactions.yaml");

async function load(text: string) {
  const folder = createTempDir("thefts");
  try {
    const file = path.join(folder.path, "transactions.yaml");
    writeFileSync(file, text);
    return await loadTheftTransactions(file);
  } finally {
    await folder.remove();
  }
}

const head =
  'format: heistwatch-thefts/1\nversion: "2026-11-22.1"\nsources: { s1: "https://example.org" }\ntransactions:\n';

describe("known transactions", () => {
  test("the shipped ones are all read", async () => {
    const { transactions, problems } = await loadTheftTransactions(SHIPPED);
    expect(problems).toEqual([]);
    expect(transactions).toHaveLength(252);
    expect(transactions).toContainEqual({
      incident: "upbit-2019",
      chain: "eip155:1",
      tx: "0xca4e0aa223e3190ab477efb25617eff3a42af7bdb29cdb7dc9e7935ea88626b4",
      block: 9_007_863,
      kind: "theft",
      note: "342,000 ETH out of the hot wallet",
    });
  });

  test("a wrong row is a problem with its line, and the others are read", async () => {
    const { transactions, problems } = await load(
      `${head}  - { incident: a-1, chain: "eip155:1", tx: "0x1", kind: theft, sources: [s1] }\n` +
        `  - { incident: a-1, chain: "eip155:1", tx: "0x2", block: -1, kind: theft, sources: [s1] }\n` +
        `  - { incident: a-1, chain: "eip155:1", tx: "0x3", kind: theft, sources: [], amount: 5 }\n`,
    );
    expect(transactions).toMatchObject([{ tx: "0x1", block: null, note: null }]);
    expect(new Set(problems.map(({ line }) => line))).toEqual(new Set([6, 7]));
  });

  test.each([
    ["another format", "format: heistwatch/1\n"],
    ["no YAML", "a: [\n"],
    ["an empty file", ""],
  ])("%s gives problems and nothing else", async (_name, text) => {
    const { transactions, problems } = await load(text);
    expect(transactions).toEqual([]);
    expect(problems.length).toBeGreaterThan(0);
  });

  test("a missing file is said", async () => {
    expect((await loadTheftTransactions("/nowhere/transactions.yaml")).problems).toHaveLength(1);
  });
});
