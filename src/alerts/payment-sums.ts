/**
 * Payments of one customer and incident within 24 hours that are more together than any of them alone: told once, by the
 * severity of their sum. Pure, and the same for the same payments, in whatever order they became known.
 *
 * Any 24 hours count, not a calendar day: those that end with a payment of the day in question. So each day tells at most
 * what its own payments brought about, and there is no hour at which a payment begins anew.
 */
import { hashId } from "../lib/ids.ts";
import { type Message, type Payment, SEVERITIES, type Severity, type SeverityLadder } from "../types/alert.ts";
import type { PaymentDay } from "../types/payment.ts";
import type { PaymentsBody } from "./body-schema.ts";
import { type Routing, sinksFor } from "./route.ts";
import { formatUsd } from "./text.ts";

const WINDOW_MS = 24 * 60 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
const PARTS_MAX = 20;

export interface Sum {
  /** In the order of time. */
  readonly payments: readonly Payment[];
  readonly usdCents: bigint;
  readonly severity: Severity;
  /** The highest of one of them. */
  readonly alone: Severity;
}

/** The most severe sum of 24 hours, then the largest; null: none is more than one of its payments. */
export function largestSum({ payments, day }: Pick<PaymentDay, "payments" | "day">, aboveUsd: number): Sum | null {
  const ordered = payments.toSorted((a, b) => a.at - b.at || (a.alertId < b.alertId ? -1 : 1));
  const window = createWindow();
  let best: (Found & { readonly first: number; readonly last: number }) | null = null;
  for (const [last, payment] of ordered.entries()) {
    window.add(payment);
    while ((ordered[window.first] as Payment).at <= payment.at - WINDOW_MS)
      window.drop(ordered[window.first] as Payment);
    // One moment is one window: not one for each of its payments.
    if (Math.floor(payment.at / DAY_MS) !== day || ordered[last + 1]?.at === payment.at) continue;
    const found = window.found();
    if (found.usdCents <= BigInt(aboveUsd) * 100n || rank(found.severity) <= rank(found.alone)) continue;
    if (best !== null && !outranks(found, best)) continue;
    best = { ...found, first: window.first, last };
  }
  if (best === null) return null;
  const { usdCents, severity, alone } = best;
  return { payments: ordered.slice(best.first, best.last + 1), usdCents, severity, alone };
}

interface Found {
  readonly usdCents: bigint;
  readonly severity: Severity;
  readonly alone: Severity;
}

/** Payments come and go at the two ends: counted, not looked through again. */
function createWindow() {
  const ladders = new Map<string, { ladder: SeverityLadder; count: number }>();
  const severities = new Map<Severity, number>();
  let usdCents = 0n;
  let first = 0;
  function count({ ladder, severity, usdCents: cents }: Payment, by: 1 | -1): void {
    const key = JSON.stringify(ladder);
    const known = ladders.get(key)?.count ?? 0;
    ladders.set(key, { ladder, count: known + by });
    severities.set(severity, (severities.get(severity) ?? 0) + by);
    usdCents += BigInt(by) * cents;
  }
  return {
    get first() {
      return first;
    },
    add: (payment: Payment) => count(payment, 1),
    drop(payment: Payment): void {
      count(payment, -1);
      first += 1;
    },
    found(): Found {
      const standing = [...ladders.values()].filter((one) => one.count > 0);
      return {
        usdCents,
        severity: highest(standing.map(({ ladder }) => severityAt(ladder, usdCents))),
        alone: highest(SEVERITIES.filter((severity) => (severities.get(severity) ?? 0) > 0)),
      };
    },
  };
}

function severityAt(ladder: SeverityLadder, usdCents: bigint): Severity {
  return ladder.findLast(({ fromCents }) => usdCents >= BigInt(fromCents))?.severity ?? "info";
}

function highest(severities: readonly Severity[]): Severity {
  return SEVERITIES.findLast((severity) => severities.includes(severity)) ?? "info";
}

