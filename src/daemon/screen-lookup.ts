/** What the lists say of an address that is about to pay us, or to be paid. Pure. */
import { assess } from "../alerts/assess.ts";
import { nameFrom } from "../lib/outside-text.ts";
import { matchesOf } from "../match/hit-of.ts";
import type { Address, ChainId } from "../types/chain.ts";
import type { EntryMatch, Hit } from "../types/hit.ts";
import type { Policy } from "../types/policy.ts";
import type { Finding, ScreenDirection } from "../types/screening.ts";
import type { HitValue } from "../types/value.ts";
import { MUTE_WORDS, type Watchlist } from "../types/watch.ts";

export interface LookupOptions {
  readonly chain: ChainId;
  /** Canonical text. */
  readonly address: Address;
  readonly direction: ScreenDirection;
  /** Whole cents; null: not known. */
  readonly usdCents: bigint | null;
  /** Other addresses of the same key. */
  readonly equivalent: readonly Address[];
  readonly watchlist: Watchlist;
  readonly policy: Policy;
  /** Unix ms. */
  readonly now: number;
}

export interface Lookup {
  readonly matches: readonly EntryMatch[];
  readonly findings: readonly Finding[];
}

const NOTHING: Lookup = { matches: [], findings: [] };

/** The same matches as those of a transfer between the address and us, now; and what its alert would advise. */
export function lookUp(options: LookupOptions): Lookup {
  const { chain, watchlist, now, policy } = options;
  const transfer = plannedTransfer(options);
  const at = Math.floor(now / 1_000);
  const matches = matchesOf(transfer, { chain, watchlist, tokens: NO_TOKENS, at });
  if (matches.length === 0) return NOTHING;
  // In words of their own: an advice without an amount has to say that there is none.
  const findings = matches.map((match): Finding => {
    const hit = plannedHit(transfer, { match, options });
    // Nothing of it is in a block, and nothing has to be: the question is what to do if it were.
    const { severity, action, score } = assess([hit], { stage: "included", policy });
    return {
      code: "listed",
      severity,
      action: isUndecided(match) ? "review" : action,
      text: textOf(match, score.caps),
    };
  });
  return { matches, findings };
}

/**
 * Somebody says that it is wrong, or that it is right, and nobody else has looked yet: no alert and no hold, but one person
 * alone must not make anybody clear.
 */
export function isUndecided({ entry }: EntryMatch): boolean {
  return entry.muted?.why === "disputed" || entry.muted?.why === "unconfirmed";
}

const NO_TOKENS = {
  assetOf: (id: string) => ({ id, symbol: null, decimals: null, listed: true, dustBelow: 0n }),
};

/** Between the address and us; we are no address here. */
function plannedTransfer({ chain, address, direction, equivalent }: LookupOptions): Hit["transfer"] {
  const isDeposit = direction === "deposit";
  return {
    key: "native",
    category: "native",
    txHash: "",
    txIndex: -1,
    from: isDeposit ? address : null,
    to: isDeposit ? null : address,
    assetId: `${chain}/planned`,
    amount: 0n,
    ...(equivalent.length === 0 ? {} : { equivalent }),
  };
}

function plannedHit(transfer: Hit["transfer"], of: { match: EntryMatch; options: LookupOptions }): Hit {
  const { chain, address, usdCents, direction } = of.options;
  const side = direction === "deposit" ? "to" : "from";
  return {
    hitId: "",
    alertId: "",
    chain,
    transfer,
    asset: NO_TOKENS.assetOf(transfer.assetId),
    matches: [of.match],
    own: { side, address: { chain, address: "", customerRef: null, wallet: "other" } },
    subject: address,
    recordedOnly: null,
    value: valueOf(usdCents),
  };
}

/** Whoever asks knows what they are about to move. */
function valueOf(usdCents: bigint | null): HitValue {
  if (usdCents === null) return { usdCents: null, why: "no amount was given" };
  return { usdCents, usdPerUnit: "", source: "asked", updatedAt: null, comparedWith: "asked", note: null };
}

const BASIS_WORDS: Readonly<Record<EntryMatch["basis"], (match: EntryMatch) => string>> = {
  exact: () => "",
  sameKey: ({ entry }) => `, as the same account on ${entry.chain}`,
  keyEquivalent: ({ entry }) => `, as ${entry.address} of the same key`,
};

function textOf(match: EntryMatch, caps: readonly string[]): string {
  const { entry, incident, basis, ended } = match;
  const name = nameFrom(incident?.name ?? entry.incident);
  const said = entry.sanctioned === null ? `by ${entry.basis}` : `sanctioned (${entry.sanctioned.list})`;
  const doubts = [
    ...(incident?.disputed === true ? ["attribution disputed"] : []),
    ...(entry.muted === undefined ? [] : [`the entry is ${MUTE_WORDS[entry.muted.why]}`]),
    ...(ended === true ? [`valid until ${entry.validUntil}`] : []),
  ];
  const more = [...doubts, ...caps.filter((cap) => !doubts.some((doubt) => cap.startsWith(doubt)))];
  const head = `listed on ${entry.list} as ${entry.role} of ${name}, ${said}${BASIS_WORDS[basis](match)}: ${nameFrom(entry.label)}`;
  return more.length === 0 ? head : `${head}. ${more.join("; ")}`;
}
