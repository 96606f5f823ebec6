/**
 * While operators disagree: every side's blocks are read, and the hits of all of them told as disputed. The cursor
 * stands still. What this remembers is only what was read already; a restart reads it again, under the same ids.
 */
import type { Block, BlockRef, Header, OperatorView } from "../types/chain.ts";
import type { WindowBlock } from "../types/checkpoint.ts";
import { cutBack, extend, follow, type FollowState, heightToAsk } from "./follow.ts";

// Per side and turn: enough to keep up with any chain, few enough that a side which makes up blocks costs little.
const STEPS_MAX = 16;
// A side that forks on and on is followed this far above the cursor; its operator has been told about for long.
const BRANCH_MAX = 4_096;

export interface Disputes {
  /** Reads on, on every side. Never throws for one side's trouble: the others are read on. */
  read(of: DisputeScene, signal: AbortSignal): Promise<Reading>;
  /** What was read is stored: it is not read again. */
  stored(blocks: readonly BlockRef[]): void;
  /** They agree again, or the cursor moved. */
  over(): void;
}

export interface DisputeScene {
  /** The lowest block they differ about. */
  readonly height: number;
  readonly views: readonly OperatorView[];
  readonly window: readonly WindowBlock[];
  readonly finalNumber: number;
}

export interface Reading {
  /** Blocks not stored before; one on several sides comes once. */
  readonly blocks: readonly Block[];
  /** Our own blocks above this are not on some side; null: all sides stand on our tip. */
  readonly doubtedAbove: number | null;
  readonly troubles: readonly { readonly operator: string; readonly error: unknown }[];
}

interface Branch {
  state: FollowState;
  /** Named but not stored yet. */
  unread: Header[];
  /** The highest of our blocks that it stands on. */
  fork: number;
}

export function createDisputes(): Disputes {
  const branches = new Map<string, Branch>();
  const known = new Set<string>();

  async function step(view: OperatorView, branch: Branch, signal: AbortSignal): Promise<boolean> {
    const next = follow(branch.state, await view.headerAt(heightToAsk(branch.state), signal));
    branch.state = next.state;
    const { event } = next;
    if (event.kind === "block") {
      branch.state = { ...branch.state, window: extend(branch.state.window, event.header) };
      branch.unread.push(event.header);
    }
    if (event.kind === "reorg") {
      branch.state = { ...branch.state, window: cutBack(branch.state.window, event.ancestor) };
      branch.unread = branch.unread.filter(({ number }) => number <= event.ancestor.number);
      branch.fork = Math.min(branch.fork, event.ancestor.number);
    }
    return event.kind === "block" || event.kind === "reorg" || event.kind === "ask";
  }

  /** Adds to `blocks` as it goes: what was read before a side failed is told all the same. */
  async function readBranch(
    view: OperatorView,
    branch: Branch,
    of: { blocks: Block[]; signal: AbortSignal },
  ): Promise<void> {
    const { blocks, signal } = of;
    const tooLong = () => (branch.state.window.at(-1)?.number ?? 0) - branch.fork > BRANCH_MAX;
    for (let steps = 0; steps < STEPS_MAX && !tooLong() && !signal.aborted; steps += 1)
      if (!(await step(view, branch, signal))) break;
    branch.unread = branch.unread.filter(({ hash }) => !known.has(hash));
    for (const header of branch.unread.slice(0, STEPS_MAX)) {
      if (blocks.some(({ hash }) => hash === header.hash)) continue;
      const block = await view.blockOf(header, signal);
      if (block === null) return;
      blocks.push(block);
    }
  }

  return {
    async read({ height, views, window, finalNumber }, signal) {
      const tip = window.at(-1)?.number ?? -1;
      const troubles: { operator: string; error: unknown }[] = [];
      const blocks: Block[] = [];
      // Below they agree. From there each side is read by itself, also one that is shorter than what we have.
      const agreed = window.filter(({ number }) => number < height);
      for (const { hash } of window) known.add(hash);
      for (const view of views) {
        const branch = branches.get(view.operator) ?? newBranch(agreed, finalNumber);
        branches.set(view.operator, branch);
        try {
          await readBranch(view, branch, { blocks, signal });
        } catch (error) {
          if ((error as { retryable?: unknown } | null)?.retryable === undefined) throw error;
          troubles.push({ operator: view.operator, error });
          branch.state = { ...branch.state, phase: { at: "next" } };
        }
      }
      const fork = Math.min(tip, ...[...branches.values()].map((branch) => branch.fork));
      return { blocks, doubtedAbove: fork < tip ? fork : null, troubles };
    },
    stored(blocks) {
      for (const { hash } of blocks) known.add(hash);
    },
    over() {
      branches.clear();
      known.clear();
    },
  };
}

function newBranch(agreed: readonly WindowBlock[], finalNumber: number): Branch {
  return {
    state: { window: [...agreed], finalNumber, phase: { at: "next" } },
    unread: [],
    fork: agreed.at(-1)?.number ?? -1,
  };
}
