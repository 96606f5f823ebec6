/**
 * Which transactions are new in a node's pool: asked for on a clock (polling is the truth), told sooner by a push feed.
 * Bounded: while more wait than can be asked for, new ones are left to their block, and counted.
 */
import type { Log } from "../../../types/log.ts";
import { hashOf, numberOf } from "../answer-fields.ts";
import { fieldsOf, listOf, MalformedAnswerError } from "../../answer-fields.ts";
import { RpcError } from "../../rpc-envelope.ts";
import { isMethodMissing } from "../rpc-client.ts";
import type { Ask } from "./find-rival.ts";

/** One that is new: with its content where the node gave that along, else null. */
export interface Arrival {
  readonly hash: string;
  readonly content: unknown;
}

export interface Arrivals {
  /** Asks the node what is new. */
  poll(signal: AbortSignal): Promise<void>;
  /** What a push feed sent: a hash, or a whole transaction. */
  push(result: unknown): void;
  /** The oldest that were not looked at, at most so many. They stay until `done`. */
  peek(limit: number): Arrival[];
  done(hash: string): void;
  skipped(): number;
}

// Hashes waiting to be asked for; at fifty a second more than that would be mined before their turn.
const QUEUE_MAX = 20_000;
// Known hashes are kept for as many arrivals, then forgotten at once with all of their time: at most 15 MB for both.
const SEEN_MAX = 50_000;
// The whole pool as one answer is asked for only up to this size, some 10 MB.
const CONTENT_MAX = 10_000;
// A node that shows no pool today may after an upgrade.
const PROBE_AGAIN_MS = 600_000;

type Way = "filter" | "content" | "none";

export function createArrivals({ ask, log }: { ask: Ask; log: Log }): Arrivals {
  const queue = new Map<string, unknown>();
  let seen = new Set<string>();
  let seenBefore = new Set<string>();
  let skipped = 0;
  let way: Way = "filter";
  let filterId: string | null = null;
  let noneSince = 0;

  function add(hash: string, content: unknown): void {
    if (seen.has(hash) || seenBefore.has(hash)) {
      // Content that comes after its hash spares the request.
      if (content !== null && queue.get(hash) === null) queue.set(hash, content);
      return;
    }
    if (queue.size >= QUEUE_MAX) {
      skipped += 1;
      return;
    }
    if (seen.size >= SEEN_MAX) {
      seenBefore = seen;
      seen = new Set();
    }
    seen.add(hash);
    queue.set(hash, content);
  }

  function addContent(transaction: unknown): void {
    const fields = fieldsOf(transaction, "pending transaction");
    add(hashOf(fields["hash"], "pending transaction: hash"), fields);
  }

  /** Filters die with their node, and when nobody asks for five minutes. */
  async function readFilter(signal: AbortSignal): Promise<void> {
    if (filterId === null) {
      filterId = await newFilter(ask, signal);
      // A filter tells what comes; what waits already is read once, where the node shows it.
      await readContent(signal).catch((error: unknown) => {
        if (!isMethodMissing(error)) throw error;
      });
    }
    try {
      const hashes = listOf(await ask("eth_getFilterChanges", [filterId], signal), "eth_getFilterChanges");
      for (const hash of hashes) add(hashOf(hash, "pending transaction: hash"), null);
    } catch (error) {
      if (!(error instanceof RpcError) || error.rpcCode === null) throw error;
      filterId = null;
    }
  }

  async function readContent(signal: AbortSignal): Promise<void> {
    const status = fieldsOf(await ask("txpool_status", [], signal), "txpool_status");
    const size = numberOf(status["pending"], "txpool_status: pending");
    if (size > CONTENT_MAX) {
      skipped += size;
      return;
    }
    const content = fieldsOf(await ask("txpool_content", [], signal), "txpool_content");
    for (const bySender of Object.values(fieldsOf(content["pending"], "txpool_content: pending")))
      for (const transaction of Object.values(fieldsOf(bySender, "txpool_content: sender"))) addContent(transaction);
  }

  const read: Record<Way, (signal: AbortSignal) => Promise<void>> = {
    filter: readFilter,
    content: readContent,
    none: async () => undefined,
  };
  const instead: Record<Way, Way> = { filter: "content", content: "none", none: "none" };

  return {
    async poll(signal) {
      if (way === "none" && performance.now() - noneSince >= PROBE_AGAIN_MS) way = "filter";
      try {
        await read[way](signal);
      } catch (error) {
        if (!isMethodMissing(error)) throw error;
        way = instead[way];
        if (way !== "none") return;
        noneSince = performance.now();
        log.warn({}, "the node shows no mempool: transactions are seen once they are in a block");
      }
    },
    push(result) {
      try {
        if (typeof result === "string") add(hashOf(result, "pending transaction: hash"), null);
        else addContent(result);
      } catch (error) {
        if (!(error instanceof MalformedAnswerError)) throw error; // A hint that says nothing.
      }
    },
    peek(limit) {
      const first: Arrival[] = [];
      for (const [hash, content] of queue) {
        if (first.length === limit) break;
        first.push({ hash, content });
      }
      return first;
    },
    done: (hash) => void queue.delete(hash),
    skipped: () => skipped,
  };
}

async function newFilter(ask: Ask, signal: AbortSignal): Promise<string> {
  const id = await ask("eth_newPendingTransactionFilter", [], signal);
  if (typeof id !== "string") throw new MalformedAnswerError("the id of a filter is not a text");
  return id;
}
