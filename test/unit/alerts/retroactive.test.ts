import { describe, expect, test } from "@jest/globals";
import { messageBody } from "../../../src/alerts/body-schema.ts";
import { foldAlert } from "../../../src/alerts/fold.ts";
import { summariesOf } from "../../../src/alerts/scan-summary.ts";
import type { HitEvent } from "../../../src/types/hit.ts";
import type { EntryFinding, ScanStatus } from "../../../src/types/retro.ts";
import { block, context, event, hit, NOW } from "./make.ts";

const DAY_S = 86_400;
const past = { retroactive: true, late: true } as const;
const daysAgo = (days: number) => ({ ...block(100), timestamp: Math.floor(NOW / 1_000) - days * DAY_S });
const CONTEXT = context();
const own = hit();
const foreign = hit({ own: false });
const bodyOf = (text: string | undefined) => messageBody.parse(JSON.parse(text ?? "null"));

describe("alerts of scans of the past", () => {
  const tell = (one: ReturnType<typeof hit>, days: number, more: Partial<HitEvent> = {}) =>
    foldAlert(
      null,
      [
        event("included", one, { ...past, block: daysAgo(days), seq: 1, ...more }),
        event("final", one, { ...past, hit: null, block: daysAgo(days), seq: 2, ...more }),
      ],
      CONTEXT,
    );

  test("one that touches no own address is kept as final and sent to nobody", () => {
    const { record, message, sinks } = tell(foreign, 1);
    expect([record.stage, record.revision, sinks]).toEqual(["final", 1, []]);
    expect(bodyOf(message?.body)).toMatchObject({ data: { retroactive: true, late: true, stage: "final" } });
  });

  test("one that touched an own address in the last 30 days is sent, and says what it is; an older one is not", () => {
    expect(tell(own, 29).sinks).toEqual(CONTEXT.sinks);
    expect(bodyOf(tell(own, 29).message?.body)).toMatchObject({ data: { retroactive: true, late: true } });
    expect(tell(own, 31).sinks).toEqual([]);
  });

  test("the same found live is sent, however old it is", () => {
    expect(tell(foreign, 400, { retroactive: false }).sinks).toEqual(CONTEXT.sinks);
  });

  test("whoever was told is told what comes after, when 30 days are over too; and nobody else is", () => {
    const later = (one: ReturnType<typeof hit>, days: number) => {
      const first = tell(one, days).record;
      const at = NOW + 10 * DAY_S * 1_000;
      const trust = { proven: false, operators: [], missing: [], traced: false, disputing: ["b"] };
      return foldAlert(first, [event("contradicted", one, { hit: null, trust, seq: 3, at })], CONTEXT);
    };
    expect(later(own, 29)).toMatchObject({ record: { revision: 2 }, sinks: CONTEXT.sinks });
    expect(later(own, 31)).toMatchObject({ record: { revision: 2 }, sinks: [] });
  });

  test("whoever was told live, and told that it was taken back, is told when a scan of the past finds it again", () => {
    const first = foldAlert(null, [event("included", foreign, { seq: 1 })], CONTEXT).record;
    const gone = event("withdrawn", foreign, { hit: null, reason: "entryWithdrawn", seq: 2 });
    const second = foldAlert(first, [gone], CONTEXT);
    expect(second.sinks).toEqual(CONTEXT.sinks);
    const found = event("included", foreign, { ...past, block: daysAgo(400), seq: 3 });
    const { record, sinks } = foldAlert(second.record, [found], CONTEXT);
    expect([record.stage, record.revision, sinks]).toEqual(["included", 3, CONTEXT.sinks]);
  });

  test("an alert that was told live stays one when the past adds a transfer of its transaction", () => {
    const first = foldAlert(null, [event("included", foreign, { seq: 1 })], CONTEXT).record;
    const added = event("included", hit({ own: false, key: "log:1" }), { ...past, block: daysAgo(100), seq: 2 });
    const { message, sinks } = foldAlert(first, [added], CONTEXT);
    expect(sinks).toEqual(CONTEXT.sinks);
    expect(bodyOf(message?.body)).toMatchObject({ data: { retroactive: false } });
  });
});

describe("the summary of a scan", () => {
  const scan: ScanStatus = {
    scanId: "scan_1",
    chain: "eip155:1",
    state: "done",
    reading: "whole",
    addresses: 2,
    from: 5,
    to: 90,
    blocks: 86,
    blocksDone: 86,
    holders: [],
    hits: 3,
    freshHits: 2,
    reason: "",
    requestedBy: "us",
    createdAt: NOW,
    endedAt: NOW + 5_000,
    trouble: null,
  };
  const finding: EntryFinding = {
    entryId: "list/eip155:1/0xa",
    address: "0xa",
    transfers: 3,
    freshTransfers: 2,
    recordedOnly: 1,
    alerts: 2,
    ownTransfers: 1,
    firstBlock: 7,
    lastBlock: 80,
  };
  const of = (findings: readonly EntryFinding[], addresses: readonly string[]) =>
    summariesOf({ scan, chainName: "ethereum", findings, addresses });

  test("one message an entry that was touched, one for all others, in the shape of the schema, paging nobody", () => {
    const messages = of([finding], ["0xa", "0xb", "0xc"]);
    const bodies = messages.map(({ body }) => bodyOf(body));
    expect(bodies).toMatchObject([
      {
        type: "watchlist.scanned",
        data: {
          subject: "entry:list/eip155:1/0xa",
          severity: "info",
          summary: expect.stringContaining(
            "3 transfers in blocks 7 to 80, 1 of them told before, 2 alerts, 1 with own",
          ),
          detail: { transfers: 3, scan: "scan_1", blocks: 86 },
        },
      },
      { data: { subject: "scan:scan_1", summary: expect.stringContaining("0xb, 0xc: nothing touches them") } },
    ]);
  });

  test("told again after a crash it is the same message; nothing is told of nobody", () => {
    expect(of([finding], ["0xa"])).toEqual(of([finding], ["0xa"]));
    expect(of([finding], ["0xa"])).toHaveLength(1);
    const many = Array.from({ length: 10_000 }, (_, index) => `0x${index}`);
    expect(of([], many)[0]?.body.length).toBeLessThan(2_000);
  });
});
