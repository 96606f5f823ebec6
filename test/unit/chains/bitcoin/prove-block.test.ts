/** What a block must be to be believed: each check with a block that passes all the others. */
import { describe, expect, test } from "@jest/globals";
import { NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import { ProofError } from "../../../../src/chains/bitcoin/proof-error.ts";
import { proveBlock } from "../../../../src/chains/bitcoin/prove-block.ts";
import { parseBlock, readBlock } from "../../../../src/chains/bitcoin/read-block.ts";
import {
  blockOf,
  type BlockChanges,
  commitmentTo,
  type MadeTransaction,
  makeBlock,
  sha256d,
  spentBytes,
  transactionBytes,
} from "./build-block.ts";
import { fullBlock, mainnetBlocks, prefixBlocks, regtestBlocks, type WholeBlock } from "./fixtures.ts";
import { withoutWitnesses } from "./strip.ts";

const KEY_SCRIPT = Buffer.from(`0014${"22".repeat(20)}`, "hex");
const PAYMENT: MadeTransaction = {
  spends: [{ script: KEY_SCRIPT, amount: 1_000n }],
  pays: [{ script: KEY_SCRIPT, amount: 900n }],
};
const SEGWIT: MadeTransaction = { ...PAYMENT, hasWitness: true };

function read(block: WholeBlock) {
  return readBlock({ ...block, watched: null });
}

/** The check that refuses it; null: none. */
function checkOf(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    expect(error.code).toBe("proof_mismatch");
    return error.check;
  }
}

function refusal(block: WholeBlock): string | null {
  return checkOf(() => read(block));
}

describe("real blocks", () => {
  test.each(mainnetBlocks())("$name is proven, and holds what its source says", ({ told, block, header, network }) => {
    const transactions = parseBlock(block);
    proveBlock(transactions, header, network);
    expect(header.hash).toBe(told.hash);
    expect(transactions.count).toBe(told.nTx);
  });

  test.each(mainnetBlocks().filter(({ spent }) => spent !== null))(
    "$name with the coins it spends",
    ({ told, spent, ...block }) => {
      const { transfers } = read({ ...block, spent: spent as Buffer });
      const count = (category: string) => transfers.filter((one) => one.category === category).length;
      expect([count("input"), count("output")]).toEqual([told.inputs - 1, told.outputs]);
    },
  );

  test("every block of the recorded chain, from the first", () => {
    for (const block of [...prefixBlocks(), ...regtestBlocks()]) expect(refusal(block)).toBeNull();
  });

  test("a full block of every common type", () => {
    const { transfers } = read(fullBlock());
    const sum = (category: string) =>
      transfers.filter((one) => one.category === category).reduce((total, { amount }) => total + amount, 0n);
    // As the fixtures' manifest says.
    expect([sum("input"), sum("output")]).toEqual([125_060_670_162n, 127_560_670_162n]);
  });
});

describe("header", () => {
  const block = makeBlock([PAYMENT]);

  test("the unchanged block passes", () => {
    expect(refusal(block)).toBeNull();
  });

  test.each([
    ["hash", "00".repeat(32)],
    ["parentHash", "11".repeat(32)],
    ["timestamp", 1],
  ])("a header with another %s than was asked for", (field, value) => {
    expect(refusal({ ...block, header: { ...block.header, [field]: value } })).toBe("header");
  });

  test("a hash above the target", () => {
    // A target of about 2^208: no block here meets it.
    expect(refusal(makeBlock([PAYMENT], { bits: 0x1b00_ffff }))).toBe("work");
  });

  test("a target easier than the network allows", () => {
    const easy = makeBlock([PAYMENT], { network: { ...NETWORKS.regtest, targetMax: NETWORKS.mainnet.targetMax } });
    expect(refusal(easy)).toBe("work");
  });
});

