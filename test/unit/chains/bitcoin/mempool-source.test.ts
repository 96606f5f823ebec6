/** The mempool of a node: what is told of a transaction that waits, and what becomes of it. From the recorded chain. */
import { afterEach, describe, expect, test } from "@jest/globals";
import { Transaction, networks, payments } from "bitcoinjs-lib";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createAdapter } from "../../../../src/chains/registry.ts";
import type { ChainAdapter, MempoolSource, PendingTransaction } from "../../../../src/types/chain.ts";
import type { NodeConfig } from "../../../../src/types/config.ts";
import type { Log } from "../../../../src/types/log.ts";
import { createWatchedTable } from "../../../support/watched-table.ts";
import { FIXTURES, fixtureJson, recordedChain } from "../../../support/bitcoin/recorded-chain.ts";
import { type NodeScript, type ScriptedNode, startScriptedNode } from "../../../support/bitcoin/scripted-node.ts";
import { startZmqPublisher } from "../../../support/bitcoin/zmq-publisher.ts";
import { waitFor } from "../../../support/wait-for.ts";
import { actors } from "./fixtures.ts";
import { chainOf, configOf, NEVER, REGTEST } from "./node-of.ts";

const chain = recordedChain();
const mainAt = (height: number) => chain.main[height] as string;
const { branchA, txids } = fixtureJson("regtest/reorg.json") as {
  branchA: [string, string];
  txids: Record<"X" | "X2" | "Y" | "Z" | "W", string>;
};
const { X, X2, Y, Z, W } = txids;
const COIN_OF_X = "f9969d5c1436ac8e8eab22620e2aa2d2c05be7cc10fe48be258d2fe41a7e8f4f:1";
// See fixtures/bitcoin/README.md: blocks 269 and 270.
const RBF_ORIGINAL = "63c6f6bec468ef19b48951d60d6ac54330527c3c59a34fbe6425008ae6e11866";
const RBF = "3c548f21754d4fb91525222d12a95fde898ef805866dcb00a239c7cb8b29edc1";
const PARENT = "54480b55300d3f09f3bb83fe451c6611cdcceedd43372cd84581ee3ac0dd7d14";
const CHILD = "3e4707caab590485b9a4bc1f9912e238d9da41490e211a4654897eddb0b6050d";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
});

const hexOf = (txid: string) => chain.transactions.get(txid)?.[0]?.hex as string;
const poolOf = (...ids: string[]) => new Map(ids.map((txid) => [txid, hexOf(txid)]));
const addressOf = (name: string) => actors().find((one) => one.name === name)?.address as string;

interface Watching {
  readonly node: ScriptedNode;
  readonly adapter: ChainAdapter;
  readonly source: MempoolSource;
  readonly told: string[];
  /** One look; what it wants, everything unless said otherwise. */
  look(wants?: (transaction: PendingTransaction) => boolean): Promise<readonly PendingTransaction[]>;
  /** Looks at nothing until the coins are known. */
  seeded(): Promise<void>;
}

async function watch(
  names: readonly string[],
  script: Partial<NodeScript> = {},
  changes: Partial<NodeConfig> = {},
  more: readonly string[] = [],
): Promise<Watching> {
  const node = await startScriptedNode(script);
  undo.push(() => node.close());
  const config = configOf(node.url, changes);
  const told: string[] = [];
  const note = (facts: object, message: string) => told.push(`${message} ${JSON.stringify(facts)}`);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const adapter = createAdapter({ chain: chainOf(config, { mempool: "auto" }), node: config, log });
  undo.push(() => adapter.close());
  const source = adapter.mempool as MempoolSource;
  const watched = createWatchedTable(
    new Map([[REGTEST, new Map([...names.map(addressOf), ...more].map((address) => [address, null]))]]),
  );
  const look = (wants: (transaction: PendingTransaction) => boolean = () => true) => source.take(wants, NEVER, watched);
  return {
    node,
    adapter,
    source,
    told,
    look,
    async seeded() {
      const { pool } = node.script;
      node.script.pool = new Map();
      await waitFor("the coins", async () => {
        await look();
        return source.inputsUnseen?.() === false;
      });
      node.script.pool = pool;
    },
  };
}

