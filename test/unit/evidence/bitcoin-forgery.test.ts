/** The traps of Bitcoin's merkle tree, and what else a forger can try with a proof of that family. */
import { beforeAll, describe, expect, test } from "@jest/globals";
import { addressOf } from "../../../src/chains/bitcoin/address.ts";
import { branchOf } from "../../../src/chains/bitcoin/evidence/merkle-branch.ts";
import type { BitcoinProof } from "../../../src/chains/bitcoin/evidence/proof-schema.ts";
import { withoutWitness } from "../../../src/chains/bitcoin/double-hash.ts";
import { NETWORKS } from "../../../src/chains/bitcoin/networks.ts";
import { outputsOf } from "../../../src/chains/bitcoin/coins.ts";
import { parseTransaction } from "../../../src/chains/bitcoin/read-transaction.ts";
import type { BundleParts } from "../../../src/evidence/bundle.ts";
import type { Transfer } from "../../../src/types/chain.ts";
import { blockOf, heightScript, merkleRootOf, sha256d, transactionBytes } from "../chains/bitcoin/build-block.ts";
import { dmm, type FixtureBlock, mainnetBlocks } from "../chains/bitcoin/fixtures.ts";
import { BITCOIN_KINDS } from "./kinds.ts";
import { bitcoinPartsOf, bundleOf, forged, partsOfAlert, reasonOf, verify, withProof } from "./make.ts";

const { regtest, mainnet } = NETWORKS;
const HEIGHT = 100;
const NO_PARENT = () => "it is not at hand";

const proofOf = (parts: BundleParts): BitcoinProof => parts.proof as unknown as BitcoinProof;
const txidOf = (raw: Uint8Array): string => hex(sha256d(raw).toReversed());
const coinbase = transactionBytes({
  spends: [],
  pays: [{ script: Buffer.of(0x51), amount: 5_000_000_000n }],
  inputScript: heightScript(HEIGHT),
});
/** Pays `amount` to anybody. */
const payment = (amount: bigint) =>
  transactionBytes({ spends: [{ script: Buffer.of(0x51), amount }], pays: [{ script: Buffer.of(0x51), amount }] });

function mined(transactions: readonly Buffer[]): FixtureBlock {
  return blockOf({ height: HEIGHT }, transactions, { leaves: transactions.map(sha256d), spent: Buffer.alloc(0) });
}

function outputOf(raw: Buffer, txIndex: number): Transfer {
  const [coin] = outputsOf(parseTransaction(raw), 0);
  if (coin === undefined) throw new Error("an output");
  return {
    key: "vout:0",
    category: "output",
    txHash: txidOf(raw),
    txIndex,
    from: null,
    to: addressOf(coin.script, regtest),
    assetId: `${regtest.chainId}/slip44:1`,
    amount: coin.amount,
  };
}

