import { describe, expect, test } from "@jest/globals";
import { createNodePool } from "../../../../src/chains/pool/node-pool.ts";
import { AppError, UnavailableError } from "../../../../src/lib/errors.ts";
import { sleep } from "../../../../src/lib/sleep.ts";
import type { Block, ChainAdapter } from "../../../../src/types/chain.ts";
import type { Evidence } from "../../../../src/types/nodes.ts";

const never = new AbortController().signal;
const nothing = () => undefined;
const LOG = { debug: nothing, info: nothing, warn: nothing, error: nothing };

class Mismatch extends AppError {
  override readonly code = "proof_mismatch";
  override readonly retryable = true;
}

/** A node whose chain is named by `branch`; a test changes it while it runs. */
interface FakeNode {
  branch: string;
  head: number;
  /** What it says its head is, when that is not true. */
  claims: number | null;
  final: number;
  down: boolean;
  liesAbout: number | null;
  /** Its content cannot be recomputed. */
  unproven: boolean;
  bodies: number;
  slowMs: number;
}

function fake(more: Partial<FakeNode> = {}): FakeNode {
  return {
    branch: "a",
    head: 10,
    claims: null,
    final: 5,
    down: false,
    liesAbout: null,
    unproven: false,
    bodies: 0,
    slowMs: 0,
    ...more,
  };
}

function adapterOf(node: FakeNode): ChainAdapter {
  const up = () => {
    if (node.down) throw new UnavailableError("it does not answer");
  };
  const header = (number: number) => ({
    number,
    hash: `0x${node.branch}${number}`,
    parentHash: `0x${node.branch}${number - 1}`,
    timestamp: number,
  });
  return {
    family: "test",
    chainId: "test:1",
    blockTimeMs: 1_000,
    normalizeAddress: (text) => text,
    async headNumber() {
      up();
      return node.claims ?? node.head;
    },
    async headerAt(number) {
      up();
      if (node.slowMs > 0) await sleep(node.slowMs);
      return number > node.head ? null : header(number);
    },
    async blockOf(wanted): Promise<Block> {
      up();
      node.bodies += 1;
      if (node.liesAbout === wanted.number)
        throw new Mismatch("content and hash differ", { details: { asked: "block", answered: "lies" } });
      return {
        ...wanted,
        transfers: [],
        trust: { proven: !node.unproven, operators: ["?"], missing: [], traced: true },
      };
    },
    async finalizedNumber() {
      up();
      return node.final;
    },
    close: async () => nothing(),
  };
}

function poolOf(nodes: Record<string, FakeNode & { operator?: string }>, quorum = 2) {
  let now = 1_000_000;
  const evidence: Evidence[] = [];
  const pool = createNodePool({
    nodes: Object.entries(nodes).map(([name, node]) => ({
      name,
      operator: node.operator ?? name,
      own: true,
      adapter: adapterOf(node),
    })),
    quorum,
    log: LOG,
    now: () => now,
    onLie: (one) => evidence.push(one),
  });
  const pass = (ms: number) => {
    now += ms;
  };
  const header = (number: number) => pool.headerAt(number, never);
  const states = () => Object.fromEntries(pool.status().nodes.map(({ name, state }) => [name, state]));
  /** As the head loop does: again and again, for so long. */
  async function ask(number: number, seconds: number) {
    let last: unknown = null;
    for (let second = 0; second < seconds; second += 1) {
      await pool.headNumber(never).catch(nothing);
      last = await header(number).catch((error: unknown) => error);
      pass(1_000);
    }
    return last;
  }
  return { pool, evidence, pass, header, ask, states };
}