interface CapturedLine {
  readonly topic: string;
  readonly hash: string;
  readonly body: string;
}

/** What the recorded node published as `sequence`. */
function captured(): CapturedLine[] {
  return readFileSync(join(FIXTURES, "regtest/zmq-capture.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as CapturedLine)
    .filter(({ topic }) => topic === "sequence");
}

interface Raw {
  readonly txid: string;
  readonly hex: string;
}

/** Somebody pays nobody's coins; no node would take it, and nobody here checks signatures. */
function spendOf(...coins: readonly { txid: string; vout: number }[]): Raw {
  const transaction = new Transaction();
  for (const { txid, vout } of coins) transaction.addInput(Buffer.from(txid, "hex").toReversed(), vout);
  transaction.addOutput(Buffer.from([0x51]), 1_000n);
  return { txid: transaction.getId(), hex: transaction.toHex() };
}

function payTo({ script }: { script: Uint8Array }): Raw {
  const transaction = new Transaction();
  transaction.addInput(Buffer.alloc(32, 7), 0);
  transaction.addOutput(script, 1_000n);
  return { txid: transaction.getId(), hex: transaction.toHex() };
}

function formsOfOneKey() {
  const network = networks.regtest;
  const p2wpkh = payments.p2wpkh({ hash: Buffer.alloc(20, 9), network });
  const p2sh = payments.p2sh({ redeem: p2wpkh, network });
  const form = ({ address, output }: { address?: string; output?: Uint8Array }) => ({
    address: address as string,
    script: output as Uint8Array,
  });
  return { p2wpkh: form(p2wpkh), p2sh: form(p2sh) };
}

function lieAboutSpenders(spendingtxid: string): NodeScript["twist"] {
  return ({ what, params, ids }, response) => {
    if (what !== "gettxspendingprevout") return false;
    const result = (params[0] as object[]).map((coin) => ({ ...coin, spendingtxid }));
    response.end(JSON.stringify({ jsonrpc: "2.0", id: ids[0], result }));
    return true;
  };
}

function sayMinedIn(txid: string, blockhash: string): NodeScript["twist"] {
  return ({ what, params, ids }, response) => {
    if (what !== "getrawtransaction" || params[0] !== txid) return false;
    response.end(JSON.stringify({ jsonrpc: "2.0", id: ids[0], result: { txid, hex: hexOf(txid), blockhash } }));
    return true;
  };
}

/** The list of the pool is asked for every two seconds; a look before that finds what the feed told. */
const lookUntil = ({ look }: Watching, txid: string) =>
  waitFor(`${txid} in the pool`, async () => (await look()).find(({ hash }) => hash === txid));

const linesOf = (found: PendingTransaction | undefined) =>
  found?.transfers.map(({ key, from, to, amount }) => `${key} ${from ?? to} ${amount}`);

describe("what waits", () => {
  test("is told by the coins it spends and the scripts it pays", async () => {
    // The coin was made in block 257, before the blocks that are read at the start.
    const watching = await watch(["split_4"], { tip: mainAt(269), pool: poolOf(PARENT) });
    await watching.seeded();
    const found = await lookUntil(watching, PARENT);
    expect(linesOf(found)).toEqual([
      `vin:0 ${addressOf("split_4")} 50000000000`,
      `vout:0 ${addressOf("cpfp_parent_out")} 49999999850`,
    ]);
    expect(found.transfers[0]).toMatchObject({ txHash: PARENT, txIndex: -1, category: "input" });
    expect(found.slots).toEqual(["4987386e46123a0a1fccdc870d98abc29c7eb368c29c5a4f8700c7128dd8c62f:4"]);
    expect(watching.source.trust).toEqual({ proven: false, operators: ["self"], missing: [], traced: false });
  });

  test("and touches nobody is asked about with its slots and without transfers", async () => {
    const watching = await watch(["split_3"], { tip: mainAt(268), pool: poolOf(PARENT) });
    await watching.seeded();
    expect(linesOf(await lookUntil(watching, PARENT))).toEqual([]);
  });

  test("is handed out once, and what nobody wants not at all", async () => {
    const watching = await watch(["split_3"], { tip: mainAt(268), pool: poolOf(RBF, PARENT) });
    expect((await watching.look(({ hash }) => hash === PARENT)).map(({ hash }) => hash)).toEqual([PARENT]);
    expect(await watching.look()).toEqual([]);
  });

  test("and spends what another one that waits makes is told in the same look", async () => {
    const watching = await watch(["cpfp_parent_out"], { tip: mainAt(269), pool: poolOf(CHILD, PARENT) });
    const found = await watching.look();
    expect(linesOf(found.find(({ hash }) => hash === CHILD))?.[0]).toBe(
      `vin:0 ${addressOf("cpfp_parent_out")} 49999999850`,
    );
    expect(linesOf(found.find(({ hash }) => hash === PARENT))?.[0]).toBe(
      `vout:0 ${addressOf("cpfp_parent_out")} 49999999850`,
    );
  });

  test("before the coins are known is looked at again once they are", async () => {
    const watching = await watch(["split_4"], { tip: mainAt(269), pool: poolOf(PARENT), scanBusy: 1 });
    expect(linesOf((await watching.look())[0])).toEqual([]);
    expect(watching.source.inputsUnseen?.()).toBe(true);
    const again = await waitFor("it again", async () => (await watching.look())[0], { timeoutMs: 20_000 });
    expect(linesOf(again)?.[0]).toBe(`vin:0 ${addressOf("split_4")} 50000000000`);
    expect(watching.source.inputsUnseen?.()).toBe(false);
    expect(watching.told.filter((line) => line.startsWith("another scan"))).toHaveLength(1);
  }, 30_000);

  test("and spends a coin of a block that came after the coins were looked for is seen", async () => {
    const watching = await watch(["split_3b"], { tip: mainAt(268) });
    await watching.seeded();
    watching.node.script.tip = mainAt(270);
    const spend = spendOf({ txid: RBF, vout: 1 }, { txid: RBF, vout: 0 });
    watching.node.script.pool = new Map([[spend.txid, spend.hex]]);
    const found = await lookUntil(watching, spend.txid);
    expect(linesOf(found)?.filter((line) => line.startsWith("vin"))).toEqual([
      `vin:0 ${addressOf("split_3b")} 39999950000`,
    ]);
    expect(found.slots).toEqual([`${RBF}:1`, `${RBF}:0`]);
    expect(watching.node.requests.filter(({ what }) => what === "scantxoutset")).toHaveLength(1);
  });

  test("and spends a coin of an address that a list gained is seen: the node is asked for the new one alone", async () => {
    const watching = await watch(["split_3"], { tip: mainAt(269) });
    await watching.seeded();
    const names = ["split_3", "split_4"].map(addressOf);
    const grown = createWatchedTable(new Map([[REGTEST, new Map(names.map((address) => [address, null]))]]));
    const look = () => watching.source.take(() => true, NEVER, grown);
    await look();
    await waitFor("the coins", () => watching.source.inputsUnseen?.() === false);
    watching.node.script.pool = poolOf(PARENT);
    const found = await waitFor("it", async () => (await look())[0]);
    expect(linesOf(found)?.[0]).toBe(`vin:0 ${addressOf("split_4")} 50000000000`);
    const asked = watching.node.requests.filter(({ what }) => what === "scantxoutset").map(({ params }) => params[1]);
    const of = (name: string) => expect.arrayContaining([`raw(${actors().find((one) => one.name === name)?.spk})`]);
    expect(asked).toEqual([of("split_3"), of("split_4")]);
    expect(asked[1]).toHaveLength(3);
  });

  test("and spends a coin of another form of a watched key is seen", async () => {
    // P2SH-P2WPKH of one key is watched as the P2WPKH of it.
    const { p2wpkh, p2sh } = formsOfOneKey();
    const made = payTo(p2sh);
    const watching = await watch([], { tip: mainAt(268), pool: new Map([[made.txid, made.hex]]) }, {}, [
      p2wpkh.address,
    ]);
    const spend = spendOf({ txid: made.txid, vout: 0 });
    watching.node.script.pool.set(spend.txid, spend.hex);
    const found = await lookUntil(watching, spend.txid);
    expect(found.transfers[0]).toMatchObject({ key: "vin:0", from: p2sh.address, equivalent: [p2wpkh.address] });
  });
});

describe("a feed", () => {
  test("tells a transaction before the list does; the replaced one is gone before anybody looks", async () => {
    const zmq = await startZmqPublisher();
    undo.push(() => zmq.close());
    const watching = await watch(["split_3"], { tip: mainAt(268) }, { zmq: [zmq.url] });
    await watching.seeded();
    const stopping = new AbortController();
    undo.push(() => stopping.abort());
    let wakes = 0;
    watching.source.onHint(() => (wakes += 1), stopping.signal);
    await waitFor("the subscription", () => zmq.subscriptions.includes("sequence"));
    await waitFor("the hint of the connection", () => wakes > 0);
    await watching.look();
    const lists = () => watching.node.requests.filter(({ what }) => what === "getrawmempool").length;
    const before = lists();
    watching.node.script.pool = poolOf(RBF);
    for (const line of captured().filter(({ hash }) => hash === RBF || hash === RBF_ORIGINAL))
      zmq.publish("sequence", Buffer.from(line.body, "hex"));
    await waitFor("the hints", () => wakes >= 4);
    expect((await watching.look()).map(({ hash }) => hash)).toEqual([RBF]);
    expect(lists()).toBe(before);
    expect(watching.source.skipped()).toBe(1);
  });

  test("that was closed may have missed something: the list is asked for at once", async () => {
    const zmq = await startZmqPublisher();
    undo.push(() => zmq.close());
    const watching = await watch(["split_3"], { tip: mainAt(268) }, { zmq: [zmq.url] });
    await watching.look();
    watching.node.script.pool = poolOf(RBF);
    expect(await watching.look()).toEqual([]);
    const stopping = new AbortController();
    undo.push(() => stopping.abort());
    let wakes = 0;
    watching.source.onHint(() => (wakes += 1), stopping.signal);
    await waitFor("the connection", () => wakes > 0);
    expect((await watching.look()).map(({ hash }) => hash)).toEqual([RBF]);
  });
});

describe("a node", () => {
  test("that gives other bytes for an id, or none that are a transaction, is told and not believed", async () => {
    const watching = await watch(["split_3"], {
      tip: mainAt(268),
      pool: new Map([
        [RBF, hexOf(PARENT)],
        [CHILD, hexOf(CHILD).slice(0, -2)],
        [PARENT, hexOf(PARENT)],
      ]),
    });
    expect((await watching.look()).map(({ hash }) => hash)).toEqual([PARENT]);
    expect(watching.told.filter((line) => line.includes("does not match its id"))).toHaveLength(1);
  });

  test("that fails in the middle costs nothing: what was read is told, what was not is read again", async () => {
    const many = Array.from({ length: 30 }, (_, index) => payTo({ script: Buffer.alloc(22, index) }));
    const pool = new Map(many.map(({ txid, hex }) => [txid, hex]));
    let batches = 0;
    const watching = await watch([], {
      tip: mainAt(268),
      pool,
      twist({ what, ids }, response) {
        batches += what === "getrawtransaction" ? 1 : 0;
        if (what !== "getrawtransaction" || batches !== 2) return false;
        const error = { code: -8, message: "not now" };
        response.end(JSON.stringify(ids.map((id) => ({ jsonrpc: "2.0", id, error }))));
        return true;
      },
    });
    expect(await watching.look()).toHaveLength(25);
    expect(await watching.look()).toHaveLength(5);
  });

  test("that is not ours is not told whom we watch", async () => {
    const watching = await watch(["split_3"], { tip: mainAt(268), pool: poolOf(RBF) }, { own: false });
    await watching.look();
    expect(watching.source.inputsUnseen?.()).toBe(true);
    expect(watching.node.requests.some(({ what }) => what === "scantxoutset")).toBe(false);
    expect(watching.adapter.candidates).toBeUndefined();
  });

  test("whose list is no list of ids is asked again", async () => {
    const watching = await watch(["split_3"], {
      tip: mainAt(268),
      pool: new Map([["not an id", "00"]]),
    });
    await expect(watching.look()).rejects.toThrow("an id in the pool is not a hash of 32 bytes");
  });
});

describe("a block", () => {
  /** The node tells other spent coins of block 270 than it has. */
  const lying: NodeScript["twist"] = ({ what, params }, response) => {
    if (what !== "rest/spenttxouts" || !String(params[0]).includes(mainAt(270))) return false;
    const hidden = Buffer.from(chain.blocks.get(mainAt(270))?.spent ?? []);
    const at = hidden.indexOf(Buffer.from(actors().find(({ name }) => name === "split_4")?.spk ?? "", "hex"));
    hidden[at + 5] = (hidden[at + 5] ?? 0) ^ 1;
    response.writeHead(200, { "content-type": "application/octet-stream" }).end(hidden);
    return true;
  };
  const read = async ({ adapter }: Watching) => {
    const header = await adapter.headerAt(270, NEVER);
    return adapter.blockOf(header as NonNullable<typeof header>, NEVER);
  };

  test("in which the node tells another coin in place of a watched one is refused, with evidence", async () => {
    const watching = await watch(["split_4"], { tip: mainAt(269) });
    await watching.seeded();
    watching.node.script.tip = mainAt(270);
    expect((await read(watching))?.transfers).not.toEqual([]);
    watching.node.script.twist = lying;
    await expect(read(watching)).rejects.toMatchObject({
      code: "proof_mismatch",
      details: { check: "spent coins", node: "own-a", asked: `block ${mainAt(270)}` },
    });
  });

  test("of a coin that nobody watches is the node's word", async () => {
    const watching = await watch(["split_3"], { tip: mainAt(269) });
    await watching.seeded();
    watching.node.script.tip = mainAt(270);
    watching.node.script.twist = lying;
    expect((await read(watching))?.trust.inputsTold).toBe(true);
  });
});

describe("what became of one", () => {
  const bare = { txindex: false, spenders: false };

  test("that waits is told with its content", async () => {
    const { source, look } = await watch(["split_8"], { ...bare, tip: mainAt(279), pool: poolOf(X) });
    await look();
    const fate = await source.fateOf({ hash: X, slots: [COIN_OF_X] }, NEVER);
    expect(fate).toMatchObject({ at: "pool", transaction: { hash: X, slots: [COIN_OF_X] } });
  });

  test("that is in a block, or lost its coin to another one in a block, is told with that block", async () => {
    const { source, look, node } = await watch(["split_8"], { ...bare, tip: mainAt(279) });
    await look();
    [node.script.tip] = branchA;
    await look();
    const ofX = { hash: X, slots: [COIN_OF_X] };
    expect(await source.fateOf(ofX, NEVER)).toEqual({ at: "block", block: { number: 280, hash: branchA[0] } });
    node.script.tip = mainAt(282);
    await look();
    const block = { number: 280, hash: mainAt(280) };
    expect(await source.fateOf(ofX, NEVER)).toEqual({ at: "replaced", by: X2, block });
    expect(await source.fateOf({ hash: X2, slots: [COIN_OF_X] }, NEVER)).toEqual({ at: "block", block });
  });

  test("in both branches is told with the block of the branch that counts", async () => {
    const { source, look, node } = await watch(["thor_vault"], { ...bare, tip: branchA[1] });
    await look();
    const ofY = { hash: Y, slots: ["569b931e4dd19872a74c4afa6db494cffb4a92fdd010f2138644cbe33d776b7f:0"] };
    expect(await source.fateOf(ofY, NEVER)).toMatchObject({ at: "block", block: { number: 281, hash: branchA[1] } });
    node.script.tip = mainAt(282);
    await look();
    expect(await source.fateOf(ofY, NEVER)).toMatchObject({ at: "block", block: { number: 282, hash: mainAt(282) } });
  });

  test("whose coin another one in the pool spends is told as replaced, by what that one's bytes prove", async () => {
    const { source, look, node } = await watch(["split_8"], { tip: mainAt(279), pool: poolOf(X2) });
    await look();
    const ofX = { hash: X, slots: [COIN_OF_X] };
    expect(await source.fateOf(ofX, NEVER)).toEqual({ at: "replaced", by: X2, block: null });
    // The node names one that spends another coin.
    node.script.pool = new Map([[PARENT, hexOf(PARENT)]]);
    node.script.twist = lieAboutSpenders(PARENT);
    expect(await source.fateOf(ofX, NEVER)).toEqual({ at: "nowhere" });
  });

  test("that is neither here nor there is nowhere, with and without the node's help", async () => {
    for (const script of [bare, {}]) {
      const { source, look } = await watch(["split_8"], { ...script, tip: mainAt(279) });
      await look();
      expect(await source.fateOf({ hash: X, slots: [COIN_OF_X] }, NEVER)).toEqual({ at: "nowhere" });
      // Child of one that can never be mined any more.
      expect(await source.fateOf({ hash: W, slots: [`${X}:0`] }, NEVER)).toEqual({ at: "nowhere" });
    }
  });

  test("that was mined long ago is told by a node with an index, and not from a block that left the chain", async () => {
    const { source, look, node } = await watch(["split_8"], { tip: mainAt(284), spenders: false });
    await look();
    const ofRbf = { hash: RBF, slots: [`${W}:7`] };
    expect(await source.fateOf(ofRbf, NEVER)).toEqual({ at: "block", block: { number: 269, hash: mainAt(269) } });
    node.script.twist = sayMinedIn(X, branchA[0]);
    expect(await source.fateOf({ hash: X, slots: [`${W}:7`] }, NEVER)).toEqual({ at: "nowhere" });
  });
});

describe("a chain that turns", () => {
  test("gives back a coin that the lost branch had spent: its next spend is seen", async () => {
    const watching = await watch(["split_8"], { tip: branchA[1], txindex: false });
    await watching.seeded();
    watching.node.script.tip = mainAt(279);
    watching.node.script.pool = poolOf(X2);
    const found = await waitFor("the input", async () =>
      (await watching.look()).find(({ transfers }) => transfers.some(({ key }) => key === "vin:0")),
    );
    expect(found.hash).toBe(X2);
    expect(linesOf(found)?.[0]).toBe(`vin:0 ${addressOf("split_8")} 10000000000`);
    expect(
      watching.node.requests.filter(({ what, params }) => what === "scantxoutset" && params[0] === "start"),
    ).toHaveLength(2);
  });

  test("to the stronger branch is followed: Z waits again and its input is seen, as is what it makes", async () => {
    const watching = await watch(["thor_vault"], { tip: branchA[0] });
    await watching.seeded();
    watching.node.script.tip = branchA[1];
    await watching.look();
    watching.node.script.tip = mainAt(282);
    watching.node.script.pool = poolOf(Z);
    const found = await lookUntil(watching, Z);
    expect(linesOf(found)).toEqual([
      `vin:0 ${addressOf("thor_vault")} 5000000000`,
      expect.stringMatching(/^vout:0 .* 2000000000$/),
      `vout:1 ${addressOf("thor_vault")} 2999998000`,
    ]);
  });

  test("further than we know is begun again", async () => {
    const watching = await watch(["split_3"], { tip: mainAt(284) });
    await watching.seeded();
    // Two blocks below where we began to read.
    watching.node.script.tip = mainAt(268);
    watching.node.script.pool = poolOf(RBF);
    const found = await waitFor("the input", async () =>
      (await watching.look()).find(({ transfers }) => transfers.length > 0),
    );
    expect(linesOf(found)?.[0]).toBe(`vin:0 ${addressOf("split_3")} 50000000000`);
  });

  test("into a block that does not prove is not believed", async () => {
    const watching = await watch(["split_8"], { tip: mainAt(279) });
    await watching.seeded();
    watching.node.script.tip = mainAt(280);
    watching.node.script.twist = ({ what, params }, response) => {
      if (what !== "rest/block" || !String(params[0]).includes(mainAt(280))) return false;
      const bytes = Buffer.from(chain.blocks.get(mainAt(280))?.block ?? []);
      bytes[200] = (bytes[200] ?? 0) ^ 1;
      response.writeHead(200, { "content-type": "application/octet-stream" }).end(bytes);
      return true;
    };
    await expect(watching.look()).rejects.toMatchObject({ code: "proof_mismatch" });
  });
});
