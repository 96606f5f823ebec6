/**
 * Goal: whoever splits one payment into many is told as if it were one, once; nobody else is, and the order in which
 * payments become known does not matter.
 * Method: hand-made days, and random ones against an oracle that looks at every 24 hours by brute force.
 */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { largestSum, type SumRouting, tellSum } from "../../../src/alerts/payment-sums.ts";
import { paymentsOf } from "../../../src/alerts/payments.ts";
import { messageBody, type PaymentsBody } from "../../../src/alerts/body-schema.ts";
import { type Payment, SEVERITIES, type Severity } from "../../../src/types/alert.ts";
import type { PaymentDay } from "../../../src/types/payment.ts";
import { DEFAULT_POLICY } from "../../../src/types/policy.ts";
import { block, bodyOf, entryMatch, event, foldEach, hit, SANCTIONED } from "./make.ts";

const DAY_MS = 86_400_000;
const DAY = 20_000;
const HOUR_MS = 3_600_000;
const LADDER = [
  { fromCents: 0, severity: "info" },
  { fromCents: 1_000, severity: "medium" },
  { fromCents: 100_000, severity: "high" },
] as const;
const ABOVE_USD = 100;

const pay = (hours: number, usd: number, over: Partial<Payment> = {}): Payment => ({
  alertId: `alr_${hours}_${usd}`,
  incident: "heist-2025",
  customerRef: "deposit-88121",
  own: "0x1",
  direction: "in",
  chain: "eip155:1",
  at: DAY * DAY_MS + hours * HOUR_MS,
  usdCents: BigInt(usd * 100),
  severity: "medium",
  ladder: LADDER,
  ...over,
});
const day = (payments: readonly Payment[], over: Partial<PaymentDay> = {}): PaymentDay => ({
  sumKey: "heist in deposit-88121",
  day: DAY,
  payments,
  toldSeverity: null,
  toldSinks: [],
  told: 0,
  ...over,
});
const routing: SumRouting = { sinks: ["desk", "siem"], routes: [], minSeverity: "info", aboveUsd: ABOVE_USD };
const sumOf = (payments: readonly Payment[], of = DAY) => largestSum({ payments, day: of }, ABOVE_USD);

describe("the largest sum of 24 hours", () => {
  test("is told where it is more severe than each payment alone", () => {
    expect(sumOf([pay(1, 400), pay(2, 599)])).toBeNull();
    expect(sumOf([pay(1, 400), pay(2, 600)])).toMatchObject({ usdCents: 100_000n, severity: "high", alone: "medium" });
    expect(sumOf([pay(1, 400), pay(2, 600, { severity: "high" })])).toBeNull();
    expect(sumOf([pay(1, 5_000)])).toMatchObject({ severity: "high" });
  });

  test("knows no midnight, and ends after 24 hours", () => {
    const across = [pay(-12, 500), pay(1, 500)];
    expect(sumOf(across)?.payments).toEqual(across);
    // Of the day it ended on, and of no other.
    expect([sumOf(across, DAY - 1), sumOf(across, DAY + 1)]).toEqual([null, null]);
    expect(sumOf([pay(-23, 500), pay(1, 500)])).toBeNull();
    expect(sumOf([pay(-23, 500), pay(1 - 1 / HOUR_MS, 500)])).not.toBeNull();
  });

  test("is above what nobody is called for", () => {
    const small = { ladder: [{ fromCents: 0, severity: "critical" }], severity: "info" } as const;
    expect(sumOf([pay(1, 50, small), pay(2, 50, small)])).toBeNull();
    expect(sumOf([pay(1, 50, small), pay(2, 50.01, small)])).toMatchObject({ severity: "critical" });
  });

  const anyPayment = fc
    .record({
      hours: fc.integer({ min: -23, max: 23 }),
      usd: fc.constantFrom(20, 150, 400, 900),
      severity: fc.constantFrom<Severity>("info", "medium", "high"),
      isLow: fc.boolean(),
    })
    .map(({ hours, usd, severity, isLow }) =>
      pay(hours, usd, { severity, ladder: isLow ? [{ fromCents: 0, severity: "low" }] : LADDER }),
    );

  test("is what every 24 hours by themselves say, in whatever order the payments came", () => {
    const rank = (severity: Severity) => SEVERITIES.indexOf(severity);
    fc.assert(
      fc.property(fc.array(anyPayment, { maxLength: 12 }), fc.integer(), (some, seed) => {
        const payments = some.map((one, index) => ({ ...one, alertId: `alr_${index}` }));
        const sums = payments
          .filter(({ at }) => at >= DAY * DAY_MS)
          .map(({ at: end }) => payments.filter(({ at }) => at <= end && at > end - DAY_MS))
          .map((within) => {
            const usdCents = within.reduce((sum, one) => sum + one.usdCents, 0n);
            const reached = within.map(
              ({ ladder }) => ladder.findLast(({ fromCents }) => usdCents >= BigInt(fromCents))?.severity ?? "info",
            );
            const most = (of: readonly Severity[]) => of.toSorted((a, b) => rank(b) - rank(a))[0] as Severity;
            return { usdCents, severity: most(reached), alone: most(within.map(({ severity }) => severity)) };
          })
          .filter(({ usdCents, severity, alone }) => usdCents > 10_000n && rank(severity) > rank(alone))
          .toSorted((a, b) => rank(b.severity) - rank(a.severity) || Number(b.usdCents - a.usdCents));
        const found = sumOf(payments);
        expect(found && [found.severity, found.usdCents]).toEqual(
          sums[0] === undefined ? null : [sums[0].severity, sums[0].usdCents],
        );
        const shuffled = payments.toSorted(
          (a, b) => ((Number(a.usdCents) * seed) % 7) - ((Number(b.usdCents) * seed) % 7),
        );
        expect(sumOf(shuffled)).toEqual(found);
      }),
      { numRuns: 500 },
    );
  });
});

