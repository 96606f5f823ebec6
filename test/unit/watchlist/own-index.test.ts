/** The compact index of own addresses against a Map of objects: whatever is in it, in whatever order it came. */
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "@jest/globals";
import { createRandom, type Random } from "../../../bench/replay/random.ts";
import { runThrough } from "../../../src/lib/slices.ts";
import type { OwnAddress } from "../../../src/types/watch.ts";
import { createOwnIndex, createOwnIndexBuilder, NO_OWN } from "../../../src/watchlist/own-index.ts";
import { createOwnRecords, type Place } from "../../../src/watchlist/own-records.ts";

const CHAINS = ["eip155:1", "eip155:10", "tron:0x2b6653dc", "bip122:000000000019d6689c085ae165831e93"];
const WALLETS = ["deposit", "hot", "cold", "other"] as const;
// One sign, the longest reference that is allowed, signs of one to four bytes, and text that could be mistaken for none.
const REFS = [null, "c", "x".repeat(200), "客".repeat(200), "Zoë 🦊", "null", " ", "0"];

const keyOf = ({ chain, address }: Pick<OwnAddress, "chain" | "address">) => `${chain}/${address}`;

function randomOwn(random: Random): OwnAddress {
  const hex = `0x${Array.from({ length: 40 }, () => random.below(16).toString(16)).join("")}`;
  // Alike ones too: in one sign, in their case, of every length up to the longest.
  const texts = [
    hex,
    hex.toUpperCase(),
    hex.slice(0, 3 + random.below(39)),
    `${hex.slice(0, 41)}~`,
    hex.repeat(3).slice(0, 128),
  ];
  return {
    chain: CHAINS[random.below(CHAINS.length)] as string,
    address: texts[random.below(texts.length)] as string,
    customerRef:
      random.below(3) === 0 ? (REFS[random.below(REFS.length)] as string | null) : `customer-${random.below(9_000)}`,
    wallet: WALLETS[random.below(WALLETS.length)] as OwnAddress["wallet"],
  };
}

test.each([1, 2, 3])("answers, counts and lists what a Map does, seed %i", (seed) => {
  const random = createRandom(seed);
  const builder = createOwnIndexBuilder();
  const map = new Map<string, { own: OwnAddress; from: Place }>();
  const wrong: unknown[] = [];
  let last: OwnAddress | null = null;
  for (let line = 1; line <= 4_000; line += 1) {
    const own: OwnAddress =
      last !== null && random.below(10) === 0 ? { ...last, customerRef: "another" } : randomOwn(random);
    const from = { source: seed, line };
    const earlier = map.get(keyOf(own)) ?? null;
    if (!isDeepStrictEqual(builder.add(own, from), earlier)) wrong.push([line, own]);
    if (earlier === null) map.set(keyOf(own), { own, from });
    last = own;
  }
  const index = runThrough(builder.finish());
  const all = [...map.values()].map(({ own }) => own);
  expect(index.count).toBe(map.size);
  expect(isDeepStrictEqual([...index.all()], all)).toBe(true);
  for (const { address } of all)
    for (const chain of [...CHAINS, "eip155:8453"])
      for (const text of [address, address.toLowerCase(), `${address}0`, address.slice(0, -1)]) {
        const expected = map.get(`${chain}/${text}`)?.own ?? null;
        if (!isDeepStrictEqual(index.of(chain, text), expected)) wrong.push([chain, text]);
      }
  expect(wrong).toEqual([]);
});

test("nothing is in an empty one, and no odd text is found", () => {
  expect(NO_OWN).toMatchObject({ count: 0 });
  const index = createOwnIndex([{ chain: "eip155:1", address: "A", customerRef: null, wallet: "hot" }]);
  for (const address of ["", "\0", "é", "\u0141", "A\0"]) {
    expect(NO_OWN.of("eip155:1", address)).toBeNull();
    // U+0141 has the low byte of an A.
    expect(index.of("eip155:1", address)).toBeNull();
  }
  expect(index.of("", "A")).toBeNull();
  expect(index.of("eip155:1", "A")).not.toBeNull();
});

test("its digest follows from what is told, not from the order in which it came", () => {
  const random = createRandom(4);
  const own = Array.from({ length: 2_000 }, () => randomOwn(random));
  const unique = [...new Map(own.map((one) => [keyOf(one), one])).values()];
  const { digest } = createOwnIndex(unique);
  expect(createOwnIndex(unique.toReversed()).digest).toBe(digest);
  expect(createOwnIndex([...unique.slice(700), ...unique.slice(0, 700)]).digest).toBe(digest);
  const [first, ...others] = unique as [OwnAddress, ...OwnAddress[]];
  const changed: OwnAddress[] = [
    { ...first, customerRef: first.customerRef === null ? "" : null },
    { ...first, customerRef: `${first.customerRef}x` },
    { ...first, wallet: first.wallet === "hot" ? "cold" : "hot" },
    { ...first, chain: "eip155:8453" },
    { ...first, address: `${first.address}x` },
  ];
  const digests = [
    digest,
    createOwnIndex(others).digest,
    ...changed.map((one) => createOwnIndex([one, ...others]).digest),
  ];
  expect(new Set(digests).size).toBe(digests.length);
});

test("a text that would not be kept whole is a bug, not another address", () => {
  const own = { chain: "eip155:1", customerRef: null, wallet: "hot" } as const;
  for (const address of ["", "a b", "é", "x".repeat(256)])
    expect(() => createOwnIndex([{ ...own, address }])).toThrow("visible ASCII");
  expect(() => createOwnIndex([{ ...own, address: "a", customerRef: "x".repeat(5_000) }])).toThrow("short");
});

test("a record is taken for no other chain, address, beginning or continuation: hashes of a million collide", () => {
  const records = createOwnRecords();
  const own = { chain: "eip155:1", address: "0xab", customerRef: "c", wallet: "hot" } as const;
  records.append({ ...own, chain: "eip155:10" }, { source: 0, line: 1 });
  const at = records.append(own, { source: 0, line: 2 });
  const [first, second] = [records.chainNumber("eip155:10"), records.chainNumber("eip155:1")];
  expect(records.isOf(at, second, "0xab")).toBe(true);
  expect(records.isOf(at, first, "0xab")).toBe(false);
  for (const other of ["0xa", "0xabc", "0xaB", "1xab", ""]) expect(records.isOf(at, second, other)).toBe(false);
});
