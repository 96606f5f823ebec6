/** `heistwatch alerts list|show`. */
import type { AlertRecord, Message } from "../types/alert.ts";
import type { StoredDelivery } from "../store/delivery-store.ts";
import { callOperator, EXIT, type GlobalOptions, readConfig } from "./context.ts";
import { deliveriesTable } from "./deliveries.ts";
import { paint, paintSeverity, print, printJson, table, timeOf } from "./output.ts";

type ShownAlert = Omit<AlertRecord, "state">;

export interface ListAlertsOptions extends GlobalOptions {
  readonly limit: number;
  readonly offset: number;
  readonly stage?: string;
  readonly severity?: string;
}

export async function listAlerts({ config, json, ...args }: ListAlertsOptions): Promise<number> {
  const alerts = (await callOperator(readConfig({ config }), "alerts.list", args)) as ShownAlert[];
  if (json === true) printJson(alerts);
  else if (alerts.length === 0) print("No alerts.");
  else print(table(["time", "severity", "action", "stage", "alert", "what"], alerts.map(rowOf)));
  return EXIT.ok;
}

function rowOf(alert: ShownAlert): string[] {
  return [
    timeOf(alert.updatedAt),
    paintSeverity(alert.severity),
    alert.action,
    alert.stage,
    alert.alertId,
    alert.summary,
  ];
}

export async function showAlert(alertId: string, { config, json }: GlobalOptions): Promise<number> {
  const found = (await callOperator(readConfig({ config }), "alerts.show", { alertId })) as {
    alert: ShownAlert;
    messages: (Omit<Message, "body"> & { body: unknown })[];
    deliveries: StoredDelivery[];
  };
  if (json === true) {
    printJson(found);
    return EXIT.ok;
  }
  const { alert, messages, deliveries } = found;
  print(`${paint("bold", alert.alertId)}  ${paintSeverity(alert.severity)}  ${alert.stage}  action: ${alert.action}`);
  print(alert.summary);
  print(`chain ${alert.chain}  transaction ${alert.txHash}`);
  for (const message of messages) {
    print(`\n${paint("bold", `revision ${message.revision}: ${message.type}`)}  ${message.webhookId}`);
    print(JSON.stringify(message.body, null, 2));
  }
  print(`\n${deliveriesTable(deliveries)}`);
  return EXIT.ok;
}
