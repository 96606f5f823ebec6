import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { assert as holds } from "../../../src/lib/assert.ts";
import { AppError, ConfigError, describeError, UnavailableError } from "../../../src/lib/errors.ts";

describe("describeError", () => {
  test("tells the causes, outermost first, each text once", () => {
    const root = new Error("connect ECONNREFUSED");
    const middle = new Error("fetch failed", { cause: root });
    const outer = new Error("fetch failed", { cause: middle });
    expect(describeError(new Error("block not read", { cause: outer }))).toBe(
      "block not read: fetch failed: connect ECONNREFUSED",
    );
  });

  test("of several at once, the first", () => {
    const refused = [new Error("connect ECONNREFUSED ::1"), new Error("connect ECONNREFUSED 127.0.0.1")];
    expect(describeError(new AggregateError(refused, ""))).toBe("connect ECONNREFUSED ::1");
    expect(describeError(new AggregateError([], "none"))).toBe("none");
  });

  test("an error without a text is told by its name", () => {
    expect(describeError(new TypeError(""))).toBe("TypeError");
  });

  test("one line, also of a text with several", () => {
    expect(describeError(new Error("first\n  second\r\n\tthird"))).toBe("first second third");
  });

  test.each([
    ["text", "text"],
    [7, "7"],
    [null, ""],
    [undefined, ""],
    [Symbol("s"), "Symbol(s)"],
    [{ toString: () => "mine" }, "mine"],
    [Object.create(null), "an object without a text"],
    [{ toString: () => { throw new Error("no") } }, "an object without a text"], // biome-ignore format: one line a row
  ])("thrown %p", (thrown, text) => {
    expect(describeError(thrown)).toBe(text);
  });

  test("an error that causes itself ends", () => {
    const error = new Error("round");
    error.cause = error;
    expect(describeError(error)).toBe("round");
  });

  test("anything at all gives one line and does not throw", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (thrown) => {
        expect(describeError(thrown)).not.toMatch(/[\r\n]/);
        expect(describeError(new Error("x", { cause: thrown }))).toMatch(/^x/);
      }),
    );
  });
});

test("errors carry a code, whether to retry, their name and their cause", () => {
  const cause = new Error("why");
  const config = new ConfigError("fix it");
  const away = new UnavailableError("later", { cause, details: { chain: "eip155:1" } });
  expect(config).toMatchObject({ name: "ConfigError", code: "config", retryable: false, details: {} });
  expect("cause" in config).toBe(false);
  expect(away).toMatchObject({ name: "UnavailableError", code: "unavailable", retryable: true, cause });
  expect(away.details).toEqual({ chain: "eip155:1" });
  expect(away).toBeInstanceOf(AppError);
});

test("a broken assertion throws and says what should have held", () => {
  expect(() => holds(false, "the parent matches")).toThrow("assertion failed: the parent matches");
  expect(() => holds(1, "true")).not.toThrow();
});
