/**
 * One step from a window of known blocks to the next event: pure, no clock, no network.
 *
 * In: the window (ascending, contiguous, last is the tip), and one header answer at a time.
 * Out: which height to ask for next, or what the answers mean.
 * Always holds: a missing block is lag; only a different block at a known height is a reorg, and where proof of work
 * decides only one with more work than the tip: less is a node that lost its last blocks or was told to forget them.
 *
 * Phases:
 * - `next`: asking for the block above the tip.
 * - `tip`: nothing above the tip; asking whether the tip still stands.
 * - `walk`: the chain changed; asking downwards for the highest block both sides share.
 */
import type { BlockRef, Header } from "../types/chain.ts";

export type FollowPhase =
  | { readonly at: "next" }
  | { readonly at: "tip" }
  | { readonly at: "walk"; readonly height: number };

/** A block of the window, with its work where the chain has it. */
export type KnownBlock = BlockRef & Pick<Header, "work">;

export interface FollowState {
  readonly window: readonly KnownBlock[];
  /** Blocks up to here are final: a different block at or below it is never followed. */
  readonly finalNumber: number;
  readonly phase: FollowPhase;
}

export type FollowEvent =
  | { readonly kind: "ask" }
  /** `header` extends the tip. */
  | { readonly kind: "block"; readonly header: Header }
  /** Everything above `ancestor` left the chain. */
  | { readonly kind: "reorg"; readonly ancestor: BlockRef; readonly depth: number }
  /** The node stands where we stand. */
  | { readonly kind: "idle" }
  /** The node does not have a block we have: it lags. Never a reorg. */
  | { readonly kind: "lag"; readonly missing: number }
  /** The node changed its mind between two answers: ask again. */
  | { readonly kind: "unsettled" }
  /** The chain differs at or below the last final block of the window. */
  | { readonly kind: "tooDeep"; readonly height: number };

export interface FollowStep {
  readonly state: FollowState;
  readonly event: FollowEvent;
}

const NEXT: FollowPhase = { at: "next" };

/** The height whose header decides the next step. */
export function heightToAsk(state: FollowState): number {
  const tip = state.window.at(-1);
  if (tip === undefined) return 0;
  if (state.phase.at === "next") return tip.number + 1;
  return state.phase.at === "tip" ? tip.number : state.phase.height;
}

/** Applies the answer for `heightToAsk(state)`; `null` means the node does not have that block (yet). */
export function follow(state: FollowState, answer: Header | null): FollowStep {
  const tip = state.window.at(-1);
  if (tip === undefined)
    return answer === null ? rest(state, { kind: "idle" }) : rest(state, { kind: "block", header: answer });
  if (state.phase.at === "next") return afterNext(state, tip, answer);
  if (state.phase.at === "tip") return afterTip(state, tip, answer);
  return afterWalk(state, tip, state.phase.height, answer);
}

function afterNext(state: FollowState, tip: BlockRef, answer: Header | null): FollowStep {
  if (answer === null) return ask(state, { at: "tip" });
  if (answer.parentHash === tip.hash) return rest(state, { kind: "block", header: answer });
  if (!outworks(answer, tip)) return rest(state, { kind: "lag", missing: tip.number });
  return ask(state, { at: "walk", height: tip.number });
}

function afterTip(state: FollowState, tip: BlockRef, answer: Header | null): FollowStep {
  if (answer === null) return rest(state, { kind: "lag", missing: tip.number });
  if (answer.hash === tip.hash) return rest(state, { kind: "idle" });
  if (!outworks(answer, tip)) return rest(state, { kind: "lag", missing: tip.number });
  return walkBelow(state, tip.number);
}

/** True where work does not decide. */
export function outworks(answer: Header, tip: KnownBlock): boolean {
  return answer.work === undefined || tip.work === undefined || answer.work > tip.work;
}

function afterWalk(state: FollowState, tip: BlockRef, height: number, answer: Header | null): FollowStep {
  if (answer === null) return rest(state, { kind: "lag", missing: height });
  const known = blockAt(state.window, height);
  if (known !== undefined && known.hash === answer.hash) {
    if (height === tip.number) return rest(state, { kind: "unsettled" });
    return rest(state, { kind: "reorg", ancestor: known, depth: tip.number - height });
  }
  return walkBelow(state, height);
}

/** The block at a known height was seen to differ: the next step down. */
export function walkBelow(state: FollowState, height: number): FollowStep {
  const lowest = Math.max(state.window[0]?.number ?? 0, state.finalNumber);
  if (height <= lowest) return rest(state, { kind: "tooDeep", height });
  return ask(state, { at: "walk", height: height - 1 });
}

function blockAt(window: readonly KnownBlock[], height: number): KnownBlock | undefined {
  const first = window[0];
  return first === undefined ? undefined : window[height - first.number];
}

function ask(state: FollowState, phase: FollowPhase): FollowStep {
  return { state: { ...state, phase }, event: { kind: "ask" } };
}

function rest(state: FollowState, event: FollowEvent): FollowStep {
  return { state: { ...state, phase: NEXT }, event };
}

/** The window after `header` became its tip. */
export function extend<T extends BlockRef>(window: readonly T[], header: T): T[] {
  return [...window, header];
}

/** The window after a reorg down to `ancestor`. */
export function cutBack<T extends BlockRef>(window: readonly T[], ancestor: BlockRef): T[] {
  return window.filter((block) => block.number <= ancestor.number);
}

// A chain that never reports finality must not grow its window for ever: 50,000 refs are about 10 MB.
const WINDOW_MAX = 50_000;

/**
 * Which blocks a window must keep: everything not final, and at least `depth` blocks, so that a reorg is also seen
 * after downtime. The first block kept is the deepest a reorg can be followed to.
 */
export function prune<T extends BlockRef>(window: readonly T[], keep: { finalNumber: number; depth: number }): T[] {
  const tip = window.at(-1);
  if (tip === undefined) return [];
  const lowest = Math.max(
    Math.min(Math.max(keep.finalNumber, 0), tip.number - keep.depth),
    tip.number - Math.max(keep.depth, WINDOW_MAX),
  );
  return window.filter((block) => block.number >= lowest);
}
