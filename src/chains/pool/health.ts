/**
 * How one node is doing: pure, told the time.
 *
 * States: `ok`; `failing` (the last answer failed, it is asked on); `down` (failing for longer than we wait: only probed);
 * `quarantined` (caught at a lie or on another chain: believed again only after a probe or by a person).
 */

export type HealthState = "ok" | "failing" | "down" | "quarantined";
/** `redeemed`: the block it lied about was told truly, or a person trusts it again. */
export type HealthEvent = "success" | "failure" | "lie" | "redeemed";

export interface Health {
  readonly state: HealthState;
  readonly since: number;
  /** Tries in vain in this state: what the back-off grows with. */
  readonly tries: number;
  /** Not asked before: a rest when failing, a back-off when down or quarantined. */
  readonly nextTryAt: number;
  /** The same while there is no other node: nothing else is watched meanwhile. */
  readonly nextTryAloneAt: number;
  /** Quarantines so far: a second one lasts longer. */
  readonly lies: number;
}

const MOVES: Record<HealthState, Record<HealthEvent, HealthState>> = {
  ok: { success: "ok", failure: "failing", lie: "quarantined", redeemed: "ok" },
  failing: { success: "ok", failure: "failing", lie: "quarantined", redeemed: "ok" },
  down: { success: "ok", failure: "down", lie: "quarantined", redeemed: "ok" },
  // An answer is not an excuse: only the truth about what it lied about is.
  quarantined: { success: "quarantined", failure: "quarantined", lie: "quarantined", redeemed: "ok" },
};

// A restart of a node takes longer, a lost packet does not: after this much an operator is missing, well before the
// 30 s within which people are told.
export const MISSING_AFTER_MS = 5_000;
const FAILING_REST_MS = 250;
const DOWN_RETRY_MIN_MS = 1_000;
const DOWN_RETRY_MAX_MS = 5_000;
const ALONE_RETRY_MS = 2_000;
// The first probe soon, for a node that was caught in the middle of an upgrade; an hour for one that lies on.
const QUARANTINE_MIN_MS = 5_000;
const QUARANTINE_MAX_MS = 3_600_000;

export function newHealth(now: number): Health {
  return { state: "ok", since: now, tries: 0, nextTryAt: now, nextTryAloneAt: now, lies: 0 };
}

export function afterEvent(health: Health, event: HealthEvent, now: number): Health {
  const lies = health.lies + (event === "lie" ? 1 : 0);
  const isPatienceOver = health.state === "failing" && event === "failure" && now - health.since >= MISSING_AFTER_MS;
  const state = isPatienceOver ? "down" : MOVES[health.state][event];
  const isSame = state === health.state;
  if (isSame && event === "success") return health;
  const tries = isSame ? health.tries + 1 : 0;
  const waitMs = waitOf(state, { lies, tries });
  const since = isSame ? health.since : now;
  return { state, since, tries, nextTryAt: now + waitMs, nextTryAloneAt: now + Math.min(waitMs, ALONE_RETRY_MS), lies };
}

function waitOf(state: HealthState, { lies, tries }: { lies: number; tries: number }): number {
  if (state === "quarantined") return quarantineMs(lies, tries);
  if (state === "down") return downMs(tries);
  // One retry at once hides a dropped connection; after that it is given time, whoever asks.
  return state === "failing" && tries > 0 ? FAILING_REST_MS : 0;
}

function downMs(tries: number): number {
  return Math.min(DOWN_RETRY_MIN_MS * 2 ** Math.min(tries, 20), DOWN_RETRY_MAX_MS);
}

function quarantineMs(lies: number, tries: number): number {
  return Math.min(QUARANTINE_MIN_MS * 2 ** Math.min(lies - 1 + tries, 20), QUARANTINE_MAX_MS);
}

/** Speed and reliability of a node, as moving averages. */
export interface Pace {
  readonly latencyMs: number;
  /** 0: none of the last requests failed; 1: all did. */
  readonly errorShare: number;
}

export const NEW_PACE: Pace = { latencyMs: 0, errorShare: 0 };
// About the last ten requests: quick enough to leave a node that turns slow, slow enough not to jump at one hiccup.
const WEIGHT = 0.2;

export function afterRequest(pace: Pace, { tookMs, failed }: { tookMs: number; failed: boolean }): Pace {
  const latencyMs = pace.latencyMs === 0 ? tookMs : pace.latencyMs + WEIGHT * (tookMs - pace.latencyMs);
  return { latencyMs, errorShare: pace.errorShare + WEIGHT * ((failed ? 1 : 0) - pace.errorShare) };
}

/** Lower is better: the expected time to a good answer. */
export function scoreOf({ latencyMs, errorShare }: Pace): number {
  return (latencyMs + 1) / Math.max(0.05, 1 - errorShare);
}
