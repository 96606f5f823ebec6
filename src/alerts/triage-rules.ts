/**
 * Which act may follow which state of a case. Pure.
 *
 * `open`: nobody looked yet. `investigating`, `awaiting_info` (a customer or partner must answer), `escalated` (a second
 * look), `pending_sar` (a report is being written): somebody works on it. `reported`, `closed_true`, `closed_false`,
 * `suppressed`: done, with a reason and a note; from there the only way back is to reopen.
 *
 * Always holds: a report comes out of `escalated` or `pending_sar`, and a case that waits for its report is not closed
 * without one: whoever decides against it takes it back first, which the trail keeps.
 */
import {
  type CasePatch,
  DONE_REASONS,
  type DoneState,
  isDone,
  type TriageCase,
  type TriageState,
} from "../types/triage.ts";

type Act = "move" | "close" | "reopen";

/** By which act one state follows the other; null: it does not. */
export const MOVES: Readonly<Record<TriageState, Readonly<Record<TriageState, Act | null>>>> = {
  open: {
    open: null,
    investigating: "move",
    awaiting_info: null,
    escalated: "move",
    pending_sar: null,
    reported: null,
    closed_true: "close",
    closed_false: "close",
    suppressed: "close",
  },
  investigating: {
    open: "move",
    investigating: null,
    awaiting_info: "move",
    escalated: "move",
    pending_sar: "move",
    reported: null,
    closed_true: "close",
    closed_false: "close",
    suppressed: "close",
  },
  awaiting_info: {
    open: null,
    investigating: "move",
    awaiting_info: null,
    escalated: "move",
    pending_sar: "move",
    reported: null,
    closed_true: "close",
    closed_false: "close",
    suppressed: "close",
  },
  // Somebody asked for a second look: it ends in a verdict.
  escalated: {
    open: null,
    investigating: "move",
    awaiting_info: "move",
    escalated: null,
    pending_sar: "move",
    reported: "close",
    closed_true: "close",
    closed_false: "close",
    suppressed: null,
  },
  pending_sar: {
    open: null,
    investigating: "move",
    awaiting_info: "move",
    escalated: "move",
    pending_sar: null,
    reported: "close",
    closed_true: null,
    closed_false: null,
    suppressed: null,
  },
  // What was told to an authority is not called false in silence: it is reopened first.
  reported: {
    open: "reopen",
    investigating: null,
    awaiting_info: null,
    escalated: null,
    pending_sar: null,
    reported: null,
    closed_true: "close",
    closed_false: null,
    suppressed: null,
  },
  closed_true: reopenOnly(),
  closed_false: reopenOnly(),
  suppressed: reopenOnly(),
};

function reopenOnly(): Record<TriageState, Act | null> {
  return {
    open: "reopen",
    investigating: null,
    awaiting_info: null,
    escalated: null,
    pending_sar: null,
    reported: null,
    closed_true: null,
    closed_false: null,
    suppressed: null,
  };
}

export type TriageDecision =
  | { readonly do: "change"; readonly patch: CasePatch }
  | { readonly do: "refuse"; readonly because: string };

const change = (patch: CasePatch): TriageDecision => ({ do: "change", patch });
const refuse = (because: string): TriageDecision => ({ do: "refuse", because });

/** An open case is being looked at from then on; one that is worked on keeps its state. */
export function decideTake(of: TriageCase, actor: string): TriageDecision {
  if (isDone(of.state)) return refuse(isDoneAlready(of.state));
  if (of.assignee === actor) return refuse(`it is ${actor}'s already`);
  if (of.assignee !== null) return refuse(`it is ${of.assignee}'s: assign it`);
  return change({ assignee: actor, ...(of.state === "open" ? { state: "investigating" } : {}) });
}

/** `to` null: nobody's. */
export function decideAssign(of: TriageCase, to: string | null): TriageDecision {
  if (isDone(of.state)) return refuse(isDoneAlready(of.state));
  if (of.assignee === to) return refuse(to === null ? "it is nobody's already" : `it is ${to}'s already`);
  return change({ assignee: to });
}

export function decideMove(of: TriageCase, to: TriageState): TriageDecision {
  return refuseMove(of.state, to, "move") ?? change({ state: to });
}

export function decideClose(of: TriageCase, { to, reason }: { to: DoneState; reason: string }): TriageDecision {
  if (!DONE_REASONS[to].includes(reason))
    return refuse(`${JSON.stringify(reason)} is no reason for ${to}; there are: ${DONE_REASONS[to].join(", ")}`);
  return refuseMove(of.state, to, "close") ?? change({ state: to, reason });
}

/** `dueAt`: of the clock that starts again. Whoever had it has it again. */
export function decideReopen(of: TriageCase, dueAt: number | null): TriageDecision {
  return refuseMove(of.state, "open", "reopen") ?? change({ state: "open", reason: null, dueAt });
}

/** `dueAt` null: no clock runs. */
export function decideDue(of: TriageCase, dueAt: number | null): TriageDecision {
  return isDone(of.state) ? refuse(isDoneAlready(of.state)) : change({ dueAt });
}

function isDoneAlready(state: TriageState): string {
  return `it is ${state}: reopen it first`;
}

/** Null: may. */
function refuseMove(from: TriageState, to: TriageState, act: Act): TriageDecision | null {
  const needed = MOVES[from][to];
  if (needed === act) return null;
  if (from === to) return refuse(`it is ${to} already`);
  if (needed !== null) return refuse(`from ${from} to ${to}: ${needed} it`);
  const next = Object.entries(MOVES[from]).flatMap(([state, by]) => (by === null ? [] : [state]));
  return refuse(`${to} does not follow ${from}; there may follow: ${next.join(", ")}`);
}
