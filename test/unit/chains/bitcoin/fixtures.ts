/** The recorded blocks of test/fixtures/bitcoin, read. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { headerOf } from "../../../../src/chains/bitcoin/header.ts";
import { type Network, NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import type { Header, Transfer } from "../../../../src/types/chain.ts";

const FOLDER = join(import.meta.dirname, "../../../fixtures/bitcoin");

export interface FixtureBlock {
  readonly name: string;
  readonly network: Network;
  readonly header: Header;
  readonly block: Buffer;
  /** Null: the source has none. */
  readonly spent: Buffer | null;
}

/** A block whose spent coins are there. */
export type WholeBlock = FixtureBlock & { readonly spent: Buffer };

/** One input or output of the recorded chain, as the node told it. */
export interface LedgerRow {
  readonly height: number;
  readonly hash: string;
  readonly branch: "main" | "stale";
  readonly txIndex: number;
  readonly txid: string;
  readonly dir: "in" | "out";
  readonly index: number;
  readonly sat: number;
  readonly spk: string;
  readonly address: string | null;
  /** Of an input: the coin it spends; absent of a coinbase. */
  readonly prevTxid?: string;
  readonly prevVout?: number;
}

export interface Actor {
  readonly name: string;
  readonly spk: string;
  readonly address: string | null;
  readonly type: string;
}

export interface Scan {
  readonly address: string | null;
  readonly spk: string;
  readonly relevantHeights: readonly number[];
  readonly unspents: readonly { readonly txid: string; readonly vout: number; readonly sat: number }[];
}

function fileOf(path: string): Buffer {
  return readFileSync(join(FOLDER, path));
}

function jsonOf(path: string): unknown {
  return JSON.parse(fileOf(path).toString("utf8"));
}

function linesOf(path: string): unknown[] {
  const lines = fileOf(path).toString("utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as unknown);
}

export function fixtureBlock(of: Omit<FixtureBlock, "header">, height: number): FixtureBlock {
  const { hash, parentHash, timestamp } = headerOf(of.block.subarray(0, 80));
  return { ...of, header: { number: height, hash, parentHash, timestamp } };
}

interface ChainEntry {
  readonly height: number;
  readonly branch: "main" | "stale";
  readonly files: { readonly block: string; readonly spent: string };
}

/** Both branches of the recorded chain from height 251 on. */
export function regtestBlocks(): WholeBlock[] {
  const blocks = jsonOf("regtest/chain.json") as ChainEntry[];
  return blocks.map(({ height, branch, files }) => {
    const [block, spent] = [fileOf(files.block), fileOf(files.spent)];
    const name = `regtest ${height}${branch === "stale" ? " stale" : ""}`;
    return { ...fixtureBlock({ name, network: NETWORKS.regtest, block, spent }, height), spent };
  });
}

/** Heights 0 to 250, which hold nothing but coinbases. */
export function prefixBlocks(): WholeBlock[] {
  const lines = linesOf("regtest/prefix.jsonl") as { height: number; block: string; spent: string }[];
  return lines.map((line) => {
    const [block, spent] = [Buffer.from(line.block, "hex"), Buffer.from(line.spent, "hex")];
    const name = `regtest ${line.height}`;
    return { ...fixtureBlock({ name, network: NETWORKS.regtest, block, spent }, line.height), spent };
  });
}

interface ManifestBlock {
  readonly height: number;
  readonly hash: string;
  readonly file: string;
  readonly nTx: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly spent?: { readonly file: string };
}

/** The real blocks, with what their source says of them. */
export function mainnetBlocks(): (FixtureBlock & { readonly told: ManifestBlock })[] {
  return (jsonOf("manifest.json") as { mainnet: ManifestBlock[] }).mainnet.map((told) => {
    // Block 1 spends nothing, and so its spent coins are known.
    const spent =
      told.spent === undefined ? (told.height === 1 ? Buffer.from("0100", "hex") : null) : fileOf(told.spent.file);
    const of = { name: `mainnet ${told.height}`, network: NETWORKS.mainnet, block: fileOf(told.file), spent };
    return { ...fixtureBlock(of, told.height), told };
  });
}

export function fullBlock(): WholeBlock {
  const [block, spent] = [fileOf("regtest-full-block/block.bin"), fileOf("regtest-full-block/spent.bin")];
  return { ...fixtureBlock({ name: "full block", network: NETWORKS.regtest, block, spent }, 170), spent };
}

export function ledger(): LedgerRow[] {
  return linesOf("regtest/expected/ledger.jsonl") as LedgerRow[];
}

export function actors(): Actor[] {
  return Object.values(jsonOf("regtest/addresses.json") as Record<string, Actor>);
}

export function scans(): Record<string, Scan> {
  return jsonOf("regtest/expected/scans.json") as Record<string, Scan>;
}

/** The theft of DMM Bitcoin and the transaction that made the coins it spends. */
export function dmm(): { theft: Buffer; funding: Buffer } {
  const [theft, funding] = ["975ec405", "c03acb80"].map((id) =>
    Buffer.from(fileOf(`mainnet/dmm/tx-${id}.hex`).toString("utf8"), "hex"),
  );
  return { theft, funding } as { theft: Buffer; funding: Buffer };
}

/** A transfer in the words of the ledger. */
export function lineOf({ txIndex, txHash, key, amount, from, to }: Transfer): string {
  return `${txIndex} ${txHash} ${key} ${amount} ${from ?? to}`;
}

/** A row of the ledger in the same words; `address` gives the text of its script. */
export function lineOfRow(row: LedgerRow, address: string): string {
  return `${row.txIndex} ${row.txid} ${row.dir === "in" ? "vin" : "vout"}:${row.index} ${row.sat} ${address}`;
}
