import { describe, expect, test } from "@jest/globals";
import { createRandom } from "../../../bench/replay/random.ts";
import { RESERVED_BYTES } from "../../../src/types/address-table.ts";
import {
  ADDRESS_BYTES,
  createAddressIndex,
  loadAddressIndex,
  writeAddress,
} from "../../../src/watchlist/address-index.ts";
import { isInTable } from "./probe-table.ts";

const EVM = "eip155";
const TEXT = "text";

function randomAddresses(count: number, seed: number): Uint8Array {
  return createRandom(seed).bytes(count * ADDRESS_BYTES);
}

function textAt(bytes: Uint8Array, position: number): string {
  const at = position * ADDRESS_BYTES;
  return `0x${Buffer.from(bytes.subarray(at, at + ADDRESS_BYTES)).toString("hex")}`;
}

const positions = (bytes: Uint8Array) => Array.from({ length: bytes.length / ADDRESS_BYTES }, (_, index) => index);

interface Listed {
  readonly space: string;
  readonly bytes: Uint8Array;
}

/** The index in front of an exact store that counts its questions. */
function indexOf(lists: readonly Listed[], fillRandom?: (words: Int32Array<ArrayBuffer>) => void) {
  let asked = 0;
  const known = new Set(lists.flatMap(({ space, bytes }) => positions(bytes).map((at) => space + textAt(bytes, at))));
  const count = lists.reduce((sum, { bytes }) => sum + bytes.length / ADDRESS_BYTES, 0);
  const index = createAddressIndex({ count, ...(fillRandom === undefined ? {} : { fillRandom }) });
  for (const { space, bytes } of lists) {
    const { add } = index.of(space);
    for (const at of positions(bytes)) add(bytes, at * ADDRESS_BYTES);
  }
  const probeOf = (space: string) => ({
    hasBytes(bytes: Uint8Array, offset: number) {
      if (index.of(space).find(bytes, offset) === -1) return false;
      asked += 1;
      return known.has(`${space}0x${Buffer.from(bytes.subarray(offset, offset + ADDRESS_BYTES)).toString("hex")}`);
    },
  });
  return {
    index: { size: index.size, table: { ...index.table, seedOf: index.seedOf }, of: probeOf },
    asked: () => asked,
  };
}

test.each([1, 10, 1_000, 20_000])("of %i addresses every one is found, and nothing else", (count) => {
  const listed = randomAddresses(count, count);
  const others = randomAddresses(20_000, count + 1);
  const { index, asked } = indexOf([{ space: EVM, bytes: listed }]);
  const probe = index.of(EVM);
  expect(index.size).toBe(count);
  expect(positions(listed).filter((at) => !probe.hasBytes(listed, at * ADDRESS_BYTES))).toEqual([]);
  expect(asked()).toBe(count);
  expect(positions(others).filter((at) => probe.hasBytes(others, at * ADDRESS_BYTES))).toEqual([]);
  // A miss costs no question: a wrong fingerprint in 10^5 of these would be a broken hash.
  expect(asked()).toBe(count);
});

