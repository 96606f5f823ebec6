/**
 * Whom an address that nobody watched yet touched in the last day, by our own nodes: the blocks their index names, or all
 * where a day has few, read and proven like any other. Bounded in time; what is left out makes the counts "at least".
 */
import { inBackfill } from "../lib/lane.ts";
import type { AddressReach } from "../store/watch-reach.ts";
import type { Candidates, ChainAdapter, Transfer } from "../types/chain.ts";
import type { OwnAddress } from "../types/watch.ts";
import { createAskedTable } from "../watchlist/asked-table.ts";
import { isUtxo } from "../match/match-utxo.ts";
import { COUNTERPARTIES_MAX, CUSTOMERS_MAX } from "../watchlist/change-rules.ts";

export interface RecentTouches extends AddressReach {
  /** False: the node names not every kind of movement, was too slow, or more than enough was seen: there may be more. */
  readonly complete: boolean;
}

type Reader = Pick<ChainAdapter, "chainId" | "blockTimeMs" | "headNumber" | "headerAt" | "blockOf" | "candidates">;

const DAY_MS = 24 * 60 * 60_000;
// Bitcoin has 144 a day, Litecoin 576; on chains with thousands nothing worth telling would be read in time.
const BLOCKS_READ_MAX = 600;

/** Null: no node of ours can tell. Whatever goes wrong on the way only makes it incomplete. */
export function recentTouches(
  pool: Reader,
  of: { address: string; ownOf: (chain: string, address: string) => OwnAddress | null },
  signal: AbortSignal,
): Promise<RecentTouches | null> {
  // A person can wait: live blocks cannot.
  return inBackfill(() => readTouches(pool, of, signal));
}

async function readTouches(
  pool: Reader,
  { address, ownOf }: { address: string; ownOf: (chain: string, address: string) => OwnAddress | null },
  signal: AbortSignal,
): Promise<RecentTouches | null> {
  const seen = createCount(address, (other) => ownOf(pool.chainId, other));
  let isWhole = true;
  try {
    const to = await pool.headNumber(signal);
    const blocksADay = Math.ceil(DAY_MS / pool.blockTimeMs);
    const from = Math.max(0, to - blocksADay + 1);
    const named = (await pool.candidates?.([address], { from, to }, signal)) ?? null;
    const found = named ?? (blocksADay > BLOCKS_READ_MAX ? null : everyBlock({ from, to }));
    if (found === null) return null;
    const watched = createAskedTable(pool.chainId, new Set([address]));
    // The newest first: where time runs out, what is told is of today.
    for (const number of found.numbers.toReversed()) {
      const header = await pool.headerAt(number, signal);
      const block = header === null ? null : await pool.blockOf(header, signal, { watched, senders: "hits" });
      if (block === null) return seen.end(false);
      seen.add(block.transfers);
      if (seen.isEnough()) return seen.end(false);
      isWhole &&= block.trust.traced;
    }
    return seen.end(found.covers === "everything" && isWhole);
  } catch {
    return seen.end(false);
  }
}

/** In place of an index. */
function everyBlock({ from, to }: { from: number; to: number }): Candidates {
  return { numbers: Array.from({ length: to - from + 1 }, (_, index) => from + index), covers: "everything" };
}

interface Count {
  /** Of one block. */
  add(transfers: readonly Transfer[]): void;
  /** Past either limit nothing more can change what is decided. */
  isEnough(): boolean;
  end(complete: boolean): RecentTouches;
}

function createCount(address: string, ownOf: (address: string) => OwnAddress | null): Count {
  let transfers = 0;
  const counterparties = new Set<string>();
  const customers = new Set<string>();
  return {
    add(ofBlock) {
      const touches = ({ from, to }: Transfer) => from === address || to === address;
      const inputsAndOutputs = new Set(
        ofBlock.filter((one) => isUtxo(one) && touches(one)).map(({ txHash }) => txHash),
      );
      for (const transfer of ofBlock) {
        if (touches(transfer)) transfers += 1;
        // All inputs of a transaction together pay all its outputs.
        else if (!isUtxo(transfer) || transfer.change === true || !inputsAndOutputs.has(transfer.txHash)) continue;
        for (const other of [transfer.from, transfer.to]) {
          if (other === null || other === address) continue;
          counterparties.add(other);
          const own = ownOf(other);
          if (own !== null) customers.add(own.customerRef ?? own.address);
        }
      }
    },
    isEnough: () => counterparties.size > COUNTERPARTIES_MAX || customers.size > CUSTOMERS_MAX,
    end: (complete) => ({
      transfers,
      counterparties: counterparties.size,
      customers: [...customers].toSorted(),
      complete,
    }),
  };
}

/** Stored hits and what nodes tell may be the same transfers: each count is at least the larger of the two. */
export function joinReach(stored: AddressReach, seen: readonly (RecentTouches | null)[]): RecentTouches {
  const known = seen.filter((one) => one !== null);
  const most = (of: (reach: AddressReach) => number) => Math.max(of(stored), ...known.map(of));
  return {
    transfers: most(({ transfers }) => transfers),
    counterparties: most(({ counterparties }) => counterparties),
    customers: [...new Set([...stored.customers, ...known.flatMap(({ customers }) => customers)])].toSorted(),
    complete: known.length === seen.length && known.every(({ complete }) => complete),
  };
}
