/** Which act may follow which state of a case: every pair, and what each act changes. */
import { describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as rules from "../../../src/alerts/triage-rules.ts";
import {
  DONE_REASONS,
  DONE_STATES,
  type DoneState,
  isDone,
  TRIAGE_STATES,
  type TriageCase,
  type TriageState,
} from "../../../src/types/triage.ts";

/** What docs/triage.md says, state by state. */
const MOVED: Record<TriageState, readonly TriageState[]> = {
  open: ["investigating", "escalated"],
  investigating: ["open", "awaiting_info", "escalated", "pending_sar"],
  awaiting_info: ["investigating", "escalated", "pending_sar"],
  escalated: ["investigating", "awaiting_info", "pending_sar"],
  pending_sar: ["investigating", "awaiting_info", "escalated"],
  reported: [],
  closed_true: [],
  closed_false: [],
  suppressed: [],
};
const CLOSED: Record<TriageState, readonly DoneState[]> = {
  open: ["closed_true", "closed_false", "suppressed"],
  investigating: ["closed_true", "closed_false", "suppressed"],
  awaiting_info: ["closed_true", "closed_false", "suppressed"],
  escalated: ["reported", "closed_true", "closed_false"],
  pending_sar: ["reported"],
  reported: ["closed_true"],
  closed_true: [],
  closed_false: [],
  suppressed: [],
};

function caseIn(state: TriageState, over: Partial<TriageCase> = {}): TriageCase {
  const reason = isDone(state) ? "other" : null;
  return { alertId: "alr_1", state, version: 3, assignee: "ann", dueAt: 5, reason, changedAt: 1, ...over };
}

const isDoing = (decision: rules.TriageDecision) => decision.do === "change";
const PAIRS = TRIAGE_STATES.flatMap((from) => TRIAGE_STATES.map((to) => [from, to] as const));

describe.each(PAIRS)("%s to %s", (from, to) => {
  test("is a step of work, an end, a new start, or refused", () => {
    const before = caseIn(from);
    const done = { moved: isDoing(rules.decideMove(before, to)), closed: false, reopened: false };
    if (isDone(to)) done.closed = isDoing(rules.decideClose(before, { to, reason: "other" }));
    if (to === "open") done.reopened = isDoing(rules.decideReopen(before, null));
    expect(done).toEqual({
      moved: MOVED[from].includes(to),
      closed: isDone(to) && CLOSED[from].includes(to),
      reopened: to === "open" && isDone(from),
    });
  });
});

test("a refused step says what may follow, and by which act", () => {
  expect(rules.decideMove(caseIn("open"), "pending_sar")).toEqual({
    do: "refuse",
    because:
      "pending_sar does not follow open; there may follow: investigating, escalated, closed_true, closed_false, suppressed",
  });
  expect(rules.decideMove(caseIn("open"), "closed_true")).toMatchObject({
    because: "from open to closed_true: close it",
  });
  expect(rules.decideMove(caseIn("reported"), "open")).toMatchObject({ because: "from reported to open: reopen it" });
  expect(rules.decideMove(caseIn("escalated"), "escalated")).toMatchObject({ because: "it is escalated already" });
});

test.each(DONE_STATES)("%s takes its own reasons and no others", (to) => {
  const before = caseIn(to === "reported" ? "pending_sar" : "investigating");
  for (const reason of DONE_REASONS[to])
    expect(rules.decideClose(before, { to, reason })).toEqual({ do: "change", patch: { state: to, reason } });
  const foreign = DONE_STATES.flatMap((state) => DONE_REASONS[state]).filter((one) => !DONE_REASONS[to].includes(one));
  for (const reason of [...foreign, "", "__proto__", "toString"])
    expect(rules.decideClose(before, { to, reason })).toMatchObject({
      do: "refuse",
      because: expect.stringContaining(`no reason for ${to}`),
    });
});

describe.each(TRIAGE_STATES)("a case that is %s", (state) => {
  const change = (patch: object) => ({ do: "change", patch });
  const reopenFirst = { do: "refuse", because: `it is ${state}: reopen it first` };

  test("is taken while nobody has it and it is not done", () => {
    const free = caseIn(state, { assignee: null });
    const taken = { assignee: "ben", ...(state === "open" ? { state: "investigating" } : {}) };
    expect(rules.decideTake(free, "ben")).toEqual(isDone(state) ? reopenFirst : change(taken));
    if (isDone(state)) return;
    expect(rules.decideTake(caseIn(state), "ben")).toMatchObject({ because: "it is ann's: assign it" });
    expect(rules.decideTake(caseIn(state), "ann")).toMatchObject({ because: "it is ann's already" });
  });

  test("is assigned and gets a due date while it is not done", () => {
    expect(rules.decideAssign(caseIn(state), "ben")).toEqual(isDone(state) ? reopenFirst : change({ assignee: "ben" }));
    expect(rules.decideAssign(caseIn(state), null)).toEqual(isDone(state) ? reopenFirst : change({ assignee: null }));
    expect(rules.decideDue(caseIn(state), 9)).toEqual(isDone(state) ? reopenFirst : change({ dueAt: 9 }));
    if (!isDone(state)) expect(rules.decideAssign(caseIn(state), "ann")).toMatchObject({ do: "refuse" });
  });
});

test("a reopened case has no reason any more, and a clock of its own", () => {
  expect(rules.decideReopen(caseIn("closed_false"), 77)).toEqual({
    do: "change",
    patch: { state: "open", reason: null, dueAt: 77 },
  });
});

test("docs/triage.md tells every step and every reason", () => {
  const docs = readFileSync(join(import.meta.dirname, "../../../docs/triage.md"), "utf8").replaceAll("| |", "|  |");
  for (const from of TRIAGE_STATES.filter((state) => MOVED[state].length + CLOSED[state].length > 0))
    expect(docs).toContain(`| \`${from}\` | ${MOVED[from].join(", ")} | ${CLOSED[from].join(", ")} |\n`);
  for (const state of DONE_STATES) expect(docs).toContain(`| \`${state}\` | ${DONE_REASONS[state].join(", ")} |\n`);
});
