/**
 * Goal: one spoiled field of a node's answer is noticed, or changes nothing.
 * Method: random fields of recorded blocks get random values; the decoder must throw or read the same transfers.
 * What it cannot notice without recomputing the block's roots is listed in KNOWN_LIMITS, each shown to be real below:
 * the block proof in front of the decoder closes them (proof/mutants.test.ts).
 */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { MalformedAnswerError } from "../../../src/chains/answer-fields.ts";
import type { Transfer } from "../../../src/types/chain.ts";
import { type Answers, decode, recorded } from "./recorded.ts";

/** Fields where another value of the right shape reads like the truth. */
const KNOWN_LIMITS = new Set([
  "transaction.value",
  "transaction.from",
  "transaction.to",
  "transaction.input",
  // What the block's fee recipient earned.
  "transaction.gasPrice",
  "transaction.maxFeePerGas",
  "transaction.maxPriorityFeePerGas",
  "receipt.gasUsed",
  "receipt.status",
  "receipt.contractAddress",
  "receipt.logs",
  "log.address",
  "log.topics",
  "log.data",
  "topic",
]);

const BLOCKS = [4_369_999, 18_000_000].map((number) => {
  const answers = recorded(number);
  return { answers, header: structuredClone(answers.block), truth: decode(answers, answers.block) };
});

