/**
 * Goal: what is read of the recorded chain is what the node that made it says, row by row, whoever is watched.
 * Method: every block of both branches against the ledger: all of it, all actors watched, each actor alone.
 */
import { describe, expect, test } from "@jest/globals";
import { createHash } from "node:crypto";
import { NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import { readBlock } from "../../../../src/chains/bitcoin/read-block.ts";
import { createScriptTable, type ScriptTable } from "../../../../src/chains/bitcoin/script-table.ts";
import { actors, type LedgerRow, ledger, lineOf, lineOfRow, regtestBlocks, scans } from "./fixtures.ts";

const { regtest: network } = NETWORKS;
const BLOCKS = regtestBlocks();
const ROWS = ledger();

/** The text of a row's script, made here without the code under test. */
function textOf({ spk, address }: { spk: string; address: string | null }): string {
  if (address !== null) return address;
  if (spk.length <= 400) return `script:${spk}`;
  return `script-sha256:${createHash("sha256").update(Buffer.from(spk, "hex")).digest("hex")}`;
}

function rowsOf(hash: string): LedgerRow[] {
  return ROWS.filter((row) => row.hash === hash);
}

/** Rows of the transactions in which one of these scripts is on either side, in the ledger's order. */
function rowsTouching(rows: readonly LedgerRow[], scripts: ReadonlySet<string>): LedgerRow[] {
  const touched = new Set(rows.filter(({ spk }) => scripts.has(spk)).map(({ txid }) => txid));
  return rows.filter(({ txid }) => touched.has(txid));
}

const ACTORS = actors();
const ALL = createScriptTable(ACTORS.map(textOf), network);
/** One table each for all blocks, as a line reads: making one costs more than reading a small block with it. */
const EACH = ACTORS.map((actor) => ({ actor, table: createScriptTable([textOf(actor)], network) }));

function expectRows(block: (typeof BLOCKS)[number], table: ScriptTable | null, expected: readonly LedgerRow[]) {
  const { transfers } = readBlock({ ...block, watched: table });
  expect(transfers.map(lineOf)).toEqual(expected.map((row) => lineOfRow(row, textOf(row))));
}

test("the ledger names the blocks that are read", () => {
  expect(new Set(ROWS.map(({ hash }) => hash))).toEqual(new Set(BLOCKS.map(({ header }) => header.hash)));
  expect(ROWS).toHaveLength(1_081);
});

describe.each(BLOCKS.map((block) => ({ name: block.name, block })))("$name", ({ block }) => {
  const rows = rowsOf(block.header.hash);

  test("everything", () => {
    expectRows(block, null, rows);
  });

  test("all actors watched", () => {
    // OP_RETURN outputs have nobody to watch; they come with the transactions that others touch.
    expectRows(block, ALL, rowsTouching(rows, new Set(ACTORS.map(({ spk }) => spk))));
  });

  test("each actor alone, no more and no fewer", () => {
    for (const { actor, table } of EACH) expectRows(block, table, rowsTouching(rows, new Set([actor.spk])));
  });
});

test("what an actor holds at the end is what the node's own scan of its coins says", () => {
  for (const [name, scan] of Object.entries(scans())) {
    const address = textOf(scan);
    const table = createScriptTable([address], network);
    const coins = new Map<string, bigint>();
    const heights: number[] = [];
    for (const block of BLOCKS.filter((one) => !one.name.endsWith("stale"))) {
      const { transfers } = readBlock({ ...block, watched: table });
      const own = transfers.filter(({ from, to }) => from === address || to === address);
      if (own.length > 0) heights.push(block.header.number);
      for (const { category, txHash, key, amount } of own)
        if (category === "output") coins.set(`${txHash} ${key}`, amount);
      for (const { txid, vout } of own.length === 0 ? [] : spentIn(block.header.hash, scan.spk))
        coins.delete(`${txid} vout:${vout}`);
    }
    expect({ name, heights }).toEqual({ name, heights: scan.relevantHeights });
    expect(coins).toEqual(new Map(scan.unspents.map(({ txid, vout, sat }) => [`${txid} vout:${vout}`, BigInt(sat)])));
  }
});

/** The coins that inputs of this script spend, from the ledger: a transfer of an input does not name its coin. */
function spentIn(hash: string, spk: string): { txid: string; vout: number }[] {
  const inputs = rowsOf(hash).filter((row) => row.dir === "in" && row.spk === spk) as (LedgerRow & {
    prevTxid: string;
    prevVout: number;
  })[];
  return inputs.map(({ prevTxid, prevVout }) => ({ txid: prevTxid, vout: prevVout }));
}
