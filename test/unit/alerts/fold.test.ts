/** From hit events to alert revisions: what a receiver is told, and when. */
import { describe, expect, test } from "@jest/globals";
import { foldAlert } from "../../../src/alerts/fold.ts";
import type { FoldResult } from "../../../src/types/alert.ts";
import type { Hit } from "../../../src/types/hit.ts";
import {
  block,
  bodyOf,
  context,
  DUST_RULE,
  entryMatch,
  event,
  foldEach,
  foldGroups,
  hit,
  NOW,
  SANCTIONED,
} from "./make.ts";

const stages = (results: readonly FoldResult[]) =>
  results.map(({ record, message }) => [record.stage, record.revision, message?.type ?? null]);

describe("the life of an alert", () => {
  test("included, then final: created, finalized", () => {
    expect(stages(foldEach([event("included"), event("final")]))).toEqual([
      ["included", 1, "alert.created"],
      ["final", 2, "alert.finalized"],
    ]);
  });

  test("retracted and included again: the same alert, a higher revision, the new block", () => {
    const results = foldEach([
      event("included", hit(), { block: block(100) }),
      event("removed"),
      event("included", hit(), { block: block(101, "b") }),
    ]);
    expect(stages(results)).toEqual([
      ["included", 1, "alert.created"],
      ["retracted", 2, "alert.retracted"],
      ["included", 3, "alert.updated"],
    ]);
    expect(new Set(results.map(({ record }) => record.alertId)).size).toBe(1);
    expect(new Set(results.map(({ message }) => message?.webhookId)).size).toBe(3);
    const [, retracted, again] = results.map(({ message }) => bodyOf(message).data);
    expect(retracted?.retraction).toEqual({ reason: "reorg", at: new Date(NOW).toISOString() });
    expect(retracted?.action).toBe("none");
    expect(retracted?.summary).toMatch(/^Withdrawn, the transaction left the chain: /);
    expect(again).toMatchObject({ retraction: null, block: { number: 101, hash: "0xb101" } });
    expect(again?.summary).not.toContain("Withdrawn");
  });

  test("a retracted alert still tells what it was about", () => {
    const [created, retracted] = foldEach([event("included"), event("removed")]).map(
      ({ message }) => bodyOf(message).data,
    );
    expect(retracted?.transfers).toEqual(created?.transfers);
    expect(retracted?.watch).toEqual(created?.watch);
    expect(retracted?.own).toEqual(created?.own);
    expect(retracted?.severity).toBe(created?.severity);
  });

  test("final never leaves the chain: a removal afterwards is no event", () => {
    const results = foldEach([event("included"), event("final"), event("removed"), event("final")]);
    expect(stages(results).slice(2)).toEqual([
      ["final", 2, null],
      ["final", 2, null],
    ]);
  });

  test("a removal, told twice, is told once; a removed hit does not become final", () => {
    const results = foldEach([event("included"), event("removed"), event("removed"), event("final")]);
    expect(stages(results).slice(2)).toEqual([
      ["retracted", 2, null],
      ["retracted", 2, null],
    ]);
  });

  test("a list that does not tell the hit any more retracts it as recomputed, and says so", () => {
    const silent = hit({ recordedOnly: DUST_RULE });
    const [, result] = foldEach([event("included"), event("rematched", silent)]);
    const { data } = bodyOf(result?.message);
    expect(data.retraction?.reason).toBe("recomputed");
    expect(data.summary).toMatch(/^Withdrawn, the lists of today do not tell it any more: /);
    expect(data.summary).not.toContain("left the chain");
  });

  test("a list that tells it again brings it back", () => {
    const silent = hit({ recordedOnly: DUST_RULE });
    const results = foldEach([event("included"), event("rematched", silent), event("rematched")]);
    expect(stages(results).at(-1)).toEqual(["included", 3, "alert.updated"]);
  });

  test("an event for a hit that was never told changes nothing beside one that was", () => {
    const other = hit({ key: "log:5" });
    const results = foldEach([event("included"), event("removed", other), event("final", other)]);
    expect(stages(results)).toEqual([
      ["included", 1, "alert.created"],
      ["included", 1, null],
      ["included", 1, null],
    ]);
  });

  test("an alert cannot begin without its hit: that is a bug, and it is thrown", () => {
    expect(() => foldAlert(null, [event("removed")], context())).toThrow("first event brings its hit");
    expect(() => foldAlert(null, [], context())).toThrow("a fold has events");
  });
});

describe("several hits of one transaction", () => {
  const [a, b] = [hit({ key: "native" }), hit({ key: "log:2" })] as [Hit, Hit];

  test("one alert stands while one of its hits stands", () => {
    const results = foldEach([event("included", a), event("included", b), event("removed", a), event("removed", b)]);
    expect(results.map(({ record }) => record.stage)).toEqual(["included", "included", "included", "retracted"]);
    expect(bodyOf(results[1]?.message).data.transfersTotal).toBe(2);
    expect(bodyOf(results[2]?.message).data.transfers.map(({ key }) => key)).toEqual(["log:2"]);
  });

  test("is final when all are, and the way there makes no revision that looks like the one before", () => {
    const results = foldEach([event("included", a), event("included", b), event("final", a), event("final", b)]);
    expect(stages(results).slice(1)).toEqual([
      ["included", 2, "alert.updated"],
      ["included", 2, null],
      ["final", 3, "alert.finalized"],
    ]);
  });

  test("transfers stand in the order of the transaction, whatever order they came in", () => {
    const keys = ["log:10", "native", "log:9", "log:100"];
    const results = foldGroups([keys.map((key) => event("included", hit({ key })))]);
    expect(bodyOf(results[0]?.message).data.transfers.map(({ key }) => key)).toEqual([
      "native",
      "log:9",
      "log:10",
      "log:100",
    ]);
  });
});