const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`);
/** Anything JSON can hold, with a weight on what a careless check lets through. */
const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    "",
    "0x",
    "0x0",
    "0x1",
    "0x2",
    "0X1",
    "1",
    "null",
    "0xzz",
    "0x123",
    0,
    1,
    -1,
  ),
  fc.constantFrom<unknown>(1e308, true, false, [], {}, [null], `0x${"f".repeat(65)}`, `0x${"0".repeat(40)}`),
  word,
  fc
    .string({ unit: fc.constantFrom(...Array.from("0123456789abcdefF")), minLength: 1, maxLength: 80 })
    .map((hex) => `0x${hex}`),
  fc.string(),
  fc.jsonValue(),
);

type Holder = Record<string | number, unknown>;

interface Place {
  readonly kind: string;
  readonly holder: Holder;
  readonly field: string | number;
}

/** Picks a transaction, receipt, log or topic, and one of its fields, by four fractions. */
function placeIn({ block, receipts }: Answers, at: { what: number; tx: number; part: number; field: number }): Place {
  const pick = <T>(list: readonly T[], fraction: number) => list[Math.floor(fraction * list.length)] as T;
  const named = (kind: string, holder: Holder): Place => {
    const field = pick(Object.keys(holder), at.field);
    return { kind: `${kind}.${field}`, holder, field };
  };
  if (at.what < 0.25) return named("transaction", pick(block.transactions, at.tx));
  const receipt = pick(receipts, at.tx);
  if (at.what < 0.5 || receipt.logs.length === 0) return named("receipt", receipt);
  const log = pick(receipt.logs, at.part);
  if (at.what < 0.8 || log.topics.length === 0) return named("log", log);
  return {
    kind: "topic",
    holder: log.topics as unknown as Holder,
    field: Math.floor(at.field * log.topics.length),
  };
}

function read(answers: Answers, header: unknown): Transfer[] | "refused" {
  try {
    return decode(answers, header);
  } catch (error) {
    if (error instanceof MalformedAnswerError) return "refused";
    throw error;
  }
}

function withField<T>({ holder, field }: Place, value: unknown, use: () => T): T {
  const before = holder[field];
  if (value === undefined) delete holder[field];
  else holder[field] = value;
  try {
    return use();
  } finally {
    holder[field] = before;
  }
}

// Evenly spread: fc.double prefers the smallest numbers, which would always pick the first field of the first transaction.
const fraction = fc.noBias(fc.integer({ min: 0, max: 999_999 })).map((millionths) => millionths / 1_000_000);
// By number: a counterexample that holds a block is a megabyte of text.
const blockIndex = fc.nat({ max: BLOCKS.length - 1 });
const places = fc.record({ what: fraction, tx: fraction, part: fraction, field: fraction });

test("a spoiled field is refused or changes nothing, except where only a proof can tell", () => {
  const seen = { refused: 0, same: 0, limit: 0, fields: new Set<string>() };
  fc.assert(
    fc.property(blockIndex, places, junk, (index, at, value) => {
      const { answers, header, truth } = BLOCKS[index] as (typeof BLOCKS)[number];
      const place = placeIn(answers, at);
      seen.fields.add(place.kind);
      const result = withField(place, value, () => read(answers, header));
      if (result === "refused") seen.refused += 1;
      else if (same(result, truth)) seen.same += 1;
      else {
        seen.limit += 1;
        expect({ field: place.kind, value, known: KNOWN_LIMITS.has(place.kind) }).toMatchObject({ known: true });
      }
    }),
    { numRuns: 800 },
  );
  // The partner: the property is not true for want of cases.
  expect(seen.refused).toBeGreaterThan(100);
  expect(seen.same).toBeGreaterThan(100);
  for (const field of KNOWN_LIMITS) expect(seen.fields).toContain(field);
});

test("a value of the wrong shape is refused also where only a proof could tell a wrong value", () => {
  const shapeless = fc.constantFrom<unknown>(undefined, null, 7, true, "0xzz", {}, [null], "1", "");
  const needed = ["transaction.value", "transaction.from", "transaction.input", "receipt.status", "receipt.logs"];
  fc.assert(
    fc.property(places, shapeless, (at, value) => {
      const { answers, header, truth } = BLOCKS[1] as (typeof BLOCKS)[number];
      const place = placeIn(answers, at);
      const result = withField(place, value, () => read(answers, header));
      if (result === "refused" || same(result, truth)) return;
      expect([...needed, "log.topics", "log.data", "log.address", "topic"]).not.toContain(place.kind);
    }),
    { numRuns: 300 },
  );
});

/** [field, the well-formed lie] for a block with token transfers and a creation. */
const LIES: readonly [field: string, lie: (answers: Answers) => void][] = [
  ["transaction.value", (answers) => (paid(answers)["value"] = "0x1")],
  ["transaction.from", (answers) => (paid(answers)["from"] = `0x${"11".repeat(20)}`)],
  ["transaction.to", (answers) => (paid(answers)["to"] = `0x${"11".repeat(20)}`)],
  ["transaction.input", (answers) => (unpaid(answers)["input"] = "0x")],
  ["transaction.gasPrice", (answers) => (priced(answers, "gasPrice")["gasPrice"] = "0xffffffffffff")],
  ["transaction.maxFeePerGas", (answers) => (priced(answers, "maxFeePerGas")["maxFeePerGas"] = "0x0")],
  [
    "transaction.maxPriorityFeePerGas",
    (answers) => (priced(answers, "maxPriorityFeePerGas")["maxPriorityFeePerGas"] = "0x0"),
  ],
  ["receipt.gasUsed", (answers) => (paidReceipt(answers)["gasUsed"] = "0xffffff")],
  ["receipt.status", (answers) => (paidReceipt(answers)["status"] = "0x0")],
  ["receipt.contractAddress", (answers) => (creation(answers).receipt["contractAddress"] = `0x${"11".repeat(20)}`)],
  ["receipt.logs", (answers) => token(answers).receipt.logs.splice(token(answers).index, 1)],
  ["log.address", (answers) => (token(answers).log["address"] = `0x${"11".repeat(20)}`)],
  ["log.topics", (answers) => (token(answers).log.topics.length = 0)],
  ["log.data", (answers) => (token(answers).log["data"] = `0x${"00".repeat(32)}`)],
  ["topic", (answers) => (token(answers).log.topics[2] = `0x${"11".repeat(32)}`)],
];

describe("the known limits are real: a well-formed lie about these reads like the truth", () => {
  test.each(LIES)("%s", (_field, lie) => {
    const answers = recorded(22_869_878);
    Object.assign(creation(answers).transaction, { value: "0x5" });
    const truth = decode(answers, answers.block);
    lie(answers);
    expect(decode(answers, answers.block)).not.toEqual(truth);
  });

  test("and each is listed", () => {
    expect(LIES.map(([field]) => field).toSorted()).toEqual([...KNOWN_LIMITS].toSorted());
  });
});

/** A transaction whose fee above the base fee hangs on this field. */
function priced({ block }: Answers, field: string): Record<string, unknown> {
  const isDynamic = field !== "gasPrice";
  const found = block.transactions.find(
    (one) => (one["maxFeePerGas"] !== undefined) === isDynamic && BigInt((one[field] ?? "0x0") as string) > 0n,
  );
  if (found === undefined) throw new Error(`no transaction pays by ${field}`);
  return found;
}

/** A plain payment: value, no input, no logs, not failed. */
function paidIndex({ block, receipts }: Answers): number {
  return block.transactions.findIndex(
    (one, index) =>
      one["to"] !== null && one["value"] !== "0x0" && receipts[index]?.logs.length === 0 && isOk(receipts[index]),
  );
}

function isOk(receipt: Answers["receipts"][number] | undefined): boolean {
  return receipt?.["status"] === "0x1";
}

function paid(answers: Answers): Holder {
  return answers.block.transactions[paidIndex(answers)] as Holder;
}

function paidReceipt(answers: Answers): Holder {
  return answers.receipts[paidIndex(answers)] as Holder;
}

function unpaid({ block, receipts }: Answers): Holder {
  return block.transactions.find(
    (one, index) => one["value"] === "0x0" && one["to"] && isOk(receipts[index]),
  ) as Holder;
}

function creation({ block, receipts }: Answers): { transaction: Holder; receipt: Holder } {
  const index = block.transactions.findIndex((one) => (one["to"] ?? null) === null);
  return { transaction: block.transactions[index] as Holder, receipt: receipts[index] as Holder };
}

function isWord(data: unknown): boolean {
  return typeof data === "string" && data.length === 66;
}

function token({ receipts }: Answers) {
  for (const receipt of receipts) {
    const index = receipt.logs.findIndex((log) => log.topics.length === 3 && isWord(log["data"]));
    const log = receipt.logs[index];
    if (log !== undefined) return { receipt, log, index };
  }
  throw new Error("no token transfer in this block");
}

function same(a: readonly Transfer[], b: readonly Transfer[]): boolean {
  return a.length === b.length && a.every((one, index) => isSame(one, b[index] as Transfer));
}

function isSame(a: Transfer, b: Transfer): boolean {
  return (Object.keys(b) as (keyof Transfer)[]).every((field) => a[field] === b[field]);
}
