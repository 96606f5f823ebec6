/**
 * Operational alarms: a condition that holds for its grace time is told once as `system.degraded` (or
 * `endpoint.failing`), and once as recovered when it is over. Kept in memory: a restart tells what still holds.
 */
import type { Clock } from "../lib/clock.ts";
import { hashId } from "../lib/ids.ts";
import type { Message, Severity, SystemEventType } from "../types/alert.ts";
import type { SystemBody } from "../alerts/body-schema.ts";

export interface Condition {
  /** Stable name, for example `chain:ethereum` or `sink:ops`. */
  readonly subject: string;
  readonly kind: "system" | "endpoint";
  /** Told as this instead of `system.degraded` or `endpoint.failing`. */
  readonly type?: SystemEventType;
  readonly severity: Severity;
  readonly detail: string;
  readonly graceMs: number;
}

interface Held {
  readonly condition: Condition;
  readonly since: number;
  told: boolean;
}

export interface Alarms {
  /** The condition holds now. */
  raise(condition: Condition): void;
  /** It does not hold (any more). */
  clear(subject: string): void;
  /** Messages that are due now; each is returned once. */
  due(): Message[];
  /** What holds at present, for /readyz and `status`. */
  held(): readonly { subject: string; since: number; detail: string }[];
}

export function createAlarms({ clock, random }: { clock: Clock; random: () => string }): Alarms {
  const held = new Map<string, Held>();
  const over: Held[] = [];

  function message(type: SystemEventType, { condition, since }: Held): Message {
    const now = clock.now();
    const recovered = type.endsWith("recovered");
    const body: SystemBody = {
      type,
      timestamp: new Date(now).toISOString(),
      schemaVersion: "1",
      replay: false,
      test: false,
      data: {
        subject: condition.subject,
        severity: recovered ? "info" : condition.severity,
        summary: recovered ? `Over after ${Math.round((now - since) / 1000)} s: ${condition.detail}` : condition.detail,
        since: new Date(since).toISOString(),
        detail: {},
      },
    };
    const text = JSON.stringify(body);
    return {
      webhookId: hashId("msg", [text, random()]),
      type,
      body: text,
      severity: body.data.severity,
      alertId: null,
      revision: 0,
    };
  }

  return {
    raise(condition) {
      const known = held.get(condition.subject);
      held.set(condition.subject, { condition, since: known?.since ?? clock.now(), told: known?.told ?? false });
    },
    clear(subject) {
      const known = held.get(subject);
      if (known?.told === true) over.push(known);
      held.delete(subject);
    },
    due() {
      const messages = over
        .splice(0)
        .map((one) => message(one.condition.kind === "system" ? "system.recovered" : "endpoint.recovered", one));
      for (const one of held.values()) {
        if (one.told || clock.now() - one.since < one.condition.graceMs) continue;
        one.told = true;
        messages.push(message(typeOf(one.condition), one));
      }
      return messages;
    },
    held: () =>
      [...held.values()].map(({ condition, since }) => ({
        subject: condition.subject,
        since,
        detail: condition.detail,
      })),
  };
}

function typeOf({ kind, type }: Condition): SystemEventType {
  return type ?? (kind === "system" ? "system.degraded" : "endpoint.failing");
}
