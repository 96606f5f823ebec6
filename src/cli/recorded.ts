/** `heistwatch recorded list|totals|tell`, `heistwatch alerts release`. */
import { callOperator, EXIT, type GlobalOptions, readConfig } from "./context.ts";
import { print, printJson, table, timeOf } from "./output.ts";

export interface ListRecordedOptions extends GlobalOptions {
  readonly limit: number;
  readonly offset: number;
  readonly rule?: string;
  readonly entry?: string;
}

interface RecordedRow {
  readonly hitId: string;
  readonly at: number;
  readonly rule: string;
  readonly chain: string;
  readonly transaction: string;
  readonly asset: string;
  readonly amount: string;
}

export async function listRecorded({ config, json, ...args }: ListRecordedOptions): Promise<number> {
  const rows = (await callOperator(readConfig({ config }), "recorded.list", args)) as RecordedRow[];
  if (json === true) printJson(rows);
  else if (rows.length === 0) print("Nothing is only recorded.");
  else
    print(
      table(
        ["recorded", "rule", "hit", "transaction", "asset", "amount (base units)"],
        rows.map((row) => [timeOf(row.at), row.rule, row.hitId, row.transaction, row.asset, row.amount]),
      ),
    );
  return EXIT.ok;
}

export async function showRecordedTotals({ config, json }: GlobalOptions): Promise<number> {
  const totals = (await callOperator(readConfig({ config }), "recorded.totals", {})) as {
    stored: { chain: string; rule: string; hits: number }[];
    pruned: { chain: string; rule: string; hits: number }[];
  };
  if (json === true) {
    printJson(totals);
    return EXIT.ok;
  }
  const rows = [
    ...totals.stored.map((row) => [row.chain, row.rule, String(row.hits), "stored"]),
    ...totals.pruned.map((row) => [row.chain, row.rule, String(row.hits), "pruned"]),
  ];
  print(rows.length === 0 ? "Nothing was ever only recorded." : table(["chain", "rule", "transfers", "where"], rows));
  return EXIT.ok;
}

export async function tellRecordedHit(hitId: string, { config, json }: GlobalOptions): Promise<number> {
  const told = await callOperator(readConfig({ config }), "recorded.tell", { hitId });
  if (json === true) printJson(told);
  else print(`${hitId} is told from now on.`);
  return EXIT.ok;
}

export async function releaseHeldAlert(alertId: string, { config, json }: GlobalOptions): Promise<number> {
  const released = (await callOperator(readConfig({ config }), "alerts.release", { alertId })) as { sinks: string[] };
  if (json === true) printJson(released);
  else print(`${alertId} goes to ${released.sinks.join(", ")} by itself from now on.`);
  return EXIT.ok;
}
