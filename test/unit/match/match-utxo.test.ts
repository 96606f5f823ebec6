import { describe, expect, test } from "@jest/globals";
import { matchTransfers } from "../../../src/match/match-block.ts";
import { addressesOfHit, retellHit } from "../../../src/match/retell.ts";
import type { Transfer } from "../../../src/types/chain.ts";
import type { Hit } from "../../../src/types/hit.ts";
import type { OwnAddress, WatchEntry, Watchlist } from "../../../src/types/watch.ts";
import { createWatchedTable } from "../../support/watched-table.ts";

const CHAIN = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328";
const TX = "ab".repeat(32);

const amountOf = (text: string) => BigInt(text.split(" ")[1] ?? "100000");

/** `["thief 500"]`: coins by owner and satoshi. An output to an owner of an input is change. */
function transaction(inputs: readonly string[], outputs: readonly string[], over: Partial<Transfer> = {}): Transfer[] {
  const owners = inputs.map((input) => input.split(" ")[0] as string);
  const base = { txHash: TX, txIndex: 3, assetId: `${CHAIN}/slip44:0`, ...over };
  return [
    ...inputs.map((text, n): Transfer => {
      const amount = amountOf(text);
      return { ...base, key: `vin:${n}`, category: "input", from: owners[n] ?? null, to: null, amount };
    }),
    ...outputs.map((text, n): Transfer => {
      const to = text.split(" ")[0] as string;
      const change = owners.includes(to) ? { change: true as const } : {};
      return { ...base, key: `vout:${n}`, category: "output", from: null, to, amount: amountOf(text), ...change };
    }),
  ];
}

