import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { contentOf, otherKey, signed } from "../../support/minisign.ts";
import { parseMinisignKey, SignatureError, verifyMinisign } from "../../../src/watchlist/minisign.ts";

/** Key and signatures of the text "test" from the README and tests of jedisct1/rust-minisign-verify. */
const KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
const LEGACY = `untrusted comment: signature from minisign secret key
RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=
trusted comment: timestamp:1555779966\tfile:test
QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==
`;
const PREHASHED = `untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1556193335\tfile:test
y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==
`;

const check = (signature: string, text = "test", key = KEY) =>
  verifyMinisign({ keys: [parseMinisignKey(key)], signature, content: contentOf(text) });

describe("minisign", () => {
  test.each([
    ["old", LEGACY, "timestamp:1555779966\tfile:test"],
    ["prehashed", PREHASHED, "timestamp:1556193335\tfile:test"],
  ])("an %s signature made by minisign itself is right, and gives its trusted comment", (_name, signature, comment) => {
    expect(check(signature)).toEqual({ key: "E7620F1842B4E81F", comment });
    expect(check(signature.replaceAll("\n", "\r\n")).comment).toBe(comment);
    expect(check(signature, "test", `untrusted comment: a key\n${KEY}\n`).comment).toBe(comment);
  });

  test.each([
    ["other content", () => check(PREHASHED, "tesT"), "not what the key"],
    ["other content, old", () => check(LEGACY, "tesT"), "not what the key"],
    ["another trusted comment", () => check(PREHASHED.replace("file:test", "file:tesT")), "trusted comment is not"],
    [
      "the comment of the other signature",
      () => check([...PREHASHED.split("\n").slice(0, 2), ...LEGACY.split("\n").slice(2)].join("\n")),
      "trusted comment is not",
    ],
    ["another key", () => check(PREHASHED, "test", otherKey().text), "may not sign this list"],
    [
      "another key under the same id",
      () => check(PREHASHED, "test", otherKey("H+i0QhgPYuc=").text),
      "not what the key",
    ],
    [
      "an old signature where the file was not kept",
      () =>
        verifyMinisign({
          keys: [parseMinisignKey(KEY)],
          signature: LEGACY,
          content: { ...contentOf("test"), bytes: null },
        }),
      "sign it again with minisign -H",
    ],
    ["an old algorithm name on a new signature", () => check(PREHASHED.replace("RUQf", "RWQf")), "not what the key"],
    ["an unknown algorithm", () => check(PREHASHED.replace("RUQf", "RkQf")), "unknown signature algorithm"],
    ["nothing", () => check(""), "four lines"],
    ["a fifth line", () => check(`${PREHASHED}more\n`), "four lines"],
    ["no base64", () => check(PREHASHED.replace("RUQf", "RU?f")), "not a minisign signature"],
    ["a key that is none", () => parseMinisignKey("RWQf"), "not a minisign public key"],
    ["a huge file", () => check("x".repeat(1_000_000)), "longer"],
  ])("%s is refused in words", (_name, wrong, words) => {
    expect(wrong).toThrow(SignatureError);
    expect(wrong).toThrow(words);
  });

  test("a key among several is found by its id", () => {
    const keys = [parseMinisignKey(otherKey().text), parseMinisignKey(KEY)];
    expect(verifyMinisign({ keys, signature: PREHASHED, content: contentOf("test") }).key).toBe("E7620F1842B4E81F");
  });

  test("a signature made here is right, and no single changed sign of it is", () => {
    const { text: key, pair, id } = otherKey();
    const signature = signed("a list", pair, id);
    expect(check(signature, "a list", key).comment).toBe("made here");
    const from = signature.indexOf("\n") + 1; // the untrusted comment is what its name says
    fc.assert(
      fc.property(
        fc.integer({ min: from, max: signature.length - 2 }),
        fc.constantFrom("A", "b", "7", "\n"),
        (at, sign_) => {
          fc.pre(signature[at] !== sign_);
          const changed = signature.slice(0, at) + sign_ + signature.slice(at + 1);
          expect(() => check(changed, "a list", key)).toThrow(SignatureError);
        },
      ),
      { numRuns: 300 },
    );
  });
});
