/** Whole transactions as people think of them: the theft, memos, change, pending ones, parents. */
import { describe, expect, test } from "@jest/globals";
import type { Coin, Outpoint } from "../../../../src/chains/bitcoin/coins.ts";
import { NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import { readBlock } from "../../../../src/chains/bitcoin/read-block.ts";
import { proveParent, readPending } from "../../../../src/chains/bitcoin/read-transaction.ts";
import { createScriptTable } from "../../../../src/chains/bitcoin/script-table.ts";
import { makeBlock, type MadeTransaction, transactionBytes } from "./build-block.ts";
import { actors, dmm, regtestBlocks } from "./fixtures.ts";

const { mainnet, regtest } = NETWORKS;

describe("the theft of DMM Bitcoin", () => {
  const { theft, funding } = dmm();
  const VICTIM = "3P8MfdM4pULv7ozdQvfwAqNF29zAjmnUYD";
  const THIEF = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";
  const prevoutOf = (outpoint: Outpoint) => proveParent(funding, outpoint);

  test.each([[THIEF], [VICTIM]])("is told with all of its coins where %s is watched", (watched) => {
    const table = createScriptTable([watched], mainnet);
    const { txid, wtxid, inputs, transfers } = readPending({ raw: theft, prevoutOf, network: mainnet, watched: table });
    expect(txid).toBe("975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7");
    expect(wtxid).not.toBe(txid);
    expect(new Set(inputs.map((input) => input.txid))).toEqual(
      new Set(["c03acb80562302248f8be621e765315345a85cd3856bf49583e97b0428342908"]),
    );
    expect(transfers.map(({ category }) => category)).toEqual([...Array<string>(9).fill("input"), "output"]);
    for (const { from, to, change } of transfers.slice(0, 9))
      expect({ from, to, change }).toEqual({ from: VICTIM, to: null, change: undefined });
    expect(transfers[9]).toMatchObject({
      key: "vout:0",
      from: null,
      to: THIEF,
      amount: 450_290_000_000n,
      txIndex: -1,
      assetId: "bip122:000000000019d6689c085ae165831e93/slip44:0",
    });
    const utxo = transfers[0]?.utxo;
    expect(utxo).toMatchObject({
      inputs: { count: 9, amount: 450_300_000_000n },
      outputs: { count: 1, amount: 450_290_000_000n, changeAmount: 0n },
      fee: 10_000_000n,
    });
    // The first eight of nine.
    expect(utxo?.inputs.first).toHaveLength(8);
    expect(transfers.every((transfer) => transfer.utxo === utxo)).toBe(true);
  });

  test("is not told where somebody else is watched", () => {
    const table = createScriptTable(["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"], mainnet);
    expect(readPending({ raw: theft, prevoutOf, network: mainnet, watched: table }).transfers).toEqual([]);
  });

  test("without its coins: the outputs are told, and no fee", () => {
    const table = createScriptTable([THIEF], mainnet);
    const { transfers } = readPending({ raw: theft, prevoutOf: () => null, network: mainnet, watched: table });
    expect(transfers.map(({ key }) => key)).toEqual(["vout:0"]);
    expect(transfers[0]?.utxo).toMatchObject({ inputs: { count: 9, amount: 0n, first: [] }, fee: null });
  });

  test("one known coin of a watched script is enough", () => {
    const table = createScriptTable([VICTIM], mainnet);
    const { inputs } = readPending({ raw: theft, prevoutOf, network: mainnet, watched: null });
    const { transfers } = readPending({
      raw: theft,
      prevoutOf: (outpoint) => (outpoint.index === inputs[3]?.index ? prevoutOf(outpoint) : null),
      network: mainnet,
      watched: table,
    });
    expect(transfers.map(({ key }) => key)).toEqual(["vin:3", "vout:0"]);
  });
});

describe("a parent", () => {
  const { theft, funding } = dmm();
  const txid = "c03acb80562302248f8be621e765315345a85cd3856bf49583e97b0428342908";

  test("that is another transaction proves nothing", () => {
    expect(() => proveParent(theft, { txid, index: 0 })).toThrow("parent: the transaction is 975ec405");
  });

  test("without that output proves nothing", () => {
    expect(proveParent(funding, { txid, index: 29 }).amount).toBeGreaterThan(0n);
    expect(() => proveParent(funding, { txid, index: 30 })).toThrow("has no output 30");
  });

  test("with any byte changed, cut or added proves nothing", () => {
    for (let at = 0; at < funding.length; at += 1) {
      const changed = Buffer.from(funding);
      changed[at] = (changed[at] as number) ^ 1;
      // A byte of a witness is not under the hash, and changes no output.
      try {
        expect(proveParent(changed, { txid, index: 3 })).toEqual(proveParent(funding, { txid, index: 3 }));
        expect(at).toBeGreaterThan(1_000);
      } catch (error) {
        expect(error).toMatchObject({ code: "proof_mismatch" });
      }
    }
    expect(() => proveParent(funding.subarray(0, -1), { txid, index: 0 })).toThrow("format");
    expect(() => proveParent(Buffer.concat([funding, Buffer.of(0)]), { txid, index: 0 })).toThrow("format");
  });
});

describe("pending", () => {
  const script = Buffer.from(`0014${"22".repeat(20)}`, "hex");
  const pay = (...amounts: bigint[]): MadeTransaction => ({
    spends: [{ script, amount: 10n }],
    pays: amounts.map((amount) => ({ script, amount })),
  });
  const read = (of: MadeTransaction, coin: Coin | null) =>
    readPending({ raw: transactionBytes(of), prevoutOf: () => coin, network: regtest, watched: null });

  test("what it returns to a script that it spends from is change", () => {
    const { transfers } = read(pay(4n), { script, amount: 10n });
    expect(transfers.at(-1)).toMatchObject({ change: true, utxo: { outputs: { changeAmount: 4n }, fee: 6n } });
  });

  test("a transaction that pays more than it spends, or more than there is, is refused", () => {
    expect(() => read(pay(11n), { script, amount: 10n })).toThrow("amounts");
    expect(() => read(pay(2_100_000_000_000_000n, 1n), null)).toThrow("amounts");
    expect(() => read(pay(-1n), null)).toThrow("amount");
    expect(read(pay(2_100_000_000_000_000n), null).transfers).toHaveLength(1);
  });

  test("a coinbase is never pending", () => {
    expect(() => read({ spends: [], pays: [{ script, amount: 1n }] }, null)).toThrow("never pending");
  });
});

describe("the recorded chain", () => {
  const blocks = regtestBlocks();
  const blockAt = (height: number) => blocks.find(({ header }) => header.number === height) as (typeof blocks)[number];
  const addressOf = (name: string) => actors().find((actor) => actor.name === name)?.address as string;

  test("orders to a bridge are handed over as they were written", () => {
    const { memos } = readBlock({ ...blockAt(271), watched: createScriptTable([addressOf("split_5")], regtest) });
    const { transfers } = readBlock({ ...blockAt(271), watched: createScriptTable([addressOf("split_5")], regtest) });
    const texts = memos.map(({ pushes }) => pushes.map((push) => Buffer.from(push).toString("latin1")));
    expect(texts.flat().join(" ")).toContain("=:ETH.ETH:0x");
    expect(texts.flat().some((one) => one.length > 75)).toBe(true);
    for (const { txHash, outputIndex } of memos)
      expect(transfers.some((one) => one.txHash === txHash && one.key === `vout:${outputIndex}`)).toBe(true);
  });

  test("memos of transactions that touch nobody are left out", () => {
    const { memos, transfers } = readBlock({ ...blockAt(271), watched: createScriptTable([], regtest) });
    expect({ memos, transfers }).toEqual({ memos: [], transfers: [] });
  });

  test("a coinbase that pays a watched address has no inputs and no fee", () => {
    const { transfers } = readBlock({ ...blockAt(275), watched: createScriptTable([addressOf("thief_1")], regtest) });
    const paid = transfers.filter(({ txIndex }) => txIndex === 0);
    expect(paid.every(({ category }) => category === "output")).toBe(true);
    expect(paid[0]?.utxo).toMatchObject({ inputs: { count: 0, amount: 0n, first: [] }, fee: null });
  });
});

test("change is marked on every output that pays an input's script, and on no other", () => {
  for (const block of regtestBlocks()) {
    const { transfers } = readBlock({ ...block, watched: null });
    for (const { txHash, to, change } of transfers.filter(({ category }) => category === "output")) {
      const returns = transfers.some((one) => one.txHash === txHash && one.from === to);
      expect(change ?? false).toBe(returns);
    }
  }
});

test("memos: every form of a push, and scripts that break off", () => {
  const long = Buffer.alloc(300, 0x61);
  const CASES: [string, string[]][] = [
    ["6a", []],
    ["6a0461626364", ["61626364"]],
    ["6a04616263640165", ["61626364", "65"]],
    ["6a4c0461626364", ["61626364"]],
    [`6a4d2c01${long.toString("hex")}`, [long.toString("hex")]],
    [`6a4e2c010000${long.toString("hex")}`, [long.toString("hex")]],
    ["6a00", [""]],
    ["6a5d0461626364", ["61626364"]],
    ["6a0461626364ac0161", ["61626364"]],
    ["6a05616263", []],
    ["6a4d", []],
    ["6a4effffffff61", []],
  ];
  const transaction: MadeTransaction = {
    spends: [{ script: Buffer.of(0x51), amount: 1n }],
    pays: CASES.map(([script]) => ({ script: Buffer.from(script, "hex"), amount: 0n })),
  };
  const { memos } = readBlock({ ...makeBlock([transaction]), watched: null });
  expect(memos.map(({ pushes }) => pushes.map((push) => Buffer.from(push).toString("hex")))).toEqual(
    CASES.map(([, pushes]) => pushes),
  );
  expect(memos.map(({ outputIndex }) => outputIndex)).toEqual(CASES.map((_, index) => index));
});
