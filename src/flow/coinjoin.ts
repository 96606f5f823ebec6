/**
 * CoinJoins (CJ-1): transactions that many sign so that nobody can tell which input paid which output. Detection after
 * GraphSense (heuristics_service.py, after Schnoering and Vazirgiannis 2023) and BlockSci. It is a guess: what somebody
 * builds alone in the same shape is taken for one, and stops the trail with its candidates kept for a person.
 */
import type { UtxoOutput, UtxoTransaction } from "../types/flow-block.ts";
import type { CoinJoinType } from "../types/flow.ts";

export interface CoinJoin {
  readonly type: CoinJoinType;
  readonly denominations: readonly bigint[];
}

/** Satoshi: the pools of Whirlpool. */
const WHIRLPOOL_POOLS: ReadonlySet<bigint> = new Set([100_000n, 1_000_000n, 5_000_000n, 50_000_000n]);
/** What a new entrant brings above the pool's denomination, for fees. */
const WHIRLPOOL_FEES = { least: 100n, most: 110_000n };
/** 0.1 BTC, give or take 5 %. */
const WASABI1_DENOMINATION = { least: 9_500_000n, most: 10_500_000n };
const WASABI1_INPUTS_MIN = 10;
const WASABI2_INPUTS_MIN = 20;
const WASABI2_OUTPUT_MIN = 5_000n;
/** Dust limits: many equal outputs of them are tokens, not mixes. */
const DUST: ReadonlySet<bigint> = new Set([546n, 2_730n]);

/** Null: none that is known. Whether an exchange takes part, which rules it out, is the caller's to ask. */
export function detectCoinJoin(tx: UtxoTransaction): CoinJoin | null {
  const outputs = spendableOf(tx).map(({ output }) => output);
  return whirlpool(tx, outputs) ?? wasabi2(tx, outputs) ?? wasabi1(tx, outputs) ?? joinMarket(tx, outputs);
}

/** Outputs that can be spent, with their place. */
export function spendableOf({ outputs }: UtxoTransaction): { readonly output: UtxoOutput; readonly index: number }[] {
  return outputs
    .map((output, index) => ({ output, index }))
    .filter(({ output }) => output.unspendable !== true && output.amount > 0n);
}

function whirlpool({ inputs, outputs: all }: UtxoTransaction, outputs: readonly UtxoOutput[]): CoinJoin | null {
  const [first] = outputs;
  const fits = inputs.length >= 5 && inputs.length <= 8 && all.length === inputs.length;
  if (!fits || first === undefined || !WHIRLPOOL_POOLS.has(first.amount)) return null;
  const pool = first.amount;
  const above = inputs.map(({ amount }) => amount - pool);
  const entrants = above.filter((fee) => fee >= WHIRLPOOL_FEES.least && fee <= WHIRLPOOL_FEES.most).length;
  const remixed = above.filter((fee) => fee === 0n).length;
  const isMix = entrants >= 1 && entrants <= 4 && entrants + remixed === inputs.length;
  const isEqual = outputs.length === all.length && outputs.every(({ amount }) => amount === pool);
  return isMix && isEqual ? { type: "whirlpool", denominations: [pool] } : null;
}

function wasabi1({ inputs }: UtxoTransaction, outputs: readonly UtxoOutput[]): CoinJoin | null {
  const common = mostCommon(outputs);
  const { least, most } = WASABI1_DENOMINATION;
  if (inputs.length < WASABI1_INPUTS_MIN || common === null) return null;
  const fits = common.amount >= least && common.amount <= most && common.count >= WASABI1_INPUTS_MIN;
  return fits && common.count <= inputs.length ? { type: "wasabi1", denominations: [common.amount] } : null;
}

function wasabi2({ inputs }: UtxoTransaction, outputs: readonly UtxoOutput[]): CoinJoin | null {
  if (inputs.length < WASABI2_INPUTS_MIN || outputs.some(({ amount }) => amount < WASABI2_OUTPUT_MIN)) return null;
  const counts = countsOf(outputs.map(({ amount }) => amount));
  const repeated = [...counts].filter(([, count]) => count > 1);
  const inRepeated = repeated.reduce((sum, [, count]) => sum + count, 0);
  const mostOfOne = Math.max(...countsOf(inputs.map(({ address }) => address)).values());
  const isMix = repeated.length >= 3 && 2 * inRepeated >= outputs.length && inRepeated < outputs.length;
  if (!isMix || 10 * mostOfOne > inputs.length) return null;
  return { type: "wasabi2", denominations: repeated.map(([amount]) => amount) };
}

function joinMarket({ inputs }: UtxoTransaction, outputs: readonly UtxoOutput[]): CoinJoin | null {
  const common = mostCommon(outputs);
  if (common === null || common.count < 3 || DUST.has(common.amount)) return null;
  const scripts = new Set(inputs.map(({ address }) => address)).size;
  const fits = 2 * common.count >= outputs.length && common.count <= scripts && common.count < outputs.length;
  return fits ? { type: "joinmarket", denominations: [common.amount] } : null;
}

/** The amount that most outputs have; of several the larger one. */
function mostCommon(outputs: readonly UtxoOutput[]): { amount: bigint; count: number } | null {
  let best: { amount: bigint; count: number } | null = null;
  for (const [amount, count] of countsOf(outputs.map((output) => output.amount)))
    if (best === null || count > best.count || (count === best.count && amount > best.amount)) best = { amount, count };
  return best;
}

function countsOf<T>(items: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
