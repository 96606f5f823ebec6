/**
 * What the movements of native value we saw must have done to balances, held against the balances a node shows.
 *
 * In: one transaction of a block, or the whole block, as a node told it. Out: the addresses whose balance changed by
 * something else than what we saw. Always holds: where the rules of a chain let a balance change in a way that a block
 * does not tell (fees we have no rules for, a destroyed contract), the address is not judged; it is never called hidden value.
 */
import type { Address, Transfer, TransferCategory } from "../../types/chain.ts";
import { type Checksum, addressOf, numberOf, quantityOf } from "./answer-fields.ts";
import { type Fields, MalformedAnswerError, fieldsOf, listOf } from "../answer-fields.ts";
import { type BlockAnswers, type DecodeContext, decodeTransfers } from "./decode-block.ts";
import type { ChainProfile } from "./proof/profiles.ts";

export interface NativeRules {
  readonly context: DecodeContext;
  readonly profile: ChainProfile;
}

/** Everything that may change balances in one transaction, or in a whole block. */
export interface NativePart {
  readonly transfers: readonly Transfer[];
  /** What each transaction's sender paid for gas and blobs, in wei; null: the block does not tell. */
  readonly fees: readonly { readonly payer: Address; readonly amount: bigint | null }[];
  readonly feeRecipient: Address;
  /** False: what senders pay and where it goes follows rules that we do not have. */
  readonly feesModelled: boolean;
  /** Created or destroyed here: the protocol burns what a contract still holds when it is destroyed, and no frame tells that. */
  readonly shortLived: ReadonlySet<Address>;
}

/** Balance differences in wei, as the node's state shows them. */
export interface ShownBalances {
  /** Of a transaction: whoever is not in it kept its balance. Of a block: the addresses that were asked. */
  readonly actual: ReadonlyMap<Address, bigint>;
  /** What is shown of them is no sure answer. */
  readonly unclear: ReadonlySet<Address>;
}

export interface NativeDifference {
  readonly address: Address;
  readonly expected: bigint;
  readonly actual: bigint;
}

export interface NativeVerdict {
  /** Addresses whose balance was compared. */
  readonly judged: number;
  /** Addresses that nobody can judge. */
  readonly unjudged: number;
  /** Balances that the movements we saw do not explain; empty: native value is complete as far as it was judged. */
  readonly differences: readonly NativeDifference[];
}

/** The part of a block that is its transaction at `index`. Throws MalformedAnswerError as decodeTransfers does. */
export function transactionPart(answers: BlockAnswers, index: number, rules: NativeRules): NativePart {
  const block = fieldsOf(answers.block, "block");
  const what = `transaction ${index}`;
  const transaction = fieldsOf(listOf(block["transactions"], "block.transactions")[index], what);
  const receipt = fieldsOf(listOf(answers.receipts, "receipts")[index], `receipt of ${what}`);
  const trace = answers.traces === null ? null : answers.traces.slice(index, index + 1);
  const only = { ...block, transactions: [transaction], withdrawals: null };
  const { context } = rules;
  const transfers = decodeTransfers(
    { header: answers.header, block: only, receipts: [receipt], traces: trace },
    context,
  );
  const destroyed = (trace?.[0]?.inner ?? []).filter(({ kind }) => kind === "selfdestruct");
  return {
    transfers,
    fees: [
      {
        payer: addressOf(transaction["from"], `${what}: from`, context.checksum),
        amount: feeOf({ transaction, receipt, block, transfers, what }, rules),
      },
    ],
    feeRecipient: addressOf(block["miner"], "block.miner", context.checksum),
    feesModelled: areFeesModelled(block, rules),
    shortLived: new Set([
      ...transfers.flatMap(({ category, to }) => (category === "creation" && to !== null ? [to] : [])),
      ...destroyed.map(({ from }) => from),
    ]),
  };
}

/** All of a block: its transactions and withdrawals. */
export function blockPart(answers: BlockAnswers, rules: NativeRules): NativePart {
  const block = fieldsOf(answers.block, "block");
  const parts = listOf(block["transactions"], "block.transactions").map((_, index) =>
    transactionPart(answers, index, rules),
  );
  const withdrawals = decodeTransfers(
    { header: answers.header, block: { ...block, transactions: [] }, receipts: [], traces: null },
    rules.context,
  );
  return {
    transfers: [...parts.flatMap(({ transfers }) => transfers), ...withdrawals],
    fees: parts.flatMap(({ fees }) => fees),
    feeRecipient: addressOf(block["miner"], "block.miner", rules.context.checksum),
    feesModelled: areFeesModelled(block, rules),
    shortLived: new Set(parts.flatMap(({ shortLived }) => [...shortLived])),
  };
}

