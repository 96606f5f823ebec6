/**
 * Adapter + checkpoint -> stored blocks, for as long as this daemon leads the chain.
 *
 * Asks at its own pace (a push feed only wakes it), decides with `follow`, stores with the lease. Whatever fails is
 * asked again on a clock: no block is ever skipped, and no answer but a full one counts as scanned.
 */
import type { Block, BlockRef, BlockWanted, Header } from "../types/chain.ts";
import type { ScannedBlock } from "../types/checkpoint.ts";
import { describeError, UnavailableError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { AHEAD_START, nextAhead } from "./ahead.ts";
import { checkMissed, openMissed } from "./check-missed.ts";
import { createDisputes } from "./disputes.ts";
import {
  cutBack,
  follow,
  type FollowEvent,
  type FollowState,
  heightToAsk,
  outworks,
  prune,
  walkBelow,
} from "./follow.ts";
import { type ChainStatus, type HeadLoopOptions, isLate, type LoopState } from "./loop-state.ts";
import { firstBlock, firstWindow } from "./start-point.ts";
import { tellDisputed } from "./tell-disputed.ts";
import { hitsOf } from "./value-block.ts";
import { createTroubleLog, disputedHeight, isWaitable, kindOf } from "./trouble.ts";

const RETRY_MS = 1_000;
const TOO_DEEP_RETRY_MS = 15_000;

/** Runs until the signal aborts; throws when the lease is lost or the list changed (the caller takes over again). */
export async function runHeadLoop(options: HeadLoopOptions, signal: AbortSignal): Promise<void> {
  const { waker } = options;
  options.adapter.onHint?.(() => waker.wake(), signal);
  const pollMs = Math.min(Math.max(options.adapter.blockTimeMs / 2, 250), 4_000);
  const trouble = createTroubleLog(options);
  let state: LoopState | null = null;
  while (!signal.aborted) {
    let waitMs = RETRY_MS;
    try {
      state ??= await openState(options, signal);
      waitMs = await advance(options, state, { pollMs, signal });
      state.turnedAt = options.clock.now();
      trouble.over();
    } catch (error) {
      if (signal.aborted) return;
      if (!isWaitable(error)) throw error;
      tell(options, state, { kind: kindOf(error), detail: redactText(describeError(error)) });
      trouble.tell(error);
      if (state !== null) state.phase = { at: "next" };
      const height = disputedHeight(error);
      if (state !== null && height !== null) await tellDisputed(options, state, { height, signal });
    }
    if (waitMs > 0) await waker.wait(waitMs, signal);
  }
}

async function openState(options: HeadLoopOptions, signal: AbortSignal): Promise<LoopState> {
  let checkpoint = await options.store.load(options.lease.chain);
  if (checkpoint === null) {
    const first = await firstBlock(options.adapter, options.start, signal);
    const window = await firstWindow(options.adapter, { first, depth: options.windowDepth }, signal);
    await options.store.begin(options.lease, window);
    options.log.info({ first }, "chain followed from here");
    checkpoint = { window, finalizedNumber: -1 };
  } else {
    options.log.info(
      { tip: checkpoint.window.at(-1)?.number, windowBlocks: checkpoint.window.length },
      "chain resumed",
    );
  }
  const state: LoopState = {
    window: [...checkpoint.window],
    finalizedNumber: checkpoint.finalizedNumber,
    headNumber: await options.adapter.headNumber(signal),
    phase: { at: "next" },
    finalityAskedAt: Number.NEGATIVE_INFINITY,
    progressAt: options.clock.now(),
    turnedAt: options.clock.now(),
    ahead: AHEAD_START,
    missed: await openMissed(options.store, options.lease.chain),
    disputes: createDisputes(),
  };
  return state;
}

/** One or more steps; returns how long to wait before the next. */
async function advance(
  options: HeadLoopOptions,
  state: LoopState,
  { pollMs, signal }: { pollMs: number; signal: AbortSignal },
): Promise<number> {
  state.headNumber = await options.adapter.headNumber(signal);
  const tip = state.window.at(-1)?.number ?? -1;
  if (state.phase.at === "next" && state.headNumber - tip > 2) {
    const stored = await catchUp(options, state, signal);
    if (stored > 0) return 0;
  }
  const step = follow(followState(state), await options.adapter.headerAt(heightToAsk(followState(state)), signal));
  state.phase = step.state.phase;
  const waitMs = await act(options, state, step.event, { pollMs, signal });
  if (step.event.kind === "ask") return waitMs;
  await settleFinality(options, state, signal);
  await checkMissed({ ...options, views: options.adapter.views?.() ?? [] }, state, signal);
  return waitMs;
}

function followState(state: LoopState): FollowState {
  return { window: state.window, finalNumber: state.finalizedNumber, phase: state.phase };
}

async function act(
  options: HeadLoopOptions,
  state: LoopState,
  event: FollowEvent,
  { pollMs, signal }: { pollMs: number; signal: AbortSignal },
): Promise<number> {
  switch (event.kind) {
    case "ask":
      return 0;
    case "block":
      return (await storeBlocks(options, state, [await fetchBlock(options, event.header, signal)], signal)) > 0
        ? 0
        : RETRY_MS;
    case "reorg":
      await storeReorg(options, state, event);
      return 0;
    case "idle":
      await rematchWindow(options, state, { upTo: Number.POSITIVE_INFINITY, signal });
      tell(options, state, stallOf(options, state));
      return pollMs;
    case "lag": {
      const forkedAt = await differsAtItsEnd(options, state, signal);
      if (forkedAt !== null) {
        const step = walkBelow(followState(state), forkedAt);
        state.phase = step.state.phase;
        return act(options, state, step.event, { pollMs, signal });
      }
      tell(options, state, {
        kind: "lag",
        detail: `the node does not have block ${event.missing}, which we have: it lags or was reset`,
      });
      return pollMs;
    }
    case "unsettled":
      return 250;
    case "tooDeep":
      tell(options, state, {
        kind: "tooDeep",
        detail: `block ${event.height} is final here, but the node has another one: nothing is followed past it. Check that the node is on the right chain; heistwatch goes on by itself once they agree again.`,
      });
      options.log.error({ height: event.height }, "chain stopped: the node contradicts a final block");
      return TOO_DEEP_RETRY_MS;
  }
}

/**
 * The node's chain is shorter than ours: what it has at its own end says whether it only lags, or is on another branch.
 * A different block at a known height is a reorg, also where the new branch has not grown as long as the old one yet;
 * where work decides, it must have done more of it.
 */
async function differsAtItsEnd(
  options: HeadLoopOptions,
  state: LoopState,
  signal: AbortSignal,
): Promise<number | null> {
  const tip = state.window.at(-1);
  const ours = state.window.find((block) => block.number === state.headNumber);
  if (tip === undefined || ours === undefined || ours.number === tip.number) return null;
  const theirs = await options.adapter.headerAt(ours.number, signal);
  return theirs === null || theirs.hash === ours.hash || !outworks(theirs, tip) ? null : ours.number;
}

/** Thirty block times, at least half a minute, at most five: what an everyday trouble of a node takes at most. */
export function patienceMs(blockTimeMs: number): number {
  return Math.min(Math.max(30 * blockTimeMs, 30_000), 300_000);
}

/**
 * What a live chain does not stand still for. Where blocks are found by chance a gap of twelve mean times comes about once
 * in 160,000 blocks: with ten minutes each, in three years.
 */
function stallLimitMs(blockTimeMs: number): number {
  return Math.max(patienceMs(blockTimeMs), 12 * blockTimeMs);
}

/** A node that answers but shows no new block is as blind as one that does not answer. */
function stallOf({ adapter, clock }: HeadLoopOptions, { progressAt }: LoopState): ChainStatus["trouble"] {
  const stillMs = clock.now() - progressAt;
  if (stillMs < stallLimitMs(adapter.blockTimeMs)) return null;
  return {
    kind: "stalled",
    detail: `the node shows no new block since ${Math.round(stillMs / 1000)} s: it may be stuck or cut off`,
  };
}

function wantedBy({ watched }: HeadLoopOptions): BlockWanted {
  return { watched, senders: "all" };
}

/** A missing or failed body is asked for again later; it is never an empty block. */
async function fetchBlock(options: HeadLoopOptions, header: Header, signal: AbortSignal): Promise<Block> {
  const block = await options.adapter.blockOf(header, signal, wantedBy(options));
  if (block === null)
    throw new UnavailableError(`the node named block ${header.number} but does not have its content`, {
      details: { number: header.number, hash: header.hash },
    });
  return block;
}

/** Several blocks side by side, stored in order as far as they link up. Zero: let the single step find out why. */
async function catchUp(options: HeadLoopOptions, state: LoopState, signal: AbortSignal): Promise<number> {
  const tip = state.window.at(-1);
  const from = (tip?.number ?? -1) + 1;
  const count = Math.min(state.ahead, state.headNumber - from + 1);
  const startedAt = performance.now();
  const answers = await Promise.allSettled(
    Array.from({ length: count }, async (_, index) => {
      const header = await options.adapter.headerAt(from + index, signal);
      return header === null ? null : options.adapter.blockOf(header, signal, wantedBy(options));
    }),
  );
  const blocks = answers.flatMap((answer) => (answer.status === "fulfilled" ? (answer.value ?? []) : []));
  state.ahead = nextAhead(state.ahead, {
    tookMs: performance.now() - startedAt,
    failed: answers.some((answer) => answer.status === "rejected"),
    blocks: blocks.length,
    transfers: blocks.reduce((sum, block) => sum + block.transfers.length, 0),
  });
  const linked: Block[] = [];
  let parent: BlockRef | undefined = tip;
  for (const answer of answers) {
    // One block that cannot be read, or is refused, does not hold up those before it.
    if (answer.status === "rejected" && linked.length === 0) throw answer.reason;
    const block = answer.status === "fulfilled" ? answer.value : null;
    if (block === null || (parent !== undefined && block.parentHash !== parent.hash)) break;
    linked.push(block);
    parent = block;
  }
  return storeBlocks(options, state, linked, signal);
}

async function storeBlocks(
  options: HeadLoopOptions,
  state: LoopState,
  blocks: readonly Block[],
  signal: AbortSignal,
): Promise<number> {
  if (blocks.length === 0) return 0;
  const scanned: ScannedBlock[] = [];
  for (const block of blocks) {
    const hits = await hitsOf(block, options, { chain: options.lease.chain, signal });
    scanned.push({ block, hits, late: isLate(options, block, options.clock.now()) });
  }
  const now = options.clock.now();
  const { lease, listVersion, windowDepth } = options;
  await options.store.commitBlocks({ lease, scanned, listVersion, headNumber: state.headNumber, windowDepth, now });
  const added = blocks.map(({ transfers: _transfers, trust: _trust, ...header }) => ({
    ...header,
    scanned: true,
    listVersion,
  }));
  state.progressAt = now;
  state.disputes.over();
  for (const block of blocks) for (const operator of block.trust.missing) state.missed.unchecked.add(operator);
  state.window = prune([...state.window, ...added], { finalNumber: state.finalizedNumber, depth: windowDepth });
  const hits = scanned.reduce((sum, one) => sum + one.hits.length, 0);
  options.log.debug({ from: blocks[0]?.number, to: blocks.at(-1)?.number, hits }, "blocks matched and stored");
  options.onCommitted({ blocks: blocks.length, hits, reorgDepth: 0 });
  tell(options, state, null);
  return blocks.length;
}

async function storeReorg(
  options: HeadLoopOptions,
  state: LoopState,
  event: { ancestor: BlockRef; depth: number },
): Promise<void> {
  const { removedHits } = await options.store.commitReorg({
    lease: options.lease,
    ancestor: event.ancestor,
    now: options.clock.now(),
  });
  state.window = cutBack(state.window, event.ancestor);
  state.disputes.over();
  options.log.info(
    { ancestor: event.ancestor.number, depth: event.depth, removedHits },
    "reorg: blocks left the chain",
  );
  options.onCommitted({ blocks: 0, hits: removedHits, reorgDepth: event.depth });
}

/** Blocks of the window that were matched with another list are matched again, once the node stands where we stand. */
async function rematchWindow(
  options: HeadLoopOptions,
  state: LoopState,
  { upTo, signal }: { upTo: number; signal: AbortSignal },
): Promise<void> {
  const { lease, listVersion } = options;
  for (const [index, known] of state.window.entries()) {
    if (!known.scanned || known.listVersion === listVersion) continue;
    if (known.number <= state.finalizedNumber || known.number > upTo) continue;
    const block = await fetchBlock(options, known, signal);
    const now = options.clock.now();
    await options.store.commitRematch({
      lease,
      scanned: [{ block, hits: await hitsOf(block, options, { chain: lease.chain, signal }), late: true }],
      listVersion,
      headNumber: state.headNumber,
      now,
    });
    state.window[index] = { ...known, listVersion };
    options.onCommitted({ blocks: 0, hits: 0, reorgDepth: 0 });
  }
}

/** At most twice a block: a tag is one more call to the node. */
async function settleFinality(options: HeadLoopOptions, state: LoopState, signal: AbortSignal): Promise<void> {
  const { lease, listVersion } = options;
  const now = options.clock.now();
  if (now - state.finalityAskedAt < Math.min(options.adapter.blockTimeMs / 2, 2_000)) return;
  state.finalityAskedAt = now;
  const tip = state.window.at(-1);
  const theirFinal = await options.adapter.finalizedNumber(signal);
  const reported = Math.min(theirFinal, tip?.number ?? -1);
  if (reported <= state.finalizedNumber) return;
  // The node's final block must be ours: otherwise a reorg is under way that the next steps will find.
  const ours = state.window.find((block) => block.number === reported);
  const theirs = await options.adapter.headerAt(reported, signal);
  if (ours === undefined || theirs === null || theirs.hash !== ours.hash) return;
  if (theirFinal > reported && !(await goesOnFrom(options, ours, signal))) return;
  // First: once final, nobody would look at them again, and what the changed list names in them would stay unseen.
  await rematchWindow(options, state, { upTo: reported, signal });
  const { finalHits } = await options.store.commitFinalized({ lease, listVersion, number: reported, now });
  state.finalizedNumber = reported;
  // A search for where the chain left ours was begun on what the node said before: it could end below what is final now.
  state.phase = { at: "next" };
  state.window = prune(state.window, { finalNumber: reported, depth: options.windowDepth });
  if (finalHits > 0) options.onCommitted({ blocks: 0, hits: finalHits, reorgDepth: 0 });
  tell(options, state, null);
}

/**
 * What is final above our tip says nothing about the tip: behind one address, one backend may tell the final number and
 * another, stuck at the end of a dead branch, our block. Only a block that builds on ours shows that the chain went on.
 */
async function goesOnFrom({ adapter }: HeadLoopOptions, tip: BlockRef, signal: AbortSignal): Promise<boolean> {
  return (await adapter.headerAt(tip.number + 1, signal))?.parentHash === tip.hash;
}

function tell({ onStatus }: HeadLoopOptions, state: LoopState | null, trouble: ChainStatus["trouble"]): void {
  const tip = state?.window.at(-1);
  onStatus({
    headNumber: state?.headNumber ?? -1,
    cursorNumber: tip?.number ?? -1,
    finalizedNumber: state?.finalizedNumber ?? -1,
    tipTimestamp: tip?.timestamp ?? 0,
    unchecked: [...(state?.missed.unchecked ?? [])],
    contradicted: [...(state?.missed.contradicted ?? [])],
    turnedAt: state?.turnedAt ?? 0,
    trouble,
  });
}
