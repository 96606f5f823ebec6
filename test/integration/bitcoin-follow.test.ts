/**
 * Goal: whatever happens to the node, the line ends on the node's best chain with every block of it scanned once, and as
 * long as it cannot see the chain it says so.
 * Method: the real adapter, pool and head loop follow a scripted node that serves the recorded chain, its reorg included.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RecordedBlock, recordedChain } from "../support/bitcoin/recorded-chain.ts";
import {
  CREDENTIALS,
  type NodeScript,
  type ScriptedNode,
  startScriptedNode,
} from "../support/bitcoin/scripted-node.ts";
import { startZmqPublisher } from "../support/bitcoin/zmq-publisher.ts";
import { followChain, type Following, type FollowOptions } from "../support/bitcoin/follow.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import type { NodeConfig } from "../../src/types/config.ts";

const CHAIN = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328";
const { main, stale, blocks } = recordedChain();
const at = (number: number) => main[number] as string;
const [A1, A2] = stale as [string, string];
const [B1, B2, B3] = [at(280), at(281), at(282)];
const START = 270;

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
});

interface World {
  readonly node: ScriptedNode;
  readonly line: Following;
}

async function world(
  script: Partial<NodeScript> = {},
  { node: changes = {}, ...options }: Partial<Omit<FollowOptions, "nodes">> & { node?: Partial<NodeConfig> } = {},
): Promise<World> {
  const node = await startScriptedNode(script);
  undo.push(() => node.close());
  const [user, password] = CREDENTIALS.split(":") as [string, string];
  const config: NodeConfig = {
    name: "own-a",
    operator: "self",
    own: true,
    http: node.url,
    ws: null,
    rpc: { user, password },
    maxConcurrent: 2,
    maxRequestsPerSecond: 10_000,
    timeoutMs: 5_000,
    ...changes,
  };
  const line = await followChain({ chainId: CHAIN, nodes: [config], start: START, ...options });
  undo.push(() => line.stop());
  return { node, line };
}

/** The chain below a tip was scanned from the start on, and nothing else is left in the window. */
async function expectScanned(line: Following, tip: string): Promise<void> {
  const expected: string[] = [];
  for (
    let block = blocks.get(tip) as RecordedBlock;
    block.height >= START;
    block = blocks.get(block.parent) as RecordedBlock
  )
    expected.unshift(block.hash);
  expect([...(await line.scanned()).values()]).toEqual(expected);
}

/** Nothing moves while it looks some more times. */
async function staysAt({ line, node }: World, tip: string): Promise<void> {
  const before = node.requests.length;
  await waitFor("the loop to look some more times", () => node.requests.length > before + 12);
  await expectScanned(line, tip);
}

describe("branches", () => {
  test("the recorded reorg: B is followed once it has more work, not before, and A leaves as a whole", async () => {
    const both = await world({ tip: A2 });
    await both.line.reaches(A2);
    // The node learns of B1: a side block that it does not connect.
    both.node.script.tip = A2;
    await staysAt(both, A2);
    both.node.script.tip = B3;
    await both.line.reaches(B3);
    expect(both.line.reorgs).toEqual([2]);
    await expectScanned(both.line, B3);
    both.node.script.tip = at(284);
    await both.line.reaches(at(284));
    const hashes = both.line.matched.map(({ hash }) => hash);
    // Each block of both branches was read once.
    expect(hashes.toSorted()).toEqual([...main.slice(START), A1, A2].toSorted());
    expect(both.line.evidence).toEqual([]);
  });

  test("another branch of equal work is waited for, and told; its next block decides", async () => {
    const both = await world({ tip: A2 });
    await both.line.reaches(A2);
    both.node.script.tip = B2;
    await both.line.troubled(/does not have block 281/);
    await staysAt(both, A2);
    expect(both.line.reorgs).toEqual([]);
    both.node.script.tip = B3;
    await both.line.reaches(B3);
    expect(both.line.reorgs).toEqual([2]);
  });

  test("a shorter branch of less work is no reorg: the node lost blocks", async () => {
    const both = await world({ tip: A2 });
    await both.line.reaches(A2);
    both.node.script.tip = B1;
    await both.line.troubled(/does not have block 281/);
    await staysAt(both, A2);
    expect(both.line.reorgs).toEqual([]);
  });
});