describe("telling it", () => {
  const high = [pay(1, 400), pay(2, 700)];
  const bodyOfTold = (of: ReturnType<typeof tellSum>) =>
    messageBody.parse(JSON.parse(of?.message.body ?? "")) as PaymentsBody;

  test("names its alerts, its customer and how it came about; nothing of the customer stands in what chats show", () => {
    const told = tellSum(day(high), routing, 5);
    expect(told).toMatchObject({ severity: "high", sinks: ["desk", "siem"] });
    const { type, data } = bodyOfTold(told);
    expect(type).toBe("payments.summed");
    expect(data).toMatchObject({
      severity: "high",
      customerRef: "deposit-88121",
      usdCents: "110000",
      alerts: [
        { alertId: "alr_2_700", severity: "medium", usdCents: "70000" },
        { alertId: "alr_1_400", severity: "medium", usdCents: "40000" },
      ],
      detail: { payments: 2, alone: "medium", incident: "heist-2025", direction: "in" },
    });
    const shown = JSON.stringify([data.subject, data.summary, data.detail]);
    expect(shown).toContain("2 payments to one customer within 24 hours are 1,100.00 USD together, high");
    expect(shown).not.toContain("88121");
  });

  test("happens once for each severity; what is below again is withdrawn where it was told", () => {
    const told = { toldSeverity: "high", toldSinks: ["desk"], told: 1 } as const;
    expect(tellSum(day([...high, pay(3, 10)], told), routing, 5)).toBeNull();
    const steeper = { ladder: [...LADDER, { fromCents: 200_000, severity: "critical" }] } as const;
    const more = tellSum(day([...high, pay(3, 900, steeper)], told), routing, 5);
    expect([more?.severity, more?.sinks]).toEqual(["critical", ["desk", "siem"]]);
    const less = tellSum(day(high.slice(1), told), routing, 5);
    expect(less).toMatchObject({ severity: null, sinks: ["desk"] });
    expect(bodyOfTold(less)).toMatchObject({ type: "payments.withdrawn", data: { severity: "high", alerts: [] } });
    expect(bodyOfTold(less).data.subject).toBe(bodyOfTold(tellSum(day(high), routing, 5)).data.subject);
    expect(tellSum(day(high.slice(1)), routing, 5)).toBeNull();
    // As often as it comes and goes, each time is another message.
    const again = tellSum(day(high, { told: 2 }), routing, 5);
    expect(again?.message.webhookId).not.toBe(tellSum(day(high), routing, 5)?.message.webhookId);
  });

  test("goes where its severity, incident and customer are routed, and not below the least severity", () => {
    const routes = [{ to: ["siem"], customers: ["vip-*"] }];
    expect(tellSum(day(high), { ...routing, routes }, 5)?.sinks).toEqual(["desk"]);
    expect(tellSum(day(high), { ...routing, minSeverity: "critical" }, 5)).toBeNull();
  });
});

describe("what an alert counts for", () => {
  const of = (over: Partial<Parameters<typeof paymentsOf>[0]> = {}) =>
    paymentsOf({
      alertId: "alr_1",
      hits: [hit({ worth: 900n })],
      block: block(1),
      stage: "included",
      kind: "exposure",
      severity: "info",
      policy: DEFAULT_POLICY,
      ...over,
    });

  test("follows what its entries make of larger amounts", () => {
    const [payment, ...others] = of();
    expect(others).toEqual([]);
    expect(payment).toMatchObject({
      incident: "heist-2025",
      customerRef: "deposit-88121",
      direction: "in",
      usdCents: 900n,
      ladder: [
        { fromCents: 0, severity: "info" },
        { fromCents: 1_000, severity: "high" },
      ],
    });
    const sanctioned = of({ hits: [hit({ worth: 50n, matches: [entryMatch({ sanctioned: SANCTIONED })] })] });
    expect(sanctioned[0]?.ladder.at(-1)).toEqual({ fromCents: 100, severity: "critical" });
  });

  test("is one for each incident, by its own entries", () => {
    const weak = entryMatch({ incident: "other-2024", basis: "explorer" });
    const both = of({ hits: [hit({ worth: 900n, matches: [entryMatch(), weak] })] });
    expect(both.map(({ incident, ladder }) => [incident, ladder.at(-1)?.severity])).toEqual([
      ["heist-2025", "high"],
      ["other-2024", "medium"],
    ]);
  });

  test.each([
    ["waits for a block", { stage: "pending" }],
    ["was taken back", { stage: "retracted" }],
    ["touches nobody of ours", { kind: "movement" }],
    ["is of unknown value", { hits: [hit()] }],
  ] as const)("is nothing while it %s", (_what, over) => {
    expect(of(over)).toEqual([]);
  });

  test("comes and goes with the alert", () => {
    const told = hit({ worth: 900n });
    const results = foldEach([event("pending", told), event("included", told), event("removed", told)]);
    expect(results.map(({ payments }) => payments.length)).toEqual([0, 1, 0]);
    expect(bodyOf(results.at(-1)?.message).type).toBe("alert.retracted");
  });
});
