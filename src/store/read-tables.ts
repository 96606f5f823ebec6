/** The table of who read which alerts, as Kysely sees it. */
import type { Generated } from "kysely";

export interface AlertReadTable {
  seq: Generated<number>;
  at: number;
  actor: string;
  call: string;
  /** JSON. */
  asked: string;
  /** How many were shown. */
  alerts: number;
  /** JSON. */
  alert_ids: string;
}

export interface ReadTables {
  alert_read: AlertReadTable;
}
