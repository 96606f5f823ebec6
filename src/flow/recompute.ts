/**
 * What was learnt late (RET): an origin or a label that is added, corrected or removed. A shadow ledger is folded from all
 * blocks as if it had been known from the start, put in place of the old one, and the difference is told.
 */
import type { FlowBlock } from "../types/flow-block.ts";
import type { FlowHit, FlowIncident } from "../types/flow.ts";
import { isSameRow } from "./codec.ts";
import { createEngine, type FlowEngine } from "./engine.ts";
import type { Ledger } from "./ledger.ts";

/** `blocks`: in any order; fastest in the order of time. */
export function recompute(incident: FlowIncident, blocks: Iterable<FlowBlock>): FlowEngine {
  const shadow = createEngine(incident);
  for (const block of blocks) shadow.apply(block);
  return shadow;
}

export interface HitDifferences {
  /** Known only now. */
  readonly retroactive: readonly FlowHit[];
  readonly changed: readonly FlowHit[];
  /** As they were told. */
  readonly retracted: readonly FlowHit[];
}

export function differencesOf(before: Ledger, after: Ledger): HitDifferences {
  const now = [...after.rows.hits.entries()];
  const was = (key: string) => before.rows.hits.get(key);
  return {
    retroactive: now.flatMap(([key, hit]) => (was(key) === undefined ? [hit] : [])),
    changed: now.flatMap(([key, hit]) => (was(key) !== undefined && !isSameRow(was(key), hit) ? [hit] : [])),
    retracted: [...before.rows.hits.entries()].flatMap(([key, hit]) =>
      after.rows.hits.get(key) === undefined ? [hit] : [],
    ),
  };
}

/**
 * STATE: blocks of all chains in the order of time, each chain by height. A block's time may lie before its parent's: it
 * counts as its parent's then.
 */
export function inOrderOfTime(blocks: Iterable<FlowBlock>): FlowBlock[] {
  const latest = new Map<string, number>();
  const timed = [...blocks]
    .toSorted((a, b) => a.number - b.number)
    .map((block) => {
      const time = Math.max(latest.get(block.chain) ?? 0, block.timestamp);
      latest.set(block.chain, time);
      return { block, time };
    });
  timed.sort((a, b) => a.time - b.time || (a.block.chain < b.block.chain ? -1 : Number(a.block.chain > b.block.chain)));
  return timed.map(({ block }) => block);
}
