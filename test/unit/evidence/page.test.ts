/** Goal: nothing that somebody else chose becomes markup, and a page says what its bundle says or is refused. */
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { BundleParts } from "../../../src/evidence/bundle.ts";
import { escaped, html, unescaped, visible } from "../../../src/evidence/markup.ts";
import { renderPage } from "../../../src/evidence/page.ts";
import { bundleIn, isPage } from "../../../src/evidence/read-page.ts";
import { bundleOf, evmParts, verify } from "./make.ts";

const HOSTILE = `"><script src=//evil.example></script><img src=x onerror=alert(1)>'</pre></details>\u202etxt.exe<!--`;

let parts: BundleParts;
beforeAll(() => {
  parts = evmParts(20_000_000, ({ category }) => category === "erc20");
});

function pageOf(of: BundleParts): { page: string; text: string } {
  const text = bundleOf(of);
  const verdict = verify(text);
  if (!verdict.ok) throw new Error(verdict.reason);
  return { page: renderPage(verdict.findings, text), text };
}

/** The same parts with the hostile text wherever somebody outside chooses one. */
function hostile(): BundleParts {
  const copy = structuredClone(parts);
  Object.assign(copy.alert, { summary: HOSTILE });
  Object.assign(copy.alert.chain, { name: HOSTILE });
  const [transfer] = copy.transfers;
  if (transfer === undefined) throw new Error("a transfer");
  Object.assign(transfer.asset, { symbol: HOSTILE });
  Object.assign(transfer.own ?? {}, { customerRef: HOSTILE, wallet: HOSTILE });
  Object.assign(transfer.value ?? {}, { usdCents: null, why: HOSTILE });
  Object.assign(transfer.matches[0]?.entry ?? {}, {
    label: HOSTILE,
    list: HOSTILE,
    version: HOSTILE,
    id: HOSTILE,
    sources: [{ ref: `javascript:${HOSTILE}`, label: HOSTILE, quoted: null }],
  });
  Object.assign(transfer.matches[0]?.incident ?? {}, { name: HOSTILE });
  copy.trust.operators.push(HOSTILE);
  copy.trust.missing.push(HOSTILE);
  copy.trust.disputing.push(HOSTILE);
  copy.lacks.push(HOSTILE);
  Object.assign(copy.deliveries[0] ?? {}, { sink: HOSTILE, webhookId: HOSTILE });
  Object.assign(copy.deliveries[0]?.attempts[0] ?? {}, { result: HOSTILE, error: HOSTILE });
  Object.assign(copy.triage.history[0] ?? {}, { actor: HOSTILE, action: HOSTILE, why: HOSTILE });
  Object.assign(copy.triage.case ?? {}, { assignee: HOSTILE });
  return copy;
}

// What the page itself is made of, and nothing else.
const TAGS = /^(?:html|head|meta|title|style|body|h1|h2|h3|p|table|tr|th|td|ul|li|code|pre|br|details|summary)$/;

describe("a page", () => {
  test.each([
    ["honest", () => parts],
    ["hostile", hostile],
  ] as const)("of %s texts has its own markup only, each attribute its own", (_name, make) => {
    const { page } = pageOf(make());
    const tags = [...page.matchAll(/<\/?([^\s>]*)([^>]*)>/g)].map(([, name, rest]) => ({ name, rest: rest ?? "" }));
    const foreign = tags.filter(({ name }) => !TAGS.test(name ?? "") && name !== "!doctype");
    expect(foreign).toEqual([]);
    const attributes = new Set(tags.map(({ rest }) => rest.trim()).filter((rest) => rest !== ""));
    const names = [...attributes].map((attribute) => attribute.split("=")[0]);
    expect(new Set(names)).toEqual(new Set(["charset", "class", "html", "http-equiv", "id", "lang"]));
    expect(page).not.toMatch(/<script|javascript:[^&]*<|\son\w+=["']|href|src="/);
  });

  test("forbids everything but its own style, by a policy that its style fits", () => {
    const { page } = pageOf(hostile());
    const [, policy] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    const [, style = ""] = /<style>([^<]*)<\/style>/.exec(page) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    expect(policy).toBe(`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`);
    expect(page).not.toContain("style=");
  });

  test("shows what nobody can see by its number", () => {
    const { page, text } = pageOf(hostile());
    const [before] = page.split('<pre id="bundle">');
    expect(before).not.toContain("\u202e");
    expect(before).toContain("[U+202E]txt.exe");
    expect(text).toContain("\u202e");
  });

  test("says who, what, how sure, and the digest of its bundle", () => {
    const { page, text } = pageOf(parts);
    for (const said of [
      parts.alert.alertId,
      parts.transfers[0]?.from ?? "",
      "deposit-88121",
      "own-a, own-b (2 configured)",
      "https://example.org/report",
      "asked the customer",
      "1234.56 USD",
      "against receiptsRoot",
      createHash("sha256").update(text).digest("hex"),
    ])
      expect(page).toContain(said);
  });

  test("holds its bundle, byte for byte", () => {
    for (const some of [parts, hostile()]) {
      const { page, text } = pageOf(some);
      expect(isPage(Buffer.from(page))).toBe(true);
      expect(bundleIn(Buffer.from(page))).toBe(text);
    }
    expect(isPage(Buffer.from(bundleOf(parts)))).toBe(false);
    expect(bundleIn(Buffer.from("<!doctype html>"))).toBeNull();
    expect(bundleIn(Buffer.from('<!doctype html><pre id="bundle">'))).toBeNull();
    expect(bundleIn(Buffer.from('<!doctype html><pre id="bundle"></pre><pre id="bundle"></pre>'))).toBeNull();
  });
});

test("any text is escaped and comes back, and none of it is markup", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(unescaped(escaped(text))).toBe(text);
      expect(escaped(text)).not.toMatch(/[<>"']/);
      const { text: made } = html`<b>${text}</b>`;
      expect(made).toBe(`<b>${escaped(visible(text))}</b>`);
    }),
  );
});
