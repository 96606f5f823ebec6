/** The past by a node's own indexes: which blocks touch an address, and which coins it has. As the recorded node found them. */
import { afterEach, describe, expect, test } from "@jest/globals";
import { createHistory } from "../../../../src/chains/bitcoin/history.ts";
import { scanCoins } from "../../../../src/chains/bitcoin/mempool/scan-coins.ts";
import { needlesOf } from "../../../../src/chains/bitcoin/needles.ts";
import { NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import { createNodeScan } from "../../../../src/chains/bitcoin/node-scan.ts";
import { type NodeScript, type ScriptedNode, startScriptedNode } from "../../../support/bitcoin/scripted-node.ts";
import { waitFor } from "../../../support/wait-for.ts";
import { scans } from "./fixtures.ts";
import { clientFor, NEVER, SILENT } from "./node-of.ts";

const network = NETWORKS.regtest;
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
});

async function scanning(script: Partial<NodeScript> = {}) {
  const node = await startScriptedNode(script);
  undo.push(() => node.close());
  const client = clientFor(node.url);
  undo.push(() => client.close());
  const scan = createNodeScan({ client, patient: client, log: SILENT, busyMs: 10 });
  return { node, scan, candidates: createHistory({ client, scan, network }) };
}

const ALL = Object.values(scans()).map(({ address, spk, ...rest }) => ({
  ...rest,
  address: address ?? `script:${spk}`,
  spk,
}));

describe("blocks of the past", () => {
  test("are those that the recorded node named, for each address alone and for all of them", async () => {
    const { candidates } = await scanning();
    for (const { address, relevantHeights } of ALL)
      expect(await candidates([address], { from: 0, to: 284 }, NEVER)).toEqual({
        numbers: relevantHeights,
        covers: "everything",
      });
    const all = [...new Set(ALL.flatMap(({ relevantHeights }) => relevantHeights))].toSorted((a, b) => a - b);
    expect(ALL).toHaveLength(27);
    const found = await candidates(
      ALL.map(({ address }) => address),
      { from: 0, to: 284 },
      NEVER,
    );
    expect(found?.numbers).toEqual(all);
  });

  test("are those of the range alone", async () => {
    const { candidates } = await scanning();
    const [thief] = ALL;
    expect((await candidates([thief?.address as string], { from: 257, to: 273 }, NEVER))?.numbers).toEqual([257, 273]);
  });

  test("are asked for in ranges of 10,000, all of the blocks and none twice", async () => {
    const { candidates, node } = await scanning();
    node.script.twist = answering("getindexinfo", { "basic block filter index": { best_block_height: 30_000 } });
    expect((await candidates([ALL[0]?.address as string], { from: 5, to: 25_000 }, NEVER))?.numbers).toHaveLength(4);
    expect(rangesAsked(node)).toEqual([
      [5, 10_004],
      [10_005, 20_004],
      [20_005, 25_000],
    ]);
  });

  test("are null where the node has no filters, not so far, or no way to scan them", async () => {
    const address = ALL[0]?.address as string;
    const range = { from: 0, to: 284 };
    expect(await (await scanning({ filters: false })).candidates([address], range, NEVER)).toBeNull();
    const { candidates, node } = await scanning();
    expect(await candidates([address], { from: 0, to: 285 }, NEVER)).toBeNull();
    node.script.twist = refusing("scanblocks", -32601, "Method not found");
    expect(await candidates([address], range, NEVER)).toBeNull();
    node.script.twist = refusing("getindexinfo", -32601, "Method not found");
    expect(await candidates([address], range, NEVER)).toBeNull();
  });

  test("are null where an address is one that no filter has", async () => {
    const { candidates, node } = await scanning();
    const addresses = [ALL[0]?.address as string];
    for (const odd of ["script:", `script-sha256:${"ab".repeat(32)}`])
      expect(await candidates([...addresses, odd], { from: 0, to: 284 }, NEVER)).toBeNull();
    expect(rangesAsked(node)).toEqual([]);
  });

  test.each([
    ["of another range", { from_height: 0, to_height: 283, relevant_blocks: [], completed: true }, "another range"],
    ["that was given up", { from_height: 0, to_height: 284, relevant_blocks: [], completed: false }, "gave up"],
    ["without a list", { from_height: 0, to_height: 284, completed: true }, "is not a list"],
    [
      "of no hashes",
      { from_height: 0, to_height: 284, relevant_blocks: ["00"], completed: true },
      "is not a hash of 32 bytes",
    ],
  ])("an answer %s is never no blocks", async (_, result, message) => {
    const { candidates, node } = await scanning();
    node.script.twist = answering("scanblocks", result);
    await expect(candidates([ALL[0]?.address as string], { from: 0, to: 284 }, NEVER)).rejects.toThrow(message);
  });

  test("of another range than was scanned are refused", async () => {
    const { candidates, node } = await scanning();
    const [hash] = await hashesOf(node, [256]);
    const result = { from_height: 260, to_height: 284, relevant_blocks: [hash], completed: true };
    node.script.twist = answering("scanblocks", result);
    const asked = candidates([ALL[0]?.address as string], { from: 260, to: 284 }, NEVER);
    await expect(asked).rejects.toThrow("not of the range that was scanned");
  });
});

