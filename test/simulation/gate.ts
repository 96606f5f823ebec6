/**
 * Where a daemon's calls leave its process: to the node, the store, the queue, a sink. Here they take time, fail before
 * or after they took effect, and here the process dies or is stopped (SIGSTOP) in the middle: before or after any call.
 * A dead process's calls never come back; whatever it held in memory is out of reach for ever.
 */
import { UnavailableError } from "../../src/lib/errors.ts";
import type { History } from "./history.ts";
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Weather } from "./weather.ts";

export interface Gate {
  call<T>(what: { readonly name: string; readonly port: Port }, work: () => Promise<T>): Promise<T>;
  isAlive(): boolean;
  /** Alive and not stopped: able to take a job. */
  isAwake(): boolean;
  kill(): void;
}

export type Port = "node" | "store" | "queue" | "sink";

export interface GateOptions {
  readonly daemon: number;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly history: History;
  readonly weather: Weather;
  readonly isQuiet: () => boolean;
  readonly onCrash: (at: string) => void;
}

const WRITES =
  /^(chains\.(begin|commit.*)|leases\..*|alerts\.(foldAlert|addMessage)|deliveries\.(record|redrive)|outbox\.(claim|relayed|unclaim)|queue\.add|marker\.(advance|create)|sink\.send)$/;

export function isWrite(name: string): boolean {
  return WRITES.test(name);
}

/** Long enough that a lease (10 s) runs out for some and not for others. */
const PAUSE_MS = [2_000, 40_000] as const;

export function createGate({ daemon, time, random, history, weather, isQuiet, onCrash }: GateOptions): Gate {
  let alive = true;
  let wakesAt = 0;

  async function pass(where: "before" | "after", { name, port }: { name: string; port: Port }): Promise<void> {
    if (!isQuiet() && alive) {
      if (random.chance(isWrite(name) ? weather.crashAtWrite / 2 : weather.crashAtRead / 2)) {
        history.note(`d${daemon} dies ${where} ${name}`);
        alive = false;
        onCrash(`${where} ${name}`);
      } else if (random.chance(weather.pause / 2)) {
        const forMs = random.int(...PAUSE_MS);
        wakesAt = Math.max(wakesAt, time.now() + forMs);
        history.note(`d${daemon} stopped for ${forMs} ms ${where} ${name}`);
      }
    }
    while (alive && wakesAt > time.now()) await time.sleep(wakesAt - time.now());
    // Asked again after every wait: a process can be killed while it waits.
    if (!alive) await new Promise(() => undefined);
    if (isQuiet()) return;
    if (port === "store" && random.chance(weather.storeError / 2)) {
      history.note(`d${daemon} store fails ${where} ${name}`);
      throw new Error("Connection terminated unexpectedly");
    }
    if (port === "queue" && random.chance(weather.queueError / 2)) {
      history.note(`d${daemon} queue fails ${where} ${name}`);
      throw new UnavailableError("the queue did not answer in time");
    }
  }

  return {
    async call(what, work) {
      const delay = delayMs(random, isQuiet() ? 0 : weather.slowCall);
      if (delay > 0) await time.sleep(delay);
      await pass("before", what);
      history.note(`d${daemon} ${what.name}`);
      const result = await work();
      await pass("after", what);
      return result;
    },
    isAlive: () => alive,
    isAwake: () => alive && wakesAt <= time.now(),
    kill() {
      alive = false;
    },
  };
}

function delayMs(random: Random, slow: number): number {
  if (random.chance(slow)) return random.int(50, 3_000);
  return random.chance(0.3) ? random.int(1, 20) : 0;
}

/** Every method of `target` behind the gate. */
export function throughGate<T extends object>(
  target: T,
  { gate, port, prefix }: { gate: Gate; port: Port; prefix: string },
): T {
  const guarded = Object.entries(target).map(([name, value]: [string, unknown]) => {
    if (typeof value !== "function") return [name, value];
    const method = value as (...values: unknown[]) => Promise<unknown>;
    const call = (...values: unknown[]) =>
      gate.call({ name: `${prefix}.${name}`, port }, () => method.apply(target, values));
    return [name, call];
  });
  return Object.fromEntries(guarded) as T;
}
