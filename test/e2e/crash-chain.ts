/** The chain under a crash run: a real node with traffic on it, and what that traffic should have made heistwatch tell. */
import type { DaemonConfig } from "../support/daemon.ts";
import type { KeysOf } from "./ledger.ts";
import type { ExpectedAlert } from "./oracle.ts";
import type { Random } from "./random.ts";

export interface CrashChain {
  /** What the daemon's configuration says about it: node, facts, addresses, first block. */
  readonly config: Omit<DaemonConfig, "dir">;
  /** Makes that many alerts due, in blocks of random size with random pauses. Calls come one after the other. */
  burst(alerts: number): Promise<void>;
  /** Alerts made due so far. */
  sent(): number;
  /** Mines empty blocks; returns the height of the last one. */
  mine(blocks: number): Promise<number>;
  /** Every alert that the blocks up to `head` must have caused, by `alertKey`. */
  expected(head: number): Promise<Map<string, ExpectedAlert>>;
  readonly keysOf: KeysOf;
}

export interface CrashChainOptions {
  /** Blocks from the head down to the last final one. */
  readonly finalBehind: number;
  readonly random: Random;
  /** Gets what ends it. */
  readonly undo: (() => Promise<unknown>)[];
}

const PER_BLOCK_MAX = 40;
const PAUSE_MS_MAX = 120;

/** `mineOne` puts traffic that makes that many alerts due into one block. */
export function createBursts(
  mineOne: (alerts: number) => Promise<void>,
  random: Random,
): Pick<CrashChain, "burst" | "sent"> {
  let sent = 0;
  return {
    sent: () => sent,
    async burst(alerts) {
      for (let left = alerts; left > 0; ) {
        const count = Math.min(left, random.between(1, PER_BLOCK_MAX));
        await mineOne(count);
        left -= count;
        sent += count;
        await new Promise((resolve) => setTimeout(resolve, random.between(0, PAUSE_MS_MAX)));
      }
    },
  };
}