function outranks(a: Found, b: Found): boolean {
  return rank(a.severity) === rank(b.severity) ? a.usdCents > b.usdCents : rank(a.severity) > rank(b.severity);
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

export interface SumRouting extends Routing {
  /** Sums below this are not told. */
  readonly minSeverity: Severity;
  /** Nor are sums of no more than this: who wants to flood us with them pays as much for each customer. */
  readonly aboveUsd: number;
}

export interface Told {
  readonly message: Message;
  readonly sinks: readonly string[];
  /** Null: withdrawn. */
  readonly severity: Severity | null;
}

/** What is to be told of the day now; null: nothing that was not told. */
export function tellSum(of: PaymentDay, routing: SumRouting, now: number): Told | null {
  const found = largestSum(of, routing.aboveUsd);
  const sum = found !== null && rank(found.severity) >= rank(routing.minSeverity) ? found : null;
  if ((sum?.severity ?? null) === of.toldSeverity) return null;
  if (sum === null) return { message: messageOf(of, withdrawn(of), now), sinks: of.toldSinks, severity: null };
  const routed = new Set([...of.toldSinks, ...sinksOf(sum, routing)]);
  return {
    message: messageOf(of, raised(of, sum), now),
    sinks: [...routed],
    severity: sum.severity,
  };
}

function sinksOf({ payments, severity }: Sum, routing: Routing): string[] {
  const { incident, customerRef } = payments[0] as Payment;
  const chains = new Set(payments.map(({ chain }) => chain));
  const customers = customerRef === null ? [] : [customerRef];
  const facts = { severity, kind: "exposure", action: "review", incidents: [incident], customers } as const;
  return [...chains].flatMap((chain) => sinksFor({ ...facts, chain }, routing));
}

type Said = Pick<PaymentsBody, "type"> & { readonly data: Omit<PaymentsBody["data"], "subject"> };

function raised({ sumKey }: PaymentDay, { payments, usdCents, severity, alone }: Sum): Said {
  const [first, last] = [payments[0] as Payment, payments.at(-1) as Payment];
  const { incident, customerRef, own, direction } = first;
  const way = direction === "in" ? "to" : "from";
  const parts = payments
    .toSorted((a, b) =>
      a.usdCents === b.usdCents ? (a.alertId < b.alertId ? -1 : 1) : a.usdCents > b.usdCents ? -1 : 1,
    )
    .slice(0, PARTS_MAX);
  return {
    type: "payments.summed",
    data: {
      severity,
      summary: `${payments.length} payments ${way} one customer within 24 hours are ${formatUsd(usdCents)} together, ${severity}; the most severe of them alone is ${alone}. Incident ${incident}. Each has its own alert.`,
      since: new Date(first.at).toISOString(),
      detail: {
        payments: payments.length,
        usd: formatUsd(usdCents),
        alone,
        incident,
        direction,
        sum: hashId("sum", [sumKey]),
      },
      customerRef,
      own: customerRef === null ? own : null,
      until: new Date(last.at).toISOString(),
      usdCents: usdCents.toString(),
      alerts: parts.map((part) => ({
        alertId: part.alertId,
        severity: part.severity,
        usdCents: part.usdCents.toString(),
      })),
    },
  };
}

function withdrawn({ sumKey, day, toldSeverity, payments }: PaymentDay): Said {
  const { customerRef = null } = payments[0] ?? {};
  const since = new Date(day * DAY_MS).toISOString();
  return {
    type: "payments.withdrawn",
    data: {
      severity: toldSeverity ?? "info",
      summary: `Withdrawn: the payments of one customer within 24 hours that were ${toldSeverity} together are not any more: some of them left the chain, or are judged otherwise.`,
      since,
      detail: { sum: hashId("sum", [sumKey]) },
      customerRef,
      own: null,
      until: since,
      usdCents: null,
      alerts: [],
    },
  };
}

/** Told so often before, so it is stored once. */
function messageOf({ sumKey, day, told }: PaymentDay, { type, data }: Said, now: number): Message {
  const subject = `payments:${hashId("sum", [sumKey, String(day)])}`;
  const body: PaymentsBody = {
    type,
    timestamp: new Date(now).toISOString(),
    schemaVersion: "1",
    replay: false,
    test: false,
    data: { subject, ...data },
  };
  return {
    webhookId: hashId("msg", [subject, String(told + 1)]),
    type,
    body: JSON.stringify(body),
    severity: data.severity,
    alertId: null,
    revision: 0,
  };
}
