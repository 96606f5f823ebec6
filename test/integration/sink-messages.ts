/** Messages as the daemon makes them, and sinks that are closed when their test ends. */
import { afterEach } from "@jest/globals";
import { createSink, type SinkDeps } from "../../src/deliver/registry.ts";
import type { SinkConfig } from "../../src/types/config.ts";
import type { Sink, SinkMessage } from "../../src/types/sink.ts";
import { entryMatch, event, foldEach, foldGroups, hit } from "../unit/alerts/make.ts";

export const LOCAL = { allowNetworks: ["127.0.0.0/8"], timeoutMs: 5_000 } as const;
export const LOCAL_HTTP = { ...LOCAL, allowHttp: true, customerReference: false } as const;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Ends it with the test. */
export async function during<T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  closers.push(() => started.stop());
  return started;
}

export function openSink(config: SinkConfig, deps: Partial<SinkDeps> = {}): Sink {
  const sink = createSink(config, { version: "1.2.3", now: () => Date.now(), write: () => undefined, ...deps });
  closers.push(() => sink.close());
  return sink;
}

export const send = (sink: Sink, message: SinkMessage) => sink.send(message, new AbortController().signal);

/** The thief pays a customer: told, then taken back by a reorg, then told again. */
export function alertMessages(label = "exploiter 1"): [SinkMessage, SinkMessage, SinkMessage] {
  const one = hit({ matches: [entryMatch({ label })] });
  const results = foldEach([event("included", one), event("removed", one), event("included", one)]);
  const messages = results.map(({ message }) => message).filter((message) => message !== null);
  return messages.map(({ webhookId, type, severity, body }) => ({
    webhookId,
    type,
    severity,
    body,
    timestamp: 1_795_000_000,
  })) as [SinkMessage, SinkMessage, SinkMessage];
}

/** As large as one alert gets: a thousand transfers, thirty lists. */
export function largestMessage(): SinkMessage {
  const matches = Array.from({ length: 30 }, (_, index) =>
    entryMatch({ id: `list-${index}/${"x".repeat(400)}`, label: "<b>&".repeat(50), list: `list-${index}` }),
  );
  const hits = Array.from({ length: 1_000 }, (_, index) =>
    hit({ key: `log:${index}`, matches, amount: 2n ** 256n - 1n }),
  );
  const message = foldGroups([hits.map((one) => event("included", one))])[0]?.message;
  if (message === null || message === undefined) throw new Error("no message was made");
  const { webhookId, type, severity, body } = message;
  return { webhookId, type, severity, body, timestamp: 1_795_000_000 };
}

type AlarmType = "system.degraded" | "system.recovered" | "payments.summed" | "payments.withdrawn";

export function alarmMessage(type: AlarmType, subject = "chain:ethereum"): SinkMessage {
  const at = "2026-11-22T10:15:02.114Z";
  const data = { subject, severity: "high", summary: "No node answers.", since: at, detail: { nodes: 2 } };
  const body = JSON.stringify({ type, timestamp: at, schemaVersion: "1", replay: false, test: false, data });
  return { webhookId: `msg_${type.replace(".", "_")}`, type, severity: "high", body, timestamp: 1_795_000_000 };
}
