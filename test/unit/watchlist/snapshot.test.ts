import { describe, expect, test } from "@jest/globals";
import type { OwnAddress } from "../../../src/types/watch.ts";
import type { LoadedList } from "../../../src/watchlist/load.ts";
import { createWatchlist } from "../../../src/watchlist/snapshot.ts";
import { A1, B2, C3, D4, E5, list, load, row } from "./helpers.ts";
import { isInTable } from "./probe-table.ts";
import { createOwnIndex } from "../../../src/watchlist/own-index.ts";

const BITCOIN = "bip122:000000000019d6689c085ae165831e93";
const OWN: readonly OwnAddress[] = [
  { chain: "eip155:1", address: C3, customerRef: "customer-1", wallet: "deposit" },
  { chain: "eip155:10", address: C3, customerRef: null, wallet: "hot" },
];

async function listsOf(files: Record<string, string>): Promise<readonly LoadedList[]> {
  const { lists, problems } = await load(files);
  expect(problems).toEqual([]);
  return lists;
}

const make = (lists: readonly LoadedList[], enable: readonly string[] = [], own: readonly OwnAddress[] = []) => {
  return createWatchlist({ lists, own: createOwnIndex(own), enable });
};

describe("a watchlist snapshot", () => {
  test("finds an entry by its canonical address only", async () => {
    const watchlist = make(await listsOf({ "a.yaml": list("a", [row({ address: A1.toLowerCase() })]) }));
    expect(watchlist.entriesOf("eip155:1", A1)).toMatchObject([
      { id: `a/eip155:1/${A1}`, incident: "a", direction: "both" },
    ]);
    expect(watchlist.entriesOf("eip155:1", A1.toLowerCase())).toEqual([]);
    expect(watchlist.entriesOf("eip155:1", B2)).toEqual([]);
    expect(watchlist.incidents.get("a")).toMatchObject({ name: "Example", disputed: false });
  });

  test("keeps the direction of a custodial address", async () => {
    const watchlist = make(await listsOf({ "a.yaml": list("a", [row({ extra: "direction: to_only" })]) }));
    expect(watchlist.entriesOf("eip155:1", A1)).toMatchObject([{ direction: "to_only" }]);
  });

  test("matches an entry that is off only when its list or incident is enabled", async () => {
    const text = list("a", [row({ default: "off" })]);
    const lists = await listsOf({ "a.yaml": text, "b.yaml": text.replace("list: a", "list: b").replace(A1, B2) });
    const watched = (enable: readonly string[]) => {
      const watchlist = make(lists, enable);
      return [A1, B2].map((address) => watchlist.entriesOf("eip155:1", address).length);
    };
    expect(watched([])).toEqual([0, 0]);
    expect(watched(["other"])).toEqual([0, 0]);
    expect(watched(["b"])).toEqual([0, 1]); // the list
    expect(watched(["a"])).toEqual([1, 1]); // the list a, and the incident a of list b
  });

  test("never matches an entry that is never, whatever is enabled", async () => {
    const rows = [row({ role: "victim", default: "never" }), row({ address: B2, default: "never" })];
    const watchlist = make(await listsOf({ "a.yaml": list("a", rows) }), ["a"]);
    expect([A1, B2].flatMap((address) => watchlist.entriesOf("eip155:1", address))).toEqual([]);
    expect(watchlist.watchedCount).toBe(0);
  });

  test("never matches a victim, even when a list made by code says on", async () => {
    const lists = await listsOf({ "a.yaml": list("a", [row()]) });
    const forged = lists.map((one) => {
      return {
        ...one,
        entries: one.entries.map((loaded) => ({ ...loaded, entry: { ...loaded.entry, role: "victim" as const } })),
      };
    });
    expect(make(forged, ["a"]).entriesOf("eip155:1", A1)).toEqual([]);
    expect(make(lists, ["a"]).entriesOf("eip155:1", A1)).toHaveLength(1);
  });

  test("counts per incident what is watched, off, never and without an adapter", async () => {
    const rows = [
      row(),
      row({ address: B2, default: "off" }),
      row({ address: C3, role: "victim", default: "never" }),
      row({ chain: BITCOIN, address: "13DjGT8rQqfSrTQ9u8T7LXHFQEoiFxEewh" }),
    ];
    const watchlist = make(await listsOf({ "a.yaml": list("a", rows) }));
    expect(watchlist.summary).toMatchObject([{ incident: { id: "a" }, watched: 2, off: 1, never: 1, noAdapter: 1 }]);
    expect(watchlist.watchedCount).toBe(2);
  });

  test("tells enabled ids that name nothing", async () => {
    const lists = await listsOf({ "a.yaml": list("a", [row()]) });
    expect(make(lists, ["a", "wazirx-2042"]).unknownEnable).toEqual(["wazirx-2042"]);
  });

  test("has for scanners the EVM addresses it has entries of, and no others", async () => {
    const rows = [
      row({ address: A1.toLowerCase() }),
      row({ chain: "eip155:10", address: B2 }),
      row({ chain: BITCOIN, address: "13DjGT8rQqfSrTQ9u8T7LXHFQEoiFxEewh" }),
      row({ address: D4, role: "victim", default: "never" }),
      row({ address: E5, default: "off" }),
    ];
    const lists = await listsOf({ "a.yaml": list("a", rows), "b.yaml": list("b", [row()]) });
    const found = (enable: readonly string[]) => {
      const { addresses } = make(lists, enable, OWN);
      const asked = ["eip155:1", "eip155:10"].flatMap((chain) => [A1, B2, C3, D4, E5].map((one) => [chain, one]));
      return asked.filter(([chain = "", one = ""]) => isInTable(addresses, chain, one));
    };
    const on = (chain: string, ...listed: readonly string[]) => listed.map((one) => [chain, one]);
    expect(found([])).toEqual([...on("eip155:1", A1, B2), ...on("eip155:10", A1, B2)]);
    expect(found(["a"])).toEqual([...on("eip155:1", A1, B2, E5), ...on("eip155:10", A1, B2, E5)]);
    expect(make(lists, []).addresses.seedOf(BITCOIN)).toBeNull();
    expect(make([], [], OWN).addresses.seedOf("eip155:1")).toBeNull();
  });

  test("watches an ordinary account on every EVM chain, a contract on its own", async () => {
    const rows = [
      row({ chain: "eip155:10" }),
      row({ chain: "eip155:10", address: B2, role: "exploit_contract" }),
      row({ chain: "eip155:10", address: C3, extra: "contract: true" }),
      row({ chain: "eip155:10", address: D4, role: "exploit_contract", extra: "contract: false" }),
      row({ chain: BITCOIN, address: E5 }),
    ];
    const watchlist = make(await listsOf({ "a.yaml": list("a", rows) }));
    const watched = (chain: string) => [A1, B2, C3, D4, E5].map((one) => watchlist.entriesOf(chain, one).length);
    expect(watched("eip155:10")).toEqual([1, 1, 1, 1, 0]);
    expect(watched("eip155:1")).toEqual([1, 0, 0, 1, 0]);
    expect(watched(BITCOIN)).toEqual([0, 0, 0, 0, 1]);
    expect(watchlist.entriesOf("eip155:1", A1)).toMatchObject([{ id: `a/eip155:10/${A1}`, chain: "eip155:10" }]);
  });

  test("gives the entries of the chain first, then the same account's elsewhere, each in list order", async () => {
    const on = (...chains: readonly string[]) => chains.map((chain) => row({ chain }));
    const watchlist = make(
      await listsOf({
        "c.yaml": list("c", on("eip155:1", "eip155:10")),
        "a.yaml": list("a", on("eip155:56", "eip155:10")),
        "b.yaml": list("b", on("eip155:1")),
      }),
    );
    const ids = (chain: string) => watchlist.entriesOf(chain, A1).map((entry) => `${entry.list} ${entry.chain}`);
    expect(ids("eip155:1")).toEqual(["b eip155:1", "c eip155:1", "a eip155:10", "a eip155:56", "c eip155:10"]);
    expect(ids("eip155:10")).toEqual(["a eip155:10", "c eip155:10", "a eip155:56", "b eip155:1", "c eip155:1"]);
  });

  test("names every address listed on a chain once, whatever the chain", async () => {
    const rows = [
      row(),
      row({ address: B2 }),
      row({ chain: BITCOIN, address: "one" }),
      row({ chain: BITCOIN, address: "two" }),
    ];
    const { addresses } = make(
      await listsOf({
        "a.yaml": list("a", rows),
        "b.yaml": list("b", [row(), row({ chain: "eip155:56" }), row({ chain: BITCOIN, address: "one" })]),
      }),
    );
    const named = (chain: string) => [...addresses.addressesOf(chain)].toSorted();
    expect(named("eip155:1")).toEqual([A1, B2]);
    expect(named("eip155:56")).toEqual([A1]);
    expect(named(BITCOIN)).toEqual(["one", "two"]);
    expect(named("eip155:10")).toEqual([]);
  });

  test("refuses an EVM entry whose address no scanner could find", async () => {
    const lists = await listsOf({ "a.yaml": list("a", [row()]) });
    const forged = lists.map((one) => ({
      ...one,
      entries: one.entries.map((loaded) => ({ ...loaded, entry: { ...loaded.entry, address: A1.slice(0, -1) } })),
    }));
    expect(() => make(forged)).toThrow("is not an EVM address");
  });

  test("finds own addresses by chain", async () => {
    const watchlist = make([], [], OWN);
    expect(watchlist.ownOf("eip155:1", C3)?.customerRef).toBe("customer-1");
    expect(watchlist.ownOf("eip155:10", C3)?.wallet).toBe("hot");
    expect(watchlist.ownOf("eip155:56", C3)).toBeNull();
  });
});

