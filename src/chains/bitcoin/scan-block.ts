/**
 * Which transactions of a block touch what is watched. WebAssembly marks those that may (`scan/`), and only they are looked
 * at again. Where it finds anything odd, `walk-block.ts` reads the same bytes, and what that says holds.
 */
import { ByteReader } from "./byte-reader.ts";
import { subsidyAt } from "./networks.ts";
import type { ScriptTable } from "./script-table.ts";
import { OUTPUTS, PARTS } from "./transactions.ts";
import { passCoins, type ScanOptions, type TouchedTransaction, walkBlock } from "./walk-block.ts";

/** Throws ProofError where the spent coins do not fit the block. */
export function scanBlock(options: ScanOptions): TouchedTransaction[] {
  const { transactions, spent, height, network, watched } = options;
  if (watched === null) return walkBlock(options);
  const { amountMax } = network;
  const scanned = watched.sieve.scan({ transactions, spent, amountMax, subsidy: subsidyAt(height, network) });
  if (scanned === null) return walkBlock(options);
  const marked = placesOf(scanned.marks).map((index) => ({ index, spentAt: scanned.spentAt[index] as number }));
  return marked.filter((one) => touches(one, options, watched));
}

/** Where it is 1. */
function placesOf(marks: Uint8Array): number[] {
  const places: number[] = [];
  for (let place = marks.indexOf(1); place !== -1; place = marks.indexOf(1, place + 1)) places.push(place);
  return places;
}

function touches({ index, spentAt }: TouchedTransaction, options: ScanOptions, watched: ScriptTable): boolean {
  const { transactions, spent, network } = options;
  const coins = new ByteReader(spent, "the spent coins", spentAt);
  const outputs = new ByteReader(transactions.bytes, "the block", transactions.parts[index * PARTS + OUTPUTS]);
  return [coins, outputs].some((reader) => passCoins(reader, reader.compactSize(), { network, watched }).touched);
}
