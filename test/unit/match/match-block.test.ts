import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { matchBlock } from "../../../src/match/match-block.ts";
import { retellHit } from "../../../src/match/retell.ts";
import type { Asset, Block, Transfer } from "../../../src/types/chain.ts";
import type { Hit } from "../../../src/types/hit.ts";
import {
  type EntryRole,
  ENTRY_ROLES,
  type OwnAddress,
  type WatchEntry,
  type Watchlist,
} from "../../../src/types/watch.ts";
import { createWatchedTable } from "../../support/watched-table.ts";

const CHAIN = "eip155:1";
const ETH = `${CHAIN}/slip44:60`;
const USDT = `${CHAIN}/erc20:0xdAC17F958D2ee523a2206206994597C13D831ec7`;
const SPAM = `${CHAIN}/erc20:0x000000000000000000000000000000000000dEaD`;
const DUST = 1_000n;

const THIEF = `0x${"11".repeat(20)}`;
const FENCE = `0x${"22".repeat(20)}`;
const OURS = `0x${"33".repeat(20)}`;
const OURS_TOO = `0x${"44".repeat(20)}`;
const STRANGER = `0x${"55".repeat(20)}`;

function transfer(over: Partial<Transfer> = {}): Transfer {
  return {
    key: "native",
    category: "native",
    txHash: "0xtx",
    txIndex: 0,
    from: STRANGER,
    to: STRANGER,
    assetId: ETH,
    amount: 5_000n,
    ...over,
  };
}

function entry(address: string, over: Partial<WatchEntry> = {}): WatchEntry {
  return {
    id: `heist/${CHAIN}/${address}`,
    list: "heist",
    listVersion: "1",
    chain: CHAIN,
    address,
    incident: "heist-2025",
    role: "theft",
    label: "a thief",
    basis: "researcher",
    confidence: "named_by_researcher",
    independentSources: 2,
    sanctioned: null,
    default: "on",
    direction: "both",
    custodian: null,
    note: null,
    sources: [],
    ...over,
  };
}

const SANCTIONED = { list: "OFAC SDN", source: "https://ofac.example/1" };

function watchlist(entries: readonly WatchEntry[], own: readonly string[] = []): Watchlist {
  const owned = new Map<string, OwnAddress>(
    own.map((address) => [address, { chain: CHAIN, address, customerRef: `ref ${address}`, wallet: "deposit" }]),
  );
  return {
    version: "v1",
    incidents: new Map([
      [
        "heist-2025",
        {
          id: "heist-2025",
          name: "The Heist",
          kind: "theft",
          date: null,
          attribution: null,
          attributionBasis: null,
          disputed: false,
        },
      ],
    ]),
    entriesOf: (chain, address) => (chain === CHAIN ? entries.filter((one) => one.address === address) : []),
    ownOf: (chain, address) => (chain === CHAIN ? (owned.get(address) ?? null) : null),
    addresses: createWatchedTable(new Map([[CHAIN, new Map(entries.map((one) => [one.address, one]))]])),
    watchedCount: entries.length,
  };
}

function assetOf(id: string): Asset {
  const listed = id !== SPAM;
  return { id, symbol: listed ? "COIN" : null, decimals: listed ? 6 : null, listed, dustBelow: listed ? DUST : 0n };
}

function match(transfers: readonly Transfer[], lists: Watchlist): Hit[] {
  const block: Block = {
    number: 1,
    hash: "0xblock",
    parentHash: "0xparent",
    timestamp: 1_700_000_000,
    transfers,
    trust: { proven: false, operators: ["self"], missing: [], traced: false },
  };
  return matchBlock(block, { chain: CHAIN, watchlist: lists, tokens: { assetOf } });
}

function only(hits: readonly Hit[]): Hit {
  expect(hits).toHaveLength(1);
  return hits[0] as Hit;
}

const matched = (hit: Hit) => hit.matches.map(({ side, entry: { address } }) => `${side} ${address}`);

