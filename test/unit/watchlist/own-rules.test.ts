/** Who may change own addresses, and how many may be gone. */
import { expect, test } from "@jest/globals";
import type { PersonRole } from "../../../src/types/watch-change.ts";
import { isLargeLoss, type OwnAct, refuseOwnAct } from "../../../src/watchlist/own-rules.ts";

const act = (role: PersonRole, of: Partial<OwnAct> = {}): OwnAct => ({
  actor: { name: "ann", role },
  replaced: 0,
  removed: 0,
  mayReplace: false,
  count: 100,
  highest: 100,
  acceptLoss: false,
  ...of,
});

test.each<[string, PersonRole, Partial<OwnAct>, string | null]>([
  ["adding", "viewer", {}, "needs investigator"],
  ["adding", "investigator", {}, null],
  ["replacing by accident", "admin", { replaced: 1 }, "known with another customer"],
  ["replacing", "investigator", { replaced: 1, mayReplace: true }, "needs approver"],
  ["replacing all", "approver", { replaced: 100, mayReplace: true }, null],
  ["removing one", "investigator", { removed: 1 }, "needs approver"],
  ["removing a fifth", "approver", { removed: 20 }, null],
  ["removing more", "approver", { removed: 21 }, "79 would be left of 100"],
  ["removing more, which an approver cannot accept", "approver", { removed: 21, acceptLoss: true }, "needs admin"],
  ["removing more, which an admin did not accept", "admin", { removed: 21 }, "79 would be left"],
  ["removing all, accepted", "admin", { removed: 100, acceptLoss: true }, null],
  ["removing one more after a fifth went bit by bit", "approver", { count: 80, removed: 1 }, "79 would be left"],
  ["replacing after a fifth and more went", "approver", { count: 79, replaced: 1, mayReplace: true }, null],
])("%s, %s", (_what, role, of, refused) => {
  const answer = refuseOwnAct(act(role, of));
  if (refused === null) expect(answer).toBeNull();
  else expect(answer).toContain(refused);
});

test("a fifth of them is not a large loss, one more is; of none nothing is lost", () => {
  expect([20, 21].map((lost) => isLargeLoss({ lost, of: 100 }))).toEqual([false, true]);
  expect(isLargeLoss({ lost: 0, of: 0 })).toBe(false);
});
