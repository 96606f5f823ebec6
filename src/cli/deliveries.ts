/** `heistwatch deliveries list|show|retry|replay`. */
import { parseIsoDate } from "../config/checks.ts";
import { AppError, ConfigError } from "../lib/errors.ts";
import type { StoredDelivery } from "../store/delivery-store.ts";
import type { AttemptRecord } from "../types/delivery.ts";
import { callOperator, chainNamed, EXIT, type GlobalOptions, readConfig } from "./context.ts";
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

export async function showDelivery(deliveryId: string, { config, json }: GlobalOptions): Promise<number> {
  const found = (await callOperator(readConfig({ config }), "deliveries.show", { deliveryId })) as {
    delivery: StoredDelivery;
    attempts: AttemptRecord[];
  };
  if (json === true) {
    printJson(found);
    return EXIT.ok;
  }
  const { delivery, attempts } = found;
  print(deliveriesTable([delivery]));
  print(`message ${delivery.webhookId}, alert ${delivery.alertId ?? "none"}, severity ${delivery.severity}`);
  if (delivery.replayOf !== null) print(`replay of message ${delivery.replayOf}`);
  if (delivery.fallbackFor !== null) print(`here because ${delivery.fallbackFor} did not take it in time`);
  print(attemptsTable(attempts));
  return EXIT.ok;
}

function attemptsTable(attempts: readonly AttemptRecord[]): string {
  if (attempts.length === 0) return "No attempt yet.";
  return table(
    ["at", "took", "result", "status", "error", "answer"],
    attempts.map((attempt) => [
      timeOf(attempt.at),
      `${attempt.durationMs} ms`,
      attempt.result,
      attempt.status === null ? "" : String(attempt.status),
      attempt.error ?? "",
      attempt.excerpt,
    ]),
  );
}

export interface ReplayDeliveriesOptions extends GlobalOptions {
  readonly since?: string;
  readonly until?: string;
  readonly chain?: string;
  readonly blocks?: string;
  readonly sink?: string;
  readonly dryRun?: boolean;
}

/** `ids`: of deliveries, messages or alerts. */
export async function replayDeliveries(ids: readonly string[], options: ReplayDeliveriesOptions): Promise<number> {
  const { json, sink, since, until, chain, blocks, dryRun = false } = options;
  if (ids.length === 0 && since === undefined && until === undefined && blocks === undefined)
    throw new ConfigError("say what to replay: ids, --since, --until, or --chain with --blocks");
  if ((chain === undefined) !== (blocks === undefined)) throw new ConfigError("--chain and --blocks belong together");
  const config = readConfig(options);
  const filter = {
    ...(ids.length === 0 ? {} : { ids }),
    ...(since === undefined ? {} : { since: momentOf(since) }),
    ...(until === undefined ? {} : { until: momentOf(until) }),
    ...(chain === undefined || blocks === undefined
      ? {}
      : { blocks: { chain: chainNamed(config, chain).id, ...blocksOf(blocks) } }),
  };
  const args = { filter, to: sink ?? null, dryRun };
  const result = (await callOperator(config, "deliveries.replay", args)) as { messages: number; deliveries: number };
  if (json === true) printJson(result);
  else
    print(
      `${result.messages} messages, ${result.deliveries} deliveries ${dryRun ? "would be sent again" : "are sent again, marked as replays"}.`,
    );
  return EXIT.ok;
}

function momentOf(text: string): number {
  const seconds = parseIsoDate(text);
  if (seconds === null)
    throw new ConfigError(`${short(text, 40)} is no date such as 2026-11-22 or 2026-11-22T10:00:00Z`);
  return seconds * 1000;
}

function blocksOf(text: string): { from: number; to: number } {
  const [, from, to = from] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(text) ?? [];
  if (from === undefined || Number(to) < Number(from))
    throw new ConfigError(`${short(text, 40)} is no range of blocks such as 23711200-23711300`);
  return { from: Number(from), to: Number(to) };
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