describe("who is matched", () => {
  test("a watched sender and a watched recipient are one hit with both entries", () => {
    const hit = only(match([transfer({ from: THIEF, to: FENCE })], watchlist([entry(THIEF), entry(FENCE)])));
    expect(matched(hit)).toEqual([`from ${THIEF}`, `to ${FENCE}`]);
    expect(hit.subject).toBe(THIEF);
    expect(hit.matches[0]?.incident?.name).toBe("The Heist");
  });

  test("a transfer to oneself is one hit, seen from both ends", () => {
    const hit = only(match([transfer({ from: THIEF, to: THIEF })], watchlist([entry(THIEF)])));
    expect(matched(hit)).toEqual([`from ${THIEF}`, `to ${THIEF}`]);
    expect(hit.subject).toBe(THIEF);
  });

  test("nobody watched, no hit: own addresses alone are nobody's business", () => {
    expect(match([transfer({ from: OURS, to: STRANGER })], watchlist([entry(THIEF)], [OURS]))).toEqual([]);
    expect(match([], watchlist([entry(THIEF)]))).toEqual([]);
  });

  test("an entry of another chain does not match here", () => {
    const lists = watchlist([entry(THIEF)]);
    const block = { transfers: [transfer({ from: THIEF })] } as unknown as Block;
    expect(matchBlock(block, { chain: "eip155:137", watchlist: lists, tokens: { assetOf } })).toEqual([]);
  });

  test("several lists, several entries: one hit, every entry in list order", () => {
    const entries = [entry(THIEF), entry(THIEF, { id: "b", list: "other", incident: "unknown-incident" })];
    const hit = only(match([transfer({ to: THIEF })], watchlist(entries)));
    expect(hit.matches.map(({ entry: { list } }) => list)).toEqual(["heist", "other"]);
    expect(hit.matches.map(({ incident }) => incident?.id ?? null)).toEqual(["heist-2025", null]);
  });

  test("every movement of a transaction is a hit of its own, in order", () => {
    const keys = ["native", "log:3", "log:10"];
    const hits = match(
      keys.map((key) => transfer({ key, from: THIEF })),
      watchlist([entry(THIEF)]),
    );
    expect(hits.map((hit) => hit.transfer.key)).toEqual(keys);
    expect(new Set(hits.map(({ hitId }) => hitId)).size).toBe(3);
    expect(new Set(hits.map(({ alertId }) => alertId)).size).toBe(1);
  });
});

describe("the same account on another chain", () => {
  const elsewhere = entry(THIEF, { chain: "eip155:56", id: `heist/eip155:56/${THIEF}` });
  const bases = (hit: Hit) => hit.matches.map(({ side, basis, entry: { chain } }) => `${side} ${basis} ${chain}`);

  test("is matched as sameKey, on either side", () => {
    expect(bases(only(match([transfer({ from: THIEF })], watchlist([elsewhere]))))).toEqual(["from sameKey eip155:56"]);
    expect(bases(only(match([transfer({ to: THIEF })], watchlist([elsewhere]))))).toEqual(["to sameKey eip155:56"]);
  });

  test("beside the listed one, each says what it is", () => {
    const hit = only(match([transfer({ from: THIEF })], watchlist([entry(THIEF), elsewhere])));
    expect(bases(hit)).toEqual(["from exact eip155:1", "from sameKey eip155:56"]);
  });

  test("has the hit and the alert that the listed one would have", () => {
    const ids = (one: WatchEntry) => {
      const { hitId, alertId } = only(match([transfer({ from: THIEF })], watchlist([one])));
      return [hitId, alertId];
    };
    expect(ids(elsewhere)).toEqual(ids(entry(THIEF)));
  });
});

describe("to_only, a custodian's address", () => {
  const custodian = entry(FENCE, { direction: "to_only" });

  test("matches as recipient, never as sender", () => {
    expect(matched(only(match([transfer({ to: FENCE })], watchlist([custodian]))))).toEqual([`to ${FENCE}`]);
    expect(match([transfer({ from: FENCE, to: OURS })], watchlist([custodian], [OURS]))).toEqual([]);
  });

  test("does not silence another entry of the same address", () => {
    const both = watchlist([custodian, entry(FENCE, { id: "b" })]);
    expect(only(match([transfer({ from: FENCE })], both)).matches.map(({ entry: { id } }) => id)).toEqual(["b"]);
  });

  test("in a transfer to itself it matches once, as recipient", () => {
    expect(matched(only(match([transfer({ from: FENCE, to: FENCE })], watchlist([custodian]))))).toEqual([
      `to ${FENCE}`,
    ]);
  });
});

