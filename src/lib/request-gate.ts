/**
 * The request cap of one node or one receiver: at most so many under way, at most so many a second. A node serves the
 * exchange's own traffic first.
 *
 * Two lanes: live requests go before those of backfill (`lib/lane.ts`), which take at most half of the places and half of
 * the rate, so that a scan of the past never makes a new block wait for more than the requests already under way.
 */
import { isBackfill } from "./lane.ts";
import { sleep } from "./sleep.ts";

export interface RequestGate {
  /** Waits for a place; the returned function gives it back. Throws the signal's reason when aborted. */
  enter(signal: AbortSignal): Promise<() => void>;
}

export interface RequestGateOptions {
  readonly maxConcurrent: number;
  /** Infinity: no limit. */
  readonly maxPerSecond: number;
}

/** What backfill may take of a node's cap; a node of one place gives it that one while nobody else wants it. */
const BACKFILL_SHARE = 0.5;

interface Lane {
  readonly places: number;
  readonly spacingMs: number;
  running: number;
  nextStart: number;
  readonly waiting: Set<() => void>;
}

function createLane(places: number, perSecond: number): Lane {
  return { places, spacingMs: 1000 / perSecond, running: 0, nextStart: 0, waiting: new Set() };
}

export function createRequestGate({ maxConcurrent, maxPerSecond }: RequestGateOptions): RequestGate {
  const live = createLane(maxConcurrent, maxPerSecond);
  const backfill = createLane(Math.max(1, Math.floor(maxConcurrent * BACKFILL_SHARE)), maxPerSecond * BACKFILL_SHARE);
  const isFree = (lane: Lane) => live.running + backfill.running < maxConcurrent && lane.running < lane.places;

  /** False: aborted while waiting, and no place was taken. */
  function takePlace(lane: Lane, signal: AbortSignal): Promise<boolean> {
    if (isFree(lane)) {
      lane.running += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const enter = () => {
        signal.removeEventListener("abort", leave);
        resolve(true);
      };
      const leave = () => {
        lane.waiting.delete(enter);
        resolve(false);
      };
      lane.waiting.add(enter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  /** The place goes straight to whoever waited longest: a wake-up that nobody uses would leave the others waiting for ever. */
  function givePlace(from: Lane): void {
    from.running -= 1;
    for (const lane of [live, backfill]) {
      const [next] = lane.waiting;
      if (next === undefined || !isFree(lane)) continue;
      lane.waiting.delete(next);
      lane.running += 1;
      return next();
    }
  }

  /** Starts are spaced evenly: a burst would hit the node exactly when it is busiest. */
  async function pace(lane: Lane, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    lane.nextStart = Math.max(lane.nextStart + lane.spacingMs, now);
    if (lane.nextStart - now > 1) await sleep(lane.nextStart - now, signal);
  }

  return {
    async enter(signal) {
      signal.throwIfAborted();
      const lane = isBackfill() ? backfill : live;
      if (!(await takePlace(lane, signal))) signal.throwIfAborted();
      // Only once its own turn has come does backfill take a start of the node's: it never books those of live requests.
      if (lane === backfill) await pace(backfill, signal);
      await pace(live, signal);
      if (signal.aborted) {
        givePlace(lane);
        signal.throwIfAborted();
      }
      let given = false;
      return () => {
        if (!given) givePlace(lane);
        given = true;
      };
    },
  };
}
