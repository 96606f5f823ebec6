/**
 * A message for people: native body in, a title, a sentence and short facts out; each chat, pager and mail sink only
 * writes them down in its own way. What always holds: every text is one printable line without links, names of
 * somebody else's making are at most 32 characters, and the title holds no word from outside at all.
 */
import type { AlertEventType, EventType, Severity } from "../types/alert.ts";
import { nameFrom, printable, shortened, unlinked } from "../lib/outside-text.ts";
import {
  type AlertFacts,
  type NativeMessage,
  readNativeBody,
  type TransferFacts,
  type WatchFacts,
} from "./native-body.ts";

export interface Brief {
  readonly title: string;
  readonly summary: string;
  /** In the order of importance: what does not fit is left out from the end. */
  readonly facts: readonly Fact[];
  /** Which alert and revision this is. */
  readonly footer: string;
  readonly severity: Severity;
  readonly isRetraction: boolean;
  /** Our own evidence page; null: none is configured. */
  readonly link: string | null;
}

export interface Fact {
  readonly name: string;
  readonly values: readonly string[];
  /** How many more there are than `values` names. */
  readonly more: number;
}

const SUMMARY_CHARS_MAX = 1_000;
const NOTE_CHARS_MAX = 300;
const INCIDENT_CHARS_MAX = 64;
// Longer than every address and transaction hash there is.
const ID_CHARS_MAX = 128;
const TRANSFERS_SHOWN = 5;
const WATCH_SHOWN = 3;
const DETAILS_SHOWN = 8;

const SYSTEM_TITLES: Readonly<Record<Exclude<EventType, AlertEventType>, string>> = {
  "system.degraded": "heistwatch is degraded",
  "system.recovered": "heistwatch has recovered",
  "system.heartbeat": "Heartbeat",
  "endpoint.failing": "A sink does not take alerts",
  "endpoint.recovered": "A sink takes alerts again",
  "coverage.gap": "Blocks were not scanned",
  "provider.dispute": "Nodes disagree",
  "watchlist.changed": "A watchlist has changed",
  "watchlist.importRefused": "A watchlist import was refused",
  "watchlist.scanned": "The past was scanned",
  "watchlist.due": "A watched entry needs a look",
  "group.digest": "Alerts that were not told one by one",
  "payments.summed": "Payments that are more together",
  "payments.withdrawn": "Withdrawn: payments that were more together",
};

/** `customerReference`: whether it may say whose address is touched. */
export function briefOf(body: string, of: { readonly customerReference: boolean }): Brief {
  const message = readNativeBody(body);
  return message.alert === null ? systemBrief(message) : alertBrief(message, message.alert, of);
}

function alertBrief(message: NativeMessage, alert: AlertFacts, of: { readonly customerReference: boolean }): Brief {
  const isRetraction = alert.retraction !== null;
  const what = `${word(alert.kind)} on ${word(alert.chain.name)}`;
  const title = isRetraction
    ? `Retracted: ${what} (${word(alert.retraction?.reason ?? "")})`
    : `${alert.severity.toUpperCase()}, ${word(alert.action)}: ${what}`;
  const facts = [
    fact("Own address", alert.own === null ? [] : [ownText(alert.own, of.customerReference)]),
    fact("Transaction", [id(alert.transaction.hash ?? "none: it belongs to a block")]),
    fact("Stage", [stageText(alert)]),
    fact("Listed", alert.watch.slice(0, WATCH_SHOWN).map(watchText), alert.watchTotal),
    fact("Transfers", alert.transfers.slice(0, TRANSFERS_SHOWN).map(transferText), alert.transfersTotal),
    fact("Trust", [trustText(alert.trust)]),
  ];
  return {
    title: flagged(message, title),
    summary: sentence(alert.summary),
    facts: facts.filter(({ values }) => values.length > 0),
    footer: `${word(alert.alertId)}, revision ${alert.revision}`,
    severity: alert.severity,
    isRetraction,
    link: alert.evidenceUrl,
  };
}

