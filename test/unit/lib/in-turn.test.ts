import { expect, test } from "@jest/globals";
import { createInTurn } from "../../../src/lib/in-turn.ts";

test("work of one key waits for the work before it, also where that failed; other keys do not", async () => {
  const inTurn = createInTurn();
  const told: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = inTurn("a", async () => {
    await gate.promise;
    told.push("a1");
    throw new Error("a1 failed");
  });
  const second = inTurn("a", async () => void told.push("a2"));
  await inTurn("b", async () => void told.push("b"));
  expect(told).toEqual(["b"]);
  gate.resolve();
  await expect(first).rejects.toThrow("a1 failed");
  await second;
  expect(told).toEqual(["b", "a1", "a2"]);
  expect(await inTurn("a", () => Promise.resolve("later"))).toBe("later");
});
