/** Which states of chains and sinks are alarms, after how long; and how alarms become messages. */
import type { Logger } from "pino";
import { patienceMs } from "../ingest/head-loop.ts";
import type { ChainStatus } from "../ingest/loop-state.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { AlertStore } from "../store/alert-store.ts";
import type { ChainConfig } from "../types/config.ts";
import type { PoolStatus } from "../types/nodes.ts";
import type { Alarms, Condition } from "./alarms.ts";

// A stall has waited its time already; a contradicted final block and a lying node do not get better by waiting.
const TOLD_AT_ONCE: ReadonlySet<string> = new Set(["tooDeep", "stalled", "mismatch"]);

export function watchChain(alarms: Alarms, chain: ChainConfig, { trouble }: ChainStatus): void {
  const subject = `chain:${chain.name}`;
  // Operators that disagree are an alarm of their own: both sides are watched.
  if (trouble === null || trouble.kind === "dispute") return alarms.clear(subject);
  alarms.raise({
    subject,
    kind: "system",
    severity: "critical",
    graceMs: TOLD_AT_ONCE.has(trouble.kind) ? 0 : patienceMs(chain.blockTimeMs),
    detail: `${chain.name} is not being watched: ${trouble.detail}`,
  });
}

// With the five seconds and two slow requests until an operator counts as missing: told within 30 s.
const MISSING_GRACE_MS = 8_000;

/** Who is missing, who disagrees, who was caught; `status` is null before the chain is followed. */
export function watchPool(alarms: Alarms, chain: string, of: { pool: PoolStatus; status: ChainStatus | null }): void {
  const { pool, status } = of;
  for (const operator of pool.operators) watchOperator(alarms, chain, { operator, pool, status });
  hold(alarms, `chain:${chain}:dispute`, pool.dispute, ({ height, sides }) => ({
    type: "provider.dispute",
    severity: "critical",
    detail: `The nodes of ${chain} disagree about block ${height}: ${sides.map((side) => `${side.operators.join(" and ")} say ${side.hash}`).join(", ")}. The transfers of all sides are told as disputed; nothing is settled until they agree or you drain one (heistwatch node drain NAME).`,
  }));
  for (const node of pool.nodes) {
    hold(alarms, `node:${node.name}`, node.state === "quarantined" ? node : null, ({ name, detail }) => ({
      kind: "endpoint",
      severity: "high",
      detail: `Node ${name} of ${chain} is in quarantine: ${detail}. What was asked and answered is kept (heistwatch node list).`,
    }));
  }
}

function watchOperator(
  alarms: Alarms,
  chain: string,
  { operator, pool, status }: { operator: string; pool: PoolStatus; status: ChainStatus | null },
): void {
  const missing = pool.missing.find((one) => one.operator === operator) ?? null;
  const isBehind = status?.unchecked.includes(operator) === true;
  const others = pool.operators.length - 1;
  // The only operator: then the chain itself does not move, which is told as that.
  hold(alarms, `chain:${chain}:operator:${operator}`, others > 0 && (missing !== null || isBehind), () => ({
    severity: "high",
    graceMs: MISSING_GRACE_MS,
    detail:
      missing === null
        ? `${operator} answers again for ${chain}; the blocks scanned without it are being compared with what it names.`
        : `${chain} goes on without ${operator} (${missing.why}). Alerts say so, nothing becomes final without the quorum of ${pool.quorum}, and all of it is compared once ${operator} is back.`,
  }));
  hold(alarms, `chain:${chain}:contradicted:${operator}`, status?.contradicted.includes(operator) === true, () => ({
    type: "provider.dispute",
    severity: "critical",
    detail: `${operator} was missing and names other blocks of ${chain} in place of final ones. Alerts from those blocks say so. Find out who is right before you trust either.`,
  }));
}

/** Raised while there is something to tell, cleared when there is not. */
function hold<T>(
  alarms: Alarms,
  subject: string,
  what: T | null | false,
  tell: (what: T) => Pick<Condition, "severity" | "detail"> & Partial<Condition>,
): void {
  if (what === null || what === false) alarms.clear(subject);
  else alarms.raise({ subject, kind: "system", graceMs: 0, ...tell(what) });
}

/** Blocks below the cursor that nobody scanned: of these there must be none. */
export function watchCoverage(alarms: Alarms, chain: string, holes: number): void {
  hold(alarms, `chain:${chain}:coverage`, holes > 0, () => ({
    type: "coverage.gap",
    severity: "critical",
    detail: `${holes} blocks of ${chain} below the last one were not scanned.`,
  }));
}

/**
 * The fourth failure of a delivery in a row says that the receiver, not the moment, is the trouble; so do several
 * deliveries that fail together (`broken`).
 */
const FAILURES_TOLD = 4;

export function watchSink(
  alarms: Alarms,
  {
    sink,
    delivered,
    gone = false,
    broken = false,
    failures,
    error,
  }: { sink: string; delivered: boolean; gone?: boolean; broken?: boolean; failures: number; error: string },
): void {
  const subject = `sink:${sink}`;
  if (delivered) return alarms.clear(subject);
  // A 410 is not tried again: there is no fourth failure to wait for.
  if (!gone && !broken && failures < FAILURES_TOLD) return;
  alarms.raise({
    subject,
    kind: "endpoint",
    severity: "high",
    graceMs: 0,
    detail: gone
      ? `Deliveries to ${sink} are refused for good: ${error}. They are kept as dead letters; \`heistwatch deliveries retry --dead --sink ${sink}\` starts them again.`
      : `Deliveries to ${sink} fail: ${error}. They are kept and tried again.`,
  });
}

export async function tellAlarms(
  {
    alarms,
    alerts,
    operationSinks,
    look,
    log,
  }: {
    alarms: Alarms;
    alerts: AlertStore;
    operationSinks: readonly string[];
    /** Looks at what does not tell by itself. */
    look: () => void;
    log: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  let untold: ReturnType<Alarms["due"]> = [];
  while (!signal.aborted) {
    look();
    untold = [...untold, ...alarms.due()];
    try {
      for (let message = untold[0]; message !== undefined; message = untold[0]) {
        log[message.type.endsWith("recovered") ? "info" : "error"](
          { type: message.type, body: message.body },
          "operational alarm",
        );
        await alerts.addMessage(message, operationSinks, Date.now());
        untold = untold.slice(1);
      }
    } catch (error) {
      log.error({ error: redactText(describeError(error)) }, "alarm not stored, trying again");
    }
    await sleep(1_000, signal);
  }
}
