/**
 * The theft of DMM Bitcoin (31 May 2024), its real bytes, with the lists as they ship: from a block to the alert that a
 * person reads. Its block is not recorded, so one is built around it, by mainnet's rules but for the proof of work.
 */
import { hash } from "node:crypto";
import path from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { AlertBody } from "../../src/alerts/body-schema.ts";
import { alertBody } from "../../src/alerts/body-schema.ts";
import { headerOf } from "../../src/chains/bitcoin/header.ts";
import { NETWORKS } from "../../src/chains/bitcoin/networks.ts";
import { readBlock } from "../../src/chains/bitcoin/read-block.ts";
import { proveParent, readPending } from "../../src/chains/bitcoin/read-transaction.ts";
import { createScriptTable, type ScriptTable } from "../../src/chains/bitcoin/script-table.ts";
import { normalizeAddress } from "../../src/chains/registry.ts";
import { matchTransfers } from "../../src/match/match-block.ts";
import type { Transfer } from "../../src/types/chain.ts";
import type { Watchlist } from "../../src/types/watch.ts";
import { loadWatchlists } from "../../src/watchlist/load.ts";
import { createWatchlist } from "../../src/watchlist/snapshot.ts";
import { bodyOf, event, foldGroups } from "../unit/alerts/make.ts";
import { dmm } from "../unit/chains/bitcoin/fixtures.ts";
import { NO_OWN } from "../../src/watchlist/own-index.ts";

const { mainnet, regtest } = NETWORKS;
const HEIGHT = 846_000;
const THEFT = "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7";
const THIEF = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";
const BTC = { symbol: "BTC", decimals: 8, listed: true, dustBelow: 1_000n };

const sha256 = (bytes: Uint8Array) => hash("sha256", bytes, "buffer");
const doubleHash = (bytes: Uint8Array) => sha256(sha256(bytes));
const uint32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);

let watchlist: Watchlist;
let watched: ScriptTable;
beforeAll(async () => {
  const { lists, problems } = await loadWatchlists({
    paths: [path.join(import.meta.dirname, "../../watchlists")],
    normalizeAddress,
  });
  expect(problems).toEqual([]);
  watchlist = createWatchlist({ lists, own: NO_OWN, enable: [] });
  watched = createScriptTable(watchlist.addresses.addressesOf(mainnet.chainId), mainnet);
});

/** What the theft spends, proven by the transaction that made it. */
function spentCoins() {
  const { theft, funding } = dmm();
  const { inputs } = readPending({ raw: theft, prevoutOf: () => null, network: mainnet, watched: null });
  return inputs.map((outpoint) => proveParent(funding, outpoint));
}

/** A coinbase that pays nothing and commits to the theft's witnesses, then the theft. */
function blockAround(theft: Uint8Array): Buffer {
  const reserved = Buffer.alloc(32);
  const witnessRoot = doubleHash(Buffer.concat([Buffer.alloc(32), doubleHash(theft)]));
  const commitment = doubleHash(Buffer.concat([witnessRoot, reserved]));
  const height = Buffer.concat([Buffer.of(3), uint32(HEIGHT).subarray(0, 3)]);
  const input = Buffer.concat([Buffer.alloc(32), Buffer.alloc(4, 0xff), Buffer.of(height.length), height]);
  const output = Buffer.concat([Buffer.alloc(8), Buffer.of(38), Buffer.from("6a24aa21a9ed", "hex"), commitment]);
  const body = Buffer.concat([Buffer.of(1), input, Buffer.alloc(4, 0xff), Buffer.of(1), output]);
  const bare = Buffer.concat([uint32(1), body, uint32(0)]);
  const coinbase = Buffer.concat([uint32(1), Buffer.of(0, 1), body, Buffer.of(1, 32), reserved, uint32(0)]);
  const root = doubleHash(Buffer.concat([doubleHash(bare), Buffer.from(THEFT, "hex").toReversed()]));
  for (let nonce = 0; ; nonce += 1) {
    const fields = [uint32(4), Buffer.alloc(32), root, uint32(1_717_131_600), uint32(0x207f_ffff), uint32(nonce)];
    const header = Buffer.concat(fields);
    // Regtest's target: a hash below 2^255.
    if ((doubleHash(header)[31] as number) < 0x7f) return Buffer.concat([header, Buffer.of(2), coinbase, theft]);
  }
}

function spentBytes(): Buffer {
  const coins = spentCoins().map(({ amount, script }) => {
    const value = Buffer.alloc(8);
    value.writeBigInt64LE(amount);
    return Buffer.concat([value, Buffer.of(script.length), script]);
  });
  return Buffer.concat([Buffer.of(2, 0, coins.length), ...coins]);
}

function alertOf(transfers: readonly Transfer[], kind: "included" | "pending"): AlertBody["data"] {
  const tokens = { assetOf: (id: string) => ({ ...BTC, id }) };
  const hits = matchTransfers(transfers, { chain: mainnet.chainId, watchlist, tokens });
  expect(new Set(hits.map(({ alertId }) => alertId)).size).toBe(1);
  const trust = { proven: true, operators: ["self"], missing: [], traced: true, inputsTold: true as const };
  const [result] = foldGroups([hits.map((hit) => event(kind, hit, { trust }))]);
  const body = bodyOf(result?.message);
  expect(alertBody.safeParse(body).error).toBeUndefined();
  return body.data;
}

describe("the theft of DMM Bitcoin", () => {
  test("in a block is one alert that names the incident, 4,502.9 BTC and the recipient", () => {
    const { theft } = dmm();
    const block = blockAround(theft);
    const header = { ...headerOf(block.subarray(0, 80)), number: HEIGHT };
    const network = { ...mainnet, targetMax: regtest.targetMax };
    const data = alertOf(readBlock({ header, block, spent: spentBytes(), network, watched }).transfers, "included");
    expect(data.transaction).toMatchObject({
      hash: THEFT,
      index: 1,
      utxo: {
        inputs: { count: 9, amount: "450300000000" },
        outputs: { count: 1, amount: "450290000000", first: [{ index: 0, address: THIEF, amount: "450290000000" }] },
        fee: "10000000",
      },
    });
    expect(data.summary).toMatch(
      /^4502\.9 BTC moved from 3P8MfdM4pULv7ozdQvfwAqNF29zAjmnUYD and 8 other inputs to 1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P \(DMM Bitcoin.*: attacker address\)\.$/,
    );
    expect(data.exposure.incidents).toEqual(["dmm-bitcoin-2024"]);
    expect(data).toMatchObject({ kind: "movement", severity: "medium", stage: "included" });
    expect(data.watch).toMatchObject([{ address: THIEF, side: "to", role: "theft", match: "exact" }]);
  });

  test("is told while it waits in a mempool, before anybody knows whose coins it spends", () => {
    const { transfers, txid } = readPending({ raw: dmm().theft, prevoutOf: () => null, network: mainnet, watched });
    expect(txid).toBe(THEFT);
    const data = alertOf(transfers, "pending");
    expect(data.stage).toBe("pending");
    expect(data.summary).toContain("4502.9 BTC moved from 9 inputs whose owners are not known yet to");
    expect(data.summary).toContain(`${THIEF} (DMM Bitcoin`);
  });

  test("the earlier address that it imitates is no thief's", () => {
    expect(watchlist.entriesOf(mainnet.chainId, "1B6rJ6ZKfZmkqMyBGe5KR27oWkEbQdNM7P")).toEqual([]);
  });
});
