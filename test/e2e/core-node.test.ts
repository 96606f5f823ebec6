/**
 * Goal: what the stand-in promises holds with a real node: blocks told as the node tells them, a reorg followed, a crash
 * of the node not taken for one, and the whole daemon raises its alert and takes it back.
 * Method: litecoind, and bitcoind where it is on the PATH, on regtest, with the real adapter, pool and head loop.
 */
import { recentTouches } from "../../src/daemon/recent-touches.ts";
import type { Block } from "../../src/types/chain.ts";
import type { OwnAddress } from "../../src/types/watch.ts";
import { CORE_PROGRAMS, type CoreNode, type CoreProgram, startCoreNode } from "../support/bitcoin/core-node.ts";
import { followChain, type Following } from "../support/bitcoin/follow.ts";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
}, 60_000);

interface World {
  readonly node: CoreNode;
  readonly line: Following;
}

/** A node with some mature coins, followed from the block above them. */
async function world(program: CoreProgram): Promise<World> {
  const node = await startCoreNode(program);
  undo.push(() => node.remove());
  await node.mine(110);
  const line = await followChain({
    chainId: program.chainId,
    start: 111,
    nodes: [
      {
        name: "own-a",
        operator: "self",
        own: true,
        http: node.url,
        ws: null,
        rpc: { cookieFile: node.cookieFile },
        maxConcurrent: 2,
        maxRequestsPerSecond: 1_000,
        timeoutMs: 10_000,
      },
    ],
    reads: "everything",
  });
  undo.push(() => line.stop());
  return { node, line };
}

interface Verbose {
  readonly tx: readonly {
    readonly txid: string;
    readonly vin: readonly { readonly txid?: string; readonly vout?: number }[];
    readonly vout: readonly Output[];
  }[];
}
interface Output {
  readonly value: number;
  readonly scriptPubKey: { readonly hex: string; readonly address?: string; readonly addresses?: readonly string[] };
}

const satoshi = (value: number) => BigInt(value.toFixed(8).replace(".", ""));
const partyOf = ({ value, scriptPubKey }: Output) =>
  `${scriptPubKey.address ?? scriptPubKey.addresses?.[0] ?? `script:${scriptPubKey.hex}`} ${satoshi(value)}`;

/** Every input and output of a block, as the node itself tells them one by one. */
async function expected(node: CoreNode, hash: string): Promise<string[]> {
  const { tx } = await node.rpc<Verbose>("getblock", hash, 2);
  const rows: string[] = [];
  for (const { txid, vin, vout } of tx) {
    for (const [index, { txid: parent, vout: at }] of vin.entries()) {
      if (parent === undefined) continue;
      const made = await node
        .rpc<{ vout: Output[] }>("getrawtransaction", parent, true)
        .catch(() => ({ vout: tx.find((one) => one.txid === parent)?.vout ?? [] }));
      rows.push(`${txid} vin:${index} ${partyOf(made.vout[at ?? 0] as Output)}`);
    }
    for (const [index, output] of vout.entries()) rows.push(`${txid} vout:${index} ${partyOf(output)}`);
  }
  return rows.toSorted();
}

const told = ({ transfers }: Block): string[] =>
  transfers.map(({ txHash, key, from, to, amount }) => `${txHash} ${key} ${from ?? to} ${amount}`).toSorted();

