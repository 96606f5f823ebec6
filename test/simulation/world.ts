/**
 * The chain as it really is: a tree of blocks, one branch of it canonical at any time, final up to a height.
 * Reorgs replace up to the last `depth` blocks, never a final one. A transaction that lost its block may come back in
 * another one, at another place, with other amounts, as a failed one, or never.
 */
import { type AssetName, LISTED_LATER, PEOPLE, type Person, PLAIN, WATCHED } from "./people.ts";
import type { Random } from "./random.ts";

export interface SimTransfer {
  /** As the adapter names it: `native`, or `log:<index>`. */
  readonly key: string;
  readonly from: Person;
  readonly to: Person;
  readonly asset: AssetName;
  readonly amount: bigint;
}

/** A transaction in a block, with what it moved there. A failed one moved nothing. */
export interface Inclusion {
  readonly txHash: string;
  readonly failed: boolean;
  readonly transfers: readonly SimTransfer[];
}

export interface SimBlock {
  readonly number: number;
  readonly hash: string;
  readonly parent: SimBlock | null;
  readonly timestamp: number;
  readonly inclusions: readonly Inclusion[];
}

export interface WorldOptions {
  readonly random: Random;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly finalityDepth: number;
  readonly transactionsPerBlock: number;
}

export interface World {
  tip(): SimBlock;
  finalizedNumber(): number;
  blockOf(hash: string): SimBlock | undefined;
  /** Every block there ever was. */
  blocks(): Iterable<SimBlock>;
  /** Tips of branches that lost, newest last. */
  abandoned(): readonly SimBlock[];
  canonicalAt(number: number): SimBlock | null;
  mine(): void;
  /** Replaces the last blocks by others; returns how many were lost. */
  reorg(depth: number): number;
}

export function ancestorAt(block: SimBlock, number: number): SimBlock | null {
  let at: SimBlock | null = block;
  while (at !== null && at.number > number) at = at.parent;
  return at !== null && at.number === number ? at : null;
}

export function createWorld({ random, now, finalityDepth, transactionsPerBlock }: WorldOptions): World {
  const byHash = new Map<string, SimBlock>();
  const abandoned: SimBlock[] = [];
  let transactions = 0;
  let finalized = -1;
  let canonical: SimBlock[] = [add(null, [])];

  function add(parent: SimBlock | null, inclusions: readonly Inclusion[]): SimBlock {
    const number = (parent?.number ?? -1) + 1;
    const hash = `0xb${number}.${byHash.size}`;
    const block = { number, hash, parent, timestamp: Math.floor(now() / 1000), inclusions };
    byHash.set(hash, block);
    return block;
  }

  function tip(): SimBlock {
    return canonical.at(-1) as SimBlock;
  }

  function freshInclusions(): Inclusion[] {
    const count = random.int(0, transactionsPerBlock);
    return Array.from({ length: count }, () => {
      transactions += 1;
      return createTransaction(`0xt${transactions}`, random);
    });
  }

  function append(inclusions: readonly Inclusion[]): void {
    canonical.push(add(tip(), inclusions));
    finalized = Math.max(finalized, tip().number - finalityDepth);
  }

  return {
    tip,
    finalizedNumber: () => finalized,
    blockOf: (hash) => byHash.get(hash),
    blocks: () => byHash.values(),
    abandoned: () => abandoned,
    canonicalAt: (number) => canonical[number] ?? null,
    mine: () => append(freshInclusions()),
    reorg(wanted) {
      const depth = Math.min(wanted, tip().number - Math.max(finalized, 0));
      if (depth <= 0) return 0;
      abandoned.push(tip());
      const lost = canonical.slice(-depth).flatMap((block) => block.inclusions);
      canonical = canonical.slice(0, -depth);
      const length = Math.max(1, depth + random.int(-1, 2));
      const places = spread(lost, length, random);
      for (const returning of places) append([...shuffled([...returning, ...freshInclusions()], random)]);
      return depth;
    },
  };
}

/** Where each lost transaction comes back: `length` blocks, some transactions in none of them. */
function spread(lost: readonly Inclusion[], length: number, random: Random): Inclusion[][] {
  const places = Array.from({ length }, (): Inclusion[] => []);
  for (const inclusion of lost) {
    if (random.chance(0.25)) continue;
    places[random.int(0, length - 1)]?.push(random.chance(0.2) ? changed(inclusion, random) : inclusion);
  }
  return places;
}

/** The same transaction ran on another state: it failed, moved other amounts, or stopped halfway. */
function changed(inclusion: Inclusion, random: Random): Inclusion {
  const { txHash, transfers } = inclusion;
  if (random.chance(0.3)) return { txHash, failed: true, transfers };
  if (random.chance(0.3)) return { txHash, failed: false, transfers: transfers.slice(0, -1) };
  return {
    txHash,
    failed: false,
    transfers: transfers.map((transfer) => ({ ...transfer, amount: someAmount(random) })),
  };
}

function shuffled<T>(items: T[], random: Random): T[] {
  for (let index = items.length - 1; index > 0; index -= 1) {
    const other = random.int(0, index);
    [items[index], items[other]] = [items[other] as T, items[index] as T];
  }
  return items;
}

function createTransaction(txHash: string, random: Random): Inclusion {
  const transfers: SimTransfer[] = [];
  if (random.chance(0.6)) transfers.push(someTransfer("native", random));
  let log = random.int(0, 2);
  for (let count = random.int(transfers.length === 0 ? 1 : 0, 3); count > 0; count -= 1) {
    transfers.push(someTransfer(`log:${log}`, random));
    log += random.int(1, 9);
  }
  return { txHash, failed: random.chance(0.08), transfers };
}

function someTransfer(key: string, random: Random): SimTransfer {
  const [from, to] = twoParties(random);
  const asset = key === "native" ? "coin" : random.pick(["usd", "usd", "fake"] as const);
  return { key, from, to, asset, amount: someAmount(random) };
}

function twoParties(random: Random): [Person, Person] {
  if (!random.chance(0.1)) return [somebody(random), somebody(random)];
  const plain = random.pick(PLAIN);
  return random.chance(0.5) ? [LISTED_LATER, plain] : [plain, LISTED_LATER];
}

/** Half of the time somebody a list names: otherwise most blocks would test nothing. */
function somebody(random: Random): Person {
  return random.pick(random.chance(0.4) ? WATCHED : PEOPLE);
}

function someAmount(random: Random): bigint {
  if (random.chance(0.1)) return 0n;
  if (random.chance(0.15)) return BigInt(random.int(1, 99));
  return BigInt(random.int(1_000, 9_000_000)) * 10n ** BigInt(random.int(0, 15));
}
