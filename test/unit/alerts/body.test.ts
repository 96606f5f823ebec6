/** The bytes a receiver gets: valid, small and harmless, whatever a chain or a list holds. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { alertJsonSchema } from "../../../scripts/make-alert-schema.ts";
import { describeAmount, formatAmount } from "../../../src/alerts/text.ts";
import type { EntryMatch, HitEvent } from "../../../src/types/hit.ts";
import { ENTRY_BASES, ENTRY_ROLES } from "../../../src/types/watch.ts";
import { bodyOf, DUST_RULE, entryMatch, ETH, event, foldEach, foldGroups, hit, NOW, SANCTIONED, SPAM } from "./make.ts";

const BODY_BYTES_MAX = 20_000;
const FILE = path.join(import.meta.dirname, "../../../docs/alert.schema.json");

const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false });
addFormats.default(ajv);
const validate = ajv.compile(JSON.parse(readFileSync(FILE, "utf8")) as object);

function expectValid(body: unknown): void {
  validate(body);
  expect(validate.errors ?? []).toEqual([]);
}

/** The bodies of all messages these events make. */
function bodies(events: readonly HitEvent[]) {
  return foldEach(events).flatMap(({ message }) => (message === null ? [] : [bodyOf(message)]));
}

describe("the published schema", () => {
  test("is the one the code uses: run scripts/make-alert-schema.ts when this fails", () => {
    expect(readFileSync(FILE, "utf8")).toBe(alertJsonSchema());
  });

  test("every stage of an alert's life is valid", () => {
    const life = [
      event("included"),
      event("included", hit({ key: "log:3", asset: SPAM, amount: 7n })),
      event("removed"),
      event("rematched", hit({ key: "log:3", recordedOnly: DUST_RULE })),
      event("included", hit({ own: false, matches: [entryMatch({ sanctioned: SANCTIONED })] })),
      event("final"),
    ];
    const all = bodies(life);
    expect(new Set(all.map(({ type }) => type))).toEqual(
      new Set(["alert.created", "alert.updated", "alert.retracted", "alert.finalized"]),
    );
    for (const body of all) expectValid(body);
  });

  test("every role and basis is valid", () => {
    for (const role of ENTRY_ROLES) {
      for (const basis of ENTRY_BASES)
        bodies([event("included", hit({ matches: [entryMatch({ role, basis })] }))]).forEach(expectValid);
    }
  });

  test("and it refuses what it should", () => {
    const [body] = bodies([event("included")]);
    if (body === undefined) throw new Error("no body");
    const spoiled = [
      { ...body, type: "alert.gone" },
      { ...body, extra: 1 },
      { ...body, timestamp: "yesterday" },
      { ...body, data: { ...body.data, severity: "dire" } },
      { ...body, data: { ...body.data, transfers: [] } },
      { ...body, data: { ...body.data, alertId: "alr_1" } },
      { ...body, data: { ...body.data, revision: 0 } },
    ];
    for (const one of spoiled) expect(validate(one)).toBe(false);
  });
});

describe("size", () => {
  const longest = (index: number): EntryMatch =>
    // The most the list format lets through: letters of three bytes each, references of 400 signs.
    entryMatch(
      {
        id: `list-${index}/eip155:1/0x098B716B8Aaf21512996dC57EB0615e2383E2f96`,
        label: "盗".repeat(200),
        incident: `incident-${index}-${"x".repeat(50)}`,
        sanctioned: { list: "盗".repeat(100), source: `https://${"s".repeat(392)}` },
        sources: Array.from({ length: 9 }, (_, n) => ({ ref: `https://${n}${"r".repeat(391)}`, label: null })),
      },
      { name: "盗".repeat(100), attribution: "盗".repeat(200) },
    );

  test("1,000 transfers of one transaction stay under 20 kB, and are all counted", () => {
    const events = Array.from({ length: 1_000 }, (_, index) =>
      event("included", hit({ key: `log:${index}`, asset: { ...SPAM, symbol: null }, amount: 2n ** 256n - 1n })),
    );
    const [result] = foldGroups([events]);
    const { data } = bodyOf(result?.message);
    expect(Buffer.byteLength(result?.message?.body ?? "")).toBeLessThan(BODY_BYTES_MAX);
    expect(data).toMatchObject({ transfersTotal: 1_000, watchTotal: 1 });
    expect(data.transfers).toHaveLength(16);
    expect(data.summary).toContain("and 999 more transfers");
    expectValid(bodyOf(result?.message));
  });

  test("so do 1,000 transfers that touch 30 lists with the longest texts a list may hold", () => {
    const matches = Array.from({ length: 30 }, (_, index) => longest(index));
    const events = Array.from({ length: 1_000 }, (_, index) =>
      event("included", hit({ key: `log:${index}`, matches, amount: 10n ** 30n })),
    );
    const body = foldGroups([events])[0]?.message?.body ?? "";
    const { data } = JSON.parse(body) as ReturnType<typeof bodyOf>;
    expect(Buffer.byteLength(body)).toBeLessThan(BODY_BYTES_MAX);
    expect(data.watch.length).toBeGreaterThanOrEqual(1);
    expect(data.watchTotal).toBe(30);
    expectValid(JSON.parse(body));
  });

  test("short entries are told up to eight, each once", () => {
    const matches = Array.from({ length: 12 }, (_, index) => entryMatch({ id: `entry-${index}` }));
    const events = ["native", "log:1"].map((key) => event("included", hit({ key, matches })));
    const { data } = bodyOf(foldGroups([events])[0]?.message);
    expect(data.watch.map((one) => one.entry)).toEqual(matches.slice(0, 8).map(({ entry }) => entry.id));
    expect(data.watchTotal).toBe(12);
  });
});

