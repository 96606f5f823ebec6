/**
 * Goal: the scan in WebAssembly and the walk in TypeScript agree about every block: one accepts what the other does, and
 * both tell the same transactions. So a fault of the scan can cost time, and hide or invent nothing.
 * Method: recorded, generated and changed blocks, one memory for many of them: what lies behind a block is another's.
 */
import { describe, expect, test } from "@jest/globals";
import { addressOf } from "../../../../src/chains/bitcoin/address.ts";
import { outputsOf } from "../../../../src/chains/bitcoin/coins.ts";
import { subsidyAt } from "../../../../src/chains/bitcoin/networks.ts";
import { ProofError } from "../../../../src/chains/bitcoin/proof-error.ts";
import { parseBlock } from "../../../../src/chains/bitcoin/read-block.ts";
import { scanBlock } from "../../../../src/chains/bitcoin/scan-block.ts";
import { createScriptTable, type ScriptTable } from "../../../../src/chains/bitcoin/script-table.ts";
import { isData } from "../../../../src/chains/bitcoin/scripts.ts";
import { type ScanOptions, walkBlock } from "../../../../src/chains/bitcoin/walk-block.ts";
import { createRandom } from "../proof/mutants.ts";
import { makeBlock, type MadeCoin } from "./build-block.ts";
import { fullBlock, mainnetBlocks, regtestBlocks, type WholeBlock } from "./fixtures.ts";
import { BYTE_KINDS, type Random } from "./mutants.ts";
import { coinsOf } from "./strip.ts";

const RECORDED: readonly WholeBlock[] = [
  ...mainnetBlocks().filter((one): one is typeof one & WholeBlock => one.spent !== null),
  ...regtestBlocks(),
  fullBlock(),
];

/** Scripts of a block, on both sides. */
function scriptsOf({ block, spent }: WholeBlock): Uint8Array[] {
  const transactions = parseBlock(block);
  const made = Array.from({ length: transactions.count }, (_, index) => outputsOf(transactions, index)).flat();
  return [...(coinsOf(spent) ?? []).flat(), ...made].map(({ script }) => script);
}

/** Watches about one of `every` scripts of the block. */
function tableOf(one: WholeBlock, every: number, random: Random): ScriptTable {
  const scripts = scriptsOf(one).filter((script) => !isData(script) && random.below(every) === 0);
  return createScriptTable(new Set(scripts.map((script) => addressOf(script, one.network))), one.network);
}

function optionsOf({ block, spent, header, network }: WholeBlock, watched: ScriptTable): ScanOptions {
  return { transactions: parseBlock(block), spent, height: header.number, network, watched };
}

/** Null: refused. Anything but a ProofError is a crash. */
function touchedOf(read: (options: ScanOptions) => unknown, options: ScanOptions): unknown {
  try {
    return read(options);
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    return null;
  }
}

/** Both ways agree, and the scan finds odd exactly what the walk refuses. Returns what they say. */
function expectSame(options: ScanOptions, what: object): unknown {
  const { transactions, spent, height, network, watched } = options;
  const walked = touchedOf(walkBlock, options);
  const question = { transactions, spent, amountMax: network.amountMax, subsidy: subsidyAt(height, network) };
  const scanned = watched?.sieve.scan(question) ?? null;
  expect({ ...what, accepted: scanned !== null }).toEqual({ ...what, accepted: walked !== null });
  expect({ ...what, told: touchedOf(scanBlock, options) }).toEqual({ ...what, told: walked });
  return walked;
}

describe("recorded blocks", () => {
  test.each([1, 3, 1_000, Number.MAX_SAFE_INTEGER])("with one of %d scripts watched", (every) => {
    const random = createRandom(every % 1_003);
    for (const one of RECORDED) {
      const touched = expectSame(optionsOf(one, tableOf(one, every, random)), { name: one.name });
      expect(touched).not.toBeNull();
    }
  });

  test("where everything is watched, every transaction is told but those that only carry data", () => {
    for (const one of RECORDED) {
      const touched = scanBlock(optionsOf(one, tableOf(one, 1, createRandom(1))));
      expect(touched.length).toBeGreaterThanOrEqual(parseBlock(one.block).count - 1);
    }
  });
});