describe("a node that lost its last blocks in a crash", () => {
  test("it comes back 7 blocks lower and gets them again: told, nothing is taken back, nothing is read twice", async () => {
    const both = await world({});
    await both.line.reaches(at(284));
    both.node.script.tip = at(277);
    await both.line.troubled(/does not have block 284, which we have/);
    await staysAt(both, at(284));
    both.node.script.tip = at(280);
    await staysAt(both, at(284));
    both.node.script.tip = at(284);
    await both.line.reaches(at(284));
    expect(both.line.reorgs).toEqual([]);
    expect(both.line.matched).toHaveLength(284 - START + 1);
  });

  test("it comes back lower and goes on in another branch: followed when that has more work", async () => {
    const both = await world({ tip: A2 });
    await both.line.reaches(A2);
    both.node.script.tip = at(274);
    await both.line.troubled(/does not have block 281/);
    both.node.script.tip = at(283);
    await both.line.reaches(at(283));
    expect(both.line.reorgs).toEqual([2]);
    await expectScanned(both.line, at(283));
  });
});

describe("a node that cannot be watched is told as that, and followed from where we stood once it can", () => {
  const STATES: readonly [what: string, state: Partial<NodeScript>, good: Partial<NodeScript>, detail: RegExp][] = [
    [
      "that starts",
      { starting: "Loading block index…" },
      { starting: null },
      /own-a is starting: .*Loading block index/,
    ],
    [
      "in initial block download, far behind",
      { initialBlockDownload: true, headers: 284, tip: at(40) },
      { initialBlockDownload: false, headers: null, tip: at(284) },
      /initial block download\): it is at block 40 of at least 284/,
    ],
    ["with other credentials", { credentials: "a:b" }, { credentials: CREDENTIALS }, /refuses the credentials/],
    ["with a full queue", { queueFull: 1e9 }, { queueFull: 0 }, /full work queue/],
    [
      "that gets no blocks",
      { headers: 300 },
      { headers: null, tip: at(284) },
      /headers up to block 300, but no block above 275/,
    ],
  ];
  test.each(STATES)("%s, from the start on", async (_what, state, good, detail) => {
    const { node, line } = await world({ tip: at(275), ...state });
    expect(await line.troubled(detail)).toMatchObject({ kind: "node" });
    Object.assign(node.script, good);
    node.script.tip = at(284);
    await line.reaches(at(284));
    await expectScanned(line, at(284));
  });

  test.each(STATES)("%s, in the middle", async (_what, state, good, detail) => {
    const { node, line } = await world({ tip: at(275) });
    await line.reaches(at(275));
    Object.assign(node.script, state);
    await line.troubled(detail);
    Object.assign(node.script, good);
    node.script.tip = at(284);
    await line.reaches(at(284));
    await expectScanned(line, at(284));
    expect(line.reorgs).toEqual([]);
  });

  test("that has deleted the blocks below: it stops there, and nothing is skipped", async () => {
    const { node, line } = await world({ pruneHeight: 278 });
    await line.troubled(/own-a has deleted block 270 \(prune\)/);
    expect((await line.scanned()).size).toBe(0);
    node.script.pruneHeight = null;
    await line.reaches(at(284));
    await expectScanned(line, at(284));
  });

  test("that lacks its index of transactions, which it needs", async () => {
    const { node, line } = await world({ spentTxOuts: false, prevouts: false, txindex: false });
    await line.troubled(/set txindex=1 there, or use Bitcoin Core 30/);
    node.script.txindex = true;
    await line.reaches(at(284));
    await expectScanned(line, at(284));
  });

  test("that started again with a new cookie", async () => {
    const dir = createTempDir("cookie");
    undo.push(() => dir.remove());
    const cookieFile = join(dir.path, ".cookie");
    writeFileSync(cookieFile, "__cookie__:one-of-many");
    const { node, line } = await world(
      { tip: at(275), credentials: "__cookie__:one-of-many" },
      { node: { rpc: { cookieFile } } },
    );
    await line.reaches(at(275));
    node.script.credentials = "__cookie__:another-one";
    node.script.tip = at(284);
    await line.troubled(/refuses the credentials/);
    writeFileSync(cookieFile, "__cookie__:another-one");
    await line.reaches(at(284));
  });

  test("that serves another chain for a while is in quarantine for that while", async () => {
    const { node, line } = await world({ tip: at(275) });
    await line.reaches(at(275));
    node.script.twist = ({ what, params, ids }, response) => {
      if (what !== "getblockhash" || params[0] !== 0 || node.script.starting !== null) return false;
      response.end(JSON.stringify({ id: ids[0], result: "12".repeat(32) }));
      return true;
    };
    // The first block is asked for again after any failure.
    node.script.starting = "Loading…";
    await line.troubled(/is starting/);
    node.script.starting = null;
    await line.troubled(/on another chain/);
    expect(line.evidence).toHaveLength(1);
    node.script.twist = () => false;
    node.script.tip = at(284);
    await line.reaches(at(284));
  });
});

