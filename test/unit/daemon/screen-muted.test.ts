/** Who is clear while an entry is muted: not by one person's word. */
import { expect, test } from "@jest/globals";
import { DEFAULT_POLICY } from "../../../src/types/policy.ts";
import { findingsOfTransaction } from "../../../src/daemon/screen-findings.ts";
import { lookUp } from "../../../src/daemon/screen-lookup.ts";
import { NO_OWN } from "../../../src/watchlist/own-index.ts";
import { createTokenList } from "../../../src/watchlist/tokens.ts";
import type { EntryMute } from "../../../src/types/watch.ts";
import { createWatchlist } from "../../../src/watchlist/snapshot.ts";
import { entryOf } from "../watchlist/entries.ts";

const ADDRESS = "0x098B716B8Aaf21512996dC57EB0615e2383E2f96";
const CASES: readonly [why: EntryMute["why"] | null, action: string][] = [
  [null, "review"],
  ["disputed", "review"],
  ["unconfirmed", "review"],
  ["suppressed", "none"],
  ["notYetValid", "none"],
];

const NAMED = CASES.map(([why, action]) => [why ?? "in force", action, why] as const);

function listWith(why: EntryMute["why"] | null) {
  const muted = why === null ? {} : { muted: { why, by: "ann", until: null } };
  const entry = entryOf("alpha", "eip155:1", ADDRESS, muted);
  const incident = {
    id: "alpha",
    name: "Alpha",
    kind: "theft",
    date: null,
    attribution: null,
    attributionBasis: null,
    disputed: false,
    lossUsd: null,
    references: [],
    note: null,
  };
  const list = { list: "alpha", version: "1", file: "alpha.yaml", incident, entries: [{ entry, hasAdapter: true }] };
  return createWatchlist({ lists: [list], own: NO_OWN, enable: [] });
}

test.each(NAMED)("an entry that is %s makes an address %s", (_name, action, why) => {
  const watchlist = listWith(why);
  const { findings } = lookUp({
    chain: "eip155:1",
    address: ADDRESS,
    direction: "deposit",
    usdCents: 100_000n,
    equivalent: [],
    watchlist,
    policy: DEFAULT_POLICY,
    now: 0,
  });
  expect(findings).toMatchObject([{ code: "listed", action }]);
});

test.each(NAMED)("an entry that is %s makes a transaction %s", (_name, action, why) => {
  const watchlist = listWith(why);
  const asset = { id: "eip155:1/slip44:60", symbol: "ETH", decimals: 18, listed: true, dustBelow: 1n };
  const { findings } = findingsOfTransaction(
    {
      standing: {
        gap: null,
        block: { number: 1, hash: "0x1", timestamp: 1, operators: ["self"], missing: [], proven: true, traced: true },
      },
      transfers: [
        {
          key: "native",
          category: "native",
          txHash: "0x2",
          txIndex: 0,
          from: ADDRESS,
          to: "0x1111111111111111111111111111111111111111",
          assetId: asset.id,
          amount: 10n ** 18n,
        },
      ],
      hits: [],
      alerts: [],
    },
    { chain: "eip155:1", watchlist, tokens: { ...createTokenList([]), assetOf: () => asset }, policy: DEFAULT_POLICY },
  );
  expect(findings).toMatchObject([{ code: "transfer", action }]);
});
