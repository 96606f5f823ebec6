/** All blocks that we have, recorded and built, each with what the reference path makes of it. */
import { decodeHeader } from "../../../../src/chains/evm/decode-block.ts";
import type { RpcAnswer } from "../../../../src/chains/evm/rpc-client.ts";
import type { Header } from "../../../../src/types/chain.ts";
import type { Random } from "../proof/mutants.ts";
import { ENTRIES, loadBlock, loadReceipts } from "../proof/support.ts";
import { builtBlocks, type WholeBlock } from "./built-blocks.ts";
import { envelope, type Outcome, type ToldNode, type Ways } from "./ways.ts";
import type { Writing } from "./written.ts";

export function recordedBlocks(): WholeBlock[] {
  const whole = ENTRIES.filter(({ files }) => files["block"] !== undefined && files["receipts"] !== undefined);
  return whole.map((entry) => ({
    name: `${entry.chain} ${entry.number}`,
    chainId: entry.chainId,
    block: loadBlock(entry),
    receipts: loadReceipts(entry),
  }));
}

export const allBlocks = (): WholeBlock[] => [...recordedBlocks(), ...builtBlocks()];

/** What a scanner may prove: Polygon's blocks before Madhugiri have parts that no root covers. */
export const isScannable = ({ chainId, block }: WholeBlock) => chainId !== 137 || Number(block["number"]) >= 80_084_800;

export type Reading = Extract<Outcome, { kind: "read" }>;

export interface Written {
  readonly header: Header;
  readonly block: RpcAnswer;
  readonly receipts: RpcAnswer;
}

/** The node's answers, written so. */
export async function writtenBy(
  node: ToldNode,
  one: WholeBlock,
  { writing, random }: { writing: Writing; random: Random },
): Promise<Written> {
  return {
    header: decodeHeader(one.block),
    block: await node.ask(envelope(writing(one.block, random))),
    receipts: await node.ask(envelope(writing(one.receipts, random))),
  };
}

/** By the reference path, every sender recovered. Throws unless it is read. */
export async function readByReference(answers: Written, { reference }: Ways): Promise<Reading> {
  const outcome = await reference.read(answers, { senders: "all" });
  if (outcome.kind !== "read") throw new Error(`the reference path does not read it: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** The same, for answers that say the same as those read before, but for small blocks: recovering senders takes long. */
export function createReferenceReader(): (one: WholeBlock, answers: Written, ways: Ways) => Promise<Reading> {
  const known = new Map<string, Reading>();
  return async (one, answers, ways) => {
    const before = one.block.transactions.length < 20 ? undefined : known.get(one.name);
    const reading = before ?? (await readByReference(answers, ways));
    known.set(one.name, reading);
    return reading;
  };
}
