/** How one sink is served, whichever way a delivery comes: so many at once, so many a second, not at all while broken. */
import type { Clock } from "../lib/clock.ts";
import { createRequestGate, type RequestGate } from "../lib/request-gate.ts";
import { type Breaker, createBreaker, PROBE_EVERY_MS } from "./breaker.ts";

export interface SinkLane {
  /** Entered before an attempt, so that the clock of an attempt never runs while it waits for its turn. */
  readonly gate: RequestGate;
  readonly breaker: Breaker;
}

export interface SinkLaneOptions {
  readonly concurrency: number;
  /** Null: as fast as `concurrency` allows. */
  readonly maxPerSecond: number | null;
  /** Multiplies the wait between probes; 1 in production, small in integration tests. */
  readonly scale: number;
  readonly clock: Clock;
}

export function createSinkLane({ concurrency, maxPerSecond, scale, clock }: SinkLaneOptions): SinkLane {
  return {
    gate: createRequestGate({ maxConcurrent: concurrency, maxPerSecond: maxPerSecond ?? Number.POSITIVE_INFINITY }),
    breaker: createBreaker({ clock, probeEveryMs: PROBE_EVERY_MS * scale }),
  };
}
