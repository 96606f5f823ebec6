/** How bad it gets in one simulation: drawn from the seed, so that quiet histories and wild ones both occur. */
import type { Random } from "./random.ts";

export interface Weather {
  readonly daemons: number;
  readonly blocks: number;
  readonly transactionsPerBlock: number;
  readonly finalityDepth: number;
  readonly windowDepth: number;
  readonly startNumber: number;
  /** A queue with a marker that can be wiped (Redis), or one that shares the store's fate. */
  readonly hasMarker: boolean;
  readonly sinks: number;
  readonly minSeverity: "info" | "medium";

  /** All daemons get the second edition of the list after this many blocks; null: never. */
  readonly listChangesAfter: number | null;
  /** A daemon is stopped in good order and started again, per block. */
  readonly restart: number;

  /** Per block mined. */
  readonly reorgChance: number;
  readonly reorgDepthMax: number;

  /** Per call to the node. */
  readonly lagBlocksMax: number;
  readonly viewChange: number;
  readonly nodeNull: number;
  readonly nodeError: number;

  /** Per call of a daemon to anything outside of it. */
  readonly slowCall: number;
  readonly crashAtWrite: number;
  readonly crashAtRead: number;
  readonly pause: number;
  /** How far the second daemon's clock is ahead. */
  readonly clockAheadMs: number;
  readonly storeError: number;
  readonly queueError: number;

  /** Per job. */
  readonly jobLost: number;
  readonly jobDoubled: number;
  readonly jobLate: number;
  /** Per second. */
  readonly queueWiped: number;
  readonly queueRewound: number;
  readonly queueAway: number;

  /** Per message. */
  readonly sinkFails: number;
  readonly sinkHangs: number;
  readonly sinkLies: number;
  readonly sinkRejects: number;
}

export function drawWeather(random: Random): Weather {
  const forks = random.chance(0.8);
  const finalityDepth = random.int(3, 24);
  // Mostly nothing of a kind, sometimes a little, sometimes a lot: faults must also occur alone.
  const some = (little: number, lot: number): number => random.pick([0, 0, little, little, lot]);
  const daemons = random.chance(0.45) ? 2 : 1;
  const blocks = random.int(12, 36);
  return {
    daemons,
    blocks,
    listChangesAfter: random.chance(0.35) ? random.int(2, blocks - 2) : null,
    restart: random.pick([0, 0, 0.03, 0.1]),
    transactionsPerBlock: random.pick([1, 1, 2, 4]),
    finalityDepth,
    windowDepth: random.int(24, 64),
    startNumber: random.int(2, 9),
    hasMarker: random.chance(0.75),
    sinks: random.chance(0.3) ? 2 : 1,
    minSeverity: random.chance(0.85) ? "info" : "medium",
    reorgChance: forks ? random.pick([0.05, 0.15, 0.35]) : 0,
    reorgDepthMax: random.pick([1, 3, 20]),
    lagBlocksMax: random.pick([0, 1, 3, 12]),
    viewChange: some(0.05, 0.5),
    nodeNull: some(0.02, 0.2),
    nodeError: some(0.02, 0.2),
    slowCall: some(0.02, 0.2),
    crashAtWrite: some(0.01, 0.06),
    crashAtRead: some(0.0005, 0.004),
    // A second daemon is there to take over: let it.
    pause: daemons === 2 ? random.pick([0.002, 0.004, 0.01]) : some(0.001, 0.01),
    clockAheadMs: random.pick([0, 0, 700, 5_000, -5_000]),
    storeError: some(0.005, 0.05),
    queueError: some(0.02, 0.2),
    jobLost: some(0.02, 0.3),
    jobDoubled: some(0.05, 0.4),
    jobLate: some(0.05, 0.5),
    queueWiped: some(0.005, 0.03),
    queueRewound: some(0.005, 0.03),
    queueAway: some(0.01, 0.03),
    sinkFails: some(0.1, 0.6),
    sinkHangs: some(0.02, 0.2),
    sinkLies: some(0.05, 0.3),
    sinkRejects: some(0.01, 0.05),
  };
}

/** Nobody dies, nothing is lost, everything answers at once. What is not named here is drawn as ever. */
export const CALM: Partial<Weather> = {
  // A second one would, as every daemon does at its start, queue again what the first has just begun.
  daemons: 1,
  listChangesAfter: null,
  restart: 0,
  viewChange: 0,
  nodeNull: 0,
  nodeError: 0,
  slowCall: 0,
  crashAtWrite: 0,
  crashAtRead: 0,
  pause: 0,
  clockAheadMs: 0,
  storeError: 0,
  queueError: 0,
  jobLost: 0,
  jobDoubled: 0,
  jobLate: 0,
  queueWiped: 0,
  queueRewound: 0,
  queueAway: 0,
  sinkFails: 0,
  sinkHangs: 0,
  sinkLies: 0,
  sinkRejects: 0,
};
