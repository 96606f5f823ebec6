/**
 * A node as daemons meet them: behind a load balancer, so that two calls may be answered by two nodes on two branches;
 * behind the chain, missing blocks it named, failing. It never contradicts a block that is final.
 */
import { UnavailableError } from "../../src/lib/errors.ts";
import type { Block, ChainAdapter, Header, Transfer } from "../../src/types/chain.ts";
import { ASSETS, CHAIN } from "./people.ts";
import type { Random } from "./random.ts";
import type { Weather } from "./weather.ts";
import { ancestorAt, type SimBlock, type World } from "./world.ts";

export const BLOCK_TIME_MS = 2_000;

export interface NodeOptions {
  readonly world: World;
  readonly random: Random;
  readonly weather: Weather;
  readonly isQuiet: () => boolean;
}

export function createNode({ world, random, weather, isQuiet }: NodeOptions): ChainAdapter {
  let seen: { tip: SimBlock; lag: number } | null = null;

  /** The branch this call is answered from. */
  function view(): SimBlock {
    if (isQuiet()) return world.tip();
    if (random.chance(weather.nodeError)) throw new UnavailableError("the node does not answer");
    if (seen === null || random.chance(weather.viewChange) || contradictsFinal(world, seen.tip)) {
      const branch = random.chance(0.25) ? branchOf(world, random) : world.tip();
      seen = { tip: branch, lag: random.int(0, weather.lagBlocksMax) };
    } else if (random.chance(0.5)) {
      // The node catches up with its own branch.
      if (ancestorAt(world.tip(), seen.tip.number) === seen.tip) seen = { ...seen, tip: world.tip() };
    }
    return ancestorAt(seen.tip, Math.max(0, seen.tip.number - seen.lag)) ?? seen.tip;
  }

  const misses = () => !isQuiet() && random.chance(weather.nodeNull);

  return {
    family: "simulated",
    chainId: CHAIN,
    blockTimeMs: BLOCK_TIME_MS,
    normalizeAddress: (text) => text,
    headNumber: async () => view().number,
    async headerAt(number) {
      const block = ancestorAt(view(), number);
      return block === null || misses() ? null : headerOf(block);
    },
    async blockOf({ hash }) {
      view();
      const block = world.blockOf(hash);
      return block === undefined || misses() ? null : toBlock(block);
    },
    async finalizedNumber() {
      const known = view().number - weather.finalityDepth;
      return Math.max(-1, Math.min(known, world.finalizedNumber()));
    },
    close: () => Promise.resolve(),
  };
}

function branchOf(world: World, random: Random): SimBlock {
  const alive = world.abandoned().slice(-4);
  const branches = alive.filter((tip) => !contradictsFinal(world, tip));
  return branches.length === 0 ? world.tip() : random.pick(branches);
}

function contradictsFinal(world: World, tip: SimBlock): boolean {
  const height = Math.min(tip.number, Math.max(0, world.finalizedNumber()));
  return ancestorAt(tip, height) !== world.canonicalAt(height);
}

function headerOf({ number, hash, parent, timestamp }: SimBlock): Header {
  return { number, hash, parentHash: parent?.hash ?? "0x0", timestamp };
}

function toBlock(block: SimBlock): Block {
  return {
    ...headerOf(block),
    transfers: block.inclusions.flatMap(({ txHash, failed, transfers }, txIndex): Transfer[] =>
      failed
        ? []
        : transfers.map(({ key, from, to, asset, amount }) => ({
            key,
            category: key === "native" ? "native" : "erc20",
            txHash,
            txIndex,
            from: from.address,
            to: to.address,
            assetId: ASSETS[asset].id,
            amount,
          })),
    ),
    trust: { proven: true, operators: ["simulated"], missing: [], traced: false },
  };
}