describe("whose alert it is", () => {
  const lists = watchlist([entry(THIEF), entry(FENCE)], [OURS, OURS_TOO]);
  const ownOf = (hit: Hit) => hit.own && [hit.own.side, hit.own.address.address];

  test.each([
    ["own opposite a watched sender", THIEF, OURS, ["to", OURS], OURS],
    ["own opposite a watched recipient", OURS, FENCE, ["from", OURS], OURS],
    ["no own address: the watched sender", THIEF, STRANGER, null, THIEF],
    ["no own address: the watched recipient", STRANGER, FENCE, null, FENCE],
  ] as const)("%s", (_what, from, to, own, subject) => {
    const hit = only(match([transfer({ from, to })], lists));
    expect(ownOf(hit)).toEqual(own);
    expect(hit.subject).toBe(subject);
  });

  test("own on both sides: the one opposite the watched address, so the customer is named", () => {
    const listed = watchlist([entry(OURS)], [OURS, OURS_TOO]);
    expect(ownOf(only(match([transfer({ from: OURS, to: OURS_TOO })], listed)))).toEqual(["to", OURS_TOO]);
    expect(ownOf(only(match([transfer({ from: OURS_TOO, to: OURS })], listed)))).toEqual(["from", OURS_TOO]);
  });

  test("sweeps between own addresses are nobody's hit; one that is listed too is told once, whichever side it is on", () => {
    const sweeps = [transfer({ from: OURS, to: OURS_TOO }), transfer({ from: OURS_TOO, to: OURS, key: "log:1" })];
    expect(match(sweeps, watchlist([entry(THIEF)], [OURS, OURS_TOO]))).toEqual([]);
    const both = match(sweeps, watchlist([entry(OURS), entry(THIEF)], [OURS, OURS_TOO]));
    expect(both.map(({ transfer: { key }, subject }) => [key, subject])).toEqual([
      [sweeps[0]?.key, OURS_TOO],
      ["log:1", OURS_TOO],
    ]);
    expect(match(sweeps.slice(0, 1), watchlist([entry(OURS), entry(OURS_TOO)], [OURS, OURS_TOO]))).toHaveLength(1);
  });

  test("an own address that is itself watched is still our own", () => {
    const listed = watchlist([entry(OURS)], [OURS]);
    expect(ownOf(only(match([transfer({ from: OURS, to: STRANGER })], listed)))).toEqual(["from", OURS]);
    expect(ownOf(only(match([transfer({ from: STRANGER, to: OURS })], listed)))).toEqual(["to", OURS]);
  });
});

describe("what is only recorded", () => {
  const plain = watchlist([entry(THIEF)], [OURS]);
  const listed = watchlist([entry(THIEF, { sanctioned: SANCTIONED })], [OURS]);
  const ruleOf = (over: Partial<Transfer>, lists = plain) => only(match([transfer(over)], lists)).recordedOnly?.rule;

  test("zero value, whoever it is: anyone can log a transfer of nothing", () => {
    expect(ruleOf({ from: THIEF, amount: 0n })).toBe("zeroValue");
    expect(ruleOf({ from: THIEF, to: OURS, amount: 0n })).toBe("zeroValue");
    expect(ruleOf({ to: THIEF, amount: 0n, assetId: SPAM }, listed)).toBe("zeroValue");
    expect(ruleOf({ from: THIEF, to: OURS, amount: 1n })).toBeUndefined();
  });

  test("an unlisted token into a watched address, but not out of one", () => {
    expect(ruleOf({ to: THIEF, assetId: SPAM })).toBe("unlistedToken");
    expect(ruleOf({ from: OURS, to: THIEF, assetId: SPAM })).toBe("unlistedToken");
    expect(ruleOf({ from: THIEF, assetId: SPAM })).toBeUndefined();
    expect(ruleOf({ from: THIEF, to: THIEF, assetId: SPAM })).toBeUndefined();
    expect(ruleOf({ to: THIEF, assetId: USDT })).toBeUndefined();
  });

  test("dust between strangers, at the limit exactly", () => {
    expect(ruleOf({ from: THIEF, amount: DUST - 1n })).toBe("dust");
    expect(ruleOf({ from: THIEF, amount: DUST })).toBeUndefined();
  });

  test("dust is told when an own address is touched", () => {
    expect(ruleOf({ from: THIEF, to: OURS, amount: 1n })).toBeUndefined();
    expect(ruleOf({ from: OURS, to: THIEF, amount: 1n })).toBeUndefined();
  });

  test("sanctioned dust is told, also when only one of several entries is sanctioned", () => {
    expect(ruleOf({ from: THIEF, amount: 1n }, listed)).toBeUndefined();
    const two = watchlist([entry(THIEF), entry(THIEF, { id: "b", sanctioned: SANCTIONED })]);
    expect(ruleOf({ from: THIEF, amount: 1n }, two)).toBeUndefined();
  });

  test("everything recorded only says why", () => {
    const hit = only(match([transfer({ from: THIEF, amount: 1n })], plain));
    expect(hit.recordedOnly?.reason).toContain("1000 base units");
  });
});

