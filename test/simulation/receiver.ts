/** Receivers that fail, hang, refuse, and sometimes take a message but say they did not. They remember what they got. */
import type { SendOutcome, Sink, SinkMessage } from "../../src/types/sink.ts";
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Weather } from "./weather.ts";

export interface Receipt {
  readonly sink: string;
  readonly webhookId: string;
  readonly body: string;
  readonly at: number;
}

export interface Receivers {
  readonly receipts: Receipt[];
  sinkOf(name: string): Sink;
}

export interface ReceiversOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly weather: Weather;
  readonly isQuiet: () => boolean;
}

const TIMEOUT_MS = 10_000;

export function createReceivers({ time, random, weather, isQuiet }: ReceiversOptions): Receivers {
  const receipts: Receipt[] = [];

  async function send(sink: string, { webhookId, body }: SinkMessage): Promise<SendOutcome> {
    const take = () => receipts.push({ sink, webhookId, body, at: time.now() });
    const luck = (probability: number) => !isQuiet() && random.chance(probability);
    await time.sleep(random.int(1, 50));
    if (luck(weather.sinkHangs)) {
      if (random.chance(0.5)) take();
      await time.sleep(TIMEOUT_MS);
      return failed("timed out", null);
    }
    if (luck(weather.sinkLies)) {
      take();
      return failed("connection reset after the body", 502);
    }
    if (luck(weather.sinkFails)) return failed("HTTP 503", 503);
    if (luck(weather.sinkRejects)) return { result: "rejected", status: 410, error: "gone", excerpt: "" };
    take();
    return { result: "delivered", status: 204, excerpt: "" };
  }

  return {
    receipts,
    sinkOf: (name) => ({
      name,
      kind: "simulated",
      keepsState: false,
      describe: () => name,
      send: (message) => send(name, message),
      close: () => Promise.resolve(),
    }),
  };
}

function failed(error: string, status: number | null): SendOutcome {
  return { result: "retry", status, error, afterMs: null, excerpt: "" };
}