describe("hostile content", () => {
  test.each([
    ["beyond every date", Number.MAX_SAFE_INTEGER],
    ["in the year 10,000", 253_402_300_800],
    ["at the last second of the year 9999", 253_402_300_799],
    ["at the beginning of time", 0],
  ])("a block time %s is told as some date, and does not throw", (_what, timestamp) => {
    const one = event("included", hit(), { block: { number: 1, hash: "0xb", timestamp, confirmations: 1 } });
    const all = bodies([one, event("removed")]);
    expect(all).toHaveLength(2);
    for (const body of all) {
      expectValid(body);
      expect(new Date(body.data.block?.timestamp ?? "").getUTCFullYear()).toBeLessThanOrEqual(9999);
    }
  });

  test("any text in labels, names and references makes a valid body that says the same", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.constantFrom("\ud800", "\u2028</script>", "\0", '"}'),
    );
    fc.assert(
      fc.property(texts, texts, texts, (label, name, ref) => {
        const matches = [entryMatch({ label, sources: [{ ref, label: null }] }, { name })];
        const [body] = bodies([event("included", hit({ matches }))]);
        expectValid(body);
        expect(body?.data.watch[0]).toMatchObject({ label, incidentName: name, sources: [ref] });
      }),
    );
  });

  test("any amount and decimals make a decimal number that reads back as the amount", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 256n - 1n), fc.integer({ min: 0, max: 77 }), (amount, decimals) => {
        const text = formatAmount(amount, decimals) as string;
        expect(text).toMatch(/^(0|[1-9]\d*)(\.\d*[1-9])?$/);
        const [whole, fraction = ""] = text.split(".") as [string, string?];
        expect(BigInt(whole + fraction.padEnd(decimals, "0"))).toBe(amount);
      }),
    );
  });

  test("an unlisted token has no name, whatever it calls itself", () => {
    const claims = { ...SPAM, symbol: "USDT", decimals: 6 };
    expect(describeAmount(5n, claims)).toBe("5 base units of an unlisted token");
    expect(describeAmount(5n, { ...ETH, decimals: null })).toBe("5 base units of ETH");
    expect(formatAmount(5n, null)).toBeNull();
  });
});

describe("trust", () => {
  const trustOf = (operatorsConfigured: number, trust: HitEvent["trust"]) =>
    bodyOf(
      foldGroups([[event("included", hit(), { trust })]], { operatorsConfigured: () => operatorsConfigured })[0]
        ?.message,
    ).data.trust;

  test("one operator alone is said so, and never verified", () => {
    expect(trustOf(1, { proven: true, operators: ["self"], missing: [], traced: false })).toMatchObject({
      agreed: "1/1",
      singleOperator: true,
      verified: false,
    });
  });

  test.each([
    ["proven and all agree", { proven: true, operators: ["a", "b"], missing: [], traced: false }, true],
    ["not proven", { proven: false, operators: ["a", "b"], missing: [], traced: false }, false],
    ["one did not answer", { proven: true, operators: ["a"], missing: ["b"], traced: false }, false],
    ["one is neither here nor missing", { proven: true, operators: ["a"], missing: [], traced: false }, false],
  ])("%s", (_what, trust, verified) => {
    expect(trustOf(2, trust)).toMatchObject({ verified, singleOperator: false, agreed: `${trust.operators.length}/2` });
  });
});

test("times in a body are UTC, and the retraction's is when it was stored", () => {
  const [, retracted] = bodies([event("included"), event("removed", hit(), { at: NOW + 5_000 })]);
  expect(retracted?.timestamp).toBe("2026-11-22T10:15:05.000Z");
  expect(retracted?.data.retraction?.at).toBe("2026-11-22T10:15:05.000Z");
  expect(retracted?.data.block?.timestamp).toBe("2026-11-22T10:14:48.000Z");
});