describe("ids", () => {
  const addresses = fc.constantFrom(THIEF, FENCE, OURS, STRANGER);
  const transfers = fc.uniqueArray(
    fc.record({
      key: fc.nat(30).map((index) => `log:${index}`),
      from: addresses,
      to: addresses,
      amount: fc.bigInt(0n, 9n),
    }),
    { selector: ({ key }) => key, maxLength: 8 },
  );
  const lists = fc.array(
    fc.record({ list: fc.string(), role: fc.constantFrom<EntryRole>(...ENTRY_ROLES), version: fc.string() }),
    { minLength: 1, maxLength: 4 },
  );

  test("the same movement has the same ids under any list, role, version and order", () => {
    fc.assert(
      fc.property(transfers, lists, lists, fc.boolean(), (parts, one, other, turned) => {
        const moves = parts.map((part) => transfer(part));
        const watch = (rows: typeof one) =>
          watchlist(
            rows.flatMap(({ list, role, version }, index) =>
              [THIEF, FENCE].map((address) => entry(address, { id: `${index}`, list, role, listVersion: version })),
            ),
            [OURS],
          );
        const ids = (hits: readonly Hit[]) =>
          hits.map(({ hitId, alertId, transfer: { key } }) => [key, hitId, alertId]);
        const first = ids(match(moves, watch(one)));
        const second = ids(match(turned ? moves.toReversed() : moves, watch(other)));
        expect(new Set(second.map(String))).toEqual(new Set(first.map(String)));
      }),
    );
  });

  test("exactly the transfers that touch a watched address are hits, once each, whatever their amount", () => {
    fc.assert(
      fc.property(transfers, (parts) => {
        const moves = parts.map((part) => transfer(part));
        const hits = match(moves, watchlist([entry(THIEF), entry(FENCE)], [OURS]));
        const expected = moves.filter(({ from, to }) => [from, to].some((one) => one === THIEF || one === FENCE));
        expect(hits.map((hit) => hit.transfer)).toEqual(expected);
      }),
    );
  });

  test("another chain, transaction or movement has another id", () => {
    const hits = [transfer(), transfer({ txHash: "0xother" }), transfer({ key: "log:0" })].map((one) =>
      only(match([{ ...one, from: THIEF }], watchlist([entry(THIEF)]))),
    );
    expect(new Set(hits.map(({ hitId }) => hitId)).size).toBe(3);
    expect(new Set(hits.map(({ alertId }) => alertId)).size).toBe(2);
  });
});

describe("an entry whose dates are over", () => {
  // The block's own time.
  const at = new Date(1_700_000_000_000);
  const over = { validUntil: new Date(at.getTime() - 86_400_000).toISOString().slice(0, 10) };
  const still = { validUntil: at.toISOString().slice(0, 10) };
  const from = transfer({ from: THIEF, to: OURS });

  test("is only recorded, with its own rule; on its last day it still tells", () => {
    const hit = only(match([from], watchlist([entry(THIEF, over)], [OURS])));
    expect(hit.recordedOnly).toEqual({ rule: "entryEnded", reason: `The entry was valid until ${over.validUntil}.` });
    expect(hit.matches[0]?.ended).toBe(true);
    const onTime = only(match([from], watchlist([entry(THIEF, still)], [OURS])));
    expect([onTime.recordedOnly, onTime.matches[0]?.ended]).toEqual([null, undefined]);
  });

  test("tells where a sanctions list names it, whatever its dates", () => {
    const sanctioned = { list: "OFAC SDN", source: "https://example.org" };
    const hit = only(match([from], watchlist([entry(THIEF, { ...over, sanctioned })], [OURS])));
    expect([hit.recordedOnly, hit.matches[0]?.ended]).toEqual([null, undefined]);
  });

  test("silences no other entry, and a muted one beside it is not told for it", () => {
    const muted = { why: "disputed", by: "ann", until: null } as const;
    const both = (other: Partial<WatchEntry>) =>
      only(match([transfer({ from: THIEF, to: FENCE })], watchlist([entry(THIEF, over), entry(FENCE, other)])));
    expect(both({}).recordedOnly).toBeNull();
    expect(both({ muted }).recordedOnly?.rule).toBe("entryMuted");
    expect(both(over).recordedOnly?.rule).toBe("entryEnded");
  });

  test("is told again when its dates are moved, by when the transfer was, not by today", () => {
    const hit = only(match([from], watchlist([entry(THIEF, over)], [OURS])));
    const as = (parts: Partial<WatchEntry>) => {
      const now = entry(THIEF, parts);
      return retellHit(hit, { changed: new Set([now.id]), watchlist: watchlist([now], [OURS]) });
    };
    expect(as(still)).toMatchObject({ recordedOnly: null });
    expect(as({})).toMatchObject({ recordedOnly: null });
    expect(as({ label: "x", ...over })?.recordedOnly?.rule).toBe("entryEnded");
  });
});
