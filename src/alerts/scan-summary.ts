/** What a scan of the past found, told once for each entry: the alerts behind it are stored, and page nobody. Pure. */
import { hashId } from "../lib/ids.ts";
import type { Message } from "../types/alert.ts";
import type { EntryFinding, Reading, ScanStatus } from "../types/retro.ts";
import type { SystemBody } from "./body-schema.ts";

export interface ScanSummary {
  readonly scan: ScanStatus;
  /** Display name of the chain. */
  readonly chainName: string;
  /** Entries that something touched. */
  readonly findings: readonly EntryFinding[];
  /** Addresses of the scan, in any order. */
  readonly addresses: readonly string[];
}

const NAMED_MAX = 20;

const READ: Record<Reading, string> = {
  whole: "each block was read and proven",
  filtered: "blocks that our node's index names were read and proven; that the others hold nothing is its word",
  logs: "only events that name the address were looked for, not native value",
};

/** One message for each entry with findings, and one for all addresses that nothing touched. The same scan, the same ids. */
export function summariesOf({ scan, chainName, findings, addresses }: ScanSummary): Message[] {
  const where = `Blocks ${scan.from} to ${scan.to} of ${chainName} were scanned for the past of`;
  const touched = new Set(findings.map(({ address }) => address));
  const quiet = addresses.filter((address) => !touched.has(address)).toSorted();
  const messages = findings.map((finding) =>
    messageOf(scan, {
      subject: `entry:${finding.entryId}`,
      summary: `${where} ${finding.address}: ${countsOf(finding)} (${READ[scan.reading]}).`,
      detail: { ...finding },
    }),
  );
  if (quiet.length === 0) return messages;
  const named = `${quiet.slice(0, NAMED_MAX).join(", ")}${quiet.length > NAMED_MAX ? ` and ${quiet.length - NAMED_MAX} more` : ""}`;
  return [
    ...messages,
    messageOf(scan, {
      subject: `scan:${scan.scanId}`,
      summary: `${where} ${named}: nothing touches ${quiet.length === 1 ? "it" : "them"} (${READ[scan.reading]}).`,
      detail: { untouched: quiet.length },
    }),
  ];
}

function countsOf({ transfers, freshTransfers, alerts, ownTransfers, firstBlock, lastBlock }: EntryFinding): string {
  const known = transfers - freshTransfers;
  return [
    `${transfers} transfer${transfers === 1 ? "" : "s"} in blocks ${firstBlock} to ${lastBlock}`,
    ...(known > 0 ? [`${known} of them told before`] : []),
    `${alerts} alert${alerts === 1 ? "" : "s"}`,
    ...(ownTransfers > 0 ? [`${ownTransfers} with own addresses`] : []),
  ].join(", ");
}

function messageOf(
  scan: ScanStatus,
  { subject, summary, detail }: Pick<SystemBody["data"], "subject" | "summary" | "detail">,
): Message {
  const body: SystemBody = {
    type: "watchlist.scanned",
    timestamp: isoOf(scan.endedAt ?? scan.createdAt),
    schemaVersion: "1",
    replay: false,
    test: false,
    data: {
      subject,
      severity: "info",
      summary,
      since: isoOf(scan.createdAt),
      detail: { scan: scan.scanId, chain: scan.chain, from: scan.from, to: scan.to, blocks: scan.blocks, ...detail },
    },
  };
  return {
    webhookId: hashId("msg", [scan.scanId, subject]),
    type: body.type,
    body: JSON.stringify(body),
    severity: "info",
    alertId: null,
    revision: 0,
  };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
