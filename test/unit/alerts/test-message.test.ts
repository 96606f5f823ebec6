import { expect, test } from "@jest/globals";
import { alertBody } from "../../../src/alerts/body-schema.ts";
import { testMessages } from "../../../src/alerts/test-message.ts";

test("a test is valid, marked as one in each body, and taken back under the same alert", () => {
  const [told, takenBack] = testMessages({ nonce: "a", now: Date.UTC(2026, 10, 22) });
  const bodies = [told, takenBack].map(({ body }) => alertBody.parse(JSON.parse(body)));
  expect(bodies.map(({ test: isTest, type }) => [isTest, type])).toEqual([
    [true, "alert.created"],
    [true, "alert.retracted"],
  ]);
  expect(new Set(bodies.map(({ data }) => data.alertId))).toEqual(new Set([told.alertId]));
  expect(told.webhookId).not.toBe(takenBack.webhookId);
  expect(testMessages({ nonce: "b", now: 0 })[0].alertId).not.toBe(told.alertId);
});
