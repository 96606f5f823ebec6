/** When all is quiet: what the store and the receivers hold against what the oracle says they must. */
import { SEVERITIES } from "../../src/types/alert.ts";
import type { AlertRecord } from "../../src/types/alert.ts";
import type { AlertBody } from "../../src/alerts/body-schema.ts";
import type { Editions } from "./auditor.ts";
import type { HitRow, MemoryTables, MessageRow } from "./memory-tables.ts";
import { alertKey, type ExpectedAlert, expectedAlerts, type ExpectedHit, expectedHits } from "./oracle.ts";
import { ASSETS, CHAIN, type ListEdition } from "./people.ts";
import type { Receipt } from "./receiver.ts";
import type { Weather } from "./weather.ts";
import type { SimBlock, World } from "./world.ts";

export interface Outcome {
  readonly world: World;
  readonly tables: MemoryTables;
  readonly receipts: readonly Receipt[];
  readonly weather: Weather;
  readonly sinks: readonly string[];
  readonly editions: Editions;
  /** The list all daemons have in the end. */
  readonly listVersion: string;
}

/** Everything that is wrong; empty when nothing is. */
export function findWrongs(outcome: Outcome): string[] {
  const wrongs: string[] = [];
  const wrong = (text: string) => wrongs.push(text);
  checkCursor(outcome, wrong);
  const scanned = scannedBlocks(outcome, wrong);
  checkHits(outcome, scanned, wrong);
  checkAlerts(outcome, scanned, wrong);
  checkMessages(outcome, wrong);
  checkDeliveries(outcome, wrong);
  checkEvents(outcome, wrong);
  return wrongs;
}

type Wrong = (text: string) => void;

function checkCursor({ world, tables, listVersion }: Outcome, wrong: Wrong): void {
  const window = tables.window(CHAIN);
  const tip = window.at(-1);
  if (tip?.hash !== world.tip().hash)
    wrong(`the cursor is at ${tip?.number} ${tip?.hash}, the chain at ${world.tip().number}`);
  window.forEach((block, index) => {
    const before = window[index - 1];
    if (before !== undefined && (before.hash !== block.parentHash || before.number + 1 !== block.number))
      wrong(`the window breaks at ${block.number}`);
  });
  const final = tables.lease.get(CHAIN)?.finalizedNumber ?? -1;
  const stale = window.find((block) => block.scanned && block.number > final && block.listVersion !== listVersion);
  if (stale !== undefined) wrong(`block ${stale.number} is not final and was not matched again with the changed list`);
  if (final !== world.finalizedNumber()) wrong(`final up to ${final}, the chain says ${world.finalizedNumber()}`);
}

/** The canonical blocks that coverage claims; from the start block on there is no hole. */
function scannedBlocks({ world, tables, weather }: Outcome, wrong: Wrong): SimBlock[] {
  const times = new Map<number, number>();
  for (const { from, to } of tables.coverage.values())
    for (let number = from; number <= to; number += 1) times.set(number, (times.get(number) ?? 0) + 1);
  for (const [number, count] of times) if (count !== 1) wrong(`block ${number} is covered ${count} times`);
  for (let number = weather.startNumber; number <= world.tip().number; number += 1)
    if (!times.has(number)) wrong(`block ${number} is not covered`);
  return [...times.keys()].map((number) => world.canonicalAt(number)).filter((block) => block !== null);
}

