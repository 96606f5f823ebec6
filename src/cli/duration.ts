/** Times as people write them: 30s, 30m, 2h, 1d. */
import { AppError } from "../lib/errors.ts";

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function durationMs(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs === undefined)
    throw new AppError(`expected a time such as 30m (s, m, h or d), found ${JSON.stringify(text)}`);
  return Number(count) * unitMs;
}