function systemBrief(message: NativeMessage): Brief {
  const { subject = "", severity = "info", summary = "", since = "", detail = {} } = message.system ?? {};
  const details = Object.entries(detail).map(
    ([name, value]) => `${safe(nameFrom(name))}: ${safe(shortened(printable(String(value)), NOTE_CHARS_MAX))}`,
  );
  const about = SYSTEM_TITLES[message.type as keyof typeof SYSTEM_TITLES] ?? word(message.type);
  return {
    title: flagged(message, `${severity.toUpperCase()}: ${about}`),
    summary: sentence(summary),
    facts: [
      fact("About", [id(subject)]),
      fact("Since", [id(since)]),
      fact("Details", details.slice(0, DETAILS_SHOWN), details.length),
    ].filter(({ values }) => values.length > 0),
    // Without its dot, which some client would take for a domain.
    footer: word(message.type.replaceAll(".", " ")),
    severity,
    isRetraction: false,
    link: null,
  };
}

/** A test must never pass for the real thing, nor an old message for a new one. */
function flagged({ test, replay }: NativeMessage, title: string): string {
  return `${test ? "TEST, nothing happened: " : ""}${replay ? "REPLAY: " : ""}${title}`;
}

function fact(name: string, values: readonly string[], total = values.length): Fact {
  // A service refuses a field without a text.
  return { name, values: values.filter((value) => value !== ""), more: Math.max(0, total - values.length) };
}

function ownText(own: NonNullable<AlertFacts["own"]>, customerReference: boolean): string {
  const reference =
    customerReference && own.customerRef !== null ? `, customer ${safe(nameFrom(own.customerRef))}` : "";
  return `${id(own.address)} (${word(own.wallet)}, ${word(own.role)}${reference})`;
}

function stageText({ stage, block, late, retroactive }: AlertFacts): string {
  const where =
    block === null
      ? "not in a block"
      : `block ${block.number}, ${block.confirmations} confirmation${block.confirmations === 1 ? "" : "s"}`;
  return `${word(stage)}, ${where}${late ? ", found late" : ""}${retroactive ? ", found in the past" : ""}`;
}

function watchText(watch: WatchFacts): string {
  const incident = safe(nameFrom(watch.incidentName ?? watch.incident, INCIDENT_CHARS_MAX));
  const sanctioned = watch.sanctioned === null ? "" : `, sanctioned: ${safe(nameFrom(watch.sanctioned.list))}`;
  const disputed = watch.attributionDisputed ? ", attribution disputed" : "";
  return `${safe(nameFrom(watch.label))} of ${incident} (${word(watch.role)}, ${word(watch.basis)}${sanctioned}${disputed})`;
}

function transferText({ asset, amount, amountDecimal, from, to }: TransferFacts): string {
  const symbol = asset.listed && asset.symbol !== null ? safe(nameFrom(asset.symbol)) : "of an unlisted token";
  const moved = `${id(asset.listed && amountDecimal !== null ? amountDecimal : `${amount} base units`)} ${symbol}`;
  return `${moved}${from === null ? "" : ` from ${id(from)}`}${to === null ? "" : ` to ${id(to)}`}`;
}

function trustText({ agreed, verified, note }: AlertFacts["trust"]): string {
  const said = note === null ? "" : `; ${safe(shortened(printable(note), NOTE_CHARS_MAX))}`;
  return `${verified ? "verified" : "not verified"}, ${word(agreed)} operators${said}`;
}

function sentence(summary: string): string {
  return safe(shortened(printable(summary), SUMMARY_CHARS_MAX));
}

/** An address, hash or number of the chain. */
function id(text: string): string {
  return safe(shortened(printable(text), ID_CHARS_MAX));
}

/** One of our own words, such as a stage or a chain's name. */
function word(text: string): string {
  return nameFrom(text.replace(/[^A-Za-z0-9 ._/-]/g, ""));
}

const safe = unlinked;
