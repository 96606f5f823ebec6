import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { alertIdOf, deliveryIdOf, hashId, hitIdOf, webhookIdOf } from "../../../src/lib/ids.ts";

const parts = fc.array(fc.string({ unit: "binary", maxLength: 40 }), { maxLength: 5 });

describe("hashId", () => {
  test("is a prefix and 26 signs: no ':', no '.', never digits only", () => {
    fc.assert(
      fc.property(fc.constantFrom("hit", "alr", "msg", "dlv"), parts, (prefix, list) => {
        const id = hashId(prefix, list);
        expect(id).toMatch(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`));
        expect(id).not.toMatch(/[:.]/);
        expect(id).not.toMatch(/^\d+$/);
      }),
    );
  });

  test("is the first 130 bits of the SHA-256, read as base32", () => {
    fc.assert(
      fc.property(parts, (list) => {
        const digest = createHash("sha256")
          .update(Buffer.concat(list.map(lengthPrefixed)))
          .digest();
        const bits = [...digest].map((byte) => byte.toString(2).padStart(8, "0")).join("");
        const signs = Array.from({ length: 26 }, (_, index) => parseInt(bits.slice(index * 5, index * 5 + 5), 2));
        expect(hashId("x", list)).toBe(`x_${signs.map((value) => "0123456789abcdefghjkmnpqrstvwxyz"[value]).join("")}`);
      }),
    );
  });

  test("parts cannot run into each other", () => {
    expect(hashId("x", ["a", "bc"])).not.toBe(hashId("x", ["ab", "c"]));
    expect(hashId("x", ["a", "bc"])).not.toBe(hashId("x", ["abc"]));
    expect(hashId("x", ["a", ""])).not.toBe(hashId("x", ["a"]));
    expect(hashId("x", [])).not.toBe(hashId("x", [""]));
    expect(hashId("x", ["1:a"])).not.toBe(hashId("x", ["1", "a"]));
    expect(hashId("x", ["é", "b"])).not.toBe(hashId("x", ["e", "\u0301b"]));
  });

  test("other parts, another id; the same parts, the same id", () => {
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const equal = JSON.stringify(one) === JSON.stringify(other);
        expect(hashId("x", one) === hashId("x", other)).toBe(equal);
        expect(hashId("x", [...one])).toBe(hashId("x", one));
      }),
    );
  });
});

function lengthPrefixed(part: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(part)}:${part}`);
}

test("the ids of today are the ids of tomorrow: stored alerts and receivers' records hang on them", () => {
  const of = { chain: "eip155:1", txHash: `0x${"ab".repeat(32)}` };
  expect([
    hitIdOf({ ...of, key: "native" }),
    alertIdOf({ ...of, subject: "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045" }),
    webhookIdOf({ alertId: "alr_1", revision: 2, core: "c" }),
    deliveryIdOf({ webhookId: "msg_1", sink: "siem" }),
  ]).toMatchInlineSnapshot(`
[
  "hit_175x62px6w458dyhdeh3rz0e43",
  "alr_9g8nqzzyrpjxvyn5p04z6tsqx9",
  "msg_8cvge8zdgrjfrtefves8e6gwg1",
  "dlv_jgqn5x340a8f1w1ea05svt6338",
]
`);
});

test("every part of an id counts", () => {
  const hit = { chain: "eip155:1", txHash: "0x1", key: "native" };
  const hits = [hit, { ...hit, chain: "eip155:2" }, { ...hit, txHash: "0x2" }, { ...hit, key: "log:0" }].map(hitIdOf);
  const alert = { chain: "eip155:1", txHash: "0x1", subject: "0xa" };
  const alerts = [alert, { ...alert, chain: "b" }, { ...alert, txHash: "b" }, { ...alert, subject: "b" }].map(
    alertIdOf,
  );
  const message = { alertId: "a", revision: 1, core: "c" };
  const messages = [message, { ...message, alertId: "b" }, { ...message, revision: 2 }, { ...message, core: "d" }];
  const delivery = { webhookId: "m", sink: "s" };
  const deliveries = [delivery, { ...delivery, webhookId: "n" }, { ...delivery, sink: "t" }].map(deliveryIdOf);
  for (const ids of [hits, alerts, messages.map(webhookIdOf), deliveries]) expect(new Set(ids).size).toBe(ids.length);
});
