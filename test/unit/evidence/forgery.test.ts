/**
 * Goal: what a forger can make fails, or is told to be what it is. The forger has a key of their own, may sign anything, and
 * may make up whole blocks; what they cannot have is the house's key, or another block of the true block's hash.
 */
import { beforeAll, describe, expect, test } from "@jest/globals";
import { decodeRlp, encodeRlp, getBytes, hexlify, keccak256, type RlpStructuredData } from "ethers";
import type { BundleParts } from "../../../src/evidence/bundle.ts";
import type { EvmProof } from "../../../src/chains/evm/evidence/proof-schema.ts";
import { alertIdOf, hitIdOf } from "../../../src/lib/ids.ts";
import { TRACED } from "./kinds.ts";
import { bundleOf, evmParts, forged, KEY, OTHER_KEY, parsed, reasonOf, verify } from "./make.ts";

const RECEIPTS_ROOT = 5;
const TRANSACTIONS_ROOT = 4;
const WITHDRAWALS_ROOT = 16;

let erc20: BundleParts;
let legacy: BundleParts;
let traced: BundleParts;
beforeAll(() => {
  erc20 = evmParts(20_000_000, ({ category }) => category === "erc20");
  legacy = evmParts(1_000_000, ({ category }) => category === "native");
  traced = evmParts(20_000_000, ({ category }) => category === "internal", TRACED);
});

const proofOf = (parts: BundleParts): EvmProof => parts.proof as unknown as EvmProof;
type Listed = NonNullable<EvmProof["receipt"]>;

/** Alone in its list: a leaf under the root. */
function alone(index: number, raw: string): { item: Listed; root: string } {
  const key = hexlify(getBytes(encodeRlp(index === 0 ? "0x" : hexlify(Uint8Array.of(index)))));
  const leaf = encodeRlp([`0x20${key.slice(2)}`, raw]);
  return { item: { index, raw, nodes: [leaf] }, root: keccak256(leaf) };
}

/** A header with another root, and the block hash that follows from it. */
function withRoot(header: string, place: number, root: string): { header: string; hash: string } {
  const items = [...(decodeRlp(header) as RlpStructuredData[])];
  items[place] = root;
  const changed = encodeRlp(items);
  return { header: changed, hash: keccak256(changed) };
}

/** The same receipt, but every word that says `amount` says more. */
function forgedReceipt(parts: BundleParts): { raw: string; amount: string } {
  const amount = BigInt(parts.transfers[0]?.amount ?? "0");
  const word = (value: bigint) => value.toString(16).padStart(64, "0");
  const raw = proofOf(parts).receipt?.raw ?? "";
  expect(raw).toContain(word(amount));
  return { raw: raw.replaceAll(word(amount), word(amount * 1_000n)), amount: (amount * 1_000n).toString() };
}

/** A whole block made up around a receipt that says what the forger likes. */
function consistentForgery(): { file: string; hash: string; amount: string } {
  const { raw, amount } = forgedReceipt(erc20);
  const proof = proofOf(erc20);
  const { item, root } = alone(proof.receipt?.index ?? 0, raw);
  const { header, hash } = withRoot(proof.header, RECEIPTS_ROOT, root);
  const file = forged(erc20, (copy) => {
    Object.assign(copy.proof as object, { header, receipt: item });
    Object.assign(copy.block as object, { hash });
    Object.assign(copy.transfers[0] as object, { amount });
  });
  return { file, hash, amount };
}

