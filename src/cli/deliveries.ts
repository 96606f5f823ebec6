/** `heistwatch deliveries list|retry`. */
import { AppError, ConfigError } from "../lib/errors.ts";
import type { StoredDelivery } from "../store/delivery-store.ts";
import { callOperator, EXIT, type GlobalOptions, readConfig } from "./context.ts";
import { print, printJson, short, table, timeOf } from "./output.ts";

export interface ListDeliveriesOptions extends GlobalOptions {
  readonly limit: number;
  readonly offset: number;
  readonly state?: string;
  readonly sink?: string;
}

export async function listDeliveries({ config, json, ...args }: ListDeliveriesOptions): Promise<number> {
  const deliveries = (await callOperator(readConfig({ config }), "deliveries.list", args)) as StoredDelivery[];
  if (json === true) printJson(deliveries);
  else print(deliveriesTable(deliveries));
  return EXIT.ok;
}

export function deliveriesTable(deliveries: readonly StoredDelivery[]): string {
  if (deliveries.length === 0) return "No deliveries.";
  return table(
    ["created", "state", "sink", "type", "rev", "attempts", "next", "delivery", "last error"],
    deliveries.map((delivery) => [
      timeOf(delivery.createdAt),
      delivery.deadReason === null ? delivery.state : `${delivery.state} (${delivery.deadReason})`,
      delivery.sink,
      delivery.type,
      String(delivery.revision),
      String(delivery.attempts),
      timeOf(delivery.nextAttemptAt),
      delivery.deliveryId,
      short(delivery.lastError ?? "", 80),
    ]),
  );
}

export async function retryDeliveries(
  deliveryIds: readonly string[],
  { config, json, dead, sink }: GlobalOptions & { dead?: boolean; sink?: string },
): Promise<number> {
  if ((deliveryIds.length === 0) === (dead !== true))
    throw new ConfigError("name deliveries to retry, or give --dead for all dead letters");
  const args = deliveryIds.length > 0 ? { deliveryIds } : { allDead: true, ...(sink === undefined ? {} : { sink }) };
  const result = (await callOperator(readConfig({ config }), "deliveries.retry", args)) as { redriven: number };
  if (json === true) printJson(result);
  else print(`${result.redriven} ${result.redriven === 1 ? "delivery starts" : "deliveries start"} again.`);
  const missed = new Set(deliveryIds).size - result.redriven;
  if (missed <= 0) return EXIT.ok;
  throw new AppError(
    `${missed} of the named deliveries cannot start again: there is none of that id, or it was delivered (${short(deliveryIds.join(", "), 300)})`,
  );
}
