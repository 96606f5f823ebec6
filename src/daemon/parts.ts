/** What a running daemon is made of. */
import type { Logger } from "pino";
import type { SinkLane } from "../deliver/lane.ts";
import type { Clock } from "../lib/clock.ts";
import type { JobQueues } from "../queue/bull-queues.ts";
import type { Relay } from "../queue/relay.ts";
import type { AlertStore } from "../store/alert-store.ts";
import type { OpenStore } from "../store/database.ts";
import type { DeliveryStore } from "../store/delivery-store.ts";
import type { EvidenceStore } from "../store/evidence.ts";
import type { Config } from "../types/config.ts";
import type { Alarms } from "./alarms.ts";
import type { Line } from "./line.ts";
import type { Metrics } from "./metrics.ts";
import type { NamedPool } from "./pools.ts";
import type { QueueState } from "./queue-watch.ts";
import type { RetroService } from "./retro-service.ts";
import type { Valuers } from "./values.ts";
import type { Watch } from "./watch-service.ts";
import type { Workers } from "./workers.ts";

/** Everything that exists once the store is open. */
export interface Parts {
  readonly store: OpenStore;
  readonly alerts: AlertStore;
  readonly deliveries: DeliveryStore;
  readonly queues: JobQueues;
  readonly relay: Relay;
  readonly workers: Workers;
  readonly lanes: ReadonlyMap<string, SinkLane>;
  readonly lines: readonly Line[];
  readonly pools: readonly NamedPool[];
  readonly evidence: EvidenceStore;
  readonly watch: Watch;
  readonly retro: RetroService;
  /** Null: values are not looked up. */
  readonly valuers: Valuers | null;
}

/** What exists before the store is open. */
export interface DaemonTools {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly alarms: Alarms;
  readonly queueState: QueueState;
}

export function lineOf({ lines }: Pick<Parts, "lines">, chain: string): Line | null {
  return lines.find((line) => line.name === `line:${chain}`) ?? null;
}

export function sinkNames(sinks: readonly { name: string }[]): string[] {
  return sinks.map((sink) => sink.name);
}