function checkHits({ tables, world, editions }: Outcome, scanned: readonly SimBlock[], wrong: Wrong): void {
  const final = tables.lease.get(CHAIN)?.finalizedNumber ?? -1;
  const stored = new Map<string, HitRow>();
  for (const hit of tables.hit.values()) {
    if (stored.has(hit.movement)) wrong(`two hits of one movement ${hit.movement}`);
    stored.set(hit.movement, hit);
  }
  const standing = new Set<string>();
  for (const block of scanned) {
    for (const inclusion of block.inclusions) {
      for (const hit of expectedHits(inclusion, editionOf(editions.current, block))) {
        const key = `${inclusion.txHash} ${hit.transfer.key}`;
        standing.add(key);
        const problem = problemOf(stored.get(key), hit, { block, state: block.number <= final ? "final" : "included" });
        if (problem !== null) wrong(`hit ${key} in block ${block.number}: ${problem}`);
      }
    }
  }
  const everSeen = new Set(
    [...world.blocks()].flatMap((block) =>
      block.inclusions.flatMap((one) =>
        expectedHits(one, editionOf(editions.ever, block)).map(({ transfer }) => `${one.txHash} ${transfer.key}`),
      ),
    ),
  );
  for (const [key, hit] of stored) {
    if (!everSeen.has(key)) wrong(`hit ${key} is of no chain there ever was`);
    if (!standing.has(key) && hit.state !== "removed") wrong(`hit ${key} is ${hit.state} and on no canonical block`);
  }
}

function editionOf(known: ReadonlyMap<string, ListEdition>, { hash }: SimBlock): ListEdition {
  return known.get(hash) ?? "first";
}

function problemOf(
  row: HitRow | undefined,
  { transfer, told }: ExpectedHit,
  place: { block: SimBlock; state: "included" | "final" },
): string | null {
  if (row === undefined) return "not stored";
  if (row.blockHash !== place.block.hash || row.blockNumber !== place.block.number) return `stored at ${row.blockHash}`;
  if (row.state !== place.state) return `${row.state} instead of ${place.state}`;
  if ((row.recordedRule === null) !== told) return `rule ${row.recordedRule}, told ${told}`;
  const { amount } = (JSON.parse(row.payload) as { transfer: { amount: string } }).transfer;
  return amount === transfer.amount.toString() ? null : `amount ${amount} instead of ${transfer.amount}`;
}

function checkAlerts({ tables, world, editions }: Outcome, scanned: readonly SimBlock[], wrong: Wrong): void {
  const must = expectedAlerts(scanned, (block) => editionOf(editions.current, block));
  const may = expectedAlerts(world.blocks(), (block) => editionOf(editions.ever, block));
  const found = new Map<string, AlertRecord>();
  for (const alert of tables.alert.values()) {
    const key = alertKey(alert);
    if (found.has(key)) wrong(`two alerts for ${key}`);
    found.set(key, alert);
    if (!may.has(key)) wrong(`alert for ${key}, which no chain there ever was gives rise to`);
    else if (!must.has(key) && alert.stage !== "retracted")
      wrong(`alert for ${key} is ${alert.stage}, its block is gone`);
  }
  const final = tables.lease.get(CHAIN)?.finalizedNumber ?? -1;
  for (const [key, expected] of must) {
    const alert = found.get(key);
    const stage = expected.block.number <= final ? "final" : "included";
    if (alert === undefined) wrong(`no alert for ${key} in block ${expected.block.number}`);
    else if (alert.stage !== stage) wrong(`alert for ${key} is ${alert.stage} instead of ${stage}`);
    else checkBody(lastMessage(tables, alert), expected, wrong);
  }
}

function messagesOf(tables: MemoryTables, alertId: string): MessageRow[] {
  return tables.message
    .values()
    .filter((message) => message.alertId === alertId)
    .toSorted((a, b) => a.revision - b.revision);
}

function lastMessage(tables: MemoryTables, { alertId }: AlertRecord): MessageRow | undefined {
  return messagesOf(tables, alertId).at(-1);
}

function dataOf({ body }: { readonly body: string }): AlertBody["data"] {
  return (JSON.parse(body) as AlertBody).data;
}

