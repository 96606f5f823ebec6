/** A group's digest: how many alerts were not told one by one, what they add up to, the largest by name. Pure. */
import { hashId } from "../lib/ids.ts";
import type { GroupDigest, GroupRule, Message } from "../types/alert.ts";
import type { RecordedRule } from "../types/hit.ts";
import type { DigestBody } from "./body-schema.ts";

const WHY: Record<GroupRule, string> = {
  noise: "dust and tokens outside the token list are told once a day",
  smallSanctioned: "sanctioned contact below 100 USD is told together",
  fanOut: "more than 20 own addresses touched within an hour are told together",
  repeat: "after the fifth alert of one party within an hour the others are told together",
};
// A body stays below the 20 kB Standard Webhooks asks for: summaries of 20 alerts with long labels would not.
const ASSETS_MAX = 10;
const SUMMARY_MAX = 300;

/** The same group and number, the same id. */
export function digestMessage(digest: GroupDigest, now: number): Message {
  const { groupId, severity, number } = digest;
  const body: DigestBody = {
    type: "group.digest",
    timestamp: new Date(now).toISOString(),
    schemaVersion: "1",
    replay: false,
    test: false,
    data: {
      subject: `group:${groupId}`,
      severity,
      summary: summaryOf(digest),
      since: new Date(digest.openedAt).toISOString(),
      detail: detailOf(digest),
      assets: digest.totals
        .slice(0, ASSETS_MAX)
        .map(({ asset, count, amount }) => ({ id: asset, alerts: count, amount: amount.toString() })),
      largest: digest.largest.map((one) => ({ ...one, summary: one.summary.slice(0, SUMMARY_MAX) })),
    },
  };
  return {
    webhookId: hashId("msg", [groupId, String(number)]),
    type: body.type,
    body: JSON.stringify(body),
    severity,
    alertId: null,
    revision: 0,
  };
}

function summaryOf({ rule, about, held, heldSince, alerts, subjects, retracted, isClosed }: GroupDigest): string {
  const parts = [
    `${held} ${plural(held, "alert")} not told one by one: ${about}`,
    ...(heldSince < held ? [`${heldSince} since the last digest`] : []),
    `${alerts} in all, about ${subjects} ${plural(subjects, "address", "addresses")}`,
    ...(retracted > 0 ? [`${retracted} of the held ones taken back`] : []),
    ...(isClosed ? ["the last digest of this group"] : []),
  ];
  return `${parts.join("; ")} (${WHY[rule]}). All of them are stored.`;
}

function detailOf(digest: GroupDigest): DigestBody["data"]["detail"] {
  const { rule, number, alerts, subjects, held, heldSince, retracted, isClosed } = digest;
  return { rule, number, alerts, addresses: subjects, held, heldSince, retracted, closed: isClosed };
}

function plural(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}

/** What was only recorded on one day (UTC), by chain and rule. */
export interface RecordedDay {
  readonly day: string;
  readonly counts: readonly { chain: string; rule: RecordedRule; hits: number; transactions: number }[];
}

const RECORDED: Record<RecordedRule, string> = {
  zeroValue: "transfers of zero",
  unlistedToken: "transfers of tokens outside the token list to watched addresses",
  dust: "transfers below the dust limit",
  entryEnded: "transfers after the dates of their entries ended",
  entryMuted: "transfers of entries that are disputed, suppressed or unconfirmed",
};

export function recordedMessage({ day, counts }: RecordedDay, now: number): Message {
  const total = counts.reduce((sum, { hits }) => sum + hits, 0);
  const parts = counts.map(({ chain, rule, hits }) => `${hits} ${RECORDED[rule]} on ${chain}`);
  const body: DigestBody = {
    type: "group.digest",
    timestamp: new Date(now).toISOString(),
    schemaVersion: "1",
    replay: false,
    test: false,
    data: {
      subject: `recorded:${day}`,
      severity: "info",
      summary: `${total} ${plural(total, "transfer")} of ${day} only recorded, nobody was called: ${parts.join(", ")}. heistwatch recorded list shows them.`,
      since: `${day}T00:00:00.000Z`,
      detail: { day, ...Object.fromEntries(counts.map(({ chain, rule, hits }) => [`${chain} ${rule}`, hits])) },
      assets: [],
      largest: [],
    },
  };
  return {
    webhookId: hashId("msg", ["recorded", day]),
    type: body.type,
    body: JSON.stringify(body),
    severity: "info",
    alertId: null,
    revision: 0,
  };
}
