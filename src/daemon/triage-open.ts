/** The calls about alerts and their cases, wired: inside a running daemon, or by the command line on the store itself. */
import { systemClock } from "../lib/clock.ts";
import { createAlertReads } from "../store/alert-reads.ts";
import { createAlertStore } from "../store/alert-store.ts";
import type { OpenStore } from "../store/database.ts";
import { createDeliveryStore } from "../store/delivery-store.ts";
import { createPeople } from "../store/people.ts";
import { readCaseHistory, readCases } from "../store/triage-reader.ts";
import { createTriageStore } from "../store/triage-store.ts";
import type { Config } from "../types/config.ts";
import type { PersonCalls } from "./person-calls.ts";
import { createTriageCalls } from "./triage-calls.ts";

export function openTriageCalls(config: Pick<Config, "triage">, { db }: Pick<OpenStore, "db">): PersonCalls {
  return createTriageCalls({
    triage: createTriageStore(db),
    alerts: createAlertStore(db),
    deliveries: createDeliveryStore(db),
    historyOf: (alertId) => readCaseHistory(db, alertId),
    caseOf: async (alertId) => (await readCases(db, [alertId])).get(alertId) ?? null,
    people: createPeople(db),
    reads: createAlertReads(db),
    dueHours: config.triage.dueHours,
    now: () => systemClock.now(),
  });
}
