/** The proof of a Bitcoin transaction, asked of a node that has all, or less. */
import { afterEach, expect, test } from "@jest/globals";
import { createEvidenceSource } from "../../../../src/chains/bitcoin/evidence/evidence-source.ts";
import { NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import type { EvidenceClaims } from "../../../../src/types/evidence.ts";
import { recordedChain } from "../../../support/bitcoin/recorded-chain.ts";
import { type NodeScript, startScriptedNode } from "../../../support/bitcoin/scripted-node.ts";
import { ledger, regtestBlocks } from "./fixtures.ts";
import { clientFor, NEVER } from "./node-of.ts";

const { regtest } = NETWORKS;
const chain = recordedChain();

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
});

/** An input whose coin was made in another block. */
function spentElsewhere(): { claims: EvidenceClaims; parent: string } {
  const rows = ledger().filter(({ branch }) => branch === "main");
  const row = rows.find(
    ({ dir, prevTxid, hash }) => dir === "in" && rows.every((other) => other.txid !== prevTxid || other.hash !== hash),
  );
  const at = regtestBlocks().find(({ header }) => header.hash === row?.hash);
  if (row?.address == null || at === undefined) throw new Error("such an input is recorded");
  const { number, hash, timestamp } = at.header;
  const transfer = {
    key: `vin:${row.index}`,
    category: "input",
    txHash: row.txid,
    txIndex: row.txIndex,
    from: row.address,
    to: null,
    assetId: `${regtest.chainId}/slip44:1`,
    amount: String(row.sat),
  };
  const claims = { chain: regtest.chainId, block: { number, hash, timestamp }, transfers: [transfer] };
  return { claims, parent: row.prevTxid ?? "" };
}

async function askNode(
  changes: Partial<NodeScript>,
  { own = true, claims }: { own?: boolean; claims: EvidenceClaims },
) {
  const node = await startScriptedNode({ tip: chain.main.at(-1) as string, ...changes });
  undo.push(() => node.close());
  const client = clientFor(node.url);
  undo.push(() => client.close());
  const found = await createEvidenceSource({ client, network: regtest, own })(claims, NEVER);
  return { found, asked: node.requests.map(({ what }) => what) };
}

const { claims, parent } = spentElsewhere();

test("with its index the node gives the parent, and everything is proven", async () => {
  const { found } = await askNode({ txindex: true }, { claims });
  expect(found).toMatchObject({ lacks: [], proof: { family: "bitcoin", parents: [expect.any(String)] } });
});

test("without REST the block comes by RPC", async () => {
  const { found, asked } = await askNode({ txindex: true, rest: false }, { claims });
  expect(found).toMatchObject({ lacks: [] });
  expect(asked).toContain("getblock");
});

test("without its index the input is not proven, and it is said what the node needs", async () => {
  const { found } = await askNode({ txindex: false }, { claims });
  expect(found).toMatchObject({ proof: { parents: [] }, lacks: [expect.stringContaining(`Transaction ${parent}`)] });
  expect(found?.lacks[0]).toContain("txindex=1");
});

test("a node of somebody else is not asked about a transaction: that would tell whom we watch", async () => {
  const { found, asked } = await askNode({ txindex: true }, { own: false, claims });
  expect(found?.lacks[0]).toContain("is not our own");
  expect(asked).not.toContain("getrawtransaction");
});

test("a block that the node never had, or has deleted, is not there", async () => {
  const unknown = { ...claims, block: { ...claims.block, hash: "00".repeat(32) } };
  expect((await askNode({ txindex: true }, { claims: unknown })).found).toBeNull();
  expect((await askNode({ pruneHeight: claims.block.number + 1 }, { claims })).found).toBeNull();
});

test("what an alert tells, and the block does not, is not proven", async () => {
  const [transfer] = claims.transfers;
  if (transfer === undefined) throw new Error("a transfer");
  const told = { ...claims, transfers: [{ ...transfer, amount: "1" }] };
  const { found } = await askNode({ txindex: true }, { claims: told });
  expect(found?.proof).toBeNull();
  expect(found?.lacks[0]).toContain("the alert does not follow from the block that this node gives (vin:");
  const elsewhere = { ...claims, transfers: [{ ...transfer, txHash: "00".repeat(32) }] };
  expect((await askNode({}, { claims: elsewhere })).found?.lacks[0]).toContain("is not in the block");
});
