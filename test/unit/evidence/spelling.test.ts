/** One content has one spelling: whatever else says the same is refused, signed or not. */
import { beforeAll, expect, test } from "@jest/globals";
import type { BundleParts } from "../../../src/evidence/bundle.ts";
import { BITCOIN_KINDS } from "./kinds.ts";
import { bundleOf, evmParts, forged, reasonOf, verify } from "./make.ts";

let parts: BundleParts;
let file: string;
beforeAll(() => {
  parts = evmParts(20_000_000, ({ category }) => category === "erc20");
  file = bundleOf(parts);
});

const NOT_ONE_WAY = "the file is not written in the one way of RFC 8785";

test.each<[string, (text: string) => string, string]>([
  ["blanks", (text) => text.replace(":", ": "), NOT_ONE_WAY],
  ["a line break at the end", (text) => `${text}\n`, NOT_ONE_WAY],
  ["a byte order mark", (text) => `\ufeff${text}`, "the file is not JSON"],
  [
    "keys in another order",
    (text) =>
      text.replace(/^\{"manifest":\{"alertId":("[^"]*"),"chain":("[^"]*")/, '{"manifest":{"chain":$2,"alertId":$1'),
    NOT_ONE_WAY,
  ],
  ["a key twice", (text) => text.replace('{"manifest":{', '{"manifest":{"alertId":"","'.slice(0, -1)), NOT_ONE_WAY],
  [
    "a number with a fraction of nothing",
    (text) => text.replace('"number":20000000', '"number":20000000.0'),
    NOT_ONE_WAY,
  ],
  ["a number with an exponent", (text) => text.replace('"number":20000000', '"number":2e7'), NOT_ONE_WAY],
  ["an escape that needs none", (text) => text.replace('"family":"evm"', '"family":"\\u0065vm"'), NOT_ONE_WAY],
  ["another case of hex", (text) => text.replace(/"header":"0xf9/, '"header":"0xF9'), "the part proof is not the one"],
  ["nothing", () => "", "the file is not JSON"],
  ["no bundle", () => "{}", "the file is no evidence bundle"],
  ["a list", () => "[]", "the file is no evidence bundle"],
  [
    "a key that means something to JavaScript",
    (text) => text.replace(/^\{/, '{"__proto__":{},'),
    "the file is no evidence bundle",
  ],
  ["a pit of brackets", () => "[".repeat(100_000) + "]".repeat(100_000), "nested more deeply"],
])("%s", (_what, change, reason) => {
  const changed = change(file);
  expect(changed).not.toBe(file);
  expect(reasonOf(changed)).toContain(reason);
});

test("bytes that are no text", () => {
  expect(reasonOf(Buffer.concat([Buffer.from(file.slice(0, 20)), Buffer.of(0xff), Buffer.from(file.slice(20))]))).toBe(
    "the file is not UTF-8 text",
  );
});

/** Parts as a forger writes them. */
interface Loose {
  readonly alert: { summary?: string };
  readonly proof: { header: string };
  readonly transfers: object[];
}

test.each<[string, (copy: Loose) => void, string]>([
  ["a field more in a part", (copy) => Object.assign(copy.alert, { more: 1 }), 'Unrecognized key: "more"'],
  ["a field less in a part", (copy) => delete copy.alert.summary, "parts.alert.summary"],
  ["a part more", (copy) => Object.assign(copy, { more: 1 }), "no evidence bundle"],
  ["a field more in the proof", (copy) => Object.assign(copy.proof, { more: 1 }), "the proof is not in its form"],
  [
    "upper-case hex in the proof",
    (copy) =>
      Object.assign(copy.proof, {
        header: copy.proof.header.toUpperCase().replace("0X", "0x"),
      }),
    "lower-case hex",
  ],
  ["an amount with a zero before it", (copy) => Object.assign(copy.transfers[0] ?? {}, { amount: "01" }), "amount"],
  ["a time without its zone", (copy) => Object.assign(copy.alert, { createdAt: "2026-11-22T10:15:00" }), "createdAt"],
  ["a flow, which nothing makes yet", (copy) => Object.assign(copy, { flow: [] }), "parts.flow"],
])("signed anew: %s", (_what, change, reason) => {
  expect(reasonOf(forged(parts, (copy) => change(copy as unknown as Loose)))).toContain(reason);
});

test("a bundle without a proof says that nothing is proven, and why", () => {
  const lacks = ["Nothing of the chain is proven: node own-a does not have the block (any more)."];
  const verdict = verify(bundleOf({ ...parts, proof: null, lacks }));
  if (!verdict.ok) throw new Error(verdict.reason);
  expect(verdict.findings.proven).toEqual([]);
  expect(verdict.findings.trusted).toContain(lacks[0]);
});

test("an alert from the mempool proves nothing", () => {
  const pending = { ...parts, block: null, proof: null };
  const verdict = verify(bundleOf(pending));
  if (!verdict.ok) throw new Error(verdict.reason);
  expect(verdict.findings).toMatchObject({ proven: [] });
  expect(verdict.findings.trusted[0]).toContain("The transaction was in no block");
  expect(reasonOf(bundleOf(pending), { blockHash: parts.block?.hash })).toBe("the bundle is about no block");
});

test("the same parts give the same file, byte for byte", async () => {
  expect(bundleOf(parts)).toBe(file);
  const [kind] = BITCOIN_KINDS;
  if (kind === undefined) throw new Error("a kind");
  expect(bundleOf(await kind.make())).toBe(bundleOf(await kind.make()));
});
