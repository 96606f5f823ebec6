/**
 * Is a receiver worth an attempt? Outcomes of attempts in, a yes or no out. In memory: what waits, waits in the store.
 *
 * States:
 * - `closed`: every delivery is attempted when it is due. Opens when `DELIVERIES_TO_OPEN` different deliveries failed
 *   with no success between: one poisoned delivery that fails again and again says nothing about the receiver.
 * - `open`: nothing is attempted until the next probe is due.
 * - `probing`: one delivery is under way. Delivered: closed. Failed: open again.
 *
 * What always holds: while a receiver is broken it costs one attempt per probe, however much waits for it; no delivery is
 * given up for it; the first success closes it.
 */
import type { Clock } from "../lib/clock.ts";
import type { SendOutcome } from "../types/sink.ts";

type State = "closed" | "open" | "probing";
type Event = "failed" | "worked" | "probeStarted" | "probeFailed";

/** Three: a burst's first failures open it within one timeout, a lone failure or two never do. */
const DELIVERIES_TO_OPEN = 3;

/** A receiver that is back has waited for half a minute at most; a dead one is asked 2,880 times a day. */
export const PROBE_EVERY_MS = 30_000;

/** `failed` is only told once enough deliveries stand behind it. */
const MOVES: Record<State, Record<Event, State>> = {
  closed: { failed: "open", worked: "closed", probeStarted: "closed", probeFailed: "closed" },
  open: { failed: "open", worked: "closed", probeStarted: "probing", probeFailed: "open" },
  probing: { failed: "probing", worked: "closed", probeStarted: "probing", probeFailed: "open" },
};

export interface Breaker {
  isClosed(): boolean;
  /** It is not closed, and the last probe was long enough ago. */
  isProbeDue(): boolean;
  startProbe(): void;
  /** What an attempt showed; the answer says whether that opened or closed it. */
  saw(of: { deliveryId: string; outcome: SendOutcome; isProbe: boolean }): "opened" | "closed" | null;
}

export function createBreaker({ clock, probeEveryMs }: { clock: Clock; probeEveryMs: number }): Breaker {
  let state: State = "closed";
  let probeAt = 0;
  const failed = new Set<string>();

  function move(event: Event): "opened" | "closed" | null {
    const wasClosed = state === "closed";
    state = MOVES[state][event];
    const isClosed = state === "closed";
    if (isClosed !== wasClosed || event === "worked") failed.clear();
    if (wasClosed === isClosed) return null;
    return isClosed ? "closed" : "opened";
  }

  return {
    isClosed: () => state === "closed",
    isProbeDue: () => state !== "closed" && clock.now() >= probeAt,
    startProbe() {
      move("probeStarted");
      // Counted from its start: a probe whose end is never told (cut short by a stop) is not the last one.
      probeAt = clock.now() + probeEveryMs;
    },
    saw({ deliveryId, outcome, isProbe }) {
      const refusesBody = isAboutTheBody(outcome);
      if (outcome.result === "delivered" || (isProbe && refusesBody)) return move("worked");
      if (refusesBody) return null;
      if (isProbe) return move("probeFailed");
      if (state !== "closed") return null;
      failed.add(deliveryId);
      if (failed.size < DELIVERIES_TO_OPEN) return null;
      probeAt = clock.now() + probeEveryMs;
      return move("failed");
    },
  };
}

// These answers refuse one body, and so come from a receiver that works.
const ABOUT_THE_BODY: ReadonlySet<number> = new Set([400, 409, 413, 415, 422]);

function isAboutTheBody({ status }: SendOutcome): boolean {
  return status !== null && ABOUT_THE_BODY.has(status);
}
