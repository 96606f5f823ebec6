/**
 * Goal: whatever a node changes in a block, the block is refused; whatever it changes in the coins that a block spends is
 * refused too, or changes nothing but what is known to be its word alone: whose a coin was and what it was worth.
 * Method: seeded changes of recorded blocks. `PROOF_MUTANTS=10000` makes that many of each kind; `PROOF_SEED` replays.
 */
import { describe, expect, test } from "@jest/globals";
import type { Transfer } from "../../../../src/types/chain.ts";
import { addressOf } from "../../../../src/chains/bitcoin/address.ts";
import { ProofError } from "../../../../src/chains/bitcoin/proof-error.ts";
import { proveBlock } from "../../../../src/chains/bitcoin/prove-block.ts";
import { parseBlock, readBlock } from "../../../../src/chains/bitcoin/read-block.ts";
import { createScriptTable } from "../../../../src/chains/bitcoin/script-table.ts";
import { createRandom } from "../proof/mutants.ts";
import { coinBytes, type MadeCoin, sizeOf } from "./build-block.ts";
import { lineOf, mainnetBlocks, regtestBlocks, type WholeBlock } from "./fixtures.ts";
import { BLOCK_KINDS, BYTE_KINDS, type Coins, type Random, SPENT_KINDS } from "./mutants.ts";
import { coinsOf } from "./strip.ts";

const COUNT = Number(process.env["PROOF_MUTANTS"] ?? 300);
const SEED = Number(process.env["PROOF_SEED"] ?? 20_260_101);
const TIMEOUT_MS = 60_000 + COUNT * 100;

/** Real ones with and without witnesses, and recorded ones of every kind of script; none so large that a mutant takes long. */
const REAL = mainnetBlocks().filter(({ told }) => [1, 300_025, 482_683].includes(told.height));
const RECORDED = regtestBlocks().filter(({ block }) => block.length > 1_000 && block.length < 60_000);
const TRUE = new Map(RECORDED.map((one) => [one, readBlock({ ...one, watched: null }).transfers]));

/** The check that refuses it; null: none. Anything but a ProofError is a crash. */
function refusal(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    return error.check;
  }
}

describe(`${COUNT} blocks of each kind, seed ${SEED}`, () => {
  test.each(Object.entries({ ...BYTE_KINDS, ...BLOCK_KINDS }))(
    "%s",
    (kind, mutate) => {
      const checks = new Set<string>();
      for (let seed = SEED; seed < SEED + COUNT; seed += 1) {
        const random = createRandom(seed);
        const { block, header, network, name } = random.pick([...REAL, ...RECORDED]);
        const changed = mutate(block, random);
        if (changed.equals(block)) continue;
        const check = refusal(() => proveBlock(parseBlock(changed), header, network));
        expect({ kind, name, seed, refused: check !== null }).toEqual({ kind, name, seed, refused: true });
        checks.add(check as string);
      }
      expect(checks.size).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});

/** What the transfers of a block are when the coins it spends are these, from its true ones. */
function expectedOf(truth: readonly Transfer[], coins: Coins, { network }: WholeBlock): string[] {
  const places = new Map<number, number>();
  return truth.map((transfer) => {
    if (transfer.category === "output") return lineOf(transfer);
    const place = places.get(transfer.txIndex) ?? 0;
    places.set(transfer.txIndex, place + 1);
    const coin = coins[transfer.txIndex]?.[place];
    if (coin === undefined) throw new Error("a block was read with fewer coins than it spends");
    return lineOf({ ...transfer, amount: coin.amount, from: addressOf(coin.script, network) });
  });
}

/** Reads the block with other spent coins: refused, or read as exactly those coins and the true outputs. */
function expectTold(one: WholeBlock, spent: Buffer, what: object): boolean {
  let transfers: readonly Transfer[] = [];
  const check = refusal(() => {
    ({ transfers } = readBlock({ ...one, spent, watched: null }));
  });
  if (check !== null) return false;
  const coins = coinsOf(spent);
  if (coins === null) throw new Error(`malformed coins were read: ${JSON.stringify(what)}`);
  const lines = expectedOf(TRUE.get(one) ?? [], coins, one);
  expect({ ...what, lines: transfers.map(lineOf) }).toEqual({ ...what, lines });
  const fees = coins.map((list, index) => sum(list) - sum(outputsOf(transfers, index)));
  for (const [index, fee] of fees.entries()) if (index > 0) expect(fee).toBeGreaterThanOrEqual(0n);
  return true;
}

function outputsOf(transfers: readonly Transfer[], txIndex: number): Transfer[] {
  return transfers.filter((one) => one.txIndex === txIndex && one.category === "output");
}

function sum(coins: readonly { readonly amount: bigint }[]): bigint {
  return coins.reduce((total, { amount }) => total + amount, 0n);
}

const OF_COINS = Object.entries(SPENT_KINDS).map(
  ([kind, mutate]): [string, (spent: Buffer, random: Random) => Buffer] => [
    kind,
    (spent, random) => bytesOf(mutate(coinsOf(spent) ?? [], random)),
  ],
);

/** What no honest block of this chain leaves open: counts. */
const NEVER_READ = [
  "a coin dropped",
  "a coin repeated",
  "a transaction's coins dropped",
  "cut off",
  "bytes behind the end",
];

describe(`${COUNT} lists of spent coins of each kind, seed ${SEED}`, () => {
  test.each([...Object.entries(BYTE_KINDS), ...OF_COINS])(
    "%s",
    (kind, mutate) => {
      for (let seed = SEED; seed < SEED + COUNT; seed += 1) {
        const random = createRandom(seed);
        const one = random.pick(RECORDED);
        const changed = mutate(one.spent, random);
        if (changed.equals(one.spent)) continue;
        const what = { kind, name: one.name, seed };
        const wasRead = expectTold(one, changed, what);
        if (NEVER_READ.includes(kind)) expect({ ...what, wasRead }).toEqual({ ...what, wasRead: false });
      }
    },
    TIMEOUT_MS,
  );

  test("an amount that is less by one leaves too little for a coinbase that takes all fees, as real ones do", () => {
    const one = REAL.find(({ told }) => told.height === 300_025) as WholeBlock;
    const watched = createScriptTable([], one.network);
    const coins = coinsOf(one.spent) ?? [];
    const random = createRandom(SEED);
    expect(refusal(() => readBlock({ ...one, watched }))).toBeNull();
    for (let count = 0; count < 50; count += 1) {
      const index = 1 + random.below(coins.length - 1);
      const list = coins[index] ?? [];
      const place = random.below(list.length);
      const coin = list[place] as MadeCoin;
      const less = coins.with(index, list.with(place, { ...coin, amount: coin.amount - 1n }));
      expect(refusal(() => readBlock({ ...one, spent: bytesOf(less), watched }))).toBe("amounts");
    }
  });
});

function bytesOf(coins: Coins): Buffer {
  const lists = coins.map((list) => Buffer.concat([sizeOf(list.length), ...list.map(coinBytes)]));
  return Buffer.concat([sizeOf(coins.length), ...lists]);
}
