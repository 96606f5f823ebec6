/** A UTXO transaction, from the matcher to the words of the alert. */
import { describe, expect, test } from "@jest/globals";
import { matchTransfers } from "../../../src/match/match-block.ts";
import { alertBody } from "../../../src/alerts/body-schema.ts";
import type { AlertBody } from "../../../src/alerts/body-schema.ts";
import type { Asset, Transfer, UtxoSummary } from "../../../src/types/chain.ts";
import type { Watchlist } from "../../../src/types/watch.ts";
import { createWatchedTable } from "../../support/watched-table.ts";
import { bodyOf, entry, event, foldGroups, incident, SANCTIONED } from "./make.ts";

const CHAIN = "bip122:000000000019d6689c085ae165831e93";
const ASSET: Asset = { id: `${CHAIN}/slip44:0`, symbol: "BTC", decimals: 8, listed: true, dustBelow: 1_000n };
const TRUST = { proven: true, operators: ["self"], missing: [], traced: true, inputsTold: true } as const;

type Coin = readonly [owner: string, satoshi: bigint];

/** One input and output per coin; what returns to an input's owner is change. */
function transfersOf(inputs: readonly Coin[], outputs: readonly Coin[], over: Partial<Transfer> = {}): Transfer[] {
  const owners = new Set(inputs.map(([owner]) => owner));
  const sumOf = (coins: readonly Coin[]) => coins.reduce((sum, [, amount]) => sum + amount, 0n);
  const change = ([owner]: Coin) => (owners.has(owner) ? { change: true as const } : {});
  const parts = (coins: readonly Coin[]) =>
    coins.slice(0, 8).map(([address, amount], index) => ({ index, address, amount }));
  const utxo: UtxoSummary = {
    inputs: { count: inputs.length, amount: sumOf(inputs), first: parts(inputs) },
    outputs: {
      count: outputs.length,
      amount: sumOf(outputs),
      changeAmount: sumOf(outputs.filter(([owner]) => owners.has(owner))),
      first: parts(outputs).map((part, index) => ({ ...part, ...change(outputs[index] as Coin) })),
    },
    fee: inputs.length === 0 ? null : sumOf(inputs) - sumOf(outputs),
  };
  const base = { txHash: "ab".repeat(32), txIndex: 1, assetId: ASSET.id, utxo, ...over };
  return [
    ...inputs.map(
      ([from, amount], n): Transfer => ({ ...base, key: `vin:${n}`, category: "input", from, to: null, amount }),
    ),
    ...outputs.map(
      (coin, n): Transfer => ({
        ...base,
        key: `vout:${n}`,
        category: "output",
        from: null,
        to: coin[0],
        amount: coin[1],
        ...change(coin),
      }),
    ),
  ];
}

function alertsOf(transfers: readonly Transfer[], kind: "included" | "pending" = "included"): AlertBody["data"][] {
  const watched = ["thief", "fence"].map((address) =>
    entry({
      id: `heist/${CHAIN}/${address}`,
      chain: CHAIN,
      address,
      label: `${address} wallet`,
      sanctioned: SANCTIONED,
    }),
  );
  const watchlist: Watchlist = {
    version: "1",
    incidents: new Map([["heist-2025", incident()]]),
    entriesOf: (_chain, address) => watched.filter((one) => one.address === address),
    ownOf: (chain, address) =>
      address.startsWith("ours") ? { chain, address, customerRef: `ref ${address}`, wallet: "deposit" } : null,
    addresses: createWatchedTable(new Map()),
    watchedCount: watched.length,
  };
  const hits = matchTransfers(transfers, { chain: CHAIN, watchlist, tokens: { assetOf: () => ASSET } });
  return [...Map.groupBy(hits, ({ alertId }) => alertId).values()].map((ofAlert) => {
    const [result] = foldGroups([ofAlert.map((hit) => event(kind, hit, { trust: TRUST }))]);
    const body = bodyOf(result?.message);
    expect(alertBody.safeParse(body).error).toBeUndefined();
    return body.data;
  });
}

function only(transfers: readonly Transfer[], kind: "included" | "pending" = "included"): AlertBody["data"] {
  const alerts = alertsOf(transfers, kind);
  expect(alerts).toHaveLength(1);
  return alerts[0] as AlertBody["data"];
}