describe("merkle root", () => {
  test("another transaction than the header names", () => {
    const block = makeBlock([PAYMENT]);
    const changed = Buffer.from(block.block);
    changed[changed.length - 5] = 0x23; // In the script of the last output.
    expect(refusal({ ...block, block: changed })).toBe("merkle root");
  });

  test("the last transactions repeated: the same root, another block (CVE-2012-2459)", () => {
    const transactions = [PAYMENT, { ...PAYMENT, pays: [{ script: KEY_SCRIPT, amount: 800n }] }];
    const honest = makeBlock(transactions);
    expect(refusal(honest)).toBeNull();
    // Three leaves: the tree itself repeats the third.
    const repeated = Buffer.concat([honest.block, transactionBytes(transactions[1] as MadeTransaction)]);
    repeated[80] = 4;
    const spent = Buffer.concat([honest.spent, spentBytes([transactions[1] as MadeTransaction]).subarray(1)]);
    spent[0] = 4;
    expect(refusal({ ...honest, block: repeated, spent })).toBe("merkle root");
  });

  test("two levels up: six transactions whose last two are repeated", () => {
    const transactions = [1, 2, 3, 4, 5].map((fee) => ({
      ...PAYMENT,
      pays: [{ script: KEY_SCRIPT, amount: 1_000n - BigInt(fee) }],
    }));
    const honest = makeBlock(transactions);
    expect(refusal(honest)).toBeNull();
    const last = transactions.slice(3);
    const repeated = Buffer.concat([honest.block, ...last.map((one) => transactionBytes(one))]);
    repeated[80] = 8;
    const spent = Buffer.concat([honest.spent, spentBytes(last).subarray(1)]);
    spent[0] = 8;
    expect(refusal({ ...honest, block: repeated, spent })).toBe("merkle root");
  });

  test("nodes of the tree that pose as transactions of 64 bytes are no coinbase", () => {
    const honest = makeBlock(
      [PAYMENT, SEGWIT, PAYMENT].map((one, index) => ({
        ...one,
        pays: [{ script: KEY_SCRIPT, amount: BigInt(index) }],
      })),
    );
    const transactions = parseBlock(honest.block);
    const leaves = Array.from({ length: 4 }, (_, index) => transactionHashOf(transactions, index));
    const nodes = [Buffer.concat(leaves.slice(0, 2)), Buffer.concat(leaves.slice(2))];
    const posing = Buffer.concat([honest.block.subarray(0, 80), Buffer.of(2), ...nodes]);
    expect(refusal({ ...honest, block: posing })).toBe("format");
  });

  test("a transaction of 64 bytes in a block is read as what it is", () => {
    const short: MadeTransaction = {
      spends: [{ script: KEY_SCRIPT, amount: 10n }],
      pays: [{ script: Buffer.alloc(4, 0x51), amount: 1n }],
    };
    expect(transactionBytes(short)).toHaveLength(64);
    expect(refusal(makeBlock([short]))).toBeNull();
  });

  test("no transactions, or a first one that is no coinbase", () => {
    const block = makeBlock([PAYMENT]);
    expect(refusal({ ...block, block: Buffer.concat([block.block.subarray(0, 80), Buffer.of(0)]) })).toBe("format");
    const raw = transactionBytes(PAYMENT);
    const without = blockOf({}, [raw], { leaves: [sha256d(raw)], spent: spentBytes([PAYMENT]) });
    expect(refusal(without)).toBe("format");
  });
});

/** Independent of the code under test but for where the parts are. */
function transactionHashOf({ bytes, parts }: ReturnType<typeof parseBlock>, index: number): Buffer {
  const [start, inputs, , witness, end] = parts.subarray(index * 4, index * 4 + 5) as unknown as number[];
  const pieces = [bytes.subarray(start, (start as number) + 4), bytes.subarray(inputs, witness)];
  return sha256d(Buffer.concat([...pieces, bytes.subarray((end as number) - 4, end)]));
}

