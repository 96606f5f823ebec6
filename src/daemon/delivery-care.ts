/** What looks after sinks beside the deliveries themselves: probes of broken ones, fallbacks, and those nobody configured. */
import type { SinkLane } from "../deliver/lane.ts";
import type { Clock } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { createDeliveryMoves } from "../store/delivery-moves.ts";
import type { Db } from "../store/database.ts";
import type { DeliveryStore } from "../store/delivery-store.ts";
import type { Config } from "../types/config.ts";
import type { Log } from "../types/log.ts";
import type { Service } from "../types/service.ts";
import type { Alarms } from "./alarms.ts";
import { runFallbacks } from "./fallbacks.ts";
import { loopService } from "./loop-service.ts";
import { runProbes } from "./probes.ts";
import type { Workers } from "./workers.ts";

export interface DeliveryCareOptions {
  readonly config: Config;
  readonly db: Db;
  readonly deliveries: DeliveryStore;
  readonly lanes: ReadonlyMap<string, SinkLane>;
  readonly workers: Workers;
  readonly alarms: Alarms;
  readonly clock: Clock;
  readonly log: Log;
  /** Outbox rows were written. */
  readonly onWork: () => void;
}

export function deliveryCare({ config, ...of }: DeliveryCareOptions): Service[] {
  const sinks = [...config.sinks.alerts, ...config.sinks.operations];
  const queuedSinks = config.sinks.alerts.map((sink) => sink.name);
  const moves = createDeliveryMoves(of.db);
  return [
    loopService("probes", (loop) => runProbes(of, loop)),
    loopService("fallbacks", (loop) =>
      runFallbacks({ ...of, moves, sinks, queuedSinks, scale: config.delivery.retryScale }, loop),
    ),
    loopService("orphans", () =>
      lookForOrphans(of).catch((error: unknown) =>
        of.log.warn({ error: redactText(describeError(error)) }, "could not look for deliveries to sinks of before"),
      ),
    ),
  ];
}

/** Told once at each start: whoever took the sink out may not know what still waited for it. */
async function lookForOrphans({ deliveries, lanes, alarms }: Omit<DeliveryCareOptions, "config">): Promise<void> {
  for (const [sink, { pending }] of await deliveries.counts()) {
    if (pending === 0 || lanes.has(sink)) continue;
    alarms.raise({
      subject: `sink:${sink}`,
      kind: "endpoint",
      severity: "high",
      graceMs: 0,
      detail: `${pending} deliveries wait for the sink ${sink}, which is not configured (any more). They are kept, and sent once a sink of that name is there again.`,
    });
  }
}
