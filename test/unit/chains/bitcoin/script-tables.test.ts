/**
 * Goal: a table that was made from another one and what changed since answers as one made of all addresses, about every
 * script and every block; and nobody waits for the event loop while one is made.
 */
import { expect, test } from "@jest/globals";
import { addressOf } from "../../../../src/chains/bitcoin/address.ts";
import { outputsOf } from "../../../../src/chains/bitcoin/coins.ts";
import { NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import { parseBlock } from "../../../../src/chains/bitcoin/read-block.ts";
import { scanBlock } from "../../../../src/chains/bitcoin/scan-block.ts";
import { createScriptTable, type ScriptTable } from "../../../../src/chains/bitcoin/script-table.ts";
import { createScriptTables } from "../../../../src/chains/bitcoin/script-tables.ts";
import { isData } from "../../../../src/chains/bitcoin/scripts.ts";
import { createAddressIndex } from "../../../../src/watchlist/address-index.ts";
import type { AddressTable } from "../../../../src/types/address-table.ts";
import { createRandom } from "../proof/mutants.ts";
import { fullBlock, mainnetBlocks, type WholeBlock } from "./fixtures.ts";

const { mainnet } = NETWORKS;
const NEVER = new AbortController().signal;

function listOf(addresses: readonly string[]): AddressTable {
  return { ...createAddressIndex({ count: 0 }).table, seedOf: () => null, addressesOf: () => addresses };
}

/** As a list in memory tells it: what was added and removed since, in whichever order it came. */
function changedFrom(base: AddressTable, now: ReadonlySet<string>, network = mainnet): AddressTable {
  const before = new Set(base.addressesOf(network.chainId));
  const differ = [...new Set([...before, ...now])].filter((address) => before.has(address) !== now.has(address));
  const changed = differ.map((address) => ({ address, isListed: now.has(address) }));
  return { ...base, addressesOf: () => now, since: { base, changedOn: () => changed } };
}

/** What both say about a script, by both ways to ask. */
function answers(table: ScriptTable, script: Uint8Array) {
  const bytes = Buffer.concat([Buffer.alloc(3, 0x51), script, Buffer.alloc(9, 0x51)]);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { ...table.match(script), touches: table.touches({ bytes, view }, 3, script.length) };
}

const hex = (text: string) => Buffer.from(text, "hex");

/** Scripts of many forms, of few keys and hashes: what one is, another one is equal or equivalent to. */
function someScripts(count: number, random: ReturnType<typeof createRandom>): Buffer[] {
  return Array.from({ length: count }, () => {
    const key = Buffer.concat([Buffer.of(2), Buffer.alloc(32, random.below(6))]);
    const [p2pk, hash] = [Buffer.concat([hex("21"), key, hex("ac")]), Buffer.alloc(20, random.below(6))];
    return random.pick([
      p2pk,
      Buffer.concat([hex("5121"), key, hex("51ae")]),
      Buffer.concat([hex("76a914"), hash, hex("88ac")]),
      Buffer.concat([hex("0014"), hash]),
      Buffer.concat([hex("a914"), hash, hex("87")]),
      Buffer.concat([hex("5120"), Buffer.alloc(32, random.below(6))]),
      Buffer.alloc(300, 0x51 + random.below(3)),
      Buffer.alloc(random.below(40), 0x51),
    ]);
  });
}

test("a table beside what changed answers as one of all addresses, also from the first key or long script on", async () => {
  const random = createRandom(11);
  for (let round = 0; round < 150; round += 1) {
    const tableOf = createScriptTables(mainnet, NEVER);
    const scripts = someScripts(30, random);
    const told = (table: ScriptTable) => scripts.map((script) => answers(table, script));
    const texts = [...new Set(scripts.map((script) => addressOf(script, mainnet)))];
    const some = () => texts.filter(() => random.below(2) === 0);
    const base = listOf(random.below(4) === 0 ? [] : some());
    const before = await tableOf(base);
    for (let change = 0; change < 3; change += 1) {
      const now = new Set(some());
      const [table, whole] = [await tableOf(changedFrom(base, now)), createScriptTable(now, mainnet)];
      // The sieve of the table before: nothing was made again.
      expect(table.sieve).toBe(before.sieve);
      expect({ round, told: told(table) }).toEqual({ round, told: told(whole) });
    }
    // Whoever still has the list from before finds what that names.
    const whole = createScriptTable(base.addressesOf(""), mainnet);
    expect(told(before)).toEqual(told(whole));
  }
});

test("blocks are marked alike", async () => {
  const random = createRandom(5);
  const recorded = mainnetBlocks().filter((one): one is typeof one & WholeBlock => one.spent !== null);
  for (const { block, spent, header, network } of [...recorded, fullBlock()]) {
    const transactions = parseBlock(block);
    const made = Array.from({ length: transactions.count }, (_, index) => outputsOf(transactions, index)).flat();
    const scripts = made.map(({ script }) => script).filter((script) => !isData(script));
    const some = (every: number) =>
      new Set(scripts.filter(() => random.below(every) === 0).map((script) => addressOf(script, network)));
    const [before, now] = [some(9), some(7)];
    const base = listOf([...before]);
    const table = await createScriptTables(network, NEVER)(changedFrom(base, now, network));
    const told = (watched: ScriptTable) => scanBlock({ transactions, spent, height: header.number, network, watched });
    expect(told(table)).toEqual(told(createScriptTable(now, network)));
  }
});

test("one that too much has changed of is made anew, and one without changes on the chain is the one before", async () => {
  const tableOf = createScriptTables(mainnet, NEVER);
  const texts = Array.from({ length: 1_200 }, (_, index) => {
    const hash = Buffer.alloc(20);
    hash.writeUInt32BE(index);
    return addressOf(Buffer.concat([hex("0014"), hash]), mainnet);
  });
  const base = listOf(texts.slice(0, 1));
  const before = await tableOf(base);
  expect(await tableOf(changedFrom(base, new Set(texts.slice(0, 1))))).toBe(before);
  const many = await tableOf(changedFrom(base, new Set(texts)));
  expect([many.sieve === before.sieve, many.size]).toEqual([false, texts.length]);
});

test("a list that could not be read is read again when it is asked for again", async () => {
  const tableOf = createScriptTables(mainnet, NEVER);
  let isDamaged = true;
  const list = {
    ...listOf([]),
    addressesOf() {
      if (isDamaged) throw new Error("the record is another address's");
      return [];
    },
  };
  await expect(tableOf(list)).rejects.toThrow("the record is another");
  isDamaged = false;
  expect((await tableOf(list)).size).toBe(0);
});
