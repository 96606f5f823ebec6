/** Our RLP and trie against ethers' RLP and a plain trie. */
import { expect, test } from "@jest/globals";
import { encodeRlp, keccak256 } from "ethers";
import fc from "fast-check";
import { keccakHex } from "../../../../src/chains/evm/proof/keccak.ts";
import { RlpWriter } from "../../../../src/chains/evm/proof/rlp.ts";
import { EMPTY_ROOT, listRoot } from "../../../../src/chains/evm/proof/trie.ts";
import { int, referenceRoot } from "./reference.ts";

const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString("hex")}`;

type Nested = Uint8Array | readonly Nested[];
const nested = fc.letrec<{ item: Nested }>((tie) => ({
  item: fc.oneof({ maxDepth: 4 }, fc.uint8Array({ maxLength: 80 }), fc.array(tie("item"), { maxLength: 6 })),
})).item;

function write(writer: RlpWriter, item: Nested): void {
  if (item instanceof Uint8Array) return writer.string(item);
  const mark = writer.size;
  for (const inner of item.toReversed()) write(writer, inner);
  writer.endList(mark);
}

const structured = (item: Nested): Parameters<typeof encodeRlp>[0] =>
  item instanceof Uint8Array ? hex(item) : item.map(structured);

test("any nesting is encoded as ethers encodes it, also when the buffer must grow", () => {
  fc.assert(
    fc.property(nested, fc.integer({ min: 0, max: 40 }), (item, capacity) => {
      const writer = new RlpWriter(capacity);
      write(writer, item);
      expect(hex(writer.view())).toBe(encodeRlp(structured(item)));
    }),
  );
});

test("long strings get long headers", () => {
  for (const size of [55, 56, 255, 256, 65_535, 65_536, 20_000_000]) {
    const writer = new RlpWriter();
    expect(writer.rawHex(`0x${"ab".repeat(size)}`)).toBe(true);
    writer.endString(0);
    const header = size < 56 ? 1 : 1 + Math.ceil(size.toString(16).length / 2);
    expect(writer.size).toBe(size + header);
    expect(writer.view()[0]).toBe(size < 56 ? 0x80 + size : 0xb7 + header - 1);
  }
});

test("quantities are minimal integers, whatever their leading zeros", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), fc.nat(3), (value, zeros) => {
      const digits = value.toString(16);
      const writer = new RlpWriter(0);
      expect(writer.quantityHex(`0x${"0".repeat(Math.min(zeros, 64 - digits.length))}${digits}`)).toBe(true);
      expect(hex(writer.view())).toBe(encodeRlp(int(value)));
    }),
  );
});

test("integers are encoded as their quantities", () => {
  for (const value of [0, 1, 127, 128, 255, 256, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const writer = new RlpWriter();
    writer.uint(value);
    expect(hex(writer.view())).toBe(encodeRlp(int(value)));
  }
});

const BAD = [
  "",
  "0",
  "0x0g",
  "0xAB",
  "0X12",
  "12",
  "ab12",
  "0x1",
  "0x12 ",
  " 0x1",
  "0x1\u0131",
  "0x\u{1d7d8}0",
  "0xé0",
];

test("what is not lower-case hex is refused, short or long", () => {
  for (const bad of BAD) {
    expect([bad, new RlpWriter().rawHex(bad)]).toEqual([bad, false]);
    for (const bytes of [60, 3_000]) {
      const filler = "00".repeat(bytes);
      const long = bad.startsWith("0x") ? `0x${filler}${bad.slice(2)}` : `${bad}${filler}`;
      expect([bad, bytes, new RlpWriter().rawHex(long)]).toEqual([bad, bytes, false]);
    }
  }
  for (const bad of BAD.filter((text) => text !== "0x1")) expect(new RlpWriter().quantityHex(bad)).toBe(false);
  expect(new RlpWriter().quantityHex("0x")).toBe(false);
  expect(new RlpWriter().quantityHex(`0x${"1".repeat(65)}`)).toBe(false);
});

test("keccak agrees with ethers at every length around its block size", () => {
  for (let size = 0; size < 300; size += 1) {
    const bytes = new Uint8Array(size).fill(size);
    expect(keccakHex(bytes)).toBe(keccak256(bytes));
  }
});

function ourRoot(items: readonly Uint8Array[]): string {
  const writer = new RlpWriter(16);
  return listRoot(items.length, writer, (index) => writer.rawBytes(items[index] ?? new Uint8Array()));
}

test("the root of every list up to 150 items, and around each longer key, agrees with a plain trie", () => {
  const sizes = [...Array.from({ length: 151 }, (_, size) => size), 255, 256, 257, 258, 1_000];
  // Ten seconds of ethers: no block has that many, but keys of three bytes exist.
  if (process.env["PROOF_LONG"] !== undefined) sizes.push(65_537);
  for (const size of sizes) {
    const items = Array.from({ length: size }, (_, index) =>
      Buffer.from(`item ${index} of ${size}, more than a hash long`),
    );
    expect([size, ourRoot(items)]).toEqual([size, size === 0 ? EMPTY_ROOT : referenceRoot(items.map(hex))]);
  }
});

test("items shorter than a hash are kept inside their parents", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 300 }), (items) => {
      expect(ourRoot(items)).toBe(referenceRoot(items.map(hex)));
    }),
  );
});
