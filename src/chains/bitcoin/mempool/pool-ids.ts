/**
 * Ids of what waits in a node's pool and was not looked at yet. The list of all ids is the truth, asked for on a clock;
 * the ZMQ topic `sequence` only tells the same sooner. First the new ones, then what waited before we came.
 */
import { listOf } from "../../answer-fields.ts";
import { hashIn } from "../node-answers.ts";

export interface PoolIds {
  /** Asks for the list where it is time to. */
  poll(ask: () => Promise<unknown>): Promise<void>;
  /** It entered the pool, says the feed. */
  push(txid: string): void;
  /** It left the pool without a block, says the feed. */
  pull(txid: string): void;
  /** The next to look at, at most so many. They stay until `done`. */
  peek(limit: number): string[];
  done(txid: string): void;
  /** The list is asked for with the next poll. */
  relist(): void;
  /** All of the pool is looked at once more. */
  again(): void;
  /** Those that were never looked at: too many, or gone before their turn. */
  skipped(): number;
}

// The largest pools of Bitcoin hold some 300,000 transactions; an id takes about 100 bytes.
const IDS_MAX = 500_000;
// A list of 300,000 ids is 20 MB: once a minute. One of 10,000 is asked for every two seconds.
const LIST_MS_PER_ID = 0.2;
const LIST_MS_MIN = 2_000;

export function createPoolIds({ idsMax = IDS_MAX }: { idsMax?: number } = {}): PoolIds {
  /** In the pool, as far as is known; looked at unless it waits in a queue. */
  let known = new Set<string>();
  /** Told by the feed since the last list was asked for, which may not have them. */
  let told = new Set<string>();
  const fresh = new Set<string>();
  const backlog = new Set<string>();
  /** Looked at before. */
  const repeats = new Set<string>();
  let isFirst = true;
  let listAt = Number.NEGATIVE_INFINITY;
  let skipped = 0;
  /** How many of the last list found no room: counted once. */
  let beyond = 0;

  function add(txid: string, queue: Set<string>): void {
    if (known.has(txid)) return;
    if (known.size >= idsMax) {
      skipped += 1;
      return;
    }
    known.add(txid);
    queue.add(txid);
  }

  function drop(txid: string): void {
    repeats.delete(txid);
    if (fresh.delete(txid) || backlog.delete(txid)) skipped += 1;
  }

  function take(listed: readonly string[]): void {
    const queue = isFirst ? backlog : fresh;
    isFirst = false;
    const before = known;
    known = new Set(listed.slice(0, idsMax));
    const tooMany = listed.length - known.size;
    for (const txid of known) if (!before.has(txid)) queue.add(txid);
    for (const txid of told) known.add(txid);
    for (const waiting of [fresh, backlog, repeats]) for (const txid of waiting) if (!known.has(txid)) drop(txid);
    skipped += Math.max(0, tooMany - beyond);
    beyond = tooMany;
  }

  return {
    async poll(ask) {
      if (performance.now() < listAt) return;
      told = new Set();
      const listed = listOf(await ask(), "the pool's ids").map((txid) => hashIn(txid, "an id in the pool"));
      take(listed);
      listAt = performance.now() + Math.max(LIST_MS_MIN, listed.length * LIST_MS_PER_ID);
    },
    push(txid) {
      add(txid, fresh);
      if (known.has(txid)) told.add(txid);
    },
    pull(txid) {
      told.delete(txid);
      known.delete(txid);
      drop(txid);
    },
    peek(limit) {
      const first: string[] = [];
      for (const queue of [fresh, backlog, repeats])
        for (const txid of queue) {
          if (first.length === limit) return first;
          first.push(txid);
        }
      return first;
    },
    done(txid) {
      for (const queue of [fresh, backlog, repeats]) queue.delete(txid);
    },
    relist: () => void (listAt = Number.NEGATIVE_INFINITY),
    again() {
      for (const txid of known) if (!fresh.has(txid) && !backlog.has(txid)) repeats.add(txid);
    },
    skipped: () => skipped,
  };
}
