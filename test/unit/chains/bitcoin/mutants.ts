/** Ways in which a node's answer can be wrong: each takes bytes apart and gives others back. */
import type { createRandom } from "../proof/mutants.ts";
import { type MadeCoin, sizeOf } from "./build-block.ts";
import { strippedTransactionsOf, transactionsOf } from "./strip.ts";

export type Random = ReturnType<typeof createRandom>;
type Mutate = (bytes: Buffer, random: Random) => Buffer;

/** Changes of any bytes. */
export const BYTE_KINDS: Readonly<Record<string, Mutate>> = {
  "one bit": (bytes, random) => changedAt(bytes, random.below(bytes.length), 1 << random.below(8)),
  "one byte": (bytes, random) => changedAt(bytes, random.below(bytes.length), 1 + random.below(255)),
  "ten bytes": (bytes, random) => {
    let changed = bytes;
    for (let count = 0; count < 10; count += 1)
      changed = changedAt(changed, random.below(bytes.length), 1 + random.below(255));
    return changed;
  },
  "cut off": (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  "bytes left out": (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(40))]);
  },
  "bytes put in": (bytes, random) => {
    const at = random.below(bytes.length + 1);
    const added = Buffer.alloc(1 + random.below(40), random.below(256));
    return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at)]);
  },
  "bytes behind the end": (bytes, random) =>
    Buffer.concat([bytes, Buffer.alloc(1 + random.below(40), random.below(3))]),
  "a huge count": (bytes, random) => {
    const count = random.pick([[0xfd, 0xff, 0xff], [0xfe, 0xff, 0xff, 0xff, 0x7f], Array<number>(9).fill(0xff)]);
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(count), bytes.subarray(at + 1)]);
  },
  zeros: (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.from(bytes).fill(0, at, Math.min(bytes.length, at + 1 + random.below(64)));
  },
};

/** Changes of which coins are spent. */
export const SPENT_KINDS: Readonly<Record<string, (spent: Coins, random: Random) => Coins>> = {
  "a coin dropped": ofOne((coins, random) => coins.toSpliced(random.below(coins.length), 1)),
  "a coin repeated": ofOne((coins, random) => [...coins, coins[random.below(coins.length)] as MadeCoin]),
  "a transaction's coins dropped": (spent, random) => spent.toSpliced(1 + random.below(spent.length - 1), 1),
  "the coins of two transactions swapped": (spent, random) => {
    const [a, b] = [random.below(spent.length), random.below(spent.length)];
    return spent.with(a, spent[b] as MadeCoin[]).with(b, spent[a] as MadeCoin[]);
  },
  "another amount": ofCoin((coin, random) => ({
    ...coin,
    amount: coin.amount + BigInt(random.below(200_001) - 100_000),
  })),
  "another script": ofCoin((coin, random) => ({ ...coin, script: Buffer.alloc(random.below(40), random.below(256)) })),
  "coins moved between two of one transaction": ofOne((coins, random) => {
    const [a, b] = [random.below(coins.length), random.below(coins.length)];
    return coins.with(a, coins[b] as MadeCoin).with(b, coins[a] as MadeCoin);
  }),
};

/** The coins that each transaction spends. */
export type Coins = readonly (readonly MadeCoin[])[];

/** Of a transaction that spends any; not the coinbase. */
function ofOne(change: (coins: readonly MadeCoin[], random: Random) => readonly MadeCoin[]) {
  return (spent: Coins, random: Random): Coins => {
    const at = 1 + random.below(spent.length - 1);
    return spent.with(at, change(spent[at] as readonly MadeCoin[], random));
  };
}

function ofCoin(change: (coin: MadeCoin, random: Random) => MadeCoin) {
  return ofOne((coins, random) => {
    const at = random.below(coins.length);
    return coins.with(at, change(coins[at] as MadeCoin, random));
  });
}

/** Changes of which transactions a block has. */
export const BLOCK_KINDS: Readonly<Record<string, Mutate>> = {
  "a transaction dropped": ofTransactions((all, random) => all.toSpliced(random.below(all.length), 1)),
  "the end dropped": ofTransactions((all, random) => all.slice(0, 1 + random.below(all.length - 1))),
  "two transactions swapped": ofTransactions((all, random) => {
    const [a, b] = [random.below(all.length), random.below(all.length)];
    return all.with(a, all[b] as Buffer).with(b, all[a] as Buffer);
  }),
  "a transaction repeated": ofTransactions((all, random) => {
    const at = random.below(all.length);
    return all.toSpliced(at, 0, all[random.below(all.length)] as Buffer);
  }),
  "the end repeated": ofTransactions((all, random) => [...all, ...all.slice(-1 - random.below(all.length))]),
  "a transaction in place of another": ofTransactions((all, random) =>
    all.with(random.below(all.length), all[random.below(all.length)] as Buffer),
  ),
  "the witnesses of one transaction left out": (block, random) => {
    const [all, stripped] = [transactionsOf(block), strippedTransactionsOf(block)];
    const at = random.below(all.length);
    return withTransactions(block, all.with(at, stripped[at] as Buffer));
  },
};

function changedAt(bytes: Buffer, at: number, by: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] as number) ^ by;
  return changed;
}

function ofTransactions(change: (all: Buffer[], random: Random) => Buffer[]): Mutate {
  return (block, random) => withTransactions(block, change(transactionsOf(block), random));
}

function withTransactions(block: Buffer, transactions: readonly Buffer[]): Buffer {
  return Buffer.concat([block.subarray(0, 80), sizeOf(transactions.length), ...transactions]);
}
