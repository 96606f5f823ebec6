import { describe, expect, test } from "@jest/globals";
import { editDistance, nearest } from "../../../src/config/suggest.ts";

test.each([
  ["", "", 0],
  ["", "abc", 3],
  ["kitten", "sitting", 3],
  ["high", "hihg", 1],
  ["sink", "sinks", 1],
  ["abc", "xyz", 3],
])("%j and %j are %i edits apart, in both directions", (left, right, edits) => {
  expect(editDistance(left, right)).toBe(edits);
  expect(editDistance(right, left)).toBe(edits);
});

describe("the nearest spelling", () => {
  test("finds typing errors, other cases and other styles", () => {
    expect(nearest("TimeoutMS", ["timeoutMs", "concurrency"])).toBe("timeoutMs");
    expect(nearest("retry_scale", ["retryScale"])).toBe("retryScale");
    expect(nearest("ulr", ["url", "name"])).toBe("url");
  });

  test("takes the closest of several", () => {
    expect(nearest("databaseUrk", ["databaseUri", "databaseUrl2", "databaseUrks"])).toBe("databaseUri");
    expect(nearest("alert", ["alertss", "alerts"])).toBe("alerts");
  });

  test("says nothing when nothing is close", () => {
    expect(nearest("foo", ["log", "http"])).toBeNull();
    expect(nearest("x", ["y"])).toBeNull();
    expect(nearest("anything", [])).toBeNull();
  });
});
