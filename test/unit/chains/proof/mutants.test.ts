/** See mutants.ts. `PROOF_MUTANTS=10000` makes that many of each kind; `PROOF_SEED` replays. */
import { describe, expect, test } from "@jest/globals";
import { profileOf } from "../../../../src/chains/evm/proof/profiles.ts";
import { type BlockProof, proveBlock, proveSender } from "../../../../src/chains/evm/proof/prove-block.ts";
import { meaningOf } from "./meaning.ts";
import { type Answers, createRandom, KINDS, otherHex } from "./mutants.ts";
import {
  type BlockJson,
  entryOf,
  followed,
  type Json,
  type ReceiptJson,
  loadBlock,
  loadReceipts,
  loadText,
} from "./support.ts";

const COUNT = Number(process.env["PROOF_MUTANTS"] ?? 300);
const SEED = Number(process.env["PROOF_SEED"] ?? 20_260_101);

/** Before Byzantium; London; Cancun with blobs and withdrawals; Shanghai. Small, so that a mutant costs about a millisecond. */
const BASES = [1_000_000, 14_764_013, 20_066_032, 19_426_587].map((number) => {
  const entry = entryOf(number);
  const block = loadBlock(entry);
  const texts = { block: loadText(entry, "block"), receipts: loadText(entry, "receipts") };
  const answers: Answers = { block, receipts: loadReceipts(entry) };
  return { number, header: followed(block), texts, meaning: meaningOf(answers) };
});

function freshAnswers({ texts }: (typeof BASES)[number]): Answers {
  return { block: JSON.parse(texts.block) as BlockJson, receipts: JSON.parse(texts.receipts) as ReceiptJson[] };
}

function proofOf(
  answers: { block: unknown; receipts: unknown },
  base: (typeof BASES)[number],
  senders: "all" | "creations",
): BlockProof {
  return proveBlock({ header: base.header, ...answers }, { profile: profileOf(1), senders });
}

test("the unchanged blocks are proven", () => {
  for (const base of BASES) {
    const answers = freshAnswers(base);
    expect(proofOf(answers, base, "all")).toMatchObject({ proven: true });
    expect(meaningOf(answers)).toBe(base.meaning);
  }
});

describe(`${COUNT} mutants of each kind, seed ${SEED}`, () => {
  test.each(Object.keys(KINDS))(
    "%s: none is proven that means something else, none is a crash",
    (kind) => {
      let refused = 0;
      for (let round = 0; round < COUNT; round += 1) {
        const seed = SEED + round;
        const random = createRandom(seed);
        const base = random.pick(BASES);
        const answers = freshAnswers(base);
        KINDS[kind]?.(answers, random);
        const proof = proofOf(answers, base, "all");
        if (!proof.proven) {
          refused += 1;
          expect(proof.reason).not.toBe("");
          continue;
        }
        if (meaningOf(answers) !== base.meaning)
          throw new Error(`proven: ${kind}, block ${base.number}, PROOF_SEED=${seed}`);
      }
      // A kind whose mutants mostly mean the same would test nothing.
      expect(refused).toBeGreaterThan(COUNT / 2);
    },
    60_000 + COUNT * 20,
  );
});