const versionOf = async (
  files: Record<string, string>,
  enable: readonly string[] = [],
  own: readonly OwnAddress[] = OWN,
) => {
  return make(await listsOf(files), enable, own).version;
};

const listsOfA1 = (given: readonly LoadedList[]) =>
  make(given)
    .entriesOf("eip155:1", A1)
    .map((entry) => entry.list);

describe("the version of a snapshot", () => {
  const texts = { "a.yaml": list("a", [row(), row({ address: B2 })]), "b.yaml": list("b", [row({ address: C3 })]) };
  test("does not depend on the order of files, rows, keys or own addresses", async () => {
    const version = await versionOf(texts);
    const turned = {
      "z.yaml": list("a", [row({ address: B2 }), row()]).replace(
        '    role: theft\n    label: "example thief"\n',
        '    label: "example thief"\n    role: theft\n',
      ),
      "0.yaml": texts["b.yaml"],
    };
    expect(await versionOf(turned, [], OWN.toReversed())).toBe(version);
    const lists = await listsOf(texts);
    expect(make(lists.toReversed(), [], OWN).version).toBe(version);
  });

  test("is short, and safe in ids", async () => {
    expect(await versionOf(texts)).toMatch(/^wl_[0-9a-z]{26}$/);
  });

  test("the order of entries of one address does not depend on the order of files either", async () => {
    const lists = await listsOf({ "z.yaml": list("a", [row()]), "0.yaml": list("b", [row()]) });
    expect(listsOfA1(lists)).toEqual(["a", "b"]);
    expect(listsOfA1(lists.toReversed())).toEqual(["a", "b"]);
  });

  test("changes with anything an alert would tell", async () => {
    const a = texts["a.yaml"];
    const edits: Record<string, string> = {
      label: a.replace("example thief", "another thief"),
      role: a.replace("role: theft", "role: laundering"),
      address: a.replace(B2, C3),
      chain: a.replace("chain: eip155:1", "chain: eip155:10"),
      sources: a.replace("example.org/report", "example.org/other"),
      direction: a.replace("default: on", "default: on\n    direction: to_only"),
      disputed: a.replace("disputed: false", "disputed: true"),
      never: a.replace("default: on", "default: never"),
      contract: a.replace("default: on", "default: on\n    contract: true"),
    };
    const versions = [await versionOf(texts)];
    for (const text of Object.values(edits)) versions.push(await versionOf({ ...texts, "a.yaml": text }));
    versions.push(await versionOf(texts, [], OWN.slice(1)));
    versions.push(
      await versionOf(
        texts,
        [],
        OWN.map((own) => ({ ...own, customerRef: "customer-2" })),
      ),
    );
    expect(new Set(versions).size).toBe(versions.length);
  });

  test("does not change with an entry that is not matched, until it is enabled", async () => {
    const without = await versionOf(texts);
    const more = { ...texts, "c.yaml": list("c", [row({ address: C3, default: "off" })]) };
    expect(await versionOf(more)).toBe(without);
    expect(await versionOf(more, ["c"])).not.toBe(without);
  });
});
