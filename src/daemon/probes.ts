/** Asks broken sinks whether they are back: one delivery every half minute, the most severe of what waits. */
import type { SinkLane } from "../deliver/lane.ts";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import type { DeliveryStore } from "../store/delivery-store.ts";
import type { Log } from "../types/log.ts";
import type { Workers } from "./workers.ts";

export interface ProbesOptions {
  readonly lanes: ReadonlyMap<string, SinkLane>;
  readonly deliveries: DeliveryStore;
  readonly workers: Workers;
  readonly log: Log;
}

const LOOK_MS = 1_000;

/** A loop per sink: a probe that hangs holds up no other. */
export async function runProbes(options: ProbesOptions, signal: AbortSignal): Promise<void> {
  await Promise.all([...options.lanes].map(([sink, lane]) => probe({ sink, lane, ...options }, signal)));
}

async function probe(
  { sink, lane: { breaker }, deliveries, workers, log }: ProbesOptions & { sink: string; lane: SinkLane },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const delivery = breaker.isProbeDue() ? await deliveries.probeOf(sink) : null;
      if (delivery !== null) {
        breaker.startProbe();
        await workers.probe(delivery, signal);
      }
    } catch (error) {
      log.warn({ sink, error: redactText(describeError(error)) }, "probe of a broken sink failed, trying again");
    }
    await sleep(LOOK_MS, signal);
  }
}