function entry(address: string, over: Partial<WatchEntry> = {}): WatchEntry {
  return {
    id: `heist/${CHAIN}/${address}`,
    list: "heist",
    listVersion: "1",
    chain: CHAIN,
    address,
    incident: "heist",
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

/** Whoever begins with `ours` is ours. */
function listOf(entries: readonly WatchEntry[]): Watchlist {
  const ownOf = (_chain: string, address: string): OwnAddress | null =>
    address.startsWith("ours") ? { chain: CHAIN, address, customerRef: address, wallet: "deposit" } : null;
  return {
    version: "1",
    incidents: new Map(),
    entriesOf: (_chain, address) => entries.filter((one) => one.address === address),
    ownOf,
    addresses: createWatchedTable(new Map()),
    watchedCount: entries.length,
  };
}

function match(transfers: readonly Transfer[], entries: readonly WatchEntry[]): Hit[] {
  const watchlist = listOf(entries);
  const assetOf = (id: string) => ({ id, symbol: "BTC", decimals: 8, listed: true, dustBelow: 1_000n });
  return matchTransfers(transfers, { chain: CHAIN, watchlist, tokens: { assetOf }, at: 1_700_000_000 });
}

const THIEF = entry("thief");

/** `vin:0 of thief`: key and subject of each hit. */
const told = (hits: readonly Hit[]) => hits.map(({ transfer, subject }) => `${transfer.key} of ${subject}`);

describe("one alert per transaction and affected party", () => {
  test.each([
    {
      what: "an own deposit address that a watched coin pays, with the inputs",
      tx: transaction(["thief", "other"], ["ours-a", "thief"]),
      hits: ["vin:0 of ours-a", "vout:0 of ours-a", "vout:1 of ours-a"],
    },
    {
      what: "each of several own addresses; the inputs with the first",
      tx: transaction(["thief", "thief"], ["other", "ours-a", "ours-b", "ours-a"]),
      hits: ["vin:0 of ours-a", "vin:1 of ours-a", "vout:1 of ours-a", "vout:2 of ours-b", "vout:3 of ours-a"],
    },
    {
      what: "the own wallet that pays a watched address, its change aside",
      tx: transaction(["ours-hot", "ours-warm"], ["thief", "other", "ours-hot"]),
      hits: ["vout:0 of ours-hot"],
    },
    {
      what: "the first watched sender where nobody of ours is involved",
      tx: transaction(["other", "thief", "fence", "thief"], ["other", "fence"]),
      hits: ["vin:1 of thief", "vin:2 of thief", "vin:3 of thief", "vout:1 of thief"],
    },
    {
      what: "each watched recipient where no watched coin is spent",
      tx: transaction(["other"], ["thief", "other", "fence"]),
      hits: ["vout:0 of thief", "vout:2 of fence"],
    },
    { what: "nobody where nobody is watched", tx: transaction(["other", "ours-a"], ["ours-b"]), hits: [] },
  ])("$what", ({ tx, hits }) => {
    expect(told(match(tx, [THIEF, entry("fence")]))).toEqual(hits);
  });

  test("the own address that is paid is matched with the watched senders, and says which side is whose", () => {
    const hits = match(transaction(["thief", "fence"], ["ours-a"]), [THIEF, entry("fence")]);
    const paid = hits.find(({ transfer }) => transfer.key === "vout:0");
    expect(paid?.matches.map(({ side, entry: { address } }) => `${side} ${address}`)).toEqual([
      "from thief",
      "from fence",
    ]);
    expect(hits.map(({ own }) => own)).toEqual(Array(3).fill(expect.objectContaining({ side: "to" })));
  });

  test("of more watched senders than are repeated, the strongest are", () => {
    const weak = Array.from({ length: 40 }, (_, n) => entry(`weak${n}`, { basis: "explorer" }));
    const listed = entry("listed", { sanctioned: { list: "OFAC SDN", source: "https://ofac.example/1" } });
    const inputs = [...weak.map(({ address }) => address), "listed"];
    const paid = match(transaction(inputs, ["ours-a"]), [...weak, listed]).at(-1);
    expect(paid?.matches).toHaveLength(16);
    expect(paid?.matches[0]?.entry.address).toBe("listed");
  });

  test("senders that are over or muted do not crowd out the one that tells", () => {
    const basis = "notice";
    const muted = { why: "disputed", by: "ann", until: null } as const;
    const quiet = Array.from({ length: 40 }, (_, n) =>
      entry(`quiet${n}`, n % 2 === 0 ? { basis, validUntil: "2020-01-01" } : { basis, muted }),
    );
    const inputs = [...quiet.map(({ address }) => address), "fence"];
    const paid = match(transaction(inputs, ["ours-a"]), [...quiet, entry("fence", { basis: "explorer" })]).at(-1);
    expect([paid?.matches[0]?.entry.address, paid?.recordedOnly]).toEqual(["fence", null]);
  });

  test("two transactions are two alerts", () => {
    const other = transaction(["thief"], ["ours-a"], { txHash: "cd".repeat(32) });
    const hits = match([...transaction(["thief"], ["ours-a"]), ...other], [THIEF]);
    expect(new Set(hits.map(({ alertId }) => alertId)).size).toBe(2);
    expect(new Set(hits.map(({ hitId }) => hitId)).size).toBe(4);
  });
});

describe("what is matched", () => {
  test("an entry watched as a recipient only: not its spending, not its change, but what reaches it", () => {
    const custodian = entry("thief", { direction: "to_only" });
    expect(told(match(transaction(["thief"], ["ours-a", "thief"]), [custodian]))).toEqual([]);
    expect(told(match(transaction(["ours-a"], ["thief"]), [custodian]))).toEqual(["vout:0 of ours-a"]);
  });

  test("an address of the same key is matched on a basis of its own", () => {
    const [input, output] = transaction(["sister"], ["ours-a"]) as [Transfer, Transfer];
    const hits = match([{ ...input, equivalent: ["thief"] }, output], [THIEF]);
    expect(hits.map(({ matches }) => matches.map(({ basis }) => basis))).toEqual([
      ["keyEquivalent"],
      ["keyEquivalent"],
    ]);
  });

  test("dust and nothing are recorded only, unless an own address is touched", () => {
    const rules = (tx: readonly Transfer[]) => match(tx, [THIEF]).map(({ recordedOnly }) => recordedOnly?.rule ?? null);
    expect(rules(transaction(["other"], ["thief 999"]))).toEqual(["dust"]);
    expect(rules(transaction(["other"], ["thief 0"]))).toEqual(["zeroValue"]);
    expect(rules(transaction(["ours-a"], ["thief 999"]))).toEqual([null]);
  });
});

describe("a hit whose entry is gone or corrected is what matching its transaction again gives", () => {
  const mixer = entry("mixer", { basis: "explorer" });
  const besides = entry("thief", { id: `other/${CHAIN}/thief`, list: "other" });
  const paying = transaction(["thief", "mixer", "clean"], ["ours 5000", "ours-2 5000", "thief 7000", "fence 900000"]);
  const retold = (before: readonly WatchEntry[], after: readonly WatchEntry[], changed: WatchEntry) =>
    match(paying, before).flatMap(
      (hit) => retellHit(hit, { changed: new Set([changed.id]), watchlist: listOf(after) }) ?? [],
    );

  test.each<[string, WatchEntry[], WatchEntry[]]>([
    ["another list names the sender meanwhile", [THIEF, mixer], [besides, mixer]],
    ["nobody else names it, another input is named", [THIEF, mixer], [mixer]],
    ["it is a recipient only from now on", [THIEF, mixer], [entry("thief", { direction: "to_only" }), mixer]],
    ["the other one is a recipient only", [THIEF, mixer], [entry("thief", { direction: "to_only", list: "b" }), mixer]],
  ])("%s", (_what, before, after) => {
    const fresh = match(paying, after);
    const now = retold(before, after, THIEF);
    const matchesOf = (hits: readonly Hit[]) => hits.map(({ hitId, matches }) => [hitId, matches]);
    expect(matchesOf(now)).toEqual(matchesOf(fresh));
    expect(now.length).toBeGreaterThan(0);
  });

  test("nothing is left where nothing names a party, and all that may name one is asked for", () => {
    expect(retold([THIEF], [], THIEF)).toEqual([]);
    const [, , ours] = match(paying, [THIEF, mixer]);
    expect(ours && addressesOfHit(ours)).toEqual(["thief", "mixer", "ours"]);
  });

  test("another entry of the same key takes its place as one of that key", () => {
    const spent = transaction(["wrapped"], ["fence 5000"], { equivalent: ["thief"] });
    const [hit] = match(spent, [THIEF]);
    const now = hit && retellHit(hit, { changed: new Set([THIEF.id]), watchlist: listOf([besides]) });
    expect(now?.matches.map(({ entry: { id }, basis }) => [id, basis])).toEqual([[besides.id, "keyEquivalent"]]);
  });
});
