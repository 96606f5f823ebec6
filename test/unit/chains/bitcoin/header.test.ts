import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { headerOf, proveWork } from "../../../../src/chains/bitcoin/header.ts";
import { type Network, NETWORKS, networkOf, subsidyAt } from "../../../../src/chains/bitcoin/networks.ts";
import { regtestBlocks } from "./fixtures.ts";

const HEADERS = readFileSync(join(import.meta.dirname, "../../../fixtures/bitcoin/regtest/headers.bin"));
const ZERO = "00".repeat(32);

/** The first header of a chain; all of these share its version and that it has no parent. */
function genesis(of: { merkleRoot: string; time: number; bits: number; nonce: number }): Buffer {
  const bytes = Buffer.alloc(80);
  bytes.writeUInt32LE(1, 0);
  bytes.set(Buffer.from(of.merkleRoot, "hex").toReversed(), 36);
  for (const [index, value] of [of.time, of.bits, of.nonce].entries()) bytes.writeUInt32LE(value, 68 + index * 4);
  return bytes;
}

const SATOSHI = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
const CHARLIE = "97ddfbbae6be97fd6cdf3e7ca13232a3afff2353e29badfab7f73011edd4ced9";

/** The parameters of each genesis block: chainparams.cpp of Bitcoin Core and Litecoin Core. */
const GENESIS: [string, Network, Buffer][] = [
  [
    "mainnet",
    NETWORKS.mainnet,
    genesis({ merkleRoot: SATOSHI, time: 1231006505, bits: 0x1d00ffff, nonce: 2083236893 }),
  ],
  ["signet", NETWORKS.signet, genesis({ merkleRoot: SATOSHI, time: 1598918400, bits: 0x1e0377ae, nonce: 52613770 })],
  ["regtest", NETWORKS.regtest, genesis({ merkleRoot: SATOSHI, time: 1296688602, bits: 0x207fffff, nonce: 2 })],
  [
    "testnet4",
    NETWORKS.testnet4,
    genesis({
      merkleRoot: "7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e",
      time: 1714777860,
      bits: 0x1d00ffff,
      nonce: 393743547,
    }),
  ],
  [
    "Litecoin regtest",
    NETWORKS.litecoinRegtest,
    genesis({ merkleRoot: CHARLIE, time: 1296688602, bits: 0x207fffff, nonce: 0 }),
  ],
];

test.each(GENESIS)("the genesis block of %s has the hash and the work of its network", (_name, network, bytes) => {
  expect(headerOf(bytes)).toMatchObject({ hash: network.genesisHash, parentHash: ZERO });
  expect(() => proveWork(bytes, network)).not.toThrow();
  expect(networkOf(`bip122:${network.genesisHash.slice(0, 32)}`)).toBe(network);
});

test("Litecoin's work is scrypt, whatever the block's hash is", () => {
  // Litecoin's main network: its hash is far above the target, its scrypt hash below.
  const bytes = genesis({ merkleRoot: CHARLIE, time: 1317972665, bits: 0x1e0ffff0, nonce: 2084524493 });
  expect(headerOf(bytes).hash).toBe("12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2");
  expect(() => proveWork(bytes, NETWORKS.litecoinRegtest)).not.toThrow();
  expect(() => proveWork(bytes, NETWORKS.regtest)).toThrow("above the target");
  bytes.writeUInt32LE(2084524494, 76);
  expect(() => proveWork(bytes, NETWORKS.litecoinRegtest)).toThrow("above the target");
});

test("the recorded headers are a chain, with the work that the node summed up", () => {
  const headers = Array.from({ length: HEADERS.length / 80 }, (_, height) =>
    headerOf(HEADERS.subarray(height * 80, height * 80 + 80)),
  );
  for (const [height, { parentHash }] of headers.entries())
    expect(parentHash).toBe(height === 0 ? ZERO : headers[height - 1]?.hash);
  for (const { header, name } of regtestBlocks().filter((block) => !block.name.endsWith("stale")))
    expect({ name, hash: headers[header.number]?.hash }).toEqual({ name, hash: header.hash });
  // `chainwork` of the tip, height 284, in the node's getblockchaininfo.
  expect(headers.reduce((sum, { work }) => sum + work, 0n)).toBe(0x23an);
});

test("the work of a block is that of its difficulty", () => {
  // The chainwork of mainnet's genesis block.
  expect(headerOf((GENESIS[0] as [string, Network, Buffer])[2]).work).toBe(0x1_0001_0001n);
});

test.each([0x2080_0001, 0, 0x2180_0000, 0xff7f_ffff, 0x0100_0000, 0x0000_ffff, 0x2200_ffff + 0x0100_0000])(
  "bits that are no target are refused: %d",
  (bits) => {
    const bytes = genesis({ merkleRoot: SATOSHI, time: 1296688602, bits, nonce: 2 });
    expect(() => headerOf(bytes)).toThrow("is no target");
  },
);

test.each([79, 81, 0])("%d bytes are no header", (length) => {
  expect(() => headerOf(Buffer.alloc(length))).toThrow("a header of");
});

test("the subsidy of the main network", () => {
  const subsidies = [0, 209_999, 210_000, 840_000, 6_929_999, 6_930_000].map((height) =>
    subsidyAt(height, NETWORKS.mainnet),
  );
  expect(subsidies).toEqual([5e9, 5e9, 25e8, 312_500_000, 1, 0]);
});