describe("a revision is made when a receiver can see a change, and only then", () => {
  const results = (second: Parameters<typeof event>) => foldEach([event("included"), event(...second)]);

  test.each([
    ["the same event again", ["included"]],
    ["more confirmations", ["included", hit(), { block: { ...event("included").block, confirmations: 30 } }]],
    ["a later time of storing", ["included", hit(), { at: NOW + 60_000 }]],
  ] as [string, Parameters<typeof event>][])("not for %s", (_what, second) => {
    const [first, again] = results(second);
    expect(again).toMatchObject({ message: null, sinks: [] });
    expect(again?.record).toMatchObject({ revision: 1, stage: "included" });
    expect(first?.message).not.toBeNull();
  });

  test.each([
    ["another block", ["included", hit(), { block: block(101, "b") }]],
    ["another entry", ["rematched", hit({ matches: [entryMatch(), entryMatch({ id: "second", list: "second" })] })]],
    ["a sanction", ["rematched", hit({ matches: [entryMatch({ sanctioned: SANCTIONED })] })]],
    ["a new label", ["rematched", hit({ matches: [entryMatch({ label: "exploiter 2" })] })]],
    ["a new list version", ["rematched", hit({ matches: [entryMatch({ listVersion: "2026-11-23.1" })] })]],
    ["an own address", ["rematched", hit({ own: false })]],
    ["an operator more", ["included", hit(), { trust: { proven: false, operators: ["self", "b"], missing: [] } }]],
  ] as [string, Parameters<typeof event>][])("for %s", (_what, second) => {
    const [first, again] = results(second);
    expect(again?.record.revision).toBe(2);
    expect(again?.message?.type).toBe("alert.updated");
    expect(again?.message?.webhookId).not.toBe(first?.message?.webhookId);
    expect(again?.sinks).toEqual(["siem", "console"]);
  });

  test("a transfer beyond those the body has room for is a change as well", () => {
    const many = Array.from({ length: 20 }, (_, index) => event("included", hit({ key: `log:${index}` })));
    const [, again] = foldGroups([many, [event("removed", hit({ key: "log:19" }))]]);
    expect(bodyOf(again?.message).data.transfersTotal).toBe(19);
  });
});

describe("what is sent", () => {
  test("below the lowest severity asked for: stored, not sent", () => {
    const [quiet] = foldEach([event("included")], { minSeverity: "critical" });
    expect(quiet?.record.severity).toBe("high");
    expect(quiet?.message).not.toBeNull();
    expect(quiet?.sinks).toEqual([]);
    expect(foldEach([event("included")], { minSeverity: "high" })[0]?.sinks).toEqual(["siem", "console"]);
  });

  test("the message carries what the record says", () => {
    const [result] = foldEach([event("included")]);
    const { record, message } = result as FoldResult;
    const body = bodyOf(message);
    expect(message).toMatchObject({ alertId: record.alertId, revision: record.revision, severity: record.severity });
    expect(body.data).toMatchObject({
      alertId: record.alertId,
      revision: record.revision,
      stage: record.stage,
      kind: record.kind,
      severity: record.severity,
      action: record.action,
      summary: record.summary,
    });
    expect(body.type).toBe(message?.type);
  });

  test("the same events give the same message, byte for byte", () => {
    const events = [event("included"), event("removed")];
    const bytes = () => foldEach(events).map(({ message }) => [message?.webhookId, message?.body]);
    expect(bytes()).toEqual(bytes());
  });

  test("the sentence names the thief and our wallet, never the customer", () => {
    const { summary, own } = bodyOf(foldEach([event("included")])[0]?.message).data;
    expect(summary).toMatch(/^5 ETH moved from 0x098B.* \(The Heist: exploiter 1\) to your deposit address 0xd8dA/);
    expect(summary).not.toContain("88121");
    expect(own).toMatchObject({ role: "recipient", customerRef: "deposit-88121" });
  });

  test("an account listed on another chain is told as that, with the chain it is listed on", () => {
    const match = { ...entryMatch({ chain: "eip155:56" }), basis: "sameKey" as const };
    const { summary, watch } = bodyOf(foldEach([event("included", hit({ matches: [match] }))])[0]?.message).data;
    expect(summary).toContain("(The Heist: exploiter 1, same account as listed on eip155:56)");
    expect(watch).toMatchObject([{ match: "sameKey", list: "heist-2025" }]);
  });

  test("created when the first event was stored, however late the others are folded", () => {
    const [result] = foldGroups([
      [event("included", hit(), { at: NOW }), event("final", hit(), { at: NOW + 900_000 })],
    ]);
    expect(result?.record).toMatchObject({ createdAt: NOW, updatedAt: NOW + 900_000 });
  });
});