describe("whole answers", () => {
  test("an answer that is no block, or another one, is not proven", () => {
    const [base, other] = [BASES[0], BASES[1]];
    if (base === undefined || other === undefined) throw new Error("two blocks");
    const good = {
      block: JSON.parse(base.texts.block) as unknown,
      receipts: JSON.parse(base.texts.receipts) as unknown,
    };
    const others = {
      block: JSON.parse(other.texts.block) as unknown,
      receipts: JSON.parse(other.texts.receipts) as unknown,
    };
    for (const bad of [null, undefined, 0, "", "0x", true, [], {}, [[]], [null], { transactions: [] }]) {
      expect(proofOf({ ...good, block: bad }, base, "all")).toMatchObject({ proven: false });
      expect(proofOf({ ...good, receipts: bad }, base, "all")).toMatchObject({ proven: false });
    }
    expect(proofOf(others, base, "all")).toMatchObject({ proven: false, check: "header" });
    expect(proofOf({ ...good, receipts: others.receipts }, base, "all")).toMatchObject({
      proven: false,
      check: "receipts",
    });
  });

  test("truncated JSON either does not parse or is not proven", () => {
    const base = BASES[0];
    if (base === undefined) throw new Error("a block");
    for (let length = 0; length < base.texts.receipts.length; length += 7) {
      for (const end of ["", "]", '"}]', '"}]}]']) {
        let receipts: unknown;
        try {
          receipts = JSON.parse(base.texts.receipts.slice(0, length) + end);
        } catch {
          continue;
        }
        expect(proofOf({ ...freshAnswers(base), receipts }, base, "creations")).toMatchObject({
          proven: false,
        });
      }
    }
  });

  test("a self-consistent forgery is caught by the hash that was followed", () => {
    const base = BASES[1];
    if (base === undefined) throw new Error("a block");
    for (const key of ["hash", "parentHash", "number", "timestamp"] as const) {
      const block = JSON.parse(base.texts.block) as Json;
      const forged = { ...base.header, [key]: key === "number" || key === "timestamp" ? 1 : `0x${"12".repeat(32)}` };
      const answers = { header: forged, block, receipts: freshAnswers(base).receipts };
      expect(proveBlock(answers, { profile: profileOf(1), senders: "creations" })).toMatchObject({
        proven: false,
        check: "header",
      });
    }
  });
});

/** No root covers these: the right column is what catches a change. */
const UNSEEN_BY_ROOTS: readonly [field: string, of: "transaction" | "receipt" | "log", check: string][] = [
  // Its receipt names another one; a lie in both is for the senders, below.
  ["from", "transaction", "receipts"],
  ["blockHash", "transaction", "transactions"],
  ["blockNumber", "transaction", "transactions"],
  ["transactionIndex", "transaction", "transactions"],
  ["hash", "transaction", "transactions"],
  ["from", "receipt", "receipts"],
  ["to", "receipt", "receipts"],
  ["contractAddress", "receipt", "receipts"],
  ["gasUsed", "receipt", "gas"],
  ["transactionHash", "receipt", "receipts"],
  ["transactionIndex", "receipt", "receipts"],
  ["blockHash", "receipt", "receipts"],
  ["blockNumber", "receipt", "receipts"],
  ["logIndex", "log", "receipts"],
  ["transactionHash", "log", "receipts"],
  ["transactionIndex", "log", "receipts"],
  ["blockHash", "log", "receipts"],
  ["blockNumber", "log", "receipts"],
  ["removed", "log", "receipts"],
];

describe("what roots cannot see", () => {
  test.each(UNSEEN_BY_ROOTS)("%s of a %s is caught by the check of %s", (field, of, check) => {
    const base = BASES[2];
    if (base === undefined) throw new Error("a block");
    const random = createRandom(SEED);
    const block = loadBlock(entryOf(base.number));
    const receipts = loadReceipts(entryOf(base.number));
    const at = receipts.findIndex(({ logs }) => logs.length > 0);
    const places = { transaction: block.transactions[at], receipt: receipts[at], log: receipts[at]?.logs[0] };
    const target = places[of] ?? {};
    target[field] = typeof target[field] === "string" ? otherHex(target[field], random) : "0x1";
    expect(proofOf({ block, receipts }, base, "all")).toMatchObject({ proven: false, check });
  });

  test("with senders left out, a `from` that transaction and receipt agree on passes: its proof is proveSender", () => {
    const base = BASES[1];
    if (base === undefined) throw new Error("a block");
    const answers = { block: loadBlock(entryOf(base.number)), receipts: loadReceipts(entryOf(base.number)) };
    const liar = `0x${"12".repeat(20)}`;
    Object.assign(answers.block.transactions[0] ?? {}, { from: liar });
    Object.assign(answers.receipts[0] ?? {}, { from: liar });
    expect(proofOf(answers, base, "creations")).toMatchObject({ proven: true });
    expect(proofOf(answers, base, "all")).toMatchObject({ proven: false, check: "senders" });
    expect(proveSender(answers.block.transactions[0], profileOf(1))).toMatchObject({
      reason: expect.stringContaining("from is"),
    });
    expect(proveSender(answers.block.transactions[1], profileOf(1))).toEqual({
      sender: answers.block.transactions[1]?.["from"],
    });
    expect(proveSender(null, profileOf(1))).toEqual({ reason: "transaction is not an object" });
  });
});
