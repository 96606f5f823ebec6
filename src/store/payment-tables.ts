/** The tables of payments and of what was told of their sums, as Kysely sees them. */
import type { Generated } from "kysely";

export interface PaymentTable {
  alert_id: string;
  sum_key: string;
  incident: string;
  customer_ref: string | null;
  own: string;
  direction: string;
  chain: string;
  at: number;
  /** Numeric: as text. */
  usd_cents: string;
  severity: string;
  /** JSON. */
  ladder: string;
}

export interface PaymentSumTable {
  sum_key: string;
  /** Days since 1970. */
  day: number;
  /** To be looked at again; null: nothing changed since it was. */
  due_at: number | null;
  told: Generated<number>;
  told_severity: string | null;
  /** JSON. */
  sinks: Generated<string>;
}

export interface PaymentTables {
  payment: PaymentTable;
  payment_sum: PaymentSumTable;
}
