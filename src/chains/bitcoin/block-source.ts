/**
 * A block's bytes and the coins it spends, from one node, in the best way that the node has.
 *
 * | way | needs | costs on a full block |
 * |---|---|---|
 * | `spenttxouts` | Core 30 with -rest | 7 ms, 1.8 MB |
 * | `prevouts` | Core 23: `getblock 3` | 300 ms, 16 MB |
 * | `parents` | an older node with -txindex: `getrawtransaction` | seconds |
 *
 * Always holds: each way gives the same bytes; "the node cannot tell" is never "nothing was spent".
 */
import type { Header } from "../../types/chain.ts";
import type { Log } from "../../types/log.ts";
import { RpcError } from "../rpc-envelope.ts";
import type { Coin } from "./coins.ts";
import type { NodeClient, RestReply } from "./node-client.ts";
import { NodeStateError } from "./node-state-error.ts";
import { parentCoins } from "./parent-coins.ts";
import { writeSpent } from "./spent-bytes.ts";
import { bytesOf, verboseCoins } from "./verbose-block.ts";

export interface BlockBytes {
  readonly block: Uint8Array;
  /** In the layout of `/rest/spenttxouts/<hash>.bin`. */
  readonly spent: Uint8Array;
  /** True: each spent coin is proven by the transaction that made it. False: the node says so. */
  readonly spentProven: boolean;
  /** Gives the bytes back: a later answer overwrites them. */
  release(): void;
}

export interface BlockSource {
  /** Null: not here (yet). Throws NodeStateError where the node will not have it. Proves nothing. */
  read(header: Header, signal: AbortSignal): Promise<BlockBytes | null>;
}

type Way = "spenttxouts" | "prevouts" | "parents";
type Outcome = BlockBytes | "absent" | "unsupported";

const NEXT: Record<Way, Way | null> = { spenttxouts: "prevouts", prevouts: "parents", parents: null };
/** What an operator can do about a slower way. */
const HINTS: Record<Way, string> = {
  spenttxouts: "",
  prevouts: "slower than need be: Bitcoin Core 30 or later with rest=1 is 40 times faster",
  parents: "much slower than need be: Bitcoin Core 30 or later with rest=1 is the way to read blocks",
};
// A node is upgraded and configured anew while we run.
const PROBE_MS = 3_600_000;
const RPC_MISC = -1;
const RPC_NOT_FOUND = -5;

export function createBlockSource({ client, log }: { client: NodeClient; log: Log }): BlockSource {
  let way: Way = "spenttxouts";
  let probedAt = Number.NEGATIVE_INFINITY;
  let told: Way | null = null;

  const READERS: Record<Way, (header: Header, signal: AbortSignal) => Promise<Outcome>> = {
    spenttxouts: (header, signal) => readSpentTxOuts(client, header, signal),
    prevouts: (header, signal) => readPrevouts(client, header, signal),
    parents: (header, signal) => readParents(client, header, signal),
  };

  /** From the best way down to the first that the node has. */
  async function readBest(header: Header, signal: AbortSignal): Promise<Outcome> {
    const isProbe = performance.now() - probedAt >= PROBE_MS;
    for (let tried: Way | null = isProbe ? "spenttxouts" : way; tried !== null; tried = NEXT[tried]) {
      const outcome = await READERS[tried](header, signal);
      if (outcome === "unsupported") continue;
      // What is absent was looked for in vain, and says nothing about the way.
      if (outcome !== "absent") settle(tried, isProbe);
      return outcome;
    }
    throw new NodeStateError("noIndex", `node ${client.name} has no way to tell what block ${header.number} spends`);
  }

  function settle(found: Way, isProbe: boolean): void {
    way = found;
    if (isProbe) probedAt = performance.now();
    if (told !== found) log.info({ node: client.name, way: found, hint: HINTS[found] }, "blocks are read this way");
    told = found;
  }

  return {
    async read(header, signal) {
      try {
        const outcome = await readBest(header, signal);
        return typeof outcome === "string" ? null : outcome;
      } catch (error) {
        // Whatever it was, the node may come back as another one.
        probedAt = Number.NEGATIVE_INFINITY;
        throw error;
      }
    },
  };
}

async function readSpentTxOuts(client: NodeClient, header: Header, signal: AbortSignal): Promise<Outcome> {
  const [block, spent] = await Promise.all([
    client.rest(`block/${header.hash}.bin`, signal),
    client.rest(`spenttxouts/${header.hash}.bin`, signal),
  ]);
  // Without a word: REST is off, or older than this resource.
  if (isUnknownPath(block) || isUnknownPath(spent)) return "unsupported";
  if (!block.found) return absentOrPruned(client, header, block.why);
  if (!spent.found) return absentOrPruned(client, header, spent.why);
  const release = () => {
    block.release();
    spent.release();
  };
  return { block: block.bytes, spent: spent.bytes, spentProven: false, release };
}

const isUnknownPath = (reply: RestReply) => !reply.found && reply.why === "";

async function readPrevouts(client: NodeClient, header: Header, signal: AbortSignal): Promise<Outcome> {
  const verbose = await blockAnswer(client, { header, verbosity: 3 }, signal);
  if (verbose === null) return "absent";
  const coins = verboseCoins(verbose);
  if (typeof coins === "string") return coins;
  const block = await rawBlock(client, header, signal);
  return block === null ? "absent" : decoded(block, { coins, spentProven: false });
}

async function readParents(client: NodeClient, header: Header, signal: AbortSignal): Promise<Outcome> {
  const block = await rawBlock(client, header, signal);
  if (block === null) return "absent";
  const coins = await parentCoins(client, { number: header.number, block }, signal);
  return coins === null ? "absent" : decoded(block, { coins, spentProven: true });
}

/** Bytes that were decoded from text belong to nobody else. */
function decoded(
  block: Uint8Array,
  { coins, spentProven }: { coins: readonly (readonly Coin[])[]; spentProven: boolean },
): BlockBytes {
  return { block, spent: writeSpent(coins), spentProven, release: () => undefined };
}

async function rawBlock(client: NodeClient, header: Header, signal: AbortSignal): Promise<Uint8Array | null> {
  const answer = await blockAnswer(client, { header, verbosity: 0 }, signal);
  return answer === null ? null : bytesOf(answer);
}

async function blockAnswer(
  client: NodeClient,
  { header, verbosity }: { header: Header; verbosity: 0 | 3 },
  signal: AbortSignal,
): Promise<unknown> {
  try {
    return await client.call("getblock", [header.hash, verbosity], signal);
  } catch (error) {
    const code = error instanceof RpcError ? error.rpcCode : null;
    if (code === RPC_NOT_FOUND) return null;
    // -1 has many meanings, told apart by their words alone.
    const isKnown = code === RPC_MISC && /pruned|not fully downloaded/i.test((error as RpcError).message);
    if (!isKnown) throw error;
    absentOrPruned(client, header, (error as RpcError).message);
    return null;
  }
}

/** A block that is deleted there will not come back: somebody must know. */
function absentOrPruned(client: NodeClient, { number, hash }: Header, why: string): "absent" {
  if (!/pruned/i.test(why)) return "absent";
  throw new NodeStateError(
    "pruned",
    `node ${client.name} has deleted block ${number} (prune): use a node that keeps its blocks, or start above what it has deleted`,
    { number, hash },
  );
}
