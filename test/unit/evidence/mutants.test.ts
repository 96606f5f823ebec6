/**
 * Goal: no byte of a bundle can be changed without the verifier saying why it does not hold; nor can a forger with a key of
 * their own change what the chain's proof covers.
 * Method: seeded changes of one byte of a bundle's file, and of single values of its proof and claims, signed anew.
 * `PROOF_MUTANTS=10000` makes that many of each kind; `PROOF_SEED` replays.
 */
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { BundleParts } from "../../../src/evidence/bundle.ts";
import { createRandom, type Random } from "../chains/proof/mutants.ts";
import { BITCOIN_KINDS, EVM_KINDS } from "./kinds.ts";
import { bundleOf, forged, KEY, verify } from "./make.ts";

const COUNT = Number(process.env["PROOF_MUTANTS"] ?? 300);
const SEED = Number(process.env["PROOF_SEED"] ?? 20_260_101);
const TIMEOUT_MS = 60_000 + COUNT * 100;

/** A small one of each, so that a mutant takes milliseconds. */
const NAMES = [
  "coin before EIP-155 and Byzantium of block 1000000",
  "withdrawal of block 20000000",
  "ERC-20 of block 20000000",
  "internal call",
  "p2wpkh input",
  "p2tr output",
];

const bases: { name: string; parts: BundleParts; file: Buffer }[] = [];
beforeAll(async () => {
  for (const { name, make } of [...EVM_KINDS, ...BITCOIN_KINDS].filter((kind) => NAMES.includes(kind.name))) {
    const parts = await make();
    bases.push({ name, parts, file: Buffer.from(bundleOf(parts)) });
  }
  expect(bases.map(({ name }) => name).toSorted()).toEqual(NAMES.toSorted());
}, 60_000);

/** One byte is another, is gone, or is one more. */
const BYTE_KINDS: Readonly<Record<string, (file: Buffer, random: Random) => Buffer>> = {
  "another byte": (file, random) => {
    const [copy, at] = [Buffer.from(file), random.below(file.length)];
    copy[at] = ((copy[at] ?? 0) + 1 + random.below(255)) % 256;
    return copy;
  },
  // Hex digits, letters and numbers in another case or one off: what parsers forgive.
  "another sign of the same sort": (file, random) => {
    const [copy, at] = [Buffer.from(file), random.below(file.length)];
    copy[at] = (copy[at] ?? 0) ^ random.pick([0x20, 0x01]);
    return copy;
  },
  "a byte more": (file, random) => {
    const at = random.below(file.length + 1);
    const byte = Buffer.from(random.pick([" ", "\n", "0", ",", "\ufeff", String.fromCharCode(random.below(128))]));
    return Buffer.concat([file.subarray(0, at), byte, file.subarray(at)]);
  },
  "a byte less": (file, random) => {
    const at = random.below(file.length);
    return Buffer.concat([file.subarray(0, at), file.subarray(at + 1)]);
  },
};

describe(`${COUNT} mutants of each kind, seed ${SEED}`, () => {
  test.each(Object.entries(BYTE_KINDS))(
    "%s: each fails with a reason",
    (_kind, mutate) => {
      const reasons = new Set<string>();
      for (let seed = SEED; seed < SEED + COUNT; seed += 1) {
        const random = createRandom(seed);
        const { name, file } = random.pick(bases);
        // The key is given: else a signature of another key over other content would be for the reader to judge.
        const verdict = verify(mutate(file, random), { key: KEY.publicKey });
        expect({ name, seed, ok: verdict.ok }).toEqual({ name, seed, ok: false });
        reasons.add(verdict.ok ? "" : verdict.reason.slice(0, 30));
      }
      expect([...reasons].every((reason) => reason.length > 10)).toBe(true);
    },
    TIMEOUT_MS,
  );

  test(
    "a value of the proof is another, and signed anew: each fails with a reason",
    () => {
      const reasons = new Set<string>();
      for (let seed = SEED; seed < SEED + COUNT; seed += 1) {
        const random = createRandom(seed);
        const { name, parts } = random.pick(bases);
        const file = forged(parts, (copy) => mutateSomewhere(copy.proof as object, random));
        const verdict = verify(file);
        expect({ name, seed, ok: verdict.ok }).toEqual({ name, seed, ok: false });
        reasons.add(verdict.ok ? "" : verdict.reason.slice(0, 30));
      }
      expect(reasons.size).toBeGreaterThan(3);
    },
    TIMEOUT_MS,
  );

  test(
    "what a transfer says happened is another, and signed anew: each fails with a reason",
    () => {
      for (let seed = SEED; seed < SEED + COUNT; seed += 1) {
        const random = createRandom(seed);
        const { name, parts } = random.pick(bases);
        const field = random.pick(["key", "category", "txHash", "txIndex", "from", "to", "amount", "asset"] as const);
        const file = forged(parts, (copy) => {
          const transfer = copy.transfers[0] as unknown as Record<string, unknown>;
          if (field === "asset") mutateSomewhere(transfer["asset"] as object, random, ["id"]);
          else transfer[field] = otherValue(transfer[field], random);
        });
        const verdict = verify(file);
        expect({ name, seed, field, ok: verdict.ok }).toEqual({ name, seed, field, ok: false });
      }
    },
    TIMEOUT_MS,
  );
});

/** Changes one leaf, wherever it is, but in what a trace tells, which nothing covers; `only`: one of these at the top. */
function mutateSomewhere(object: object, random: Random, only?: readonly string[]): void {
  const leaves: { holder: Record<string, unknown>; key: string }[] = [];
  const walk = (value: object): void => {
    for (const key of Object.keys(value)) {
      const holder = value as Record<string, unknown>;
      const inner = holder[key];
      if (key === "calls") continue;
      if (only === undefined && typeof inner === "object" && inner !== null) walk(inner);
      else if (only === undefined || only.includes(key)) leaves.push({ holder, key });
    }
  };
  walk(object);
  const { holder, key } = random.pick(leaves);
  holder[key] = otherValue(holder[key], random);
}

/** Another value of the same sort: one digit or letter of a text, another number, something in place of nothing. */
function otherValue(value: unknown, random: Random): unknown {
  if (typeof value === "number") return value + 1 + random.below(3);
  if (typeof value !== "string") return "0x00";
  const at = random.below(value.length);
  const signs = "0123456789abcdefABCDEFx".split("").filter((sign) => sign !== value[at]);
  const way = random.below(4);
  if (way === 0) return value.slice(0, at) + value.slice(at + 1);
  if (way === 1) return value.slice(0, at) + random.pick(signs) + value.slice(at);
  return value.slice(0, at) + random.pick(signs) + value.slice(at + 1);
}