/** What the receiver was told last is what the chain says. */
function checkBody(message: MessageRow | undefined, expected: ExpectedAlert, wrong: Wrong): void {
  const key = alertKey(expected);
  if (message === undefined) return wrong(`alert for ${key} was never told`);
  const { block, transfers, transfersTotal } = dataOf(message);
  if (block?.number !== expected.block.number || block.hash !== expected.block.hash)
    wrong(`alert for ${key} tells block ${block?.number} ${block?.hash} instead of ${expected.block.hash}`);
  const told = transfers.map((one) => [one.key, one.from, one.to, one.asset.id, one.amount].join(" "));
  const right = expected.transfers.map(({ key: name, from, to, asset, amount }) =>
    [name, from.address, to.address, ASSETS[asset].id, amount].join(" "),
  );
  if (told.join("; ") !== right.join("; ") || transfersTotal !== right.length)
    wrong(`alert for ${key} tells ${told.join("; ")} instead of ${right.join("; ")}`);
}

function checkMessages({ tables, world }: Outcome, wrong: Wrong): void {
  const forked = world.abandoned().length > 0;
  for (const alert of tables.alert.values()) {
    const messages = messagesOf(tables, alert.alertId);
    const revisions = messages.map((message) => message.revision);
    if (revisions.some((revision, index) => revision !== index + 1) || revisions.length !== alert.revision)
      wrong(`alert ${alert.alertId} has revisions ${revisions.join(", ")} and says ${alert.revision}`);
    const stages = messages.map((message) => dataOf(message).stage);
    if (stages.at(-1) !== alert.stage) wrong(`alert ${alert.alertId} is ${alert.stage} and told as ${stages.at(-1)}`);
    const finalAt = stages.indexOf("final");
    if (finalAt >= 0 && stages.slice(finalAt).some((stage) => stage !== "final"))
      wrong(`alert ${alert.alertId} was final and then ${stages.slice(finalAt).join(", ")}`);
    if (!forked && stages.includes("retracted")) wrong(`alert ${alert.alertId} retracted on a chain that never forked`);
  }
}

function checkDeliveries({ tables, receipts, weather, sinks }: Outcome, wrong: Wrong): void {
  const received = new Set(receipts.map(({ sink, webhookId }) => `${sink} ${webhookId}`));
  for (const { webhookId, body } of receipts)
    if (tables.message.get(webhookId)?.body !== body) wrong(`${webhookId} was sent with a body that is not its own`);
  const deliveries = new Map(tables.delivery.values().map((row) => [`${row.sink} ${row.webhookId}`, row]));
  for (const message of tables.message.values()) {
    // Severe enough, or the next word to whoever was told of the alert before.
    const isSent = messagesOf(tables, message.alertId ?? "")
      .filter(({ revision }) => revision <= message.revision)
      .some(({ severity }) => SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(weather.minSeverity));
    for (const sink of sinks) {
      const key = `${sink} ${message.webhookId}`;
      const row = deliveries.get(key);
      if ((row !== undefined) !== isSent) wrong(`message ${key}: delivery ${row?.state}, severity ${message.severity}`);
      if (row === undefined) continue;
      if (row.state !== "delivered") wrong(`delivery ${key} is ${row.state}, due at ${row.nextAttemptAt}`);
      else if (!received.has(key)) wrong(`delivery ${key} counts as delivered and never arrived`);
    }
  }
  const attempts = Map.groupBy(tables.attempt.values(), (attempt) => attempt.deliveryId);
  for (const { deliveryId, attemptNo } of tables.delivery.values())
    if ((attempts.get(deliveryId)?.length ?? 0) !== attemptNo) wrong(`delivery ${deliveryId} lost an attempt's record`);
}

function checkEvents({ tables }: Outcome, wrong: Wrong): void {
  if (tables.outbox.size > 0) wrong(`${tables.outbox.size} rows wait in the outbox`);
  const final = new Set<string>();
  for (const { seq, hitId, kind, applied } of tables.event.values()) {
    if (!applied) wrong(`event ${seq} (${kind}) of ${hitId} was never folded`);
    if (kind === "final") final.add(hitId);
    else if (kind === "removed" && final.has(hitId)) wrong(`hit ${hitId} was final and then removed`);
  }
}