describe("witnesses", () => {
  const other = Buffer.concat([Buffer.from("6a24aa21a9ed", "hex"), Buffer.alloc(32, 7)]);
  const CASES: [string, BlockChanges, string | null][] = [
    ["committed to", {}, null],
    ["with nothing that commits to them", { commitments: [], coinbaseWitness: null }, "witness"],
    ["not those committed to", { commitments: [other] }, "witness"],
    ["committed to by the last of two", { commitments: [other, commitmentTo([SEGWIT])] }, null],
    ["committed to by the first of two", { commitments: [commitmentTo([SEGWIT]), other] }, "witness"],
    ["a commitment with bytes behind it", { commitments: [Buffer.concat([commitmentTo([SEGWIT]), other])] }, null],
    ["no reserved value", { coinbaseWitness: null }, "witness"],
    ["another reserved value", { coinbaseWitness: `0120${"01".repeat(32)}` }, "witness"],
    ["a reserved value of 31 bytes", { coinbaseWitness: `011f${"00".repeat(31)}` }, "witness"],
    ["two reserved values", { coinbaseWitness: `0220${"00".repeat(32)}00` }, "witness"],
  ];
  test.each(CASES)("%s", (_what, changes, check) => {
    expect(refusal(makeBlock([SEGWIT], changes))).toBe(check);
  });

  const LATER = { network: { ...NETWORKS.regtest, witnessFrom: 101 } };

  test("below the activation height a commitment is no commitment, and there are no witnesses", () => {
    expect(refusal(makeBlock([PAYMENT], { ...LATER, commitments: [other], coinbaseWitness: null }))).toBeNull();
    expect(refusal(makeBlock([SEGWIT], LATER))).toBe("witness");
    expect(refusal(makeBlock([PAYMENT], { ...LATER, height: 101, commitments: [other] }))).toBe("witness");
  });

  test("a real block without its witnesses: as before the activation it is proven, as it is it is refused", () => {
    const real = mainnetBlocks().find(({ told }) => told.height === 482_683);
    if (real === undefined) throw new Error("no such block");
    const stripped = parseBlock(withoutWitnesses(real.block));
    const before = { ...NETWORKS.mainnet, witnessFrom: 482_684 };
    expect(checkOf(() => proveBlock(stripped, real.header, before))).toBeNull();
    expect(checkOf(() => proveBlock(stripped, real.header, NETWORKS.mainnet))).toBe("witness");
    expect(checkOf(() => proveBlock(parseBlock(real.block), real.header, before))).toBe("witness");
  });

  test("a transaction that is marked to have witnesses and has none", () => {
    const block = makeBlock([SEGWIT]);
    const emptied = Buffer.from(block.block.toString("hex").replace(/0102abcd00000000$/, "0000000000"), "hex");
    expect(refusal({ ...block, block: emptied })).toBe("format");
  });
});

describe("height", () => {
  test.each([0, 1, 16, 17, 127, 128, 255, 256, 32_767, 32_768, 8_388_608])("of %d is pushed as nodes do", (height) => {
    const claims = 1n;
    const network = { ...NETWORKS.regtest, heightInCoinbaseFrom: 0 };
    const block = makeBlock([PAYMENT], { height, network, claims });
    expect(refusal(block)).toBeNull();
    expect(refusal({ ...block, header: { ...block.header, number: height + 1 } })).toBe("height");
  });

  test("is asked for where the network has the rule, and not below", () => {
    const inputScript = Buffer.alloc(4);
    expect(refusal(makeBlock([PAYMENT], { inputScript }))).toBe("height");
    const network = { ...NETWORKS.regtest, heightInCoinbaseFrom: 101 };
    expect(refusal(makeBlock([PAYMENT], { inputScript, network }))).toBeNull();
  });
});

describe("amounts", () => {
  const pay = (spends: bigint[], pays: bigint[]): MadeTransaction => ({
    spends: spends.map((amount) => ({ script: KEY_SCRIPT, amount })),
    pays: pays.map((amount) => ({ script: KEY_SCRIPT, amount })),
  });
  const MAX = 2_100_000_000_000_000n;
  const CASES: [string, MadeTransaction[], bigint, string | null][] = [
    ["the coinbase takes the subsidy and all fees", [pay([10n], [4n]), pay([10n], [9n])], 5_000_000_007n, null],
    ["the coinbase takes one more", [pay([10n], [4n]), pay([10n], [9n])], 5_000_000_008n, "amounts"],
    ["no fee", [pay([10n], [10n])], 5_000_000_000n, null],
    ["a negative fee", [pay([10n], [11n]), pay([10n], [1n])], 0n, "amounts"],
    ["zero", [pay([0n], [0n])], 0n, null],
    ["all there can be", [pay([MAX], [MAX])], 0n, null],
    ["one more than there can be is spent", [pay([MAX + 1n], [1n])], 0n, "format"],
    ["one more than there can be is paid", [pay([MAX], [MAX + 1n])], 0n, "format"],
    ["a sum above what there can be", [pay([MAX, 1n], [1n])], 0n, "format"],
    ["a sum of outputs above what there can be", [pay([MAX], [MAX, 1n])], 0n, "format"],
    ["fees above what there can be", [pay([MAX], [1n]), pay([MAX], [1n])], 0n, "amounts"],
    ["a negative amount is spent", [pay([-1n], [0n])], 0n, "format"],
    ["a negative amount is paid", [pay([1n], [-1n])], 0n, "format"],
  ];
  test.each(CASES)("%s", (_what, transactions, claims, check) => {
    expect(refusal(makeBlock(transactions, { claims }))).toBe(check);
  });

  test("the subsidy halves", () => {
    // Regtest halves every 150 blocks.
    expect(refusal(makeBlock([PAYMENT], { height: 149, claims: 5_000_000_100n }))).toBeNull();
    expect(refusal(makeBlock([PAYMENT], { height: 150, claims: 2_500_000_100n }))).toBeNull();
    expect(refusal(makeBlock([PAYMENT], { height: 150, claims: 2_500_000_101n }))).toBe("amounts");
    expect(refusal(makeBlock([PAYMENT], { height: 150 * 64, claims: 101n }))).toBe("amounts");
  });
});

