/** `heistwatch alerts list|show|history|reads`. */
import type { AlertDetail, AlertPage, ShownAlert, ShownCase } from "../daemon/triage-calls.ts";
import type { AlertRead } from "../store/alert-reads.ts";
import type { AuditRecord } from "../types/watch-change.ts";
import { EXIT, readConfig } from "./context.ts";
import { deliveriesTable } from "./deliveries.ts";
import { paint, paintSeverity, print, printJson, short, table, timeOf } from "./output.ts";
import { askWatch, type PersonOptions } from "./watch-ask.ts";

export interface ListAlertsOptions extends PersonOptions {
  readonly limit: number;
  readonly offset: number;
  readonly after?: string;
  readonly state?: readonly string[];
  readonly severity?: string;
  readonly kind?: string;
  readonly stage?: string;
  readonly incident?: string;
  readonly chain?: string;
  readonly customer?: string;
  readonly assignee?: string;
  readonly overdue?: true;
  readonly since?: string;
  readonly until?: string;
}

export async function listAlerts(options: ListAlertsOptions): Promise<number> {
  const { config: _config, json, as: _as, ...args } = options;
  const { alerts, next } = await askWatch<AlertPage>(readConfig(options), { name: "alerts.list", args, options });
  if (json === true) {
    printJson(alerts);
    return EXIT.ok;
  }
  if (alerts.length === 0) print("No alerts.");
  const [standing, retracted] = [
    alerts.filter(({ stage }) => stage !== "retracted"),
    alerts.filter(({ stage }) => stage === "retracted"),
  ];
  if (standing.length > 0) print(alertsTable(standing));
  if (retracted.length > 0) print(`Taken back by the chain or the watchlist:\n${alertsTable(retracted)}`);
  if (next !== null) process.stderr.write(`There may be more: --after ${next}\n`);
  return EXIT.ok;
}

function alertsTable(alerts: readonly ShownAlert[]): string {
  return table(
    ["time", "severity", "action", "stage", "state", "assignee", "due", "alert", "what"],
    alerts.map(({ triage, ...alert }) => [
      timeOf(alert.createdAt),
      paintSeverity(alert.severity),
      alert.action,
      alert.stage,
      triage.state,
      triage.assignee ?? "",
      dueText(triage),
      alert.alertId,
      alert.summary,
    ]),
  );
}

function dueText({ dueAt, overdue }: ShownCase): string {
  return overdue ? paint("red", `${timeOf(dueAt)} overdue`) : timeOf(dueAt);
}

export async function showAlert(alertId: string, options: PersonOptions): Promise<number> {
  const found = await askWatch<AlertDetail>(readConfig(options), { name: "alerts.show", args: { alertId }, options });
  if (options.json === true) {
    printJson(found);
    return EXIT.ok;
  }
  const { alert, messages, deliveries, history } = found;
  print(`${paint("bold", alert.alertId)}  ${paintSeverity(alert.severity)}  ${alert.stage}  action: ${alert.action}`);
  print(alert.summary);
  print(`chain ${alert.chain}  transaction ${alert.txHash}`);
  print(describeCase(alert.triage));
  if (alert.stage === "retracted") print("The alert was retracted: what it told does not stand (any more).");
  for (const message of messages) {
    print(`\n${paint("bold", `revision ${message.revision}: ${message.type}`)}  ${message.webhookId}`);
    print(JSON.stringify(message.body, null, 2));
  }
  print(`\n${deliveriesTable(deliveries)}`);
  if (history.length > 0) print(`\n${historyTable(history)}`);
  return EXIT.ok;
}

/** One line about where a case stands; its version is what `--seen` takes. */
export function describeCase(triage: ShownCase): string {
  const { state, reason, version, assignee, dueAt } = triage;
  return [
    `case: ${state}${reason === null ? "" : ` (${reason})`}`,
    assignee === null ? "nobody's" : `${assignee}'s`,
    ...(dueAt === null ? [] : [`due ${dueText(triage)}`]),
    `version ${version}`,
  ].join("  ");
}

export async function alertHistory(alertId: string, options: PersonOptions): Promise<number> {
  const records = await askWatch<AuditRecord[]>(readConfig(options), {
    name: "alerts.history",
    args: { alertId },
    options,
  });
  if (options.json === true) printJson(records);
  else print(records.length === 0 ? "Nobody did anything yet." : historyTable(records));
  return EXIT.ok;
}

export async function alertReads(
  alertId: string | undefined,
  options: PersonOptions & { readonly actor?: string; readonly limit: number },
): Promise<number> {
  const { actor, limit } = options;
  const args = { alertId, actor, limit };
  const reads = await askWatch<AlertRead[]>(readConfig(options), { name: "alerts.reads", args, options });
  if (options.json === true) printJson(reads);
  else if (reads.length === 0) print("Nobody read any.");
  else
    print(
      table(
        ["time", "by", "what", "alerts", "asked for"],
        reads.map((read) => [
          timeOf(read.at),
          read.actor,
          read.call.replace("alerts.", ""),
          read.alerts === 1 ? (read.alertIds[0] ?? "") : String(read.alerts),
          JSON.stringify(read.asked),
        ]),
      ),
    );
  return EXIT.ok;
}

function historyTable(records: readonly AuditRecord[]): string {
  return table(
    ["time", "by", "action", "state", "version", "note"],
    records.map(({ at, actor, action, after, why }) => {
      const { state, version } = after as { state: string; version: number };
      // A note keeps its line breaks in --json; a row of a table is one line.
      return [timeOf(at), actor, action, state, String(version), short((why ?? "").replace(/\s+/g, " "), 200)];
    }),
  );
}
