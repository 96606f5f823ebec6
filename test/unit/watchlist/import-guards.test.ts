import { describe, expect, test } from "@jest/globals";
import { getAddress } from "ethers";
import {
  checkImport,
  compareVersions,
  DEFAULT_RULES,
  listAge,
  type PreviousList,
} from "../../../src/watchlist/import-guards.ts";
import type { ListInput, WatchEntryInput } from "../../../src/types/watchlist-format.ts";
import { IMPORT_OPTIONS } from "../../support/import-text.ts";

const TODAY = "2026-11-22";
const address = (n: number) => getAddress(`0x${(n + 4096).toString(16).padStart(40, "0")}`);
const entry = (n: number): WatchEntryInput => ({
  line: n,
  chain: "eip155:1",
  address: address(n),
  role: "sanctioned_entity",
  label: n === 0 ? "LAZARUS GROUP" : `party ${n}`,
  basis: "sanctions",
  confidence: "confirmed",
  independentSources: 1,
  sanctioned: { list: "OFAC SDN", source: "ofac:sdn/1" },
  default: "on",
  direction: "both",
  custodian: null,
  note: "Digital Currency Address - ETH",
  firstSeenTx: null,
  accountType: null,
  owner: null,
  sources: [{ ref: "ofac:sdn/1", label: null, quoted: null }],
});
const list = (numbers: readonly number[], version = "2026-11-20"): ListInput => ({
  list: "ofac-sdn",
  version,
  incident: IMPORT_OPTIONS.incident,
  entries: numbers.map(entry),
});
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
const had = (numbers: readonly number[], version = "2026-11-10"): PreviousList => ({
  version,
  keys: new Set(numbers.map((n) => `eip155:1/${address(n)}`)),
});
const codes = (next: ListInput, previous: PreviousList | null, rules = DEFAULT_RULES) =>
  checkImport({ next, previous, rules, today: TODAY }).map(({ code }) => code);

describe("import guards", () => {
  test("a list may lose a fifth of its entries and no more", () => {
    expect(codes(list(range(20, 100)), had(range(0, 100)))).toEqual([]);
    expect(codes(list(range(21, 100)), had(range(0, 100)))).toEqual(["shrinks"]);
    expect(codes(list([]), had(range(0, 100)))).toEqual(["shrinks"]);
  });

  test("a list of the same size with other addresses has lost its own", () => {
    expect(codes(list(range(100, 200)), had(range(0, 100)))).toEqual(["shrinks"]);
  });

  test("a list that grows, and one that is new, is taken", () => {
    expect(codes(list(range(0, 500)), had(range(0, 100)))).toEqual([]);
    expect(codes(list([1]), null)).toEqual([]);
  });

  test("every canary must stand in an address, a label or a note", () => {
    const rules = { ...DEFAULT_RULES, canaries: ["LAZARUS GROUP", "Address - ETH", address(3)] };
    expect(codes(list(range(0, 5)), null, rules)).toEqual([]);
    expect(codes(list(range(1, 3)), null, rules)).toEqual(["lacksCanary", "lacksCanary"]);
  });

  test("an older version than the one here is a rollback, also within a day", () => {
    expect(codes(list([1], "2026-11-09"), had([1]))).toEqual(["rollback"]);
    expect(codes(list([1], "2026-11-10.9"), had([1], "2026-11-10.10"))).toEqual(["rollback"]);
    expect(codes(list([1], "2026-11-10"), had([1], "2026-11-10"))).toEqual([]);
    expect(compareVersions("2026-11-10", "2026-11-10.1")).toBeLessThan(0);
  });

  test("a list past its maximum age is refused, and its age is known afterwards", () => {
    const rules = { ...DEFAULT_RULES, ageMaxDays: 7 };
    expect(codes(list([1], "2026-11-15"), null, rules)).toEqual([]);
    expect(codes(list([1], "2026-11-14"), null, rules)).toEqual(["tooOld"]);
    expect(listAge("2026-11-14.3", TODAY)).toBe(8);
  });

  test("a version of the future, which would make every later one a rollback, is refused", () => {
    expect(codes(list([1], "2026-11-23"), null)).toEqual([]); // tomorrow is today somewhere
    expect(codes(list([1], "2027-11-22"), null)).toEqual(["fromTheFuture"]);
  });

  test("a version of a day that does not exist is refused: no comparison with it means anything", () => {
    expect(codes(list([1], "2026-13-45"), null, { ...DEFAULT_RULES, ageMaxDays: 7 })).toEqual(["noDate"]);
  });

  test("all reasons are told at once, each in words", () => {
    const rules = { shrinkMaxPercent: 20, canaries: ["nobody"], ageMaxDays: 7 };
    const refusals = checkImport({ next: list([], "2026-01-01"), previous: had(range(0, 10)), rules, today: TODAY });
    expect(refusals.map(({ code }) => code)).toEqual(["shrinks", "rollback", "lacksCanary", "tooOld"]);
    expect(refusals[0]?.text).toBe("ofac-sdn: 10 of 10 entries would go (100 %); at most 20 % may");
  });
});