describe("a forged block", () => {
  test("with another receipt, under the true header: the receipt is not the one under its root", () => {
    const { raw, amount } = forgedReceipt(erc20);
    const file = forged(erc20, (copy) => {
      Object.assign(proofOf(copy).receipt as object, { raw });
      Object.assign(copy.transfers[0] as object, { amount });
    });
    expect(reasonOf(file)).toBe("the receipt is not the one under the header's root");
    const { item } = alone(proofOf(erc20).receipt?.index ?? 0, raw);
    const whole = forged(erc20, (copy) => Object.assign(copy.proof as object, { receipt: item }));
    expect(reasonOf(whole)).toMatch(/^a node of the trie proof has another hash/);
  });

  test("with a header of its own, under the true hash: the header has another hash", () => {
    const { raw, amount } = forgedReceipt(erc20);
    const { item, root } = alone(proofOf(erc20).receipt?.index ?? 0, raw);
    const { header, hash } = withRoot(proofOf(erc20).header, RECEIPTS_ROOT, root);
    const file = forged(erc20, (copy) => {
      Object.assign(copy.proof as object, { header, receipt: item });
      Object.assign(copy.transfers[0] as object, { amount });
    });
    expect(reasonOf(file)).toBe(`the header has the hash ${hash}, the bundle is about block ${erc20.block?.hash}`);
  });

  test("of one piece fails by the house's key and by the true hash, and without them is told to be somebody's word", () => {
    const { file, hash, amount } = consistentForgery();
    expect(reasonOf(file, { key: KEY.publicKey })).toContain(
      `signed by another key than the one asked for: by ${OTHER_KEY.publicKey}`,
    );
    const trueHash = erc20.block?.hash ?? "";
    expect(reasonOf(file, { blockHash: trueHash })).toBe(`the bundle is about block ${hash}, not ${trueHash}`);
    const verdict = verify(file);
    if (!verdict.ok) throw new Error(verdict.reason);
    expect(verdict.findings).toMatchObject({ isPinned: false, isBlockPinned: false });
    expect(verdict.findings.proven.some((line) => line.includes(amount))).toBe(true);
    expect(verdict.findings.trusted).toContainEqual(
      expect.stringMatching(
        /^That this block is of the chain \(eip155:1\).* is the word of own-a, own-b .*Look the hash up/,
      ),
    );
  });

  test("the true bundle holds by the house's key and by the true hash", () => {
    const verdict = verify(bundleOf(erc20), { key: KEY.publicKey, blockHash: erc20.block?.hash });
    expect(verdict).toMatchObject({ ok: true, findings: { isPinned: true, isBlockPinned: true } });
  });
});

/** Everything that names the chain, consistently, names another one. */
function moved(parts: BundleParts, chain: string, coin?: string): string {
  return forged(parts, (copy) => {
    const text = JSON.stringify(copy).replaceAll("eip155:1/", `${chain}/`).replaceAll('"eip155:1"', `"${chain}"`);
    Object.assign(copy, JSON.parse(coin === undefined ? text : text.replaceAll("slip44:60", coin)) as BundleParts);
    const { alert, transfers } = copy;
    Object.assign(alert, { alertId: alertIdOf({ chain, txHash: alert.transaction, subject: alert.subject }) });
    for (const transfer of transfers)
      Object.assign(transfer, { hitId: hitIdOf({ chain, txHash: transfer.txHash, key: transfer.key }) });
    copy.revisions.length = 0;
  });
}

describe("another chain", () => {
  test("the chain id alone is swapped: the ids are not those of that chain", () => {
    const file = forged(erc20, ({ alert }) => Object.assign(alert.chain, { id: "eip155:137" }));
    expect(reasonOf(file)).toBe("the alert's id is not that of its chain, transaction and subject");
  });

  test("everything says another chain: the transaction was signed for its own", () => {
    expect(reasonOf(moved(erc20, "eip155:137"))).toBe("the EIP-1559 transaction is signed for chain 1, not for 137");
  });

  test("a transaction that names no chain: told that nothing in it does", () => {
    const verdict = verify(moved(legacy, "eip155:137", "slip44:966"));
    if (!verdict.ok) throw new Error(verdict.reason);
    expect(verdict.findings.trusted).toContain(
      "Nothing in the transaction names a chain: that it is of eip155:137 is told.",
    );
    expect(reasonOf(moved(legacy, "eip155:137"))).toContain("native: the proof says assetId eip155:137/slip44:966");
  });

  test("a chain that nobody here reads proves nothing", () => {
    expect(reasonOf(moved(erc20, "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"))).toContain("cannot be read here");
    expect(reasonOf(moved(erc20, "bip122:000000000019d6689c085ae165831e93"))).toContain("is not in its form");
  });
});

