/** What a receiver got, read the way the docs tell receivers to: highest revision per alert wins, repeats are dropped. */
import { type AlertBody, messageBody } from "../../src/alerts/body-schema.ts";
import type { ReceivedRequest } from "../support/receiver.ts";
import { alertKey, type ExpectedAlert, type Scene, subjectOf } from "./oracle.ts";

/** `alertKey`s of the parties that a told alert is about: one, where all is well. */
export type KeysOf = (data: AlertBody["data"]) => string[];

// A body shows this many legs of a transaction and says how many there are.
const LEGS_SHOWN = 16;

export interface Told {
  readonly key: string;
  readonly latest: AlertBody["data"];
  /** Distinct messages, in order of revision. */
  readonly messages: readonly AlertBody[];
}

export interface Ledger {
  readonly requests: number;
  /** Requests beyond the first of their webhook-id. */
  readonly repeats: number;
  readonly messages: number;
  /** By alert id. */
  readonly alerts: ReadonlyMap<string, Told>;
  /** What a receiver must never see, in words. */
  readonly problems: readonly string[];
}

/** Reads everything received so far; operational messages are left aside. */
export function readLedger(requests: readonly ReceivedRequest[], keysOf: KeysOf): Ledger {
  const problems: string[] = [];
  const bodies = new Map<string, string>();
  const byAlert = new Map<string, AlertBody[]>();
  for (const request of requests) {
    if (!request.verified) problems.push(`${request.webhookId}: not verified, ${request.verifyError}`);
    const known = bodies.get(request.webhookId);
    if (known !== undefined) {
      if (known !== request.raw) problems.push(`${request.webhookId}: repeated with another body`);
      continue;
    }
    bodies.set(request.webhookId, request.raw);
    const parsed = messageBody.safeParse(request.body);
    if (!parsed.success) problems.push(`${request.webhookId}: not a valid body, ${parsed.error.message}`);
    else if ("alertId" in parsed.data.data) {
      const body = parsed.data as AlertBody;
      byAlert.set(body.data.alertId, [...(byAlert.get(body.data.alertId) ?? []), body]);
    }
  }
  const alerts = new Map<string, Told>();
  const idByKey = new Map<string, string>();
  for (const [alertId, unordered] of byAlert) {
    const messages = unordered.toSorted((a, b) => a.data.revision - b.data.revision);
    const told = readAlert(alertId, messages, { keysOf, problems });
    alerts.set(alertId, told);
    const other = idByKey.get(told.key);
    if (other !== undefined) problems.push(`${told.key}: two alert ids, ${other} and ${alertId}`);
    idByKey.set(told.key, alertId);
  }
  return { requests: requests.length, repeats: requests.length - bodies.size, messages: bodies.size, alerts, problems };
}

function readAlert(
  alertId: string,
  messages: readonly AlertBody[],
  { keysOf, problems }: { keysOf: KeysOf; problems: string[] },
): Told {
  const keys = new Set(messages.flatMap(({ data }) => keysOf(data)));
  if (keys.size !== 1) problems.push(`${alertId}: one alert id for ${keys.size} parties: ${[...keys].join(", ")}`);
  const revisions = messages.map(({ data }) => data.revision);
  if (new Set(revisions).size !== revisions.length)
    problems.push(`${alertId}: two messages under one revision: ${revisions.join(", ")}`);
  const latest = messages.at(-1)?.data;
  if (latest === undefined) throw new Error("an alert has at least one message");
  return { key: [...keys][0] ?? "", latest, messages };
}

/** On chains of accounts, where each transfer has both sides. */
export function accountKeys(scene: Scene): KeysOf {
  return (data) =>
    data.transfers.map((transfer) => {
      const subject = subjectOf(
        { from: (transfer.from ?? "").toLowerCase(), to: (transfer.to ?? "").toLowerCase() },
        scene,
      );
      return alertKey(data.transaction.hash ?? "no transaction", subject ?? "nobody");
    });
}

export interface Truth {
  readonly expected: ReadonlyMap<string, ExpectedAlert>;
  /** Blocks up to here are final: alerts in them must say so. */
  readonly finalNumber: number;
}

/** Where what was told differs from the chain. Empty: the receiver knows the truth. */
export function compareWithChain(ledger: Ledger, { expected, finalNumber }: Truth): string[] {
  const differences: string[] = [];
  const told = new Map([...ledger.alerts.values()].map((one) => [one.key, one]));
  for (const [key, alert] of expected) {
    const latest = told.get(key)?.latest;
    if (latest === undefined) differences.push(`${key}: missing`);
    else differences.push(...compareAlert(latest, alert, finalNumber).map((text) => `${key}: ${text}`));
  }
  for (const { key, latest } of ledger.alerts.values())
    if (!expected.has(key) && latest.stage !== "retracted")
      differences.push(`${key}: told as ${latest.stage}, but not on the chain`);
  return differences;
}

function compareAlert(latest: AlertBody["data"], expected: ExpectedAlert, finalNumber: number): string[] {
  const stage = expected.block.number <= finalNumber ? "final" : "included";
  const seen = latest.transfers.map(({ key, from, to, asset, amount }) =>
    [key, from, to, asset.id, amount].join(" ").toLowerCase(),
  );
  const wanted = expected.transfers.map(({ key, from, to, assetId, amount }) =>
    [key, from, to, assetId, amount].join(" ").toLowerCase(),
  );
  const differences: string[] = [];
  if (latest.stage !== stage) differences.push(`stage ${latest.stage}, not ${stage}`);
  if (latest.block?.number !== expected.block.number || latest.block.hash !== expected.block.hash)
    differences.push(`block ${latest.block?.number} ${latest.block?.hash}, not ${expected.block.number}`);
  if (latest.transfersTotal !== wanted.length) differences.push(`${latest.transfersTotal} legs, not ${wanted.length}`);
  if (seen.join("\n") !== wanted.slice(0, LEGS_SHOWN).join("\n"))
    differences.push(`transfers [${seen.join("; ")}], not [${wanted.join("; ")}]`);
  return differences;
}