describe("a pool", () => {
  test("names who vouches for a block and who is missing", async () => {
    const nodes = { a: fake(), b: fake() };
    const { pool, ask, header } = poolOf(nodes);
    const agreed = await header(9);
    expect((await pool.blockOf(agreed as Block, never))?.trust).toMatchObject({ operators: ["a", "b"], missing: [] });
    nodes.b.down = true;
    const alone = await ask(10, 10);
    expect((await pool.blockOf(alone as Block, never))?.trust).toMatchObject({ operators: ["a"], missing: ["b"] });
    expect(pool.status().missing.map(({ operator }) => operator)).toEqual(["b"]);
  });

  test("waits for an operator that just failed, and for one that does not have the block yet", async () => {
    const nodes = { a: fake(), b: fake() };
    const { header, pass } = poolOf(nodes);
    nodes.b.down = true;
    await expect(header(10)).rejects.toMatchObject({ code: "unavailable" });
    pass(1_000);
    Object.assign(nodes.b, { down: false, head: 9 });
    expect(await header(10)).toBeNull();
  });

  test("a claimed head freezes nobody: who names no block is left behind", async () => {
    const { ask, states, pool } = poolOf({ a: fake(), b: fake({ head: 3, claims: 1_000_000 }) });
    expect(await ask(10, 10)).toMatchObject({ number: 10 });
    expect(states()).toMatchObject({ b: "lagging" });
    expect(await pool.headNumber(never)).toBe(10);
  });

  test("one node of an operator stands in for another, and both are one voice", async () => {
    const nodes = { a1: fake({ down: true }), a2: fake(), b: fake() };
    const { pool, header } = poolOf({
      a1: Object.assign(nodes.a1, { operator: "a" }),
      a2: Object.assign(nodes.a2, { operator: "a" }),
      b: nodes.b,
    });
    const agreed = await header(10);
    expect((await pool.blockOf(agreed as Block, never))?.trust.operators).toEqual(["a", "b"]);
  });

  test("is final only by quorum, whoever is missing, and never above a node's own head", async () => {
    const nodes = { a: fake({ final: 8 }), b: fake({ final: 6 }), c: fake({ final: 900 }) };
    const { pool, ask } = poolOf(nodes);
    await ask(10, 1);
    expect(await pool.finalizedNumber(never)).toBe(6);
    nodes.b.down = true;
    expect(await pool.finalizedNumber(never)).toBe(-1);
  });

  test("two branches are a dispute after a moment, which neither a majority nor silence ends, but a drain does", async () => {
    const nodes = { a: fake(), b: fake(), c: fake({ branch: "c" }) };
    const { ask, header, pool } = poolOf(nodes);
    expect(await header(10)).toBeNull();
    expect(await ask(10, 5)).toMatchObject({ code: "dispute", details: { height: 10 } });
    nodes.c.down = true;
    expect(await ask(10, 20)).toMatchObject({ code: "dispute" });
    pool.drain("c", 60_000);
    expect(await ask(10, 2)).toMatchObject({ hash: "0xa10" });
  });

  test("a node caught at a lie is quarantined with its evidence, another serves, and the truth brings it back", async () => {
    // The slower one is asked for the content only where the quicker one did not give it.
    const nodes = { a: fake({ liesAbout: 10 }), b: fake({ slowMs: 20 }) };
    const { pool, ask, header, states, evidence } = poolOf(nodes);
    const agreed = await header(10);
    const block = await pool.blockOf(agreed as Block, never);
    expect([block?.hash, nodes.b.bodies]).toEqual(["0xa10", 1]);
    expect(states()).toEqual({ a: "quarantined", b: "ok" });
    expect(evidence).toMatchObject([{ node: "a", why: "content and hash differ", asked: "block", answered: "lies" }]);
    nodes.b.slowMs = 0;
    await ask(10, 30);
    expect(states()["a"]).toBe("quarantined");
    // A whole block, but not the one the others name.
    Object.assign(nodes.a, { liesAbout: null, branch: "z" });
    await ask(10, 120);
    expect(states()["a"]).toBe("quarantined");
    nodes.a.branch = "a";
    await ask(10, 600);
    expect(states()).toEqual({ a: "ok", b: "ok" });
    expect(evidence).toHaveLength(1);
  });

  test("no answer without a proof brings a liar back: not the others' word for its header, nor content nobody can check", async () => {
    const nodes = { a: fake({ liesAbout: 10 }), b: fake({ slowMs: 20 }) };
    const { pool, ask, header, states } = poolOf(nodes);
    await pool.blockOf((await header(10)) as Block, never);
    expect(states()["a"]).toBe("quarantined");
    nodes.b.slowMs = 0;
    Object.assign(nodes.a, { liesAbout: null, unproven: true });
    const before = nodes.a.bodies;
    await ask(10, 600);
    expect(nodes.a.bodies).toBeGreaterThan(before);
    expect(states()["a"]).toBe("quarantined");
    nodes.a.unproven = false;
    await ask(10, 1_200);
    expect(states()["a"]).toBe("ok");
  });

  test("nobody is stormed while down, and the last node in use cannot be drained", async () => {
    const nodes = { a: fake(), b: fake({ down: true }) };
    const { pool, ask } = poolOf(nodes);
    await ask(10, 20);
    const requests = () => pool.status().nodes.find(({ name }) => name === "b")?.requests ?? 0;
    const before = requests();
    await ask(10, 60);
    expect(requests() - before).toBeLessThan(30);
    expect(() => pool.drain("a", 1_000)).toThrow("only node in use");
  });

  test("a node that just failed is left alone for a moment, however many ask", async () => {
    const nodes = { a: fake(), b: fake({ down: true }) };
    const { pool, header } = poolOf(nodes);
    await header(10).catch(nothing);
    const requests = () => pool.status().nodes.find(({ name }) => name === "b")?.requests ?? 0;
    const before = requests();
    await Promise.allSettled(Array.from({ length: 200 }, () => header(10)));
    expect(requests() - before).toBe(0);
    nodes.b.down = false;
    await expect(header(10)).rejects.toMatchObject({ code: "unavailable" });
  });

  test("with nobody left it says why, as the node said it", async () => {
    const nodes = { a: fake({ down: true }) };
    const { ask } = poolOf(nodes, 1);
    expect(await ask(10, 10)).toMatchObject({ message: "it does not answer" });
    nodes.a.down = false;
    expect(await ask(10, 10)).toMatchObject({ number: 10 });
  });
});

test("contracts are asked of one own node of each operator, none that is drained, down or somebody else's", async () => {
  const asked: string[] = [];
  const nodeOf = (name: string, operator: string, own = true) => ({
    name,
    operator,
    own,
    adapter: {
      ...adapterOf(fake()),
      callContract: () => {
        asked.push(name);
        return Promise.resolve(`0x${name}`);
      },
    },
  });
  const pool = createNodePool({
    nodes: [nodeOf("a1", "a"), nodeOf("a2", "a"), nodeOf("b1", "b"), nodeOf("c1", "c", false)],
    quorum: 2,
    log: LOG,
    now: () => 1_000_000,
    onLie: nothing,
  });
  const names = () => pool.ownCallers().map(({ node, operator }) => `${node} of ${operator}`);
  expect(names()).toEqual(["a1 of a", "b1 of b"]);
  pool.drain("a1", 1_000);
  pool.drain("b1", 1_000);
  expect(names()).toEqual(["a2 of a"]);
  expect(await pool.ownCallers()[0]?.call({ to: "0x", data: "0x", at: "latest" }, never)).toBe("0xa2");
  expect(asked).toEqual(["a2"]);
  expect(poolOf({ x: fake() }).pool.ownCallers()).toEqual([]);
});
