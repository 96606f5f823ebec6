/** Which states of chains and sinks are alarms, after how long; and how alarms become messages. */
import type { Logger } from "pino";
import { type ChainStatus, stallLimitMs } from "../ingest/head-loop.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { AlertStore } from "../store/alert-store.ts";
import type { ChainConfig } from "../types/config.ts";
import type { Alarms } from "./alarms.ts";

// A stall has waited its time already; a contradicted final block and a lying node do not get better by waiting.
const TOLD_AT_ONCE: ReadonlySet<string> = new Set(["tooDeep", "stalled", "mismatch"]);

export function watchChain(alarms: Alarms, chain: ChainConfig, { trouble }: ChainStatus): void {
  const subject = `chain:${chain.name}`;
  if (trouble === null) return alarms.clear(subject);
  alarms.raise({
    subject,
    kind: "system",
    severity: "critical",
    graceMs: TOLD_AT_ONCE.has(trouble.kind) ? 0 : stallLimitMs(chain.blockTimeMs),
    detail: `${chain.name} is not being watched: ${trouble.detail}`,
  });
}

/** The fourth failure of a delivery in a row says that the receiver, not the moment, is the trouble. */
const FAILURES_TOLD = 4;

export function watchSink(
  alarms: Alarms,
  {
    sink,
    delivered,
    gone = false,
    failures,
    error,
  }: { sink: string; delivered: boolean; gone?: boolean; failures: number; error: string },
): void {
  const subject = `sink:${sink}`;
  if (delivered) return alarms.clear(subject);
  // A 410 is not tried again: there is no fourth failure to wait for.
  if (!gone && failures < FAILURES_TOLD) return;
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
    log,
  }: { alarms: Alarms; alerts: AlertStore; operationSinks: readonly string[]; log: Logger },
  signal: AbortSignal,
): Promise<void> {
  let untold: ReturnType<Alarms["due"]> = [];
  while (!signal.aborted) {
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
