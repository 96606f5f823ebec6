/** Every rule of who may change what, as tables: each role, each side of each limit. */
import { expect, test } from "@jest/globals";
import { ENTRY_BASES, ENTRY_DEFAULTS, ENTRY_ROLES, type WatchEntry } from "../../../src/types/watch.ts";
import { type Actor, PERSON_ROLES, type PersonRole, type Proposal } from "../../../src/types/watch-change.ts";
import * as rules from "../../../src/watchlist/change-rules.ts";
import { bareIncident } from "../../../src/daemon/watch-entry.ts";

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const who = (role: PersonRole, name = "ann"): Actor => ({ name, role });
const SANCTIONED = { list: "OFAC SDN", source: "https://example.org/sdn" };

function entry(parts: Partial<WatchEntry> = {}): WatchEntry {
  return {
    id: "operator-x/eip155:1/0xA",
    list: "operator-x",
    listVersion: "1",
    chain: "eip155:1",
    address: "0xA",
    incident: "x",
    role: "theft",
    label: "a",
    basis: "researcher",
    confidence: "named_by_researcher",
    independentSources: 2,
    sanctioned: null,
    default: "on",
    direction: "both",
    custodian: null,
    note: null,
    sources: [],
    addedBy: "ann",
    addedAt: NOW,
    ...parts,
  };
}

function proposal(parts: Partial<Proposal> = {}): Proposal {
  const change = { list: "operator-x", version: "1", incident: bareIncident("x"), file: null, entries: [] };
  return {
    proposalId: "p",
    changeHash: "h",
    action: "remove",
    change,
    proposer: "ben",
    why: null,
    createdAt: NOW,
    expiresAt: NOW + rules.PROPOSAL_MS,
    state: "open",
    decidedBy: null,
    decidedAt: null,
    ...parts,
  };
}

const ADD = {
  isKnown: false,
  refusedAs: null as string | null,
  isOverridden: false,
  reach: { customers: 0, counterparties: 0 },
};
const muted = { why: "disputed", by: "ann", until: NOW + HOUR } as const;

/** What each role gets, from viewer to admin. */
const BY_ROLE: readonly [string, (actor: Actor) => rules.Decision, readonly rules.Decision["do"][]][] = [
  ["add", (actor) => rules.decideAdd({ ...ADD, actor, entry: entry() }), ["refuse", "apply", "apply", "apply"]],
  [
    "a change that tells more",
    (actor) => rules.decideChange({ actor, before: entry(), after: entry({ basis: "notice" }) }),
    ["refuse", "apply", "apply", "apply"],
  ],
  [
    "a change that tells less",
    (actor) => rules.decideChange({ actor, before: entry(), after: entry({ basis: "explorer" }) }),
    ["refuse", "propose", "propose", "propose"],
  ],
  ["remove", (actor) => rules.decideRemove({ actor }), ["refuse", "propose", "propose", "propose"]],
  [
    "suppress",
    (actor) => rules.decideSuppress({ actor, entry: entry(), now: NOW, until: NOW + HOUR }),
    ["refuse", "propose", "propose", "propose"],
  ],
  [
    "dispute",
    (actor) => rules.decideDispute({ actor, entry: entry(), now: NOW, lastDisputedAt: null }),
    ["refuse", "apply", "apply", "apply"],
  ],
  [
    "undo",
    (actor) => rules.decideUndo({ actor, entry: entry(), now: NOW, isAsAdded: true }),
    ["refuse", "apply", "apply", "apply"],
  ],
  [
    "approve",
    (actor) => rules.decideApprove({ actor, proposal: proposal(), now: NOW }),
    ["refuse", "refuse", "apply", "apply"],
  ],
  [
    "reject another's",
    (actor) => rules.decideReject({ actor, proposal: proposal(), now: NOW }),
    ["refuse", "refuse", "apply", "apply"],
  ],
  [
    "reject one's own",
    (actor) => rules.decideReject({ actor, proposal: proposal({ proposer: "ann" }), now: NOW }),
    ["apply", "apply", "apply", "apply"],
  ],
];