describe("bad bytes", () => {
  const served =
    (hash: string, resource: string, change: (bytes: Buffer) => Buffer): NodeScript["twist"] =>
    ({ what, params }, response) => {
      if (what !== `rest/${resource}` || !String(params[0]).includes(hash)) return false;
      const { block, spent } = blocks.get(hash) as RecordedBlock;
      response.end(change(Buffer.from(resource === "block" ? block : spent)));
      return true;
    };
  test.each([
    ["cut short", "block", (bytes: Buffer) => bytes.subarray(0, -3)],
    ["changed", "block", (bytes: Buffer) => bytes.fill(7, 200, 201)],
    ["emptied", "spenttxouts", () => Buffer.from([2, 0, 0])],
  ])(
    "a block whose bytes were %s is never scanned, never skipped, and read once they are right",
    async (_what, resource, change) => {
      const { node, line } = await world({ twist: served(at(276), resource, change) });
      expect(await line.troubled(/does not prove/)).toMatchObject({ kind: "mismatch" });
      expect([...(await line.scanned()).keys()].at(-1) ?? START - 1).toBeLessThan(276);
      expect(line.evidence.length).toBeGreaterThan(0);
      node.script.twist = () => false;
      await line.reaches(at(284));
      await expectScanned(line, at(284));
    },
  );

  test("connections that break in the middle of answers cost time, not a block", async () => {
    const { node, line } = await world({ tip: at(272) });
    await line.reaches(at(272));
    let count = 0;
    node.script.twist = (_request, response) => {
      count += 1;
      if (count % 7 !== 0) return false;
      response.writeHead(200, { "content-length": 1_000_000 });
      response.write("half", () => response.destroy());
      return true;
    };
    node.script.tip = at(284);
    await waitFor("breaks", () => count > 40);
    node.script.twist = () => false;
    await line.reaches(at(284));
    await expectScanned(line, at(284));
    expect(line.evidence).toEqual([]);
  });
});

test("a node of every age is followed through the reorg alike", async () => {
  for (const age of [{ rest: false }, { spentTxOuts: false }, { spentTxOuts: false, prevouts: false }]) {
    const { node, line } = await world({ ...age, tip: A2 });
    await line.reaches(A2);
    node.script.tip = at(284);
    await line.reaches(at(284));
    await expectScanned(line, at(284));
    expect(line.reorgs).toEqual([2]);
  }
});

test("a ZMQ message is followed at once, where polling takes seconds", async () => {
  const publisher = await startZmqPublisher();
  undo.push(() => publisher.close());
  const { node, line } = await world({ tip: at(283) }, { node: { zmq: [publisher.url] }, blockTimeMs: 600_000 });
  await line.reaches(at(283));
  await waitFor("the subscription", () => publisher.subscriptions.length === 2);
  await sleep(500);
  const startedAt = performance.now();
  node.script.tip = at(284);
  publisher.publish("hashblock", Buffer.from(at(284), "hex"));
  await line.reaches(at(284));
  expect(performance.now() - startedAt).toBeLessThan(2_500);
});

test("the requests of a long catch-up are never more than two at once", async () => {
  const { node, line } = await world({}, { start: 120 });
  await line.reaches(at(284));
  expect(node.busiest()).toBe(2);
});