describe("signatures", () => {
  test("a manifest signed anew fails by the house's key, and is told to be of an unknown one without", () => {
    const file = bundleOf(erc20, OTHER_KEY);
    expect(reasonOf(file, { key: KEY.publicKey })).toContain("signed by another key");
    expect(verify(file)).toMatchObject({ ok: true, findings: { isPinned: false } });
  });

  test("the house's signature under another manifest, another name of the key, another key", () => {
    const bundle = parsed(bundleOf(erc20));
    const other = parsed(bundleOf(legacy));
    const text = (signature: object) =>
      bundleOf(erc20).replace(JSON.stringify(sorted(bundle.signature)), JSON.stringify(sorted(signature)));
    expect(reasonOf(text(other.signature))).toContain("the signature does not fit the manifest");
    expect(reasonOf(text({ ...bundle.signature, keyId: other.signature.value.slice(0, 16) }))).toContain(
      "keyId is not that",
    );
    expect(reasonOf(text({ ...bundle.signature, publicKey: OTHER_KEY.publicKey, keyId: OTHER_KEY.keyId }))).toContain(
      "does not fit",
    );
    expect(reasonOf(text({ ...bundle.signature, publicKey: "hwpk_" }))).toContain("public key is not one");
  });
});

const sorted = (object: object): object =>
  Object.fromEntries(Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1)));

