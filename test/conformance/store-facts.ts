/** Blocks, hits and a fold, small and of known content, for the store's conformance suite. */
import { alertIdOf, hashId, hitIdOf } from "../../src/lib/ids.ts";
import type { AlertRecord, FoldResult, Stage } from "../../src/types/alert.ts";
import type { Block } from "../../src/types/chain.ts";
import type { Lease, ScannedBlock, WindowBlock } from "../../src/types/checkpoint.ts";
import type { Hit, HitEvent, RecordedOnly } from "../../src/types/hit.ts";
import type { WatchEntry } from "../../src/types/watch.ts";

export const NOW = 1_795_305_600_000;

export function windowBlock(number: number, branch = "a"): WindowBlock {
  const { hash, parentHash, timestamp } = blockAt(number, { branch });
  return { number, hash, parentHash, timestamp, scanned: false, listVersion: "" };
}

/** Block `number` of a branch; `on` names the branch its parent is on. */
export function blockAt(number: number, { branch = "a", on = branch }: { branch?: string; on?: string } = {}): Block {
  return {
    number,
    hash: `0x${branch}${number}`,
    parentHash: `0x${on}${number - 1}`,
    timestamp: 1_795_000_000 + number,
    transfers: [],
    trust: { proven: true, operators: ["us"], missing: [], traced: false },
  };
}

export interface HitFacts {
  readonly chain: string;
  readonly tx: string;
  readonly key?: string;
  readonly subject?: string;
  readonly amount?: bigint;
  readonly label?: string;
  readonly recordedOnly?: RecordedOnly | null;
}

export function hitOf(facts: HitFacts): Hit {
  const { chain, tx: txHash, key = "native", subject = "0xthief", amount = 5n, recordedOnly = null } = facts;
  const entry: WatchEntry = {
    id: `list/${chain}/0xthief`,
    list: "list",
    listVersion: "1",
    chain,
    address: "0xthief",
    incident: "heist",
    role: "theft",
    label: facts.label ?? "thief",
    basis: "researcher",
    confidence: "named_by_researcher",
    independentSources: 1,
    sanctioned: null,
    default: "on",
    direction: "both",
    custodian: null,
    note: null,
    sources: [],
  };
  const assetId = `${chain}/slip44:60`;
  return {
    hitId: hitIdOf({ chain, txHash, key }),
    alertId: alertIdOf({ chain, txHash, subject }),
    chain,
    transfer: { key, category: "native", txHash, txIndex: 0, from: "0xthief", to: "0xsomebody", assetId, amount },
    asset: { id: assetId, symbol: "ETH", decimals: 18, listed: true, dustBelow: 2n },
    matches: [{ side: "from", entry, incident: null, basis: "exact" }],
    own: null,
    subject,
    recordedOnly,
  };
}

export function scanned(block: Block, hits: readonly Hit[] = []): ScannedBlock {
  return { block, hits, late: false };
}

export const ZERO: RecordedOnly = { rule: "zeroValue", reason: "No value moved." };

export function commitOf(lease: Lease, blocks: readonly ScannedBlock[], listVersion = "v1") {
  const headNumber = blocks.at(-1)?.block.number ?? 0;
  return { lease, scanned: blocks, listVersion, headNumber, windowDepth: 64, now: NOW };
}

/** Keeps the kinds of all events it ever saw, in order, and makes a message of every call. */
export function foldKinds(alert: AlertRecord | null, events: readonly HitEvent[]): FoldResult {
  const last = events.at(-1) as HitEvent;
  const kinds = [...(alert === null ? [] : (JSON.parse(alert.state) as string[])), ...events.map(({ kind }) => kind)];
  const revision = (alert?.revision ?? 0) + 1;
  const stage: Stage = last.kind === "removed" ? "retracted" : last.kind === "final" ? "final" : "included";
  const record: AlertRecord = {
    alertId: last.alertId,
    chain: events[0]?.hit?.chain ?? alert?.chain ?? "",
    txHash: events[0]?.hit?.transfer.txHash ?? alert?.txHash ?? "",
    subject: "0xthief",
    revision,
    kind: "movement",
    stage,
    severity: "high",
    action: "review",
    summary: kinds.join(" "),
    state: JSON.stringify(kinds),
    createdAt: alert?.createdAt ?? last.at,
    updatedAt: last.at,
  };
  const webhookId = hashId("msg", [last.alertId, String(revision)]);
  const body = JSON.stringify({ kinds, "umlaut ä": "quote '" });
  return {
    record,
    message: { webhookId, type: "alert.created", body, severity: "high", alertId: last.alertId, revision },
    sinks: ["siem", "desk"],
    about: { customerRef: null, incidents: ["heist"], gainedHit: alert === null },
    grouping: null,
    payments: [],
    quiet: [],
  };
}
