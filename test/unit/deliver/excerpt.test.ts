import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  ANSWER_BYTES_MAX,
  EXCERPT_CHARS_MAX,
  excerptOf,
  readAnswer,
  withoutSecrets,
} from "../../../src/deliver/excerpt.ts";

describe("excerptOf", () => {
  test("control characters, escape sequences and direction overrides become spaces", () => {
    expect(excerptOf("a\u0000b\r\n\tc\u001b[31md\u202Ee\u200Bf\u2028g\u009Bh")).toBe("a b c [31md e f g h");
  });

  test("ordinary text of any language stays", () => {
    expect(excerptOf("accepté ✓ 受理 принято")).toBe("accepté ✓ 受理 принято");
  });

  test("500 characters at most, never half of one", () => {
    const text = excerptOf("😀".repeat(2_000));
    expect(Array.from(text)).toHaveLength(EXCERPT_CHARS_MAX);
    expect(text.isWellFormed()).toBe(true);
  });

  test("a secret across the cut is gone as a whole", () => {
    const text = excerptOf(withoutSecrets(`${"x".repeat(495)}Bearer abcdef`, ["Bearer abcdef"]));
    expect(text).toBe(`${"x".repeat(495)}…`);
  });

  test("URLs keep their host only", () => {
    expect(excerptOf("see https://hooks.example/T0/key?sig=1")).toBe("see https://hooks.example/…");
  });

  test("no answer breaks it, and what comes out is printable", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (answer) => {
        const text = excerptOf(withoutSecrets(answer, ["secret"]));
        expect(text.isWellFormed()).toBe(true);
        expect(text).not.toMatch(/\p{Cc}|\p{Cf}/u);
      }),
    );
  });
});

async function* chunks(count: number, size: number, seen: { count: number }, end?: Error) {
  for (let index = 0; index < count; index += 1) {
    seen.count += 1;
    yield Buffer.alloc(size, 97);
  }
  if (end !== undefined) throw end;
}

describe("readAnswer", () => {
  test("stops asking after 64 kB", async () => {
    const seen = { count: 0 };
    expect(await readAnswer(chunks(1_000, 10_000, seen))).toHaveLength(ANSWER_BYTES_MAX);
    expect(seen.count).toBe(7);
  });

  test("a body that breaks off is what came until then", async () => {
    expect(await readAnswer(chunks(3, 5, { count: 0 }, new Error("reset")))).toBe("a".repeat(15));
  });
});
