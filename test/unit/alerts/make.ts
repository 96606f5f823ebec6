/** Hits, events and a context for folding, with nothing but what a test cares about to write down. */
import { createStateCodec } from "../../../src/alerts/state-codec.ts";
import type { FoldContext } from "../../../src/alerts/state.ts";
import { foldAlert } from "../../../src/alerts/fold.ts";
import type { AlertBody } from "../../../src/alerts/body-schema.ts";
import { alertIdOf, hitIdOf } from "../../../src/lib/ids.ts";
import { decodeHit, encodeHit } from "../../../src/store/codec.ts";
import type { AlertRecord, FoldResult, Message } from "../../../src/types/alert.ts";
import { DEFAULT_POLICY } from "../../../src/types/policy.ts";
import type { Asset } from "../../../src/types/chain.ts";
import type { EntryMatch, Hit, HitBlock, HitEvent } from "../../../src/types/hit.ts";
import type { HitValue } from "../../../src/types/value.ts";
import type { Incident, WatchEntry } from "../../../src/types/watch.ts";

export const CHAIN = "eip155:1";
export const TX = `0x${"ab".repeat(32)}`;
export const THIEF = "0x098B716B8Aaf21512996dC57EB0615e2383E2f96";
export const OURS = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045";
export const SANCTIONED = { list: "OFAC SDN", source: "https://ofac.example/1" };
export const NOW = Date.UTC(2026, 10, 22, 10, 15);

export function incident(over: Partial<Incident> = {}): Incident {
  return {
    id: "heist-2025",
    name: "The Heist",
    kind: "theft",
    date: "2025-02-21",
    attribution: "Lazarus",
    attributionBasis: null,
    disputed: false,
    ...over,
  };
}

export function entry(over: Partial<WatchEntry> = {}): WatchEntry {
  return {
    id: `heist-2025/${CHAIN}/${THIEF}`,
    list: "heist-2025",
    listVersion: "2026-11-22.1",
    chain: CHAIN,
    address: THIEF,
    incident: "heist-2025",
    role: "theft",
    label: "exploiter 1",
    basis: "researcher",
    confidence: "named_by_researcher",
    independentSources: 2,
    sanctioned: null,
    default: "on",
    direction: "both",
    custodian: null,
    note: null,
    sources: [{ ref: "https://example.org/report", label: "report" }],
    ...over,
  };
}

export function entryMatch(over: Partial<WatchEntry> = {}, about: Partial<Incident> = {}): EntryMatch {
  return { side: "from", entry: entry(over), incident: incident(about), basis: "exact" };
}

export const ETH: Asset = {
  id: `${CHAIN}/slip44:60`,
  symbol: "ETH",
  decimals: 18,
  listed: true,
  dustBelow: 10n ** 14n,
};
export const SPAM: Asset = { id: `${CHAIN}/erc20:${OURS}`, symbol: null, decimals: null, listed: false, dustBelow: 0n };

export interface HitOver {
  readonly key?: string;
  readonly amount?: bigint;
  readonly asset?: Asset;
  readonly matches?: readonly EntryMatch[];
  readonly own?: boolean;
  readonly recordedOnly?: Hit["recordedOnly"];
  /** Whole cents of a price that was compared; a `HitValue` for anything else. Absent: nobody looked. */
  readonly worth?: bigint | HitValue;
}

/** The thief sends 5 ETH to a deposit address of ours. */
export function hit({ key = "native", amount = 5n * 10n ** 18n, asset = ETH, ...over }: HitOver = {}): Hit {
  return {
    hitId: hitIdOf({ chain: CHAIN, txHash: TX, key }),
    alertId: alertIdOf({ chain: CHAIN, txHash: TX, subject: OURS }),
    chain: CHAIN,
    transfer: {
      key,
      category: key === "native" ? "native" : "erc20",
      txHash: TX,
      txIndex: 7,
      from: THIEF,
      to: OURS,
      assetId: asset.id,
      amount,
    },
    asset,
    matches: over.matches ?? [entryMatch()],
    own:
      over.own === false
        ? null
        : { side: "to", address: { chain: CHAIN, address: OURS, customerRef: "deposit-88121", wallet: "deposit" } },
    subject: OURS,
    recordedOnly: over.recordedOnly ?? null,
    ...(over.worth === undefined
      ? {}
      : { value: typeof over.worth === "bigint" ? knownValue(over.worth) : over.worth }),
  };
}

export function knownValue(usdCents: bigint, comparedWith: string | null = "earlier prices"): HitValue {
  return {
    usdCents,
    usdPerUnit: "3000",
    source: "chainlink:eip155:1:0xfeed",
    updatedAt: NOW / 1000 - 60,
    comparedWith,
    note: null,
  };
}

export const DUST_RULE = { rule: "dust", reason: "too little" } as const;

/** An event of a hit; `seq` is given by `sequence`. */
export function event(kind: HitEvent["kind"], of: Hit = hit(), over: Partial<HitEvent> = {}): HitEvent {
  const tells = kind === "pending" || kind === "included" || kind === "rematched" || kind === "disputed";
  return {
    seq: 0,
    hitId: of.hitId,
    alertId: of.alertId,
    kind,
    block:
      kind === "pending" || kind === "superseded" || kind === "linked"
        ? null
        : { number: 100, hash: "0xblock100", timestamp: NOW / 1000 - 12, confirmations: 1 },
    hit: tells ? of : null,
    trust: tells ? { proven: false, operators: ["self"], missing: [], traced: false } : null,
    reason: kind === "removed" ? "reorg" : null,
    link: null,
    late: false,
    retroactive: false,
    at: NOW,
    ...over,
  };
}

export function block(number: number, branch = "a", confirmations = 1): HitBlock {
  return { number, hash: `0x${branch}${number}`, timestamp: NOW / 1000 - 12, confirmations };
}

const codec = createStateCodec({ encodeHit, decodeHit });

export function context(over: Partial<FoldContext> = {}): FoldContext {
  return {
    chainName: () => "ethereum",
    operatorsConfigured: () => 1,
    sinks: ["siem", "console"],
    newsSinks: new Set(),
    groupingSinks: new Set(["console"]),
    routes: [],
    policy: DEFAULT_POLICY,
    minSeverity: "info",
    ...codec,
    ...over,
  };
}

/** Folds groups one after the other, as the store does; returns what each gave. */
export function foldGroups(groups: readonly (readonly HitEvent[])[], over: Partial<FoldContext> = {}): FoldResult[] {
  let alert: AlertRecord | null = null;
  return groups.map((events) => {
    const result = foldAlert(alert, events, context(over));
    alert = result.record;
    return result;
  });
}

/** Every event in a group of its own. */
export function foldEach(events: readonly HitEvent[], over: Partial<FoldContext> = {}): FoldResult[] {
  return foldGroups(
    events.map((one) => [one]),
    over,
  );
}

export function bodyOf(message: Message | null | undefined): AlertBody {
  if (message === null || message === undefined) throw new Error("no message was made");
  return JSON.parse(message.body) as AlertBody;
}
