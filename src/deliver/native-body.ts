/**
 * The native body as sinks read it: text in, the facts that people are shown out. The body was written by us, perhaps
 * by an older version of us before an upgrade: what is missing reads as empty, and never makes a sink throw.
 */
import { z } from "zod";
import { SEVERITIES } from "../types/alert.ts";

const text = z.string().catch("");
const maybeText = z.string().nullable().catch(null);
const number = z.number().catch(0);
const flag = z.boolean().catch(false);

const transfer = z.object({
  from: maybeText,
  to: maybeText,
  asset: z.object({ id: text, symbol: maybeText, listed: flag }).catch({ id: "", symbol: null, listed: false }),
  amount: text,
  amountDecimal: maybeText,
  usdCents: maybeText,
});
export type TransferFacts = z.infer<typeof transfer>;

const watch = z.object({
  list: text,
  entry: text,
  address: text,
  side: text,
  label: text,
  role: text,
  incident: text,
  incidentName: maybeText,
  attributionDisputed: flag,
  basis: text,
  independentSources: number,
  sanctioned: z.object({ list: text }).nullable().catch(null),
  sources: z.array(z.string()).catch([]),
});
export type WatchFacts = z.infer<typeof watch>;

const alert = z.object({
  alertId: text,
  revision: number,
  stage: text,
  kind: text,
  severity: z.enum(SEVERITIES).catch("info"),
  action: text,
  late: flag,
  retroactive: flag,
  summary: text,
  chain: z.object({ id: text, name: text }).catch({ id: "", name: "" }),
  block: z.object({ number, hash: text, timestamp: text, confirmations: number }).nullable().catch(null),
  transaction: z.object({ hash: maybeText }).catch({ hash: null }),
  transfers: z.array(transfer).catch([]),
  transfersTotal: number,
  own: z.object({ address: text, role: text, customerRef: maybeText, wallet: text }).nullable().catch(null),
  exposure: z.object({ type: text, hops: number }).catch({ type: "", hops: 0 }),
  watch: z.array(watch).catch([]),
  watchTotal: number,
  score: z.object({ total: number }).catch({ total: 0 }),
  trust: z.object({ agreed: text, verified: flag, note: maybeText }).catch({ agreed: "", verified: false, note: null }),
  evidenceUrl: maybeText,
  retraction: z.object({ reason: text }).nullable().catch(null),
});
export type AlertFacts = z.infer<typeof alert>;

const system = z.object({
  subject: text,
  severity: z.enum(SEVERITIES).catch("info"),
  summary: text,
  since: text,
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).catch({}),
});
export type SystemFacts = z.infer<typeof system>;

const envelope = z.object({ type: text, timestamp: text, replay: flag, test: flag, data: z.looseObject({}).catch({}) });

export interface NativeMessage {
  readonly type: string;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  readonly replay: boolean;
  readonly test: boolean;
  /** One of the two. */
  readonly alert: AlertFacts | null;
  readonly system: SystemFacts | null;
  /** `data` as it stands in the body. */
  readonly data: Readonly<Record<string, unknown>>;
}

export function readNativeBody(body: string): NativeMessage {
  const { data, ...rest } = envelope.parse(JSON.parse(body));
  const isAlert = rest.type.startsWith("alert.");
  return {
    ...rest,
    data,
    alert: isAlert ? alert.parse(data) : null,
    system: isAlert ? null : system.parse(data),
  };
}

/** Unix milliseconds of a body's time; `orElse` where it has none that can be read. */
export function unixMsOf(timestamp: string, orElse: number): number {
  const ms = Date.parse(timestamp);
  return Number.isNaN(ms) ? orElse : ms;
}
