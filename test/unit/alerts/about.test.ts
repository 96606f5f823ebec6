/** What the case of an alert goes by: whom it touches, which thefts, and whether a transfer is told that was not before. */
import { expect, test } from "@jest/globals";
import { DUST_RULE, entryMatch, event, foldEach, hit } from "./make.ts";

const first = hit();
const second = hit({ key: "log:4" });
const gained = (...events: Parameters<typeof foldEach>[0]) => foldEach(events).map(({ about }) => about.gainedHit);

test("a transfer is gained when it is told for the first time, and not when it only moves on", () => {
  expect(gained(event("pending", first), event("included", first), event("final", first))).toEqual([
    true,
    false,
    false,
  ]);
  expect(gained(event("included", first), event("included", second))).toEqual([true, true]);
});

test("a reorg and its return gain nothing; a transfer that comes back to one that stands does", () => {
  expect(gained(event("included", first), event("removed", first), event("included", first))).toEqual([
    true,
    false,
    false,
  ]);
  expect(
    gained(event("included", first), event("included", second), event("removed", second), event("included", second)),
  ).toEqual([true, true, false, true]);
});

test("a transfer that was only recorded is gained once it is told", () => {
  const quiet = hit({ key: "log:4", recordedOnly: DUST_RULE });
  const told = { ...quiet, recordedOnly: null };
  expect(gained(event("included", first), event("included", quiet), event("retold", told, { hit: told }))).toEqual([
    true,
    false,
    true,
  ]);
});

test("the customer and every incident behind the alert are named, without doubles", () => {
  const [{ about } = { about: null }] = foldEach([event("included", hit({ matches: [entryMatch(), entryMatch()] }))]);
  expect(about).toMatchObject({
    incidents: [entryMatch().entry.incident],
    customerRef: hit().own?.address.customerRef,
  });
});