/** Ethereum since the merge: before it, block rewards. Elsewhere base fees are paid out, L1 fees added, coins minted. */
function areFeesModelled(block: Fields, { profile }: NativeRules): boolean {
  return profile.chainId === 1 && quantityOf(block["difficulty"], "block.difficulty") === 0n;
}

interface FeeAnswers {
  readonly transaction: Fields;
  readonly receipt: Fields;
  readonly block: Fields;
  readonly transfers: readonly Transfer[];
  readonly what: string;
}

/** The tip, as we tell it as a reward, and what is burned: the base fee (EIP-1559) and the blob fee (EIP-4844). */
function feeOf({ transaction, receipt, block, transfers, what }: FeeAnswers, { profile }: NativeRules): bigint | null {
  const type = transaction["type"] === undefined ? 0 : numberOf(transaction["type"], `${what}: type`);
  const blobs = blobFeeOf({ transaction, receipt, what });
  // A type we do not know may pay for more than gas, as blobs did.
  if (profile.types[type] === undefined || blobs === null) return null;
  const baseFee = quantityOf(block["baseFeePerGas"] ?? "0x0", "block.baseFeePerGas");
  const tip = transfers.find(({ category }) => category === "reward")?.amount ?? 0n;
  return tip + baseFee * quantityOf(receipt["gasUsed"], `${what}: gasUsed`) + blobs;
}

// EIP-4844, GAS_PER_BLOB.
const GAS_PER_BLOB = 131_072n;

/**
 * The price is the receipt's: it follows from the header by a schedule that changes with each fork. Null where the node
 * leaves it out. No root covers it; what the sender agreed to pay at most is covered.
 */
function blobFeeOf({
  transaction,
  receipt,
  what,
}: Pick<FeeAnswers, "transaction" | "receipt" | "what">): bigint | null {
  const hashes = transaction["blobVersionedHashes"] ?? null;
  if (hashes === null) return 0n;
  const told = receipt["blobGasPrice"] ?? null;
  if (told === null) return null;
  const price = quantityOf(told, `${what}: blobGasPrice`);
  if (price > quantityOf(transaction["maxFeePerBlobGas"], `${what}: maxFeePerBlobGas`))
    throw new MalformedAnswerError(`${what}: paid more for blobs than it agreed to`);
  return price * GAS_PER_BLOB * BigInt(listOf(hashes, `${what}: blobVersionedHashes`).length);
}

/** Movements that take from one balance and give to another. */
const MOVES: ReadonlySet<TransferCategory> = new Set(["native", "internal"]);
/** Movements that give without taking: minted by the consensus layer, or taken from the payers of fees already. */
const GIVES: ReadonlySet<TransferCategory> = new Set(["withdrawal", "reward"]);

/** By how many wei each balance must have changed, by all that was seen to move. Whoever is not in it must have kept its balance. */
export function nativeDifferences({ transfers, fees }: Pick<NativePart, "transfers" | "fees">): Map<Address, bigint> {
  const differences = new Map<Address, bigint>();
  const add = (address: Address, amount: bigint) => differences.set(address, (differences.get(address) ?? 0n) + amount);
  for (const { category, from, to, amount } of transfers) {
    if (from !== null && MOVES.has(category)) add(from, -amount);
    if (to !== null && (MOVES.has(category) || GIVES.has(category))) add(to, amount);
  }
  for (const { payer, amount } of fees) add(payer, -(amount ?? 0n));
  return differences;
}

/** Everybody who took part in a block by sending, receiving or paying anything, tokens included. */
export function participantsOf({ transfers, fees }: Pick<NativePart, "transfers" | "fees">): Set<Address> {
  const ofTransactions = transfers.filter(({ txIndex }) => txIndex >= 0);
  // Withdrawals and rewards come from nobody; those who get them are among the differences.
  return new Set([
    ...nativeDifferences({ transfers, fees }).keys(),
    ...ofTransactions.flatMap(({ from, to }) => [from, to]).filter((address) => address !== null),
  ]);
}