const LENGTHS = [
  0, 1, 2, 7, 8, 20, 21, 22, 23, 24, 25, 26, 33, 34, 35, 67, 71, 105, 199, 200, 201, 252, 253, 254, 300, 70_000,
];

/** Of every length that some rule knows, of every kind with an address, and of keys. */
function someScript(random: Random): Buffer {
  const bytesOf = (length: number) => Buffer.from(Array.from({ length }, () => random.below(256)));
  const key = Buffer.concat([Buffer.of(33, 2 + random.below(2)), bytesOf(32)]);
  return random.pick([
    Buffer.concat([Buffer.of(0x76, 0xa9, 20), bytesOf(20), Buffer.of(0x88, 0xac)]),
    Buffer.concat([Buffer.of(0xa9, 20), bytesOf(20), Buffer.of(0x87)]),
    Buffer.concat([Buffer.of(0, 20), bytesOf(20)]),
    Buffer.concat([Buffer.of(0, 32), bytesOf(32)]),
    Buffer.concat([Buffer.of(0x51, 32), bytesOf(32)]),
    Buffer.concat([key, Buffer.of(0xac)]),
    Buffer.concat([Buffer.of(0x51), key, key, Buffer.of(0x52, 0xae)]),
    Buffer.concat([Buffer.of(0x6a), bytesOf(random.below(80))]),
    Buffer.alloc(random.pick(LENGTHS.slice(0, -1)), random.below(256)),
    bytesOf(random.pick(LENGTHS.slice(0, 20))),
  ]);
}

function generated(random: Random): WholeBlock {
  const coins = (count: number, amount: bigint): MadeCoin[] =>
    Array.from({ length: count }, () => ({ script: someScript(random), amount }));
  const transactions = Array.from({ length: 1 + random.below(12) }, () => ({
    spends: coins(random.pick([1, 1, 2, 2, 3, 3, 4, 260]), BigInt(1_000 + random.below(3))),
    pays: coins(random.pick([1, 1, 2, 2, 3, 3, 4, 260]), random.pick([0n, 1n, 3n, 1_000n])),
  }));
  return makeBlock(transactions, { claims: 5_000_000_000n + BigInt(random.below(4_000)) });
}

test("100 generated blocks", () => {
  const told = { accepted: 0, refused: 0, touched: 0 };
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = createRandom(seed);
    const one = generated(random);
    const touched = expectSame(optionsOf(one, tableOf(one, random.pick([1, 5, 40]), random)), { seed });
    told[touched === null ? "refused" : "accepted"] += 1;
    told.touched += Array.isArray(touched) ? touched.length : 0;
  }
  // Neither all one nor all the other: both ways to end are held against each other.
  expect(Math.min(told.accepted, told.refused)).toBeGreaterThan(10);
  expect(told.touched).toBeGreaterThan(100);
});

describe("coins changed, in a memory that holds the true ones behind them", () => {
  const SMALL = RECORDED.filter(({ spent }) => spent.length > 100 && spent.length < 60_000);
  const TABLES = new Map(SMALL.map((one, index) => [one, tableOf(one, 20, createRandom(index))]));

  test.each(Object.entries(BYTE_KINDS))("%s", (kind, mutate) => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = createRandom(seed);
      const one = random.pick(SMALL);
      const watched = TABLES.get(one) as ScriptTable;
      expectSame(optionsOf(one, watched), { name: one.name });
      expectSame(optionsOf({ ...one, spent: mutate(one.spent, random) }, watched), { kind, name: one.name, seed });
    }
  });
});