describe("a scan", () => {
  test("waits while somebody else's is under way, and does not end it", async () => {
    const { candidates, node } = await scanning({ scanBusy: 3 });
    expect(await candidates([ALL[0]?.address as string], { from: 0, to: 284 }, NEVER)).not.toBeNull();
    expect(actionsOf(node)).toEqual(["start", "start", "start", "start"]);
  });

  test("that nobody waits for any more is ended", async () => {
    const { candidates, node } = await scanning();
    node.script.twist = ({ what, params }) => what === "scanblocks" && params[0] === "start";
    const stopping = new AbortController();
    const asked = candidates([ALL[0]?.address as string], { from: 0, to: 284 }, stopping.signal);
    await waitFor("the scan", () => actionsOf(node).length === 1);
    stopping.abort();
    await expect(asked).rejects.toThrow();
    expect(actionsOf(node)).toEqual(["start", "abort"]);
  });

  test("that waits for somebody else's is not ended by us", async () => {
    const { candidates, node } = await scanning({ scanBusy: 1_000 });
    const stopping = new AbortController();
    const asked = candidates([ALL[0]?.address as string], { from: 0, to: 284 }, stopping.signal);
    await waitFor("some tries", () => actionsOf(node).length > 3);
    stopping.abort();
    await expect(asked).rejects.toThrow();
    expect(actionsOf(node)).not.toContain("abort");
  });
});

describe("coins", () => {
  test("are those that the recorded node found, exact to the satoshi", async () => {
    const { scan } = await scanning();
    for (const { address, unspents } of ALL) {
      const { scripts } = needlesOf([address], network);
      const { coins, block } = await scanCoins(scan, scripts, NEVER);
      const found = coins.map(({ outpoint, coin }) => `${outpoint.txid}:${outpoint.index} ${coin.amount}`);
      expect(found.toSorted()).toEqual(unspents.map(({ txid, vout, sat }) => `${txid}:${vout} ${sat}`).toSorted());
      expect(block.number).toBe(284);
    }
  });

  test.each([
    [
      "of a script that was not asked for",
      { txid: "ab".repeat(32), vout: 0, scriptPubKey: "51", amount: 1 },
      "not asked for",
    ],
    ["without an amount", { txid: "ab".repeat(32), vout: 0, scriptPubKey: "6a51", amount: null }, "not an amount"],
    ["of no transaction", { txid: "ab", vout: 0, scriptPubKey: "6a51", amount: 1 }, "not a hash of 32 bytes"],
    ["with a negative index", { txid: "ab".repeat(32), vout: -1, scriptPubKey: "6a51", amount: 1 }, "out of range"],
  ])("%s are refused", async (_, unspent, message) => {
    const { scan, node } = await scanning();
    const result = { success: true, height: 284, bestblock: "cd".repeat(32), unspents: [unspent] };
    node.script.twist = answering("scantxoutset", result);
    await expect(scanCoins(scan, ["6a51"], NEVER)).rejects.toThrow(message);
  });

  test("of a scan that was given up are not all coins", async () => {
    const { scan, node } = await scanning();
    node.script.twist = answering("scantxoutset", {
      success: false,
      height: 284,
      bestblock: "cd".repeat(32),
      unspents: [],
    });
    await expect(scanCoins(scan, ["51"], NEVER)).rejects.toThrow("gave up");
  });
});

function answering(method: string, result: unknown): NodeScript["twist"] {
  return ({ what, ids }, response) => {
    if (what !== method) return false;
    response.end(JSON.stringify({ jsonrpc: "2.0", id: ids[0], result }));
    return true;
  };
}

function refusing(method: string, code: number, message: string): NodeScript["twist"] {
  return ({ what, ids }, response) => {
    if (what !== method) return false;
    response.end(JSON.stringify({ jsonrpc: "2.0", id: ids[0], error: { code, message } }));
    return true;
  };
}

const scansOf = ({ requests }: ScriptedNode) => requests.filter(({ what }) => what === "scanblocks");
const actionsOf = (node: ScriptedNode) => scansOf(node).map(({ params }) => params[0]);
const rangesAsked = (node: ScriptedNode) => scansOf(node).map(({ params }) => params.slice(2));

async function hashesOf(node: ScriptedNode, numbers: readonly number[]): Promise<unknown[]> {
  const client = clientFor(node.url);
  undo.push(() => client.close());
  return client.callMany(
    "getblockhash",
    numbers.map((number) => [number]),
    NEVER,
  );
}
