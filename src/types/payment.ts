/** Many small payments of a day are told as the one they are. */
import type { Payment, Severity } from "./alert.ts";

/** The payments of one customer, incident and direction that count for one day (UTC), and what was told of them. */
export interface PaymentDay {
  readonly sumKey: string;
  /** Days since 1970. */
  readonly day: number;
  /** Those of that day, and of the 24 hours before it. */
  readonly payments: readonly Payment[];
  /** Null: nothing, or that it was withdrawn. */
  readonly toldSeverity: Severity | null;
  readonly toldSinks: readonly string[];
  /** How often it was told. */
  readonly told: number;
}
