import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { nameFrom, printable, shortened, unlinked } from "../../../src/lib/outside-text.ts";

describe("unlinked", () => {
  test.each([
    ["https://evil.example/x", "https[:]//evil[.]example/x"],
    ["evil.example", "evil[.]example"],
    ["mail@evil.example", "mail[@]evil[.]example"],
    ["@everyone", "[@]everyone"],
    ["пример.рф", "пример[.]рф"],
    ["xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd[.]xn--p1ai"],
  ])("%s becomes %s", (text, expected) => expect(unlinked(text)).toBe(expected));

  test.each(["4.8 ETH", "USDC.e", "1.000.000", "Done. Next one", "v2.0", "a @ b"])("%s stays", (text) =>
    expect(unlinked(text)).toBe(text),
  );
});

test("a name is one short printable line, whatever it was", () => {
  expect(nameFrom("a\r\nb\u202ec\u200bd")).toBe("a b c d");
  expect(nameFrom("A".repeat(33))).toBe(`${"A".repeat(31)}…`);
  expect(nameFrom(`a${"\u0301".repeat(50)}`)).toBe("a\u0301\u0301\u0301");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const name = nameFrom(text);
      expect(Array.from(name).length).toBeLessThanOrEqual(32);
      expect(name).not.toMatch(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/u);
      expect(name.isWellFormed()).toBe(true);
    }),
  );
});

test("what fits is left as it is, also with characters of two units", () => {
  expect(shortened("😀".repeat(5), 5)).toBe("😀".repeat(5));
  expect(shortened("😀".repeat(6), 5)).toBe(`${"😀".repeat(4)}…`);
  expect(printable("accepté ✓ 受理 принято")).toBe("accepté ✓ 受理 принято");
});