describe.each(CORE_PROGRAMS)("$program", (program: CoreProgram) => {
  test("blocks are told as the node tells them, input by input", async () => {
    const { node, line } = await world(program);
    for (const type of ["legacy", "p2sh-segwit", "bech32"]) {
      const address = await node.rpc<string>("getnewaddress", "", type);
      await node.rpc("sendtoaddress", address, 1.5);
      await node.rpc("sendtoaddress", address, 0.123_456_78);
    }
    const [mixed] = await node.mine(1);
    // Spends coins of the same block, and many at once.
    await node.rpc("sendtoaddress", await node.rpc<string>("getnewaddress"), 220);
    await node.rpc("sendtoaddress", await node.rpc<string>("getnewaddress"), 3);
    const hashes = [mixed as string, ...(await node.mine(2))];
    await line.reaches(hashes.at(-1) as string);
    expect(line.matched.map(({ hash }) => hash)).toEqual(hashes);
    for (const block of line.matched) {
      expect(told(block)).toEqual(await expected(node, block.hash));
      expect(block.trust).toMatchObject({ proven: true, traced: true });
    }
    expect(line.matched.some(({ transfers }) => transfers.some(({ category }) => category === "input"))).toBe(true);
  }, 120_000);

  test("what an address touched in its last day is read of the node before anybody watches it", async () => {
    const { node, line } = await world(program);
    const [thief, deposit, other] = await Promise.all(
      ["bech32", "bech32", "legacy"].map((type) => node.rpc<string>("getnewaddress", "", type)),
    );
    await node.rpc("sendtoaddress", thief, 3);
    await node.mine(1);
    const [coin] = await node.rpc<{ txid: string; vout: number }[]>("listunspent", 0, 999, [thief]);
    const raw = await node.rpc<string>("createrawtransaction", [coin], {
      [deposit as string]: 1,
      [other as string]: 1.9,
    });
    const { hex } = await node.rpc<{ hex: string }>("signrawtransactionwithwallet", raw);
    await node.rpc("sendrawtransaction", hex, 0);
    const [last] = (await node.mine(1)) as [string];
    await line.reaches(last);
    const ownOf = (chain: string, address: string): OwnAddress | null =>
      address === deposit ? { chain, address, customerRef: "customer-7", wallet: "deposit" } : null;
    const look = (address: string) =>
      recentTouches({ ...line.pool, blockTimeMs: 150_000 }, { address, ownOf }, AbortSignal.timeout(30_000));
    // Paid by the node's own coins once, and it paid two: its coin in, two out.
    const touched = await look(thief as string);
    expect(touched).toMatchObject({ transfers: 2, customers: ["customer-7"], complete: true });
    expect(touched?.counterparties).toBeGreaterThanOrEqual(3);
    const nobody = await look(await node.rpc<string>("getnewaddress"));
    expect(nobody).toEqual({ transfers: 0, counterparties: 0, customers: [], complete: true });
  }, 120_000);

  test("a reorg by invalidateblock is followed when the new branch has more work", async () => {
    const { node, line } = await world(program);
    const [first, , third] = (await node.mine(3)) as [string, string, string];
    await line.reaches(third);
    await node.rpc("invalidateblock", first);
    await line.troubled(/does not have block 113/);
    await node.mine(3);
    await line.troubled(/does not have block 113/);
    expect(line.reorgs).toEqual([]);
    const [longer] = await node.mine(1);
    await line.reaches(longer as string);
    expect(line.reorgs).toEqual([3]);
    expect((await line.scanned()).size).toBe(4);
  }, 120_000);

  test("a node that is stopped is told as away, and followed with its new cookie when it is back", async () => {
    const { node, line } = await world(program);
    const [before] = await node.mine(1);
    await line.reaches(before as string);
    await node.stop();
    await line.troubled(/own-a/);
    await node.start();
    const [after] = await node.mine(1);
    await line.reaches(after as string);
    expect(line.reorgs).toEqual([]);
    expect(line.matched).toHaveLength(2);
  }, 120_000);

  test("kill -9 of the node, which loses its last blocks: nothing is taken back before another branch has more work", async () => {
    const { node, line } = await world(program);
    // What is on disk now survives; the blocks after it do not.
    await node.stop();
    await node.start();
    const lost = await node.mine(4);
    await line.reaches(lost.at(-1) as string);
    await node.kill9();
    await node.start();
    const height = await node.rpc<number>("getblockcount");
    process.stdout.write(`${program.program} came back at block ${height} of 114\n`);
    const address = await node.rpc<string>("getnewaddress");
    if (height < 114) {
      await line.troubled(/does not have block 114|starting|did not answer/);
      // As many as were lost, less one: a shorter branch.
      if (height < 113) await node.mine(113 - height, address);
      await line.troubled(/does not have block 114/);
      expect(line.reorgs).toEqual([]);
      expect((await line.scanned()).size).toBe(4);
    }
    await node.mine(115 - (await node.rpc<number>("getblockcount")), address);
    await line.reaches(await node.tip());
    expect(line.reorgs).toEqual(height < 114 ? [114 - height] : []);
    expect([...(await line.scanned()).keys()]).toEqual([111, 112, 113, 114, 115]);
  }, 120_000);
});