test.each(BY_ROLE)("%s: what each role gets", (_name, decide, expected) => {
  // A service gets what a viewer gets.
  expect(PERSON_ROLES.map((role) => decide(who(role)).do)).toEqual([expected[0], ...expected]);
});

const reach = (customers: number, counterparties: number) => ({ reach: { customers, counterparties } });
test.each<[string, Partial<typeof ADD>, Partial<WatchEntry>, rules.Decision["do"]]>([
  ["at both limits", reach(25, 1_000), {}, "apply"],
  ["one customer above", reach(26, 0), {}, "record"],
  ["one counterparty above", reach(0, 1_001), {}, "record"],
  ["far above, but sanctioned", reach(9_999, 9_999), { sanctioned: SANCTIONED }, "apply"],
  ["known already", { isKnown: true }, {}, "refuse"],
  ["an own address", { refusedAs: "is one of our own addresses" }, {}, "refuse"],
  [
    "an own address, and sanctioned",
    { refusedAs: "is one of our own addresses" },
    { sanctioned: SANCTIONED },
    "refuse",
  ],
  ["an own address, knowingly", { refusedAs: "is one of our own addresses", isOverridden: true }, {}, "apply"],
  [
    "an own address, knowingly, with too many customers",
    { refusedAs: "is one of our own addresses", isOverridden: true, ...reach(26, 0) },
    {},
    "record",
  ],
])("adding %s", (_name, facts, parts, expected) => {
  expect(rules.decideAdd({ ...ADD, ...facts, actor: who("investigator"), entry: entry(parts) }).do).toBe(expected);
});

test.each<[string, Partial<WatchEntry>, number | null, rules.Decision["do"]]>([
  ["one never disputed", {}, null, "apply"],
  ["a sanctioned one", { sanctioned: SANCTIONED }, null, "refuse"],
  ["a sanctioned one by any other basis", { sanctioned: SANCTIONED, basis: "researcher" }, null, "refuse"],
  ["one that is disputed", { muted }, NOW - HOUR, "refuse"],
  ["one disputed 24 h ago, less a moment", {}, NOW - 24 * HOUR + 1, "refuse"],
  ["one disputed 24 h ago", {}, NOW - 24 * HOUR, "apply"],
])("disputing %s", (_name, parts, lastDisputedAt, expected) => {
  const facts = { actor: who("investigator"), entry: entry(parts), now: NOW, lastDisputedAt };
  expect(rules.decideDispute(facts).do).toBe(expected);
});

test.each<[string, Partial<WatchEntry>, boolean, rules.Decision["do"]]>([
  ["at the 60th minute", { addedAt: NOW - HOUR }, true, "apply"],
  ["after it", { addedAt: NOW - HOUR - 1 }, true, "refuse"],
  ["by another", { addedBy: "ben" }, true, "refuse"],
  ["by the same person, written otherwise", { addedBy: "ANN" }, true, "apply"],
  ["after another changed it", {}, false, "refuse"],
  ["sanctioned, added by mistake", { sanctioned: SANCTIONED }, true, "apply"],
])("undoing %s", (_name, parts, isAsAdded, expected) => {
  expect(rules.decideUndo({ actor: who("investigator"), entry: entry(parts), now: NOW, isAsAdded }).do).toBe(expected);
});

test("what came with a file cannot be undone", () => {
  const { addedBy: _by, addedAt: _at, ...fromFile } = entry();
  const facts = { actor: who("admin"), entry: fromFile, now: NOW, isAsAdded: true };
  expect(rules.decideUndo(facts).do).toBe("refuse");
});

