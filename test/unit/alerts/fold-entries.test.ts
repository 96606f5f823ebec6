/** What becomes of an alert when its entries change: withdrawn, disputed, told again; and who is told of it. */
import { describe, expect, test } from "@jest/globals";
import { type CurrentEntries, retellHit } from "../../../src/match/retell.ts";
import type { HitEvent } from "../../../src/types/hit.ts";
import { bodyOf, entry, entryMatch, event, foldEach, hit, incident, SANCTIONED } from "./make.ts";

const MUTED = { why: "disputed", by: "ann", until: 1 } as const;
const withdrawn = (of = hit()): HitEvent => event("withdrawn", of, { reason: "entryWithdrawn", block: null });
const retold = (of: ReturnType<typeof hit>, over: Partial<HitEvent> = {}): HitEvent =>
  event("retold", of, { hit: of, block: null, ...over });
const dataOf = (events: readonly HitEvent[]) =>
  foldEach(events).map(({ message }) => (message === null ? null : bodyOf(message).data));

describe("a withdrawn entry", () => {
  test.each<[string, HitEvent[]]>([
    ["pending", [event("pending")]],
    ["included", [event("included")]],
    ["disputed between nodes", [event("included"), event("disputed")]],
    ["final", [event("included"), event("final")]],
  ])("retracts an alert that is %s", (_stage, before) => {
    const last = dataOf([...before, withdrawn()]).at(-1);
    expect(last).toMatchObject({ stage: "retracted", action: "none", retraction: { reason: "entryWithdrawn" } });
    expect(last?.summary).toContain("the entry was taken off its list");
  });

  test("leaves the alert standing on what other hits rest on", () => {
    const other = hit({ key: "log:3" });
    const last = dataOf([event("included"), event("included", other), withdrawn()]).at(-1);
    expect(last).toMatchObject({ stage: "included", transfersTotal: 1, retraction: null });
  });

  test("ends nothing that was never told, and nothing twice", () => {
    expect(dataOf([event("included"), withdrawn(), withdrawn()]).map((data) => data?.revision)).toEqual([
      1,
      2,
      undefined,
    ]);
  });

  test("may be listed again, and its block become final", () => {
    const stages = dataOf([event("included"), withdrawn(), event("included"), event("final")]);
    expect(stages.map((data) => data?.stage)).toEqual(["included", "retracted", "included", "final"]);
  });
});

test("a hit told again keeps its block and who vouches for it; a removed one stays removed", () => {
  const muted = hit({ matches: [entryMatch({ muted: MUTED })] });
  const [first, second] = dataOf([event("included"), retold(muted)]);
  expect(second).toMatchObject({ stage: "included", severity: "info", action: "none", block: first?.block ?? {} });
  expect(second?.trust).toEqual(first?.trust);
  expect(dataOf([event("included"), event("removed"), retold(muted)]).at(-1)).toBeNull();
});

test("one entry's dispute takes nothing from another's word", () => {
  const both = hit({
    matches: [entryMatch({ muted: MUTED, sanctioned: null }), entryMatch({ sanctioned: SANCTIONED })],
  });
  expect(dataOf([event("included", both)])[0]).toMatchObject({ severity: "critical", action: "hold" });
});

test("whoever was told of an alert is told what became of it, however little it means now", () => {
  const muted = hit({ matches: [entryMatch({ muted: MUTED })] });
  const sinks = (events: readonly HitEvent[]) =>
    foldEach(events, { minSeverity: "high" }).map((result) => result.sinks.length);
  expect(sinks([event("included"), retold(muted), withdrawn()])).toEqual([2, 2, 2]);
  // Nobody was told: nobody is told that it is over.
  expect(sinks([event("included", muted), withdrawn(muted)])).toEqual([0, 0]);
});

describe("a stored hit, as changed entries tell it", () => {
  const own = entry();
  const other = entry({ id: "other/x", list: "other" });
  const both = hit({ matches: [entryMatch(), { side: "from", entry: other, incident: incident(), basis: "exact" }] });
  const changed = (...to: readonly ReturnType<typeof entry>[]): CurrentEntries => ({
    changed: new Set([own.id]),
    watchlist: {
      entriesOf: (_chain, address) => to.filter((one) => one.address === address),
      incidents: new Map([[own.incident, incident({ name: "Renamed" })]]),
    },
  });

  test("is nothing without its only entry, and rests on the others where there are some", () => {
    expect(retellHit(hit(), changed())).toBeNull();
    expect(retellHit(both, changed())?.matches.map((match) => match.entry.id)).toEqual([other.id]);
  });

  test("says what the entry says now", () => {
    const now = retellHit(both, changed(entry({ label: "new" })));
    expect(now?.matches.map((match) => [match.entry.label, match.incident?.name])).toEqual([
      ["new", "Renamed"],
      ["exploiter 1", "The Heist"],
    ]);
  });

  test("loses the sender's side of an entry that is matched as recipient only", () => {
    expect(retellHit(hit(), changed(entry({ direction: "to_only" })))).toBeNull();
  });

  test("is only recorded while all its entries are muted, and told again afterwards", () => {
    const muted = retellHit(hit(), changed(entry({ muted: MUTED })));
    expect(muted?.recordedOnly?.rule).toBe("entryMuted");
    expect(muted && retellHit(muted, changed(entry()))?.recordedOnly).toBeNull();
    expect(retellHit(both, changed(entry({ muted: MUTED })))?.recordedOnly).toBeNull();
  });

  test("what is dust without the mute is dust with it", () => {
    const dust = hit({ amount: 1n, own: false });
    expect(retellHit(dust, changed(entry({ muted: MUTED })))?.recordedOnly?.rule).toBe("dust");
  });
});
