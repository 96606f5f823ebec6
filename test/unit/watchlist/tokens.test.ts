import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import type { Asset } from "../../../src/types/chain.ts";
import { loadTokens } from "../../../src/watchlist/tokens.ts";
import { A1, B2, inFolder, normalizeAddress, ROOT } from "./helpers.ts";

const ETHER: Asset = { id: "eip155:1/slip44:60", symbol: "ETH", decimals: 18, listed: true, dustBelow: 10n ** 12n };
const loadShipped = () =>
  loadTokens({ path: path.join(ROOT, "config/tokens.yaml"), natives: [ETHER], normalizeAddress });

function loadText(tokens: readonly string[]) {
  const text = `format: heistwatch-tokens/1\nversion: "2026-11-22.1"\ntokens:\n${tokens.map((token) => `  - { ${token} }\n`).join("")}`;
  return inFolder({ "tokens.yaml": text }, (folder) => {
    return loadTokens({ path: path.join(folder, "tokens.yaml"), natives: [ETHER], normalizeAddress });
  });
}

const token = (extra: string) => `chain: eip155:1, address: "${A1.toLowerCase()}", symbol: "USD", ${extra}`;

describe("the token list", () => {
  test("ships 180 contracts without a problem", async () => {
    const { count, problems } = await loadShipped();
    expect(problems).toEqual([]);
    expect(count).toBe(180);
  });

  test("knows USDC and the native coin by id", async () => {
    const { tokens } = await loadShipped();
    const usdc = tokens.assetOf("eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
    expect(usdc).toMatchObject({ symbol: "USDC", decimals: 6, listed: true, dustBelow: 100_000n });
    expect(tokens.assetOf(ETHER.id)).toEqual(ETHER);
  });

  test("keeps tokens without known decimals listed, and never calls their amounts dust", async () => {
    const { tokens } = await loadShipped();
    const steth = tokens.assetOf("eip155:1/erc20:0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84");
    expect(steth).toMatchObject({ symbol: "stETH", decimals: null, listed: true, dustBelow: 1n });
  });

  test("calls a stranger's contract unlisted, whatever it is", async () => {
    const { tokens } = await loadShipped();
    for (const id of [`eip155:1/erc20:${A1}`, "eip155:10/slip44:60", "__proto__", ""]) {
      expect(tokens.assetOf(id)).toEqual({ id, symbol: null, decimals: null, listed: false, dustBelow: 1n });
    }
  });

  test.each([
    ["decimals: 6, kind: stablecoin", 100_000n],
    ["decimals: 18, kind: stablecoin", 10n ** 17n],
    ["decimals: 0, kind: stablecoin", 1n],
    ["kind: stablecoin", 1n],
    ["decimals: 18, kind: token", 1n],
    ["decimals: 8, kind: btc", 1n],
  ])("dust of a token with %s starts below %s", async (extra, dustBelow) => {
    const { tokens, problems } = await loadText([token(extra)]);
    expect(problems).toEqual([]);
    expect(tokens.assetOf(`eip155:1/erc20:${A1}`).dustBelow).toBe(dustBelow);
  });

  test.each([
    ["unknown kind", [token("kind: meme")], 4, "tokens[0].kind"],
    ["too many decimals", [token("decimals: 78, kind: token")], 4, "tokens[0].decimals"],
    ["negative decimals", [token("decimals: -1, kind: token")], 4, "tokens[0].decimals"],
    ["symbol with text direction", [token('kind: token, name: "a\\u202e"')], 4, "tokens[0].name"],
    ["no kind", [token("decimals: 1")], 4, "tokens[0].kind"],
    ["wrong checksum", [token("kind: token").replace(A1.toLowerCase(), B2.replace("B", "b"))], 4, "tokens[0].address"],
    ["a chain without token ids", [token("kind: token").replace("eip155:1", "tron:0x2b6653dc")], 4, "tokens[0].chain"],
    ["the same token twice", [token("kind: token"), token("kind: btc")], 5, "tokens[1].address"],
  ])("%s is a problem with its line", async (_name, rows, line, field) => {
    expect((await loadText(rows)).problems.map((problem) => [problem.line, problem.field])).toEqual([[line, field]]);
  });

  test("a missing file is a problem", async () => {
    const { problems } = await loadTokens({ path: "/nonexistent/tokens.yaml", natives: [], normalizeAddress });
    expect(problems).toHaveLength(1);
  });
});