test("cut off anywhere, the coins of a block are odd", () => {
  const one = makeBlock([
    {
      spends: LENGTHS.map((length) => ({ script: Buffer.alloc(length, 0x51), amount: 1_000n })),
      pays: [{ script: Buffer.alloc(22), amount: 1n }],
    },
  ]);
  const watched = createScriptTable([addressOf(Buffer.alloc(300, 0x51), one.network)], one.network);
  expect(expectSame(optionsOf(one, watched), {})).toHaveLength(1);
  const ends = [0, 1, 2, 3, 4, ...Array.from({ length: 200 }, (_, index) => 5 + index * 11), one.spent.length - 1];
  for (const end of ends) {
    const cut = optionsOf({ ...one, spent: one.spent.subarray(0, end) }, watched);
    expect(watched.sieve.scan({ ...cut, amountMax: one.network.amountMax, subsidy: 5e9 })).toBeNull();
  }
});

test.each(LENGTHS)("a watched script of %d bytes is found on both sides, and one that differs is not", (length) => {
  const script = Buffer.alloc(length, 0x53);
  const other = Buffer.alloc(length, 0x54);
  const coin = (of: Buffer) => [
    { script: of, amount: 0x6an },
    { script: Buffer.alloc(3), amount: 0x6an },
  ];
  const one = makeBlock([
    { spends: coin(script), pays: coin(other) },
    { spends: coin(other), pays: coin(script) },
    { spends: coin(other), pays: coin(other) },
  ]);
  const options = optionsOf(one, createScriptTable([addressOf(script, one.network)], one.network));
  const touched = expectSame(options, { length }) as { index: number }[];
  expect(touched.map(({ index }) => index)).toEqual(length === 0 ? [1, 2, 3] : [1, 2]);
});

test("a block for which there is no room is walked over", () => {
  const spends = Array.from({ length: 150 }, () => ({ script: Buffer.alloc(60_000, 0x51), amount: 1n }));
  const one = makeBlock([{ spends, pays: [{ script: Buffer.alloc(22, 1), amount: 0n }] }]);
  const watched = createScriptTable([addressOf(Buffer.alloc(60_000, 0x51), one.network)], one.network);
  const options = optionsOf(one, watched);
  expect(watched.sieve.scan({ ...options, amountMax: one.network.amountMax, subsidy: 5e9 })).toBeNull();
  expect(scanBlock(options)).toEqual(walkBlock(options));
  expect(scanBlock(options)).toHaveLength(1);
});

const MAX = 2_100_000_000_000_000n;
const TWENTY = Buffer.alloc(22, 1);

test.each([
  ["a sum of spent coins above what there can be", [MAX, 1n], [1n], false],
  ["all there can be", [MAX], [MAX], true],
  ["one more", [MAX + 1n], [MAX], false],
  ["more paid than spent", [10n], [11n], false],
  ["a negative amount", [-1n], [0n], false],
] as const)("%s", (_what, spends, pays, isAccepted) => {
  const coins = (amounts: readonly bigint[]) => amounts.map((amount) => ({ script: TWENTY, amount }));
  const one = makeBlock([{ spends: coins(spends), pays: coins(pays) }], { claims: 0n });
  const watched = createScriptTable([addressOf(TWENTY, one.network)], one.network);
  expect(expectSame(optionsOf(one, watched), {}) !== null).toBe(isAccepted);
});

test.each(["fd1600", "fe16000000", "ff1600000000000000"])("a size written as %s is refused", (size) => {
  const one = makeBlock([{ spends: [{ script: TWENTY, amount: 1n }], pays: [{ script: TWENTY, amount: 1n }] }]);
  const watched = createScriptTable([addressOf(TWENTY, one.network)], one.network);
  // Two transactions, none and one coin, its amount; then the size.
  const spent = Buffer.concat([one.spent.subarray(0, 11), Buffer.from(size, "hex"), one.spent.subarray(12)]);
  expect(expectSame(optionsOf(one, watched), {})).toHaveLength(1);
  expect(expectSame(optionsOf({ ...one, spent }, watched), {})).toBeNull();
});