/**
 * The answer of `prestateTracer` in diff mode: `pre` holds each changed account as it was, `post` what changed of it.
 * An account that is in `pre` only is said to be gone, which tracers say also of contracts that lived on (EIP-6780:
 * go-ethereum #33049); one that was created and destroyed is in neither, whatever it held (reth #19703).
 */
export function decodePrestateDiff(answer: unknown, part: NativePart, checksum: Checksum): ShownBalances {
  const { pre, post } = fieldsOf(answer, "prestate difference");
  const before = accountsOf(pre, { what: "pre", checksum });
  const after = accountsOf(post, { what: "post", checksum });
  const actual = new Map<Address, bigint>();
  for (const [address, balance] of after) {
    const previous = before.get(address) ?? 0n;
    actual.set(address, (balance ?? previous) - previous);
  }
  const gone = [...before.keys()].filter((address) => !after.has(address));
  const fleeting = [...part.shortLived].filter((address) => !after.has(address));
  return { actual, unclear: new Set([...gone, ...fleeting]) };
}

/** Balances of one side; null where the side does not tell one. */
function accountsOf(
  side: unknown,
  { what, checksum }: { what: string; checksum: Checksum },
): Map<Address, bigint | null> {
  const accounts = new Map<Address, bigint | null>();
  for (const [key, value] of Object.entries(fieldsOf(side, what))) {
    const balance = fieldsOf(value, `${what}: account`)["balance"] ?? null;
    accounts.set(
      addressOf(key, `${what}: address`, checksum),
      balance === null ? null : quantityOf(balance, `${what}: balance`),
    );
  }
  return accounts;
}

/** Nobody has its key: blocks are begun and ended in its name (EIP-4788), and BNB Chain collects fees in it. */
const SYSTEM_ADDRESS = "0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE";
/** Precompiles and system contracts of other chains, which may mint, burn and move value without a call frame. */
const RESERVED_BELOW = 0x10000n;

/** Whose balance may change by more than what a block tells. */
export function exemptionsOf(part: NativePart, unclear: ReadonlySet<Address>): (address: Address) => boolean {
  const exempt = new Set([SYSTEM_ADDRESS, ...unclear]);
  for (const { payer, amount } of part.fees) if (amount === null || !part.feesModelled) exempt.add(payer);
  if (!part.feesModelled) exempt.add(part.feeRecipient);
  return (address) => exempt.has(address) || (!part.feesModelled && BigInt(address) < RESERVED_BELOW);
}

/**
 * Holds what must have changed against what did, for `addresses`. Where fees are not modelled, an unexplained gain is not
 * judged, it may be a fee: hidden value shows all the same, in the contract that lost it.
 */
export function judgeDifferences(
  part: NativePart,
  { actual, unclear }: ShownBalances,
  addresses: Iterable<Address>,
): NativeVerdict {
  const expected = nativeDifferences(part);
  const isExempt = exemptionsOf(part, unclear);
  const differences: NativeDifference[] = [];
  let judged = 0;
  let unjudged = 0;
  for (const address of addresses) {
    const difference = { address, expected: expected.get(address) ?? 0n, actual: actual.get(address) ?? 0n };
    const isGain = difference.actual > difference.expected;
    if (isExempt(address) || (isGain && !part.feesModelled)) {
      unjudged += 1;
      continue;
    }
    judged += 1;
    if (difference.actual !== difference.expected) differences.push(difference);
  }
  return { judged, unjudged, differences };
}

/** Holds one transaction against the node's whole state difference of it: every address that should or did change. */
export function judgeTransaction(part: NativePart, prestateDiff: unknown, checksum: Checksum): NativeVerdict {
  const shown = decodePrestateDiff(prestateDiff, part, checksum);
  return judgeDifferences(part, shown, new Set([...nativeDifferences(part).keys(), ...shown.actual.keys()]));
}

/** Value that moved without our seeing it, in wei, as far as the differences show: what came or what went, whichever is more. */
export function unseenAmount(differences: readonly NativeDifference[]): bigint {
  let came = 0n;
  let went = 0n;
  for (const { expected, actual } of differences) {
    if (actual > expected) came += actual - expected;
    else went += expected - actual;
  }
  return came > went ? came : went;
}