test("an address one bit away from a listed one is not listed", () => {
  const listed = randomAddresses(50, 3);
  const probe = indexOf([{ space: EVM, bytes: listed }]).index.of(EVM);
  for (const at of positions(listed)) {
    for (let bit = 0; bit < 8 * ADDRESS_BYTES; bit += 1) {
      const near = listed.slice(at * ADDRESS_BYTES, (at + 1) * ADDRESS_BYTES);
      near[bit >> 3] = (near[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(probe.hasBytes(near, 0)).toBe(false);
    }
  }
});

test("bytes are read at their offset, whatever stands around them", () => {
  const listed = randomAddresses(100, 4);
  const probe = indexOf([{ space: EVM, bytes: listed }]).index.of(EVM);
  for (const offset of [0, 1, 3, 12, 17]) {
    const word = new Uint8Array(64).fill(0xff);
    word.set(listed.subarray(40, 60), offset);
    expect(probe.hasBytes(word, offset)).toBe(true);
    expect(probe.hasBytes(word, offset + 1)).toBe(false);
  }
});

test("text in either case is the same address; other text is none", () => {
  const listed = randomAddresses(200, 5);
  const probe = indexOf([{ space: EVM, bytes: listed }]).index.of(EVM);
  const text = textAt(listed, 7);
  const into = new Uint8Array(ADDRESS_BYTES);
  const hasText = (one: string) => writeAddress(one, into, 0) && probe.hasBytes(into, 0);
  expect(hasText(text)).toBe(true);
  expect(hasText(`0x${text.slice(2).toUpperCase()}`)).toBe(true);
  expect(hasText(textAt(randomAddresses(1, 6), 0))).toBe(false);
  const wrong = ["", "0x", text.slice(2), text.slice(0, -1), `${text}0`, `0X${text.slice(2)}`, `${text.slice(0, -1)}g`];
  for (const one of [...wrong, `${text.slice(0, -1)}é`, `${text.slice(0, -1)}０`, `${text.slice(0, -1)}\0`])
    expect([one, hasText(one)]).toEqual([one, false]);
});

test("an address is in its own space only", () => {
  const [ethereum, base] = [randomAddresses(500, 8), randomAddresses(500, 9)];
  const { index, asked } = indexOf([
    { space: EVM, bytes: ethereum },
    { space: TEXT, bytes: base },
  ]);
  const found = (space: string, bytes: Uint8Array) =>
    positions(bytes).filter((at) => index.of(space).hasBytes(bytes, at * ADDRESS_BYTES)).length;
  expect([found(EVM, ethereum), found(TEXT, base)]).toEqual([500, 500]);
  expect([found(EVM, base), found(TEXT, ethereum), found("other", ethereum)]).toEqual([0, 0, 0]);
  // The space is part of the fingerprint: another space's address is not even a question.
  expect(asked()).toBe(1_000);
});

test("the same address twice, and two lists of one space, are one set", () => {
  const listed = randomAddresses(10, 10);
  const { index } = indexOf([
    { space: EVM, bytes: listed },
    { space: EVM, bytes: listed },
  ]);
  expect(index.size).toBe(10);
  expect(positions(listed).every((at) => index.of(EVM).hasBytes(listed, at * ADDRESS_BYTES))).toBe(true);
});

test("even a hash that tells nothing apart gives exact answers", () => {
  const listed = randomAddresses(300, 11);
  const others = randomAddresses(300, 12);
  const { index, asked } = indexOf([{ space: EVM, bytes: listed }], () => {});
  const probe = index.of(EVM);
  expect(positions(listed).every((at) => probe.hasBytes(listed, at * ADDRESS_BYTES))).toBe(true);
  expect(positions(others).some((at) => probe.hasBytes(others, at * ADDRESS_BYTES))).toBe(false);
  expect(asked()).toBe(600); // Every fingerprint is the same one: each answer was asked for.
});

test("a hash that crowds one corner of the table still finds everything", () => {
  const listed = randomAddresses(400, 13);
  // The upper word, which chooses the slot, is the same for all: one long run of neighbours, around the table's end.
  const crowd = (words: Int32Array<ArrayBuffer>) => {
    const random = createRandom(14);
    words.forEach((_, at) => {
      words[at] = at % 2 === 0 ? random.below(2 ** 31) : 0;
    });
    if (words.length === 2) words[1] = -1;
  };
  const { index, asked } = indexOf([{ space: EVM, bytes: listed }], crowd);
  const probe = index.of(EVM);
  expect(index.size).toBe(400);
  expect(positions(listed).every((at) => probe.hasBytes(listed, at * ADDRESS_BYTES))).toBe(true);
  expect(asked()).toBe(400);
});

test("an empty list watches nobody", () => {
  const { index } = indexOf([{ space: EVM, bytes: new Uint8Array(0) }]);
  expect(index.size).toBe(0);
  expect(index.of(EVM).hasBytes(new Uint8Array(ADDRESS_BYTES), 0)).toBe(false);
});

test("a table is not filled beyond the count it was made for", () => {
  const bytes = randomAddresses(101, 18);
  const { add } = createAddressIndex({ count: 100 }).of(EVM);
  const addAll = () => positions(bytes).forEach((at) => add(bytes, at * ADDRESS_BYTES));
  expect(addAll).toThrow("100 announced");
});

test("an address keeps its slot, whatever is added after it, and no other address has it", () => {
  const listed = randomAddresses(1_000, 32);
  const index = createAddressIndex({ count: 1_000 });
  const slots = positions(listed).map((at) => index.of(EVM).add(listed, at * ADDRESS_BYTES));
  expect(new Set(slots).size).toBe(1_000);
  expect(positions(listed).map((at) => index.of(EVM).find(listed, at * ADDRESS_BYTES))).toEqual(slots);
  expect(positions(listed).map((at) => index.of(EVM).add(listed, at * ADDRESS_BYTES))).toEqual(slots);
  expect(index.size).toBe(1_000);
});

test("a saved index answers the same once its words and fingerprints are back", () => {
  const listed = randomAddresses(1_000, 33);
  const others = randomAddresses(1_000, 34);
  const index = createAddressIndex({ count: 1_000 });
  for (const at of positions(listed)) index.of(at % 2 === 0 ? EVM : TEXT).add(listed, at * ADDRESS_BYTES);
  const loaded = loadAddressIndex(index.save());
  const { wordsAt, freeFrom, memory } = index.table;
  new Uint8Array(loaded.table.memory.buffer).set(new Uint8Array(memory.buffer, wordsAt, freeFrom - wordsAt), wordsAt);
  const answers = ({ of }: typeof index) =>
    [EVM, TEXT].flatMap((space) =>
      [listed, others].flatMap((bytes) => positions(bytes).map((at) => of(space).find(bytes, at * ADDRESS_BYTES))),
    );
  expect(answers(loaded)).toEqual(answers(index));
  expect(answers(loaded).filter((slot) => slot !== -1)).toHaveLength(1_000);
  expect([loaded.size, loaded.table.slots]).toEqual([1_000, index.table.slots]);
});

test("the table costs about 13 bytes an address, and the hash 41 kB once", () => {
  const { table } = indexOf([{ space: EVM, bytes: randomAddresses(20_000, 15) }]).index;
  expect(table.freeFrom - table.wordsAt).toBeLessThan(41_000 + 13.5 * 20_000);
});

describe("the table in memory", () => {
  const listed = randomAddresses(2_000, 19);
  const others = randomAddresses(2_000, 20);

  test("stands where it says: behind the scanner's page, aligned, with a mebibyte of room behind it", () => {
    for (const count of [0, 1, 5, 2_000]) {
      const { table } = indexOf([{ space: EVM, bytes: listed.subarray(0, count * ADDRESS_BYTES) }]).index;
      expect(table.wordsAt).toBe(RESERVED_BYTES);
      expect(table.fingerprintsAt).toBeGreaterThanOrEqual(table.wordsAt + 20 * 256 * 8);
      expect(table.freeFrom).toBeGreaterThanOrEqual(table.fingerprintsAt + table.slots * 8);
      expect([table.wordsAt % 16, table.fingerprintsAt % 16, table.freeFrom % 16]).toEqual([0, 0, 0]);
      expect(table.memory.buffer.byteLength - table.freeFrom).toBeGreaterThanOrEqual(2 ** 20);
      const bytes = new Uint8Array(table.memory.buffer);
      expect(bytes.subarray(0, RESERVED_BYTES).every((byte) => byte === 0)).toBe(true);
      expect(bytes.subarray(table.freeFrom).every((byte) => byte === 0)).toBe(true);
    }
  });

  test("answers a probe written from its description", () => {
    const { table } = indexOf([
      { space: EVM, bytes: listed },
      { space: TEXT, bytes: others },
    ]).index;
    const found = (space: string, bytes: Uint8Array) =>
      positions(bytes).filter((at) => isInTable(table, space, textAt(bytes, at))).length;
    expect([found(EVM, listed), found(TEXT, others)]).toEqual([2_000, 2_000]);
    expect([found(EVM, others), found(TEXT, listed), found("other", listed)]).toEqual([0, 0, 0]);
  });

  test("has no seed for a space without addresses", () => {
    const { table } = indexOf([
      { space: EVM, bytes: listed },
      { space: TEXT, bytes: new Uint8Array(0) },
    ]).index;
    expect(table.seedOf(EVM)).not.toBeNull();
    expect([table.seedOf(TEXT), table.seedOf("other")]).toEqual([null, null]);
  });

  test("gives the same answers after a scanner grew the memory and wrote into all that is its own", () => {
    const { index } = indexOf([{ space: EVM, bytes: listed }]);
    const probe = index.of(EVM);
    for (let growth = 0; growth < 3; growth += 1) {
      index.table.memory.grow(growth);
      const bytes = new Uint8Array(index.table.memory.buffer);
      bytes.fill(0xff, 0, RESERVED_BYTES);
      bytes.fill(0xff, index.table.freeFrom);
      expect(positions(listed).every((at) => probe.hasBytes(listed, at * ADDRESS_BYTES))).toBe(true);
      expect(positions(others).some((at) => probe.hasBytes(others, at * ADDRESS_BYTES))).toBe(false);
    }
  });

  test("is drawn anew for each table: nobody can aim at it", () => {
    const words = () => {
      const { table } = indexOf([{ space: EVM, bytes: listed }]).index;
      const { low, high } = table.seedOf(EVM) ?? { low: 0, high: 0 };
      return [low, high, ...new Int32Array(table.memory.buffer, table.wordsAt, 64)];
    };
    const [one, two] = [words(), words()];
    expect(one.filter((word, at) => word === two[at]).length).toBeLessThan(3);
  });
});

test("bytes and text are two forms of one address", () => {
  const into = new Uint8Array(24);
  expect(writeAddress("0x00112233445566778899aAbBcCdDeEfF01020304", into, 2)).toBe(true);
  expect(Buffer.from(into).toString("hex")).toBe("000000112233445566778899aabbccddeeff010203040000");
});