test.each<[string, Partial<Proposal>, number, rules.Decision["do"]]>([
  ["another's", {}, NOW, "apply"],
  ["one's own", { proposer: "ann" }, NOW, "refuse"],
  ["one's own, written otherwise", { proposer: "Ann" }, NOW, "refuse"],
  ["a moment before its end", {}, NOW + rules.PROPOSAL_MS - 1, "apply"],
  ["at its end", {}, NOW + rules.PROPOSAL_MS, "refuse"],
  ["by a clock set far back", {}, NOW - HOUR, "refuse"],
  ...(["approved", "rejected", "expired", "void"] as const).map(
    (state): [string, Partial<Proposal>, number, rules.Decision["do"]] => [
      `one that is ${state}`,
      { state },
      NOW,
      "refuse",
    ],
  ),
])("approving %s", (_name, parts, now, expected) => {
  expect(rules.decideApprove({ actor: who("admin"), proposal: proposal(parts), now }).do).toBe(expected);
});

test.each<[string, Partial<WatchEntry>, number, rules.Decision["do"]]>([
  ["for 7 days", {}, 7 * 24 * HOUR, "propose"],
  ["for longer", {}, 7 * 24 * HOUR + 1, "refuse"],
  ["for no time", {}, 0, "refuse"],
  ["a sanctioned one", { sanctioned: SANCTIONED }, HOUR, "refuse"],
])("suppressing %s", (_name, parts, forMs, expected) => {
  const facts = { actor: who("admin"), entry: entry(parts), now: NOW, until: NOW + forMs };
  expect(rules.decideSuppress(facts).do).toBe(expected);
});

/** Each field that an alert depends on, in the direction that tells less, and the other one. */
const WEAKER: readonly [string, Partial<WatchEntry>, Partial<WatchEntry>][] = [
  ...pairs(ENTRY_DEFAULTS).map(([a, b]): [string, Partial<WatchEntry>, Partial<WatchEntry>] => [
    `default ${a} to ${b}`,
    { default: a },
    { default: b },
  ]),
  ...pairs(ENTRY_BASES).map(([a, b]): [string, Partial<WatchEntry>, Partial<WatchEntry>] => [
    `basis ${a} to ${b}`,
    { basis: a },
    { basis: b },
  ]),
  ["direction", { direction: "both" }, { direction: "to_only" }],
  ["sources", { independentSources: 2 }, { independentSources: 1 }],
  ["sanctioned", { sanctioned: SANCTIONED }, { sanctioned: null }],
  ["a mute", {}, { muted }],
  ["an end where there was none", {}, { validUntil: "2027-01-01" }],
  ["an earlier end", { validUntil: "2027-01-02" }, { validUntil: "2027-01-01" }],
  ["an end earlier on the same day", { validUntil: "2027-01-01" }, { validUntil: "2027-01-01T12:00:00Z" }],
  ["a contract", {}, { contract: true }],
];

test.each(WEAKER)("%s tells less, and the way back tells more", (_name, strong, weak) => {
  expect(rules.weakerIn(entry(strong), entry(weak))).toHaveLength(1);
  expect(rules.weakerIn(entry(weak), entry(strong))).toEqual([]);
});

test("no date makes a sanctioned entry weaker, because none ends it; a start makes nothing weaker that tells already", () => {
  const sanctioned = SANCTIONED;
  expect(rules.weakerIn(entry({ sanctioned }), entry({ sanctioned, validUntil: "2020-01-01" }))).toEqual([]);
  expect(rules.weakerIn(entry(), entry({ validFrom: "2099-01-01" }))).toEqual([]);
});

test("any other role, and any other incident, is for two people, both ways", () => {
  for (const a of ENTRY_ROLES)
    for (const b of ENTRY_ROLES)
      expect(rules.weakerIn(entry({ role: a }), entry({ role: b }))).toHaveLength(a === b ? 0 : 1);
  expect(rules.weakerIn(entry(), entry({ incident: "y" }))).toHaveLength(1);
});

test("what only says more about an entry is one person's act", () => {
  const after = entry({
    label: "b",
    note: "n",
    case: "c",
    tlp: "red",
    sources: [{ ref: "https://x", label: null }],
    reviewBy: 1,
  });
  expect(rules.weakerIn(entry(), after)).toEqual([]);
});

/** Each value with every later one. */
function pairs<T>(order: readonly T[]): [T, T][] {
  return order.flatMap((a, index) => order.slice(index + 1).map((b): [T, T] => [a, b]));
}