describe("spent coins", () => {
  const block = makeBlock([PAYMENT, SEGWIT]);
  const coin = block.spent.subarray(3, 34);
  const CASES: [string, Buffer, string | null][] = [
    ["as they are", block.spent, null],
    ["of one transaction fewer", Buffer.concat([Buffer.of(2, 0, 1), coin]), "spent coins"],
    ["of one more", Buffer.concat([Buffer.of(4), block.spent.subarray(1), Buffer.of(0)]), "spent coins"],
    ["one coin too few", Buffer.concat([Buffer.of(3, 0, 0, 1), coin]), "spent coins"],
    ["one coin too many", Buffer.concat([Buffer.of(3, 0, 2), coin, coin, Buffer.of(1), coin]), "spent coins"],
    [
      "a coin for the coinbase",
      Buffer.concat([Buffer.of(3, 1), coin, Buffer.of(1), coin, Buffer.of(1), coin]),
      "spent coins",
    ],
    ["cut off", block.spent.subarray(0, -1), "format"],
    ["a byte too many", Buffer.concat([block.spent, Buffer.of(0)]), "format"],
    ["none", Buffer.alloc(0), "format"],
  ];
  test.each(CASES)("%s", (_what, spent, check) => {
    expect(refusal({ ...block, spent })).toBe(check);
  });
});

describe("format", () => {
  const block = makeBlock([PAYMENT]);
  const { block: bytes } = block;
  const head = bytes.subarray(0, 80);
  const CASES: [string, Buffer][] = [
    ["no bytes", Buffer.alloc(0)],
    ["a header alone", head],
    ["cut off", bytes.subarray(0, -1)],
    ["a byte too many", Buffer.concat([bytes, Buffer.of(0)])],
    [
      "a count that is not written in its shortest form",
      Buffer.concat([head, Buffer.of(0xfd, 2, 0), bytes.subarray(81)]),
    ],
    ["the same in five bytes", Buffer.concat([head, Buffer.of(0xfe, 2, 0, 0, 0), bytes.subarray(81)])],
    ["the same in nine", Buffer.concat([head, Buffer.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0), bytes.subarray(81)])],
    ["a count of 2^64 - 1", Buffer.concat([head, Buffer.alloc(9, 0xff), bytes.subarray(81)])],
    ["a count of 2^32 - 1", Buffer.concat([head, Buffer.of(0xfe, 255, 255, 255, 255), bytes.subarray(81)])],
    ["a transaction of an unknown kind", Buffer.concat([head, Buffer.of(1, 2, 0, 0, 0, 0, 8), bytes.subarray(85)])],
  ];
  test.each(CASES)("%s", (_what, changed) => {
    expect(refusal({ ...block, block: changed })).toBe("format");
  });

  test("counts that cannot be true allocate nothing", () => {
    const counted = [0xff, 0xfe].map((first) => Buffer.concat([head, Buffer.alloc(9, 0xff).fill(first, 0, 1)]));
    const spent = Buffer.concat([Buffer.of(2, 0), Buffer.alloc(9, 0xff)]);
    const before = process.memoryUsage().arrayBuffers;
    for (let round = 0; round < 1_000; round += 1)
      for (const changed of [...counted.map((one) => ({ block: one })), { spent }])
        expect(refusal({ ...block, ...changed })).not.toBeNull();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
  });
});