describe("claims that the proof does not bear out", () => {
  test.each<[string, (copy: BundleParts) => void, string]>([
    [
      "a listed address that is no party",
      ({ transfers }) => Object.assign(transfers[0]?.matches[0]?.entry ?? {}, { address: "0x00" }),
      "is not the one on its side",
    ],
    [
      "a customer's address that is no party",
      ({ transfers }) => Object.assign(transfers[0]?.own ?? {}, { address: "0x00" }),
      "the own address is not",
    ],
    [
      "a transfer twice",
      ({ transfers }) => transfers.push(structuredClone(transfers[0] as (typeof transfers)[0])),
      "a transfer is there twice",
    ],
    [
      "a message about another alert",
      ({ revisions }) => Object.assign(revisions[0] ?? {}, { body: '{"data":{"alertId":"alr_x","revision":1}}' }),
      "is a message about something else",
    ],
    [
      "a message that is none",
      ({ revisions }) => Object.assign(revisions[0] ?? {}, { body: "null" }),
      "is a message about something else",
    ],
    ["no block", (copy) => Object.assign(copy, { block: null }), "a proof of no block"],
    [
      "another height",
      ({ block }) => Object.assign(block ?? {}, { number: 5 }),
      "the header's number is 20000000, the bundle says 5",
    ],
    ["another time", ({ block }) => Object.assign(block ?? {}, { timestamp: 5 }), "the header's timestamp is"],
    [
      "a withdrawal beside it",
      ({ proof }) => Object.assign(proof as object, { withdrawal: (proof as unknown as EvmProof).receipt }),
      "a withdrawal that nothing is claimed of",
    ],
    ["no receipt", ({ proof }) => Object.assign(proof as object, { receipt: null }), "no transaction or no receipt"],
    [
      "the receipt of another place",
      ({ proof }) => Object.assign((proof as unknown as EvmProof).receipt ?? {}, { index: 3 }),
      "the receipt is that of another transaction",
    ],
    [
      "a node too many",
      ({ proof }) => (proof as unknown as EvmProof).receipt?.nodes.push("0x00"),
      "nodes that are not needed",
    ],
    [
      "a node too few",
      ({ proof }) => (proof as unknown as EvmProof).receipt?.nodes.pop(),
      "the trie proof ends too early",
    ],
  ])("%s", (_what, change, reason) => {
    expect(reasonOf(forged(erc20, change))).toContain(reason);
  });

  test.each(["from", "to", "category", "txIndex"] as const)("another %s, with nobody else named", (field) => {
    const other = { from: "0x00", to: "0x00", category: "erc721", txIndex: 77 }[field];
    const file = forged(erc20, ({ transfers }) =>
      Object.assign(transfers[0] ?? {}, { own: null, matches: [], [field]: other }),
    );
    expect(reasonOf(file)).toMatch(new RegExp(`^log:\\d+: the proof says ${field} .*, the bundle ${other}$`));
  });

  test("a call that the trace in the bundle does not tell", () => {
    expect(reasonOf(forged(traced, ({ transfers }) => Object.assign(transfers[0] ?? {}, { amount: "1" })))).toBe(
      "call:0: the proof says 1200000000000000000 base units, the bundle 1",
    );
    const spelled = forged(traced, (copy) =>
      Object.assign(proofOf(copy).calls?.[1] ?? {}, { to: "0xd8da6bf26964af9d7eed9e03e53415d37aa96045" }),
    );
    expect(reasonOf(spelled)).toContain("an address with its checksum");
  });

  test("a transaction of bytes that no one would write so, in a block made up around it", () => {
    const proof = proofOf(legacy);
    const { index, raw } = proof.transaction as Listed;
    expect(raw.slice(0, 4)).toBe("0xf8");
    // The same list with two bytes for a length that needs one.
    const long = `0xf900${raw.slice(4)}`;
    const { item, root } = alone(index, long);
    const { header, hash } = withRoot(proof.header, TRANSACTIONS_ROOT, root);
    const txHash = keccak256(long);
    const file = forged(legacy, (copy) => {
      Object.assign(copy.proof as object, { header, transaction: item });
      Object.assign(copy.block as object, { hash });
      Object.assign(copy.alert, {
        transaction: txHash,
        alertId: alertIdOf({ chain: "eip155:1", txHash, subject: copy.alert.subject }),
      });
      Object.assign(copy.transfers[0] as object, {
        txHash,
        hitId: hitIdOf({ chain: "eip155:1", txHash, key: "native" }),
      });
      copy.revisions.length = 0;
    });
    expect(reasonOf(file)).toBe("RLP with a length that is not minimal");
  });

  /** A header that says whatever the forger likes, and a bundle that agrees with it. */
  function withHeaderField(place: number, value: string, change: (copy: BundleParts) => void): string {
    const { header, hash } = withRoot(proofOf(erc20).header, place, value);
    return forged(erc20, (copy) => {
      Object.assign(copy.proof as object, { header });
      Object.assign(copy.block as object, { hash });
      change(copy);
    });
  }

  test("numbers that no date, height or chain has are told or refused, never a crash", () => {
    const far = 2 ** 52;
    const late = withHeaderField(11, `0x${far.toString(16)}`, ({ block }) =>
      Object.assign(block ?? {}, { timestamp: far }),
    );
    const verdict = verify(late);
    if (!verdict.ok) throw new Error(verdict.reason);
    expect(verdict.findings.proven[0]).toContain(`made at second ${far} by its own word`);
    expect(reasonOf(withHeaderField(11, "0x00", () => undefined))).toContain("is not a number as RLP writes it");
    for (const chain of ["eip155:", "eip155:x", "eip155:0", "eip155:99999999999999999999"])
      expect(reasonOf(moved(erc20, chain))).toBe(`${chain} is no chain id`);
  });

  test("a withdrawal of a number that none has", () => {
    const parts = evmParts(20_000_000, ({ category }) => category === "withdrawal");
    const [index, ...rest] = decodeRlp(proofOf(parts).withdrawal?.raw ?? "") as string[];
    expect(index).toBeDefined();
    const { item, root } = alone(0, encodeRlp(["0xffffffffffffffff", ...rest]));
    const { header, hash } = withRoot(proofOf(parts).header, WITHDRAWALS_ROOT, root);
    const file = forged(parts, (copy) => {
      Object.assign(copy.proof as object, { header, withdrawal: item });
      Object.assign(copy.block as object, { hash });
    });
    expect(reasonOf(file)).toBe("withdrawal 0: index is out of range");
  });

  test("a failed transaction moves nothing", () => {
    const proof = proofOf(erc20);
    const receipt = proof.receipt as Listed;
    // Status 1 is the first item of the list.
    const failed = receipt.raw.replace(/^(0x02f9....)01/, "$180");
    expect(failed).not.toBe(receipt.raw);
    const { item, root } = alone(receipt.index, failed);
    const { header, hash } = withRoot(proof.header, RECEIPTS_ROOT, root);
    const file = forged(erc20, (copy) => {
      Object.assign(copy.proof as object, { header, receipt: item });
      Object.assign(copy.block as object, { hash });
    });
    expect(reasonOf(file)).toContain("failed, and moved something all the same");
  });
});
