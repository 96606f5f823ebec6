/** Prices that were accepted, by base and moment: what a new one is held against when nobody else can be asked. */
import { deviationBps, type Rate } from "./round.ts";

interface Accepted {
  readonly time: number;
  readonly rate: Rate;
}

export interface PriceMemory {
  /** True: agrees with all of the day around it; false: not; null: nothing to compare with. */
  agrees(base: string, time: number, rate: Rate): boolean | null;
  accept(base: string, time: number, rate: Rate): void;
}

// A fall by a quarter, or a rise by a third. A day that goes further has unknown values until it is over, where no second
// source can be asked. Held against all of the day, so that no liar walks there in small steps.
const DEVIATION_MAX_BPS = 3_333;
const WINDOW_S = 25 * 3_600;
// One in ten minutes is enough to compare with.
const APART_S = 600;
const KEPT_MAX = 512;

export function createPriceMemory(): PriceMemory {
  const accepted = new Map<string, Accepted[]>();

  const near = (base: string, time: number, windowS: number) =>
    (accepted.get(base) ?? []).filter((one) => Math.abs(one.time - time) <= windowS);

  return {
    agrees(base, time, rate) {
      const known = near(base, time, WINDOW_S);
      if (known.length === 0) return null;
      return known.every((one) => deviationBps(one.rate, rate) <= DEVIATION_MAX_BPS);
    },
    accept(base, time, rate) {
      if (near(base, time, APART_S).length > 0) return;
      const list = accepted.get(base) ?? [];
      accepted.set(base, [...list, { time, rate }].slice(-KEPT_MAX));
    },
  };
}
