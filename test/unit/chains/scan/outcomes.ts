/** Blocks that are read three ways, over and over, changed each time: all ways must come to one outcome. */
import { expect } from "@jest/globals";
import { decodeHeader } from "../../../../src/chains/evm/decode-block.ts";
import type { Header } from "../../../../src/types/chain.ts";
import type { Watchlist } from "../../../../src/types/watch.ts";
import { createRandom } from "../proof/mutants.ts";
import type { WholeBlock } from "./built-blocks.ts";
import { type ResultText, resultText } from "./byte-mutants.ts";
import { hitsOf, hitsText, partiesOf, strangers, watchlistOf } from "./watched.ts";
import { type Body, createWays, type Outcome, tableBytes, type ToldNode, type Way } from "./ways.ts";
import { type Written, writtenBy } from "./whole-blocks.ts";
import { compact } from "./written.ts";

export interface Base {
  readonly one: WholeBlock;
  readonly header: Header;
  readonly texts: { readonly block: ResultText; readonly receipts: ResultText };
  /** As the node gives them, unchanged. */
  readonly answers: Written;
  readonly reference: Way;
  /** Each with a table of its own, as two daemons have. */
  readonly scanners: readonly { readonly way: Way; readonly watchlist: Watchlist; readonly table: Buffer }[];
}

/** With a list drawn from its parties. */
export async function createBase(node: ToldNode, one: WholeBlock, seed: number): Promise<Base> {
  const random = createRandom(seed);
  const { reference, wasm, typescript } = createWays(one.chainId);
  const answers = await writtenBy(node, one, { writing: compact, random });
  const outcome = await reference.read(answers, { senders: "all" });
  const parties = outcome.kind === "read" ? partiesOf(outcome.transfers) : [];
  const addresses = [...parties.filter(() => random.below(4) === 0), ...strangers(5, random)];
  const scanners = [wasm, typescript].map((way) => {
    const watchlist = watchlistOf(`eip155:${one.chainId}`, addresses);
    return { way, watchlist, table: tableBytes(watchlist.addresses) };
  });
  const texts = { block: resultText(one.block), receipts: resultText(one.receipts) };
  return { one, header: decodeHeader(one.block), texts, answers, reference, scanners };
}

export const told = { mutants: 0, scanned: 0, refused: 0, hits: 0 };

/** Reads the answers all ways, and expects one outcome, which it returns. */
export async function expectOneOutcome(base: Base, changed: Partial<Written>, what: string): Promise<Outcome> {
  const answers = { ...base.answers, ...changed };
  const expected = await base.reference.read(answers, { senders: "all" });
  for (const { way, watchlist, table } of base.scanners) {
    const outcome = await way.read(answers, { watched: watchlist.addresses, senders: "all" });
    const [wanted, found] = [textOf(expected, base, watchlist), textOf(outcome, base, watchlist)];
    // Not compared by jest one by one: that takes longer than the reading.
    if (wanted !== found) expect({ what, by: way.name, found }).toEqual({ what, by: way.name, found: wanted });
    if (!tableBytes(watchlist.addresses).equals(table)) throw new Error(`${what}: ${way.name} changed who is watched`);
    if (!way.scanned()) continue;
    told.scanned += 1;
    if (expected.kind === "read") told.hits += hitCount(expected, base, watchlist);
  }
  told.mutants += 1;
  if (expected.kind === "refused") told.refused += 1;
  return expected;
}

type Read = Extract<Outcome, { kind: "read" }>;

const hitsIn = ({ transfers }: Read, { header, one }: Base, watchlist: Watchlist) =>
  hitsOf(transfers, { header, chain: `eip155:${one.chainId}`, watchlist });

const hitCount = (read: Read, base: Base, watchlist: Watchlist) => hitsIn(read, base, watchlist).length;

function textOf(outcome: Outcome, base: Base, watchlist: Watchlist): string {
  if (outcome.kind !== "read") return JSON.stringify(outcome);
  return `read, proven: ${outcome.proven}, hits: ${hitsText(hitsIn(outcome, base, watchlist))}`;
}

export const latin1 =
  (body: (id: number) => string): Body =>
  (id) =>
    Buffer.from(body(id), "latin1");

/** The body of an answer around the text of its result, byte by byte. */
export const around = (result: string): Body => latin1((id) => `{"jsonrpc":"2.0","id":${id},"result":${result}}`);
