import { describe, expect, test } from "@jest/globals";
import { retargetedBits } from "../../../../src/chains/bitcoin/difficulty.ts";
import { headerOf, targetOf } from "../../../../src/chains/bitcoin/header.ts";
import { createHeaderSource } from "../../../../src/chains/bitcoin/header-source.ts";
import { type Network, NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import type { NodeClient } from "../../../../src/chains/bitcoin/node-client.ts";
import { RpcError } from "../../../../src/chains/rpc-envelope.ts";
import { displayOrder, sha256d } from "../../../support/bitcoin/recorded-chain.ts";
import { NEVER } from "./node-of.ts";

const MAINNET = { seconds: 1_209_600, targetMax: NETWORKS.mainnet.targetMax };

/** Bitcoin Core, src/test/pow_tests.cpp; all but the last are of the real chain (heights 32256, 2016, 68544). */
const VECTORS: readonly [what: string, first: number, last: number, bits: number, next: number][] = [
  ["no limit applies", 1261130161, 1262152739, 0x1d00ffff, 0x1d00d86a],
  ["not easier than the easiest", 1231006505, 1233061996, 0x1d00ffff, 0x1d00ffff],
  ["at most four times as hard", 1279008237, 1279297671, 0x1c05a3f4, 0x1c0168fd],
  ["at most four times as easy", 1263163443, 1269211443, 0x1c387f6f, 0x1d00e1fd],
];
test.each(VECTORS)("the next target: %s", (_what, first, last, bits, next) => {
  expect(retargetedBits({ bits, tookSeconds: last - first }, MAINNET).toString(16)).toBe(next.toString(16));
});

test("a target whose first byte would read as a sign takes a byte more", () => {
  const limits = { seconds: 4, targetMax: 1n << 250n };
  expect(retargetedBits({ bits: 0x1b7f_ffff, tookSeconds: 8 }, limits)).toBe(0x1c00_ffff);
  expect(retargetedBits({ bits: 0x1c00_ffff, tookSeconds: 2 }, limits)).toBe(0x1b7f_ff80);
});

test("mainnet and signet change their targets every 2,016 blocks; elsewhere nothing is certain but the easiest", () => {
  expect(Object.entries(NETWORKS).flatMap(([name, { retarget }]) => (retarget === null ? [] : [name]))).toEqual([
    "mainnet",
    "signet",
  ]);
});

const SECONDS = 2_400;
/** Blocks that take no time to mine, under the rules of the main network. */
const NETWORK: Network = { ...NETWORKS.regtest, retarget: { blocks: 4, seconds: SECONDS } };
const EASIEST = 0x207f_ffff;

interface Made {
  readonly hash: string;
  readonly number: number;
  readonly bytes: Buffer;
  /** Of the chain up to it. */
  readonly work: bigint;
}

function mine(below: Made | null, { bits, seconds = 300 }: { bits: number; seconds?: number }): Made {
  const bytes = Buffer.alloc(80);
  bytes.writeUInt32LE(4, 0);
  if (below !== null) bytes.set(Buffer.from(below.hash, "hex").toReversed(), 4);
  bytes.writeUInt32LE((below?.bytes.readUInt32LE(68) ?? 1_700_000_000) + seconds, 68);
  bytes.writeUInt32LE(bits, 72);
  const { work } = headerOf(bytes);
  const isMined = () => BigInt(`0x${displayOrder(sha256d(bytes))}`) <= targetOf(bits);
  while (!isMined()) bytes.writeUInt32LE(bytes.readUInt32LE(76) + 1, 76);
  const { hash } = headerOf(bytes);
  return { hash, number: (below?.number ?? -1) + 1, bytes, work: (below?.work ?? 0n) + work };
}

/** Heights 0 to 13 with the targets that the rules demand: three changes. */
function honestChain(): Made[] {
  const chain: Made[] = [];
  for (let number = 0; number < 14; number += 1) {
    const last = chain.at(-1);
    const bitsBelow = last?.bytes.readUInt32LE(72) ?? EASIEST;
    const isChange = number > 0 && number % 4 === 0;
    // Three steps of 300 s where 2,400 s were due; at height 12, of 1,000 s.
    const tookSeconds = number === 12 ? 3_000 : 900;
    const bits = isChange
      ? retargetedBits({ bits: bitsBelow, tookSeconds }, { ...NETWORK, seconds: SECONDS })
      : bitsBelow;
    chain.push(mine(last ?? null, { bits, seconds: number >= 9 && number < 12 ? 1_000 : 300 }));
  }
  return chain;
}

interface Node {
  readonly client: NodeClient;
  /** Its best chain by height; the test writes to it. */
  active: Made[];
  readonly asked: string[];
}

function nodeWith(chain: readonly Made[]): Node {
  const known = new Map<string, Made>();
  const node: Node = {
    active: [...chain],
    asked: [],
    client: {
      name: "own-a",
      async call(method, [of]) {
        node.asked.push(method);
        for (const made of node.active) known.set(made.hash, made);
        if (method === "getblockhash") {
          const hash = node.active[of as number]?.hash;
          if (hash === undefined) throw new RpcError("Block height out of range", { details: {}, rpcCode: -8 });
          return hash;
        }
        return headerFields(known.get(of as string) as Made);
      },
      callMany: () => Promise.reject(new Error("not asked for")),
      rest: () => Promise.reject(new Error("not asked for")),
      close: () => Promise.resolve(),
    },
  };
  return node;
}

function headerFields({ number, bytes, work, hash }: Made): object {
  const hashAt = (from: number) => displayOrder(bytes.subarray(from, from + 32));
  return {
    hash,
    height: number,
    confirmations: 1,
    version: bytes.readInt32LE(0),
    ...(number === 0 ? {} : { previousblockhash: hashAt(4) }),
    merkleroot: hashAt(36),
    time: bytes.readUInt32LE(68),
    bits: bytes.readUInt32LE(72).toString(16).padStart(8, "0"),
    nonce: bytes.readUInt32LE(76),
    chainwork: work.toString(16).padStart(64, "0"),
  };
}

const sourceOf = (node: Node, network = NETWORK) => createHeaderSource({ client: node.client, network });
const ANOTHER_TARGET = { code: "proof_mismatch", check: "work", message: expect.stringMatching(/target of block/) };

describe("targets", () => {
  const honest = honestChain();

  test("of an honest chain are followed through their changes, at two more requests for each", async () => {
    const bits = honest.map(({ bytes }) => bytes.readUInt32LE(72));
    expect(new Set(bits).size).toBe(4);
    expect(bits[12] as number).toBeGreaterThan(bits[11] as number);
    const node = nodeWith(honest);
    const source = sourceOf(node);
    for (const { number, hash } of honest) {
      node.asked.length = 0;
      expect(await source.headerAt(number, NEVER)).toMatchObject({ number, hash });
      expect({ number, asked: node.asked.length }).toEqual({ number, asked: number > 0 && number % 4 === 0 ? 4 : 2 });
    }
  });

  test.each([1, 5, 7, 10])(
    "of a block at height %d, inside of a period, that differ from its parent's are a lie",
    async (number) => {
      const below = honest.slice(0, number);
      const bits = number < 4 ? 0x207f_fffe : EASIEST;
      const node = nodeWith([...below, mine(below.at(-1) as Made, { bits })]);
      await expect(sourceOf(node).headerAt(number, NEVER)).rejects.toMatchObject(ANOTHER_TARGET);
      const follower = sourceOf(node);
      for (const one of below) await follower.headerAt(one.number, NEVER);
      await expect(follower.headerAt(number, NEVER)).rejects.toMatchObject(ANOTHER_TARGET);
    },
  );

  test("that change otherwise than the time demands are a lie, by however little", async () => {
    for (const number of [4, 8, 12]) {
      const below = honest.slice(0, number);
      const demanded = (honest[number] as Made).bytes.readUInt32LE(72);
      for (const bits of [demanded + 1, demanded - 1, (below.at(-1) as Made).bytes.readUInt32LE(72), EASIEST]) {
        const node = nodeWith([...below, mine(below.at(-1) as Made, { bits })]);
        await expect(sourceOf(node).headerAt(number, NEVER)).rejects.toMatchObject(ANOTHER_TARGET);
      }
    }
  });

  test("of a branch are held against the block that it leaves, whichever of its blocks is asked for first", async () => {
    const node = nodeWith(honest.slice(0, 7));
    const source = sourceOf(node);
    for (let number = 0; number < 6; number += 1) await source.headerAt(number, NEVER);
    const easy = mine(honest[5] as Made, { bits: EASIEST });
    node.active = [...honest.slice(0, 6), easy, mine(easy, { bits: EASIEST })];
    // What was refused once carries nothing.
    for (const number of [7, 6, 7]) await expect(source.headerAt(number, NEVER)).rejects.toMatchObject(ANOTHER_TARGET);
  });

  test("are not made easy by a first block of the period that nobody worked for", async () => {
    const first = mine(honest[3] as Made, { bits: EASIEST, seconds: -20_000 });
    const last = honest[7] as Made;
    const easier = retargetedBits(
      { bits: last.bytes.readUInt32LE(72), tookSeconds: SECONDS * 4 },
      { ...NETWORK, seconds: SECONDS },
    );
    const node = nodeWith(honest.slice(0, 8));
    const source = sourceOf(node);
    for (let number = 0; number < 8; number += 1) await source.headerAt(number, NEVER);
    node.active = [...honest.slice(0, 4), first, ...honest.slice(5, 8), mine(last, { bits: easier })];
    await expect(source.headerAt(8, NEVER)).rejects.toMatchObject({
      check: "work",
      message: expect.stringMatching(/two targets/),
    });
  });

  test("below a header that nobody knows are those of the block of its parent's hash", async () => {
    const node = nodeWith(honest);
    const { call } = node.client;
    const lying: NodeClient = {
      ...node.client,
      call: (method, params, signal) =>
        call(method, params[0] === honest[5]?.hash ? [honest[4]?.hash] : params, signal),
    };
    await expect(createHeaderSource({ client: lying, network: NETWORK }).headerAt(6, NEVER)).rejects.toMatchObject({
      check: "header",
    });
  });

  test("are nobody's business where the network lets them be", async () => {
    const node = nodeWith([...honest.slice(0, 6), mine(honest[5] as Made, { bits: EASIEST })]);
    expect(await sourceOf(node, NETWORKS.regtest).headerAt(6, NEVER)).toMatchObject({ number: 6 });
  });
});
