/** Our EIP-55 against ethers': the same text, and the same refusals, for whatever an operator may write. */
import { getAddress } from "ethers";
import { expect, test } from "@jest/globals";
import { createChecksum, normalizeEvmAddress } from "../../../src/chains/evm/checksum.ts";
import { createRandom, type Random } from "./proof/mutants.ts";

const SEED = Number(process.env["PROOF_SEED"] ?? 20_260_101);

function ethersSays(text: string): string | null {
  // ethers also takes ICAP and texts without 0x, which are no way to write a watchlist.
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return null;
  try {
    return getAddress(text);
  } catch {
    return null;
  }
}

const digitsOf = (random: Random) => Array.from({ length: 40 }, () => random.below(16).toString(16)).join("");

function writings(lower: string, random: Random): string[] {
  const text = getAddress(lower);
  const at = 2 + random.below(40);
  const sign = text.charAt(at);
  const other = sign === sign.toLowerCase() ? sign.toUpperCase() : sign.toLowerCase();
  return [
    lower,
    text,
    `0x${lower.slice(2).toUpperCase()}`,
    lower.toUpperCase(),
    // One letter in the other case; the same text where it is a digit.
    text.slice(0, at) + other + text.slice(at + 1),
    text.slice(0, at) + random.below(16).toString(16) + text.slice(at + 1),
    text.slice(2),
    text.slice(0, -1),
    `${text}0`,
    ` ${text}`,
    `${text}\n`,
    `${text.slice(0, at)}g${text.slice(at + 1)}`,
  ];
}

test(`addresses are written and refused as by ethers, seed ${SEED}`, () => {
  const random = createRandom(SEED);
  const checksum = createChecksum();
  let refused = 0;
  for (let round = 0; round < 2_000; round += 1) {
    const lower = `0x${digitsOf(random)}`;
    expect(checksum(lower)).toBe(getAddress(lower));
    for (const text of writings(lower, random)) {
      const expected = ethersSays(text);
      if (normalizeEvmAddress(text) !== expected) expect([text, normalizeEvmAddress(text)]).toEqual([text, expected]);
      if (expected === null && text.length === 42) refused += 1;
    }
  }
  // A wrong case alone, not a wrong length, was refused often enough.
  expect(refused).toBeGreaterThan(2_000);
});

test("digits alone have no case to be wrong in", () => {
  const digits = `0x${"12345678".repeat(5)}`;
  expect(normalizeEvmAddress(digits)).toBe(digits);
  expect(normalizeEvmAddress(`0x${"0".repeat(40)}`)).toBe(`0x${"0".repeat(40)}`);
});
