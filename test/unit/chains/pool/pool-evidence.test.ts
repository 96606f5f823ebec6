import { expect, test } from "@jest/globals";
import { createNodePool } from "../../../../src/chains/pool/node-pool.ts";
import { UnavailableError } from "../../../../src/lib/errors.ts";
import type { ChainAdapter } from "../../../../src/types/chain.ts";
import type { EvidenceClaims, FoundEvidence } from "../../../../src/types/evidence.ts";

const quiet = () => undefined;
const NEVER = new AbortController().signal;
const CLAIMS: EvidenceClaims = { chain: "test:1", block: { number: 5, hash: "0xa5", timestamp: 5 }, transfers: [] };
const WHOLE: FoundEvidence = { proof: { family: "test" }, lacks: [] };
const HALF: FoundEvidence = { proof: { family: "test" }, lacks: ["no parent"] };
const NOTHING: FoundEvidence = { proof: null, lacks: ["pruned"] };

type Answer = FoundEvidence | null | Error;

/** A pool of nodes that answer so, each of an operator of its own; the names of those asked, in order. */
function poolOf(nodes: Readonly<Record<string, { own: boolean; answer?: Answer }>>) {
  const asked: string[] = [];
  const adapterOf = (name: string, answer: Answer | undefined): ChainAdapter => ({
    family: "test",
    chainId: "test:1",
    blockTimeMs: 1_000,
    normalizeAddress: (text) => text,
    headNumber: () => Promise.resolve(10),
    headerAt: () => Promise.resolve(null),
    blockOf: () => Promise.resolve(null),
    finalizedNumber: () => Promise.resolve(5),
    close: () => Promise.resolve(),
    ...(answer === undefined
      ? {}
      : {
          evidence: () => {
            asked.push(name);
            return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
          },
        }),
  });
  const pool = createNodePool({
    nodes: Object.entries(nodes).map(([name, { own, answer }]) => ({
      name,
      operator: name,
      own,
      adapter: adapterOf(name, answer),
    })),
    quorum: 1,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    now: () => 0,
    onLie: quiet,
  });
  return { asked, find: () => pool.evidence(CLAIMS, NEVER) };
}

test("own nodes are asked first, and the first whole answer ends it", async () => {
  const { asked, find } = poolOf({ theirs: { own: false, answer: WHOLE }, ours: { own: true, answer: WHOLE } });
  expect(await find()).toEqual(WHOLE);
  expect(asked).toEqual(["ours"]);
});

test("of answers with holes the one that proves most is taken", async () => {
  const { find } = poolOf({
    a: { own: true, answer: NOTHING },
    b: { own: true, answer: HALF },
    c: { own: true, answer: null },
  });
  expect(await find()).toEqual(HALF);
  const failing = poolOf({ a: { own: true, answer: new UnavailableError("away") }, b: { own: false, answer: WHOLE } });
  expect(await failing.find()).toEqual(WHOLE);
});

test("where no node has the block, each says why", async () => {
  const { find } = poolOf({
    a: { own: true, answer: null },
    b: { own: true, answer: new UnavailableError("it is away") },
  });
  const { proof, lacks } = await find();
  expect(proof).toBeNull();
  expect(lacks).toEqual(["Nothing of the chain is proven: node a does not have the block (any more); it is away."]);
});

test("a bug is thrown on", async () => {
  const { find } = poolOf({ a: { own: true, answer: new TypeError("a bug") } });
  await expect(find()).rejects.toThrow("a bug");
});
