import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { hideKeysOf, redactText, redactUrl } from "../../../src/lib/redact.ts";

const KEY = "canary-5f1c";

describe("a URL", () => {
  test.each([
    ["https://node.example", "https://node.example"],
    ["https://node.example/", "https://node.example"],
    ["https://node.example:8545", "https://node.example:8545"],
    [`https://node.example/v3/${KEY}`, "https://node.example/…"],
    [`https://node.example?apikey=${KEY}`, "https://node.example/…"],
    [`https://node.example/?apikey=${KEY}`, "https://node.example/…"],
    [`https://node.example/#${KEY}`, "https://node.example"],
    [`https://user:${KEY}@node.example`, "https://node.example"],
    [`https://${KEY}@node.example/`, "https://node.example"],
    [`rediss://:${KEY}@redis.example:6380/0`, "rediss://redis.example:6380/…"],
    [`postgresql://u:${KEY}@db.example:5432/heistwatch?password=${KEY}`, "postgresql://db.example:5432/…"],
    [`postgres://u:a@${KEY}?b@db.example/x`, "postgres://hidden/…"],
    [KEY, "(not a URL)"],
    ["", "(not a URL)"],
  ])("%s", (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });
});

describe("a text", () => {
  test.each([
    [`connect to https://node.example/v3/${KEY} failed`, "connect to https://node.example/… failed"],
    [`(https://node.example/${KEY}), again.`, "(https://node.example/…), again."],
    [`'https://node.example/${KEY}'`, "'https://node.example/…'"],
    [`<a href="https://node.example/${KEY}">`, '<a href="https://node.example/…">'],
    [`see https://node.example.`, "see https://node.example."],
    [`postgres://u:${KEY}@[::1]:5432/x`, "postgres://[::1]:5432/…"],
    [`WSS://NODE.EXAMPLE/${KEY}`, "wss://node.example/…"],
    [`a=whsec_${KEY}== b=whsk_${KEY}`, "a=whsec_… b=whsec_…"],
    [`my_whsec_${KEY} and wswhsec_${KEY}`, "my_whsec_… and wswhsec_…"],
    ["nothing to hide: 12:30, a/b, whsec", "nothing to hide: 12:30, a/b, whsec"],
  ])("%s", (text, shown) => {
    expect(redactText(text)).toBe(shown);
  });

  test("several in one text, without a blank between some", () => {
    const text = `https://a.example/${KEY},http://b.example/?k=${KEY} ws://u:${KEY}@c.example whsec_${KEY};whsec_${KEY}`;
    const shown = redactText(text);
    expect(shown).not.toContain(KEY);
    expect(shown).toContain("https://a.example/…");
    expect(shown).toContain("ws://c.example");
  });

  test("whatever signs a password holds, and whatever stands around the URL, no part of it is left", () => {
    const sign = fc.constantFrom(...Array.from("abcXYZ019-._~!$&'()*+,;=:@%|[]{}`^\\?#/"));
    const around = fc.constantFrom("", " ", "(", ")", "'", '"', "[", "]", "{", "}", "\n", ",", "=", "a", "_", "<", ">");
    const schemes = fc.constantFrom("http", "https", "ws", "wss", "redis", "rediss", "postgres", "postgresql");
    const places = fc.constantFrom(
      (secret: string) => `user:${secret}@host.example`,
      (secret: string) => `host.example/${secret}`,
      (secret: string) => `host.example/a?key=${secret}`,
    );
    const junk = fc.string({ unit: sign, maxLength: 10 });
    fc.assert(
      fc.property(schemes, places, junk, junk, around, around, (scheme, place, head, tail, before, after) => {
        const text = `${before}${scheme}://${place(`${head}CANARY${tail}`)}${after}`;
        expect(redactText(text)).not.toContain("CANARY");
      }),
      { numRuns: 1_000 },
    );
  });

  test("redacting twice changes nothing more", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("https://u:p@h/x", " ", "whsec_ab", "text", "(", ")", ".")), (words) => {
        const once = redactText(words.join(""));
        expect(redactText(once)).toBe(once);
      }),
    );
  });

  test("a megabyte of what looks like a URL takes no time", () => {
    const startedAt = performance.now();
    for (const part of ["http", "https://", ")", "https://a)", "whsec_", "a:/"])
      redactText(part.repeat(1_000_000 / part.length));
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe("hideKeysOf, for texts of the other side that quote our URL in pieces", () => {
  const url = `https://user-name:${KEY}%21pass@node.example/v2/${KEY}/rpc?apikey=${KEY}-query`;

  test("every long part is hidden, also percent-decoded", () => {
    const text = `key ${KEY} or ${KEY}-query of user-name (${KEY}!pass) is not allowed`;
    expect(hideKeysOf(url, text)).not.toMatch(/canary|user-name|!pass/);
    expect(hideKeysOf(url, text)).toContain("is not allowed");
  });

  test("words stay readable: short parts of a path are no keys, nor is the host", () => {
    expect(hideKeysOf(url, "v2 rpc at node.example")).toBe("v2 rpc at node.example");
  });

  test("no URL, nothing to hide", () => {
    expect(hideKeysOf("nonsense", "text")).toBe("text");
    expect(hideKeysOf("https://node.example/%zz-not-encoded", "x %zz-not-encoded")).toBe("x …");
  });
});