/** A bundle about an output of `raw`, with the proof as the forger writes it. */
function handmade(at: FixtureBlock, raw: Buffer, proof: Partial<BitcoinProof>): string {
  const leaves = Buffer.concat([sha256d(coinbase)]);
  const leaf = { index: proof.transaction?.index ?? 0, raw: raw.toString("hex"), branch: [] as string[] };
  const parts = partsOfAlert(regtest.chainId, at.header, [outputOf(raw, leaf.index)]);
  const whole: BitcoinProof = {
    family: "bitcoin",
    header: at.block.subarray(0, 80).toString("hex"),
    transaction: leaf,
    coinbase: { index: 0, raw: coinbase.toString("hex"), branch: branchOf(leaves, 0).siblings.map(hex) },
    parents: [],
    ...proof,
  };
  return bundleOf(withProof(parts, { proof: whole, lacks: [] }));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function leafIn(transactions: readonly Buffer[], index: number): BitcoinProof["transaction"] {
  const branch = branchOf(Buffer.concat(transactions.map(sha256d)), index).siblings.map(hex);
  return { index, raw: hex(transactions[index] as Buffer), branch };
}

describe("the merkle tree", () => {
  test("branches lead to the root that all leaves have, for every place of trees of 1 to 9", () => {
    for (let count = 1; count <= 9; count += 1) {
      const transactions = [coinbase, ...Array.from({ length: count - 1 }, (_, at) => payment(BigInt(at + 1)))];
      const at = mined(transactions);
      expect(hex(at.block.subarray(36, 68))).toBe(hex(merkleRootOf(transactions.map(sha256d))));
      transactions.forEach((raw, index) => {
        const proof = { transaction: leafIn(transactions, index), coinbase: leafIn(transactions, 0) };
        expect(verify(handmade(at, raw, proof))).toMatchObject({ ok: true });
      });
    }
  });

  test("a transaction whose bytes are two hashes proves nothing below it: its depth is not the coinbase's", () => {
    // What was never mined, and whose hash happens to have a 1 where a transaction counts its inputs.
    const fake = [...Array(10_000).keys()]
      .map((n) => payment(10n ** 12n + BigInt(n)))
      .find((raw) => sha256d(raw)[4] === 1);
    if (fake === undefined) throw new Error("one in 256");
    // Its hash is the first half of a real transaction of 64 bytes; the second half is free.
    const second = Buffer.alloc(32);
    second[13] = 1; // Outputs, behind the outpoint's end, an empty script and the sequence number...
    Buffer.concat([
      Buffer.alloc(9),
      Buffer.of(0),
      Buffer.alloc(4),
      Buffer.of(1),
      Buffer.alloc(8),
      Buffer.of(4),
      Buffer.alloc(4),
      Buffer.alloc(1),
    ])
      .subarray(0, 32)
      .copy(second);
    const posing = Buffer.concat([sha256d(fake), second]);
    expect(parseTransaction(posing).count).toBe(1);
    const transactions = [coinbase, posing];
    const at = mined(transactions);
    const deeper = leafIn(transactions, 1);
    const transaction = { index: 2, raw: hex(fake), branch: [hex(second), ...deeper.branch] };
    expect(reasonOf(handmade(at, fake, { transaction, coinbase: leafIn(transactions, 0) }))).toBe(
      "the transaction is at another depth of the merkle tree than the coinbase: it is no leaf",
    );
    // And it is none that could be proven itself.
    expect(reasonOf(handmade(at, posing, { transaction: deeper, coinbase: leafIn(transactions, 0) }))).toContain(
      "the transaction has 64 bytes, as an inner node of the tree has",
    );
  });

  test("a coinbase that is not the first, or is none, shows no depth", () => {
    const transactions = [coinbase, payment(1n), payment(2n)];
    const at = mined(transactions);
    const transaction = leafIn(transactions, 1);
    const raw = transactions[1] as Buffer;
    for (const other of [leafIn(transactions, 1), { ...leafIn(transactions, 1), index: 0 }, leafIn(transactions, 2)])
      expect(reasonOf(handmade(at, raw, { transaction, coinbase: other }))).toMatch(
        /is no coinbase|does not lead to the header's root/,
      );
    const twice = { transaction: { ...leafIn(transactions, 0), index: 0 }, coinbase: leafIn(transactions, 0) };
    expect(verify(handmade(at, coinbase, twice))).toMatchObject({ ok: true });
  });

  test("the last of an odd number has one place, not that of its copy too", () => {
    const transactions = [coinbase, payment(1n), payment(2n)];
    const at = mined(transactions);
    const honest = leafIn(transactions, 2);
    const raw = transactions[2] as Buffer;
    expect(verify(handmade(at, raw, { transaction: honest, coinbase: leafIn(transactions, 0) }))).toMatchObject({
      ok: true,
    });
    const copy = { ...honest, index: 3 };
    expect(reasonOf(handmade(at, raw, { transaction: copy, coinbase: leafIn(transactions, 0) }))).toBe(
      "the merkle branch gives a transaction the place of its own copy",
    );
    const beyond = { ...honest, index: 2 + 4 };
    expect(reasonOf(handmade(at, raw, { transaction: beyond, coinbase: leafIn(transactions, 0) }))).toBe(
      "the merkle branch has no such place",
    );
  });
});

test("a transaction with witnesses is not what a leaf is made of, even in a block made up so", () => {
  const coin = { script: Buffer.of(0x51), amount: 1n };
  const transactions = [coinbase, transactionBytes({ spends: [coin], pays: [coin], hasWitness: true })];
  const at = mined(transactions);
  const proof = { transaction: leafIn(transactions, 1), coinbase: leafIn(transactions, 0) };
  expect(reasonOf(handmade(at, transactions[1] as Buffer, proof))).toBe(
    "the transaction is given with witnesses, which nothing here proves",
  );
});

describe("the theft of DMM Bitcoin", () => {
  let parts: BundleParts;
  const bare = (raw: Buffer): Buffer => Buffer.from(withoutWitness(parseTransaction(raw), 0));

  // Its block is not recorded: one of the test network is made around its real bytes, so addresses are written as there.
  beforeAll(async () => {
    const { theft, funding } = dmm();
    const at = mined([coinbase, bare(theft)]);
    const funded = outputsOf(parseTransaction(funding), 0);
    const inputs = Array.from(
      { length: 9 },
      (_, place): Transfer => ({
        ...outputOf(bare(theft), 1),
        key: `vin:${place}`,
        category: "input",
        to: null,
        from: addressOf(funded[0]?.script ?? new Uint8Array(), regtest),
        amount: 0n,
      }),
    );
    const coins = inputs.map((input, place) => ({ ...input, ...coinOf(bare(theft), place, funding) }));
    parts = await bitcoinPartsOf(at, [...coins, outputOf(bare(theft), 1)], () => funding);
  });

  function coinOf(theft: Buffer, place: number, funding: Buffer): Pick<Transfer, "from" | "amount"> {
    // Version, count, then inputs; all of them without a script of more than a few bytes but the one that P2SH needs.
    let at = 5;
    for (let input = 0; input < place; input += 1) at += 36 + 1 + (theft[at + 36] as number) + 4;
    const coin = outputsOf(parseTransaction(funding), 0)[theft.readUInt32LE(at + 32)];
    if (coin === undefined) throw new Error("the funding transaction made it");
    return { from: addressOf(coin.script, regtest), amount: coin.amount };
  }

  test("one parent proves all nine inputs: whose they were, and 4,503 BTC", () => {
    expect(proofOf(parts).parents).toHaveLength(1);
    const verdict = verify(bundleOf(parts));
    if (!verdict.ok) throw new Error(verdict.reason);
    const { proven } = verdict.findings;
    expect(proven.filter((line) => line.startsWith("vin:"))).toHaveLength(9);
    expect(proven.some((line) => line.startsWith("vout:0: 450290000000 base units"))).toBe(true);
    const sum = parts.transfers
      .filter(({ key }) => key.startsWith("vin"))
      .reduce((total, { amount }) => total + BigInt(amount), 0n);
    expect(sum).toBe(450_300_000_000n);
  });

  test.each<[string, (copy: BundleParts) => void, string]>([
    [
      "an input is worth more",
      ({ transfers }) => Object.assign(transfers[0] ?? {}, { amount: "1" }),
      "vin:0: the proof says amount",
    ],
    [
      "an input was another's",
      ({ transfers }) => Object.assign(transfers[0] ?? {}, { from: "bcrt1", matches: [] }),
      "vin:0: the proof says from",
    ],
    [
      "the parent is another transaction",
      ({ proof }) => ((proof as unknown as BitcoinProof).parents[0] = hex(coinbase)),
      "not those of the claimed inputs",
    ],
    [
      "the parent is there twice",
      ({ proof }) =>
        (proof as unknown as BitcoinProof).parents.push((proof as unknown as BitcoinProof).parents[0] ?? ""),
      "not those of the claimed inputs",
    ],
    [
      "a parent nobody asked for",
      ({ proof }) => (proof as unknown as BitcoinProof).parents.push(hex(coinbase)),
      "not those of the claimed inputs",
    ],
    [
      "the block is of another height",
      ({ block }) => Object.assign(block ?? {}, { number: 5 }),
      "the coinbase is not that of height 5",
    ],
    [
      "the block is of another time",
      ({ block }) => Object.assign(block ?? {}, { timestamp: 5 }),
      "the header's time is",
    ],
  ])("%s", (_what, change, reason) => {
    expect(reasonOf(forged(parts, change))).toContain(reason);
  });

  test("whoever is named on the other side is shown there by another transfer, or only told to be", () => {
    const own = { side: "to" as const, customerRef: null, wallet: "deposit" };
    const recipient = parts.transfers.at(-1)?.to ?? "";
    const sentence = (address: string) =>
      `That ${address} is among the transaction's outputs is told: no transfer here shows it.`;
    const trustedOf = (address: string) => {
      const verdict = verify(
        forged(parts, ({ transfers }) => Object.assign(transfers[0] ?? {}, { own: { ...own, address } })),
      );
      if (!verdict.ok) throw new Error(verdict.reason);
      return verdict.findings.trusted;
    };
    expect(trustedOf(recipient)).not.toContain(sentence(recipient));
    expect(trustedOf("bcrt1qother")).toContain(sentence("bcrt1qother"));
    const moved = forged(parts, ({ transfers }) =>
      Object.assign(transfers[0] ?? {}, { own: { ...own, side: "from", address: "bcrt1qother" } }),
    );
    expect(reasonOf(moved)).toBe("vin:0: the own address is not the one on its side");
  });

  test("without the parent an input is only said to be anybody's", async () => {
    const { theft } = dmm();
    const alone = await bitcoinPartsOf(
      mined([coinbase, bare(theft)]),
      [{ ...outputOf(bare(theft), 1), key: "vin:0", category: "input", from: "whoever", to: null, amount: 1n }],
      NO_PARENT,
    );
    const verdict = verify(bundleOf(alone));
    if (!verdict.ok) throw new Error(verdict.reason);
    expect(verdict.findings.proven.some((line) => line.startsWith("vin:0"))).toBe(false);
    expect(verdict.findings.trusted).toContainEqual(expect.stringMatching(/^vin:0: .*is the node's word/));
    expect(verdict.findings.trusted).toContainEqual(expect.stringContaining("is missing: it is not at hand"));
  });
});

describe("another network, and work", () => {
  test("a block of the test network is none of Bitcoin's, whatever the bundle says", async () => {
    const parts = await (BITCOIN_KINDS[0]?.make() ?? Promise.reject(new Error("a kind")));
    const text = JSON.stringify(parts).replaceAll(regtest.chainId, mainnet.chainId);
    const moved = JSON.parse(text) as BundleParts;
    expect(reasonOf(bundleOf(moved))).toBe("the alert's id is not that of its chain, transaction and subject");
    const { header, block } = mined([coinbase, payment(1n)]);
    const claimed = partsOfAlert(mainnet.chainId, header, [
      { ...outputOf(payment(1n), 1), assetId: `${mainnet.chainId}/slip44:0` },
    ]);
    const proof = {
      family: "bitcoin",
      header: hex(block.subarray(0, 80)),
      transaction: leafIn([coinbase, payment(1n)], 1),
      coinbase: leafIn([coinbase, payment(1n)], 0),
      parents: [],
    };
    expect(reasonOf(bundleOf(withProof(claimed, { proof, lacks: [] })))).toBe(
      "work: the target is easier than the network allows",
    );
  });

  test("block 1's work would not do for a block of today", async () => {
    const at = mainnetBlocks().find(({ told }) => told.height === 1);
    if (at === undefined) throw new Error("block 1");
    const kind = BITCOIN_KINDS.find(({ name }) => name === "coinbase output of block 1");
    const parts = await (kind?.make() ?? Promise.reject(new Error("a kind")));
    expect(reasonOf(forged(parts, ({ block }) => Object.assign(block ?? {}, { number: 800_000 })))).toBe(
      "to make the header took about 2^32 hashes, less than any block of that height: it is made up",
    );
    expect(verify(bundleOf(parts))).toMatchObject({ ok: true });
  });
});
