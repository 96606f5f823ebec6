/**
 * Goal: an index of logs names every block with a log that names an address in an indexed field; nobody but own nodes is
 * asked, and an index of logs is never told as one of everything.
 * Method: a generated chain behind a real node process; what its blocks hold is known from reading them whole.
 */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type ReplayNode, startReplayNode } from "../../bench/replay/replay-node.ts";
import { createNodePool } from "../../src/chains/pool/node-pool.ts";
import { createAdapter } from "../../src/chains/registry.ts";
import { UnavailableError } from "../../src/lib/errors.ts";
import type { Candidates, ChainAdapter } from "../../src/types/chain.ts";
import type { ChainConfig, NodeConfig } from "../../src/types/config.ts";

const NEVER = new AbortController().signal;
const nothing = () => undefined;
const LOG = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const BLOCKS = 6;

let node: ReplayNode;
const adapters: ChainAdapter[] = [];
const asked: string[] = [];

function adapterOf(own: boolean): ChainAdapter {
  const config: NodeConfig = {
    name: own ? "own" : "foreign",
    operator: "self",
    own,
    http: node.httpUrl,
    ws: null,
    maxConcurrent: 8,
    maxRequestsPerSecond: 10_000,
    timeoutMs: 10_000,
  };
  const chain: ChainConfig = {
    name: "ethereum",
    id: `eip155:${node.chain.chainId}`,
    family: "evm",
    blockTimeMs: 12_000,
    finality: { by: "tag" },
    traces: "off",
    mempool: "off",
    proofs: "require",
    windowDepth: 64,
    native: { symbol: "ETH", decimals: 18, slip44: 60, dustBelow: 1n },
    start: { at: "latest" },
    quorum: 1,
    nodes: [config],
  };
  const adapter = createAdapter({ chain, node: config, log: LOG, onRequest: (method) => asked.push(method) });
  adapters.push(adapter);
  return adapter;
}

beforeAll(async () => {
  node = await startReplayNode({ chain: { blocks: BLOCKS, seed: 7 } });
}, 60_000);
afterAll(async () => {
  for (const adapter of adapters) await adapter.close();
  await node.stop();
});

test("every block in which a log moves something from or to the address is named, and hardly any other", async () => {
  const adapter = adapterOf(true);
  const blocksOf = new Map<string, Set<number>>();
  const numbers = node.chain.blocks.map(({ number }) => number);
  for (const number of numbers) {
    const header = await adapter.headerAt(number, NEVER);
    const block = header === null ? null : await adapter.blockOf(header, NEVER);
    for (const { key, from, to } of block?.transfers ?? [])
      if (key.startsWith("log:"))
        for (const party of [from, to])
          if (party !== null) blocksOf.set(party, (blocksOf.get(party) ?? new Set()).add(number));
  }
  const range = { from: Math.min(...numbers), to: Math.max(...numbers) };
  // Those of few blocks tell most: whoever is in every block is named anyway.
  const rare = [...blocksOf].filter(([, of]) => of.size < BLOCKS).slice(0, 700);
  expect(rare.length).toBeGreaterThan(500);
  let extra = 0;
  for (const [address, of] of rare.slice(0, 40)) {
    const found = await adapter.candidates?.([address], range, NEVER);
    expect(found).toEqual({ numbers: expect.arrayContaining([...of]), covers: "logs" });
    extra += (found?.numbers.length ?? 0) - of.size;
  }
  // An operator or a token in an indexed field is named as well: a block too many, read for nothing.
  expect(extra).toBeLessThan(40);
  expect(await adapter.candidates?.([`0x${"11".repeat(20)}`], range, NEVER)).toEqual({ numbers: [], covers: "logs" });
  // More addresses than one filter takes.
  const all = await adapter.candidates?.(
    rare.map(([address]) => address),
    range,
    NEVER,
  );
  expect(all?.numbers).toEqual(expect.arrayContaining([...new Set(rare.flatMap(([, of]) => [...of]))]));
}, 120_000);

test("a node that is not ours is not asked", async () => {
  const adapter = adapterOf(false);
  asked.length = 0;
  expect(await adapter.candidates?.([`0x${"11".repeat(20)}`], { from: 1, to: 2 }, NEVER)).toBeNull();
  expect(asked).toEqual([]);
});

describe("a pool", () => {
  const fake = (name: string, own: boolean, answer: () => Promise<Candidates | null>) => ({
    name,
    operator: name,
    own,
    adapter: { ...adapterOf(own), candidates: answer },
  });
  const poolOf = (nodes: ReturnType<typeof fake>[]) =>
    createNodePool({ nodes, quorum: 1, log: LOG, now: () => 0, onLie: nothing });
  const ask = (nodes: ReturnType<typeof fake>[]) => poolOf(nodes).candidates?.(["0x"], { from: 0, to: 9 }, NEVER);
  const named =
    (covers: Candidates["covers"], ...numbers: number[]) =>
    () =>
      Promise.resolve({ numbers, covers });
  const never = () => {
    throw new Error("it must not be asked");
  };

  test("asks own nodes only, and takes what any of them names", async () => {
    const nodes = [
      fake("a", true, named("everything", 3, 5)),
      fake("b", true, named("everything", 4, 5)),
      fake("stranger", false, never),
    ];
    expect(await ask(nodes)).toEqual({ numbers: [3, 4, 5], covers: "everything" });
  });

  test("is as blind as the blindest of those that answered", async () => {
    expect(await ask([fake("a", true, named("everything", 3)), fake("b", true, named("logs"))])).toEqual({
      numbers: [3],
      covers: "logs",
    });
  });

  test("no answer is never an answer of nothing", async () => {
    const down = () => Promise.reject(new UnavailableError("down"));
    await expect(ask([fake("a", true, down)])).rejects.toThrow("down");
    expect(await ask([fake("a", true, () => Promise.resolve(null))])).toBeNull();
    expect(await ask([fake("stranger", false, never)])).toBeNull();
  });
});