describe("what a person reads", () => {
  test.each([
    {
      what: "a theft of nine coins with one recipient",
      tx: transfersOf(
        [["thief", 300_000_000_000n], ...Array.from({ length: 8 }, (): Coin => ["other", 18_786_250_000n])] as Coin[],
        [["taker", 450_290_000_000n]],
      ),
      summary: "4502.9 BTC moved from thief (The Heist: thief wallet) and 8 other inputs to taker.",
    },
    {
      what: "a deposit of a watched coin with change",
      tx: transfersOf(
        [["thief", 500n * 10n ** 6n]],
        [
          ["ours-a", 200n * 10n ** 6n],
          ["thief", 299n * 10n ** 6n],
        ],
      ),
      summary: "2 BTC moved from thief (The Heist: thief wallet) to your deposit address ours-a.",
    },
    {
      what: "a withdrawal of a customer to a watched address",
      tx: transfersOf(
        [
          ["ours-hot", 10n ** 9n],
          ["ours-hot", 1n],
        ],
        [
          ["other", 5n],
          ["fence", 10n ** 8n],
          ["ours-hot", 10n ** 8n],
        ],
      ),
      summary: "1 BTC moved from your deposit address ours-hot to fence (The Heist: fence wallet).",
    },
    {
      what: "a watched wallet that pays many",
      tx: transfersOf(
        [["thief", 10n ** 9n]],
        [
          ["a", 10n ** 8n],
          ["b", 10n ** 8n],
          ["thief", 10n ** 8n],
        ],
      ),
      summary: "2 BTC moved from thief (The Heist: thief wallet) to a and 1 other output.",
    },
    {
      what: "a consolidation",
      tx: transfersOf(
        [
          ["thief", 10n ** 8n],
          ["thief", 10n ** 8n],
        ],
        [["thief", 10n ** 8n]],
      ),
      summary: "1 BTC moved from thief (The Heist: thief wallet) and 1 other input to itself.",
    },
    {
      what: "a stranger who pays a watched address",
      tx: transfersOf(
        [
          ["a", 10n ** 8n],
          ["b", 10n ** 8n],
        ],
        [["fence", 10n ** 8n]],
      ),
      summary: "1 BTC moved from a and 1 other input to fence (The Heist: fence wallet).",
    },
    {
      what: "a coinbase that pays a watched address",
      tx: transfersOf([], [["fence", 10n ** 8n]]),
      summary: "1 BTC moved from a new coinbase to fence (The Heist: fence wallet).",
    },
    {
      what: "an address of a watched key",
      tx: transfersOf([["sister", 10n ** 8n]], [["a", 10n ** 8n]]).map((one) =>
        one.from === "sister" ? { ...one, equivalent: ["thief"] } : one,
      ),
      summary: "1 BTC moved from sister (The Heist: thief wallet, same key as thief) to a.",
    },
  ])("$what", ({ tx, summary }) => {
    expect(only(tx).summary).toBe(summary);
  });

  test("the whole transaction is told once, in satoshi, change marked", () => {
    const data = only(
      transfersOf(
        [["thief", 500n]],
        [
          ["ours-a", 200n],
          ["thief", 290n],
        ],
      ),
    );
    expect(data.transaction.utxo).toEqual({
      inputs: { count: 1, amount: "500", first: [{ index: 0, address: "thief", amount: "500" }] },
      outputs: {
        count: 2,
        amount: "490",
        changeAmount: "290",
        first: [
          { index: 0, address: "ours-a", amount: "200" },
          { index: 1, address: "thief", amount: "290", change: true },
        ],
      },
      fee: "10",
    });
    expect(data.transfers.map(({ key, from, to, change }) => [key, from, to, change ?? false])).toEqual([
      ["vin:0", "thief", null, false],
      ["vout:0", null, "ours-a", false],
      ["vout:1", null, "thief", true],
    ]);
    expect(data.own).toMatchObject({ address: "ours-a", role: "recipient" });
  });

  test("says what the block does not prove, and what a pending transaction does not", () => {
    const tx = transfersOf([["thief", 10n ** 8n]], [["ours-a", 10n ** 8n]]);
    expect(only(tx).trust.note).toContain("whose the inputs were and what they brought is the node's word");
    const pending = only(tx, "pending").trust.note;
    expect(pending).toContain("its hash was checked, its signatures and its coins were not");
  });
});
