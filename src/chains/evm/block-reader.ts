/**
 * A node's answers about one block -> the block, proven, with its transfers. Two ways, one result:
 *
 * - the scanner reads the bytes, proves the block and marks what may touch a watched address; only that is decoded;
 * - the reference path parses everything, proves it and decodes it. It takes over whenever the scanner finds anything
 *   odd, and says what is wrong, if anything is.
 *
 * A third way reads less: logs alone, out of header and receipts. Where the scanner has no answer it has none either.
 */
import type { AddressTable } from "../../types/address-table.ts";
import type { BlockWanted, Header, Transfer } from "../../types/chain.ts";
import type { ChainConfig } from "../../types/config.ts";
import {
  type DecodeContext,
  decodeOneTransaction,
  decodeReceiptLogs,
  decodeTransfers,
  decodeWithdrawals,
  transactionHashesOf,
} from "./decode-block.ts";
import type { NativeCheck } from "./native-check.ts";
import type { Prover } from "./prover.ts";
import { profileOf } from "./proof/profiles.ts";
import { proveNewContract, proveSender } from "./proof/prove-block.ts";
import type { RpcAnswer } from "./rpc-client.ts";
import { type BlockScanner, createBlockScanner, type ScannedBlock, type ScanQuestion } from "./scan/block-scanner.ts";
import type { MakeCore } from "./scan/scanner-core.ts";
import type { Tracer } from "./tracer.ts";

/** What the node answered; `receipts` as a list where it has no method for all of a block. */
export interface NodeAnswers {
  readonly header: Header;
  readonly block: RpcAnswer;
  readonly receipts: RpcAnswer | readonly unknown[];
}

export interface ReadBlock {
  readonly transfers: readonly Transfer[];
  readonly proven: boolean;
  readonly traced: boolean;
}

export interface BlockReaderOptions {
  readonly chain: Pick<ChainConfig, "id">;
  readonly decode: DecodeContext;
  readonly prover: Prover;
  readonly tracer: Tracer;
  /** Null: off. Every block is offered, hit or not: what is asked about must not tell what is watched. */
  readonly nativeCheck: Pick<NativeCheck, "offer"> | null;
  /** Null: always the reference path. */
  readonly makeCore: MakeCore | null;
}

export interface BlockReader {
  /** Throws ProofMismatchError, MalformedAnswerError or RpcError; null: the node does not have the block. */
  read(answers: NodeAnswers, wanted: BlockWanted, signal: AbortSignal): Promise<ReadBlock | null>;
  /**
   * What the logs of a block tell that names its transactions by hash: proven, but for those hashes. Null where the scanner
   * has no answer: then the whole block says it.
   */
  readLogs(answers: NodeAnswers, watched: AddressTable): readonly Transfer[] | null;
}

export function createBlockReader(options: BlockReaderOptions): BlockReader {
  const { chain, decode, prover, tracer, nativeCheck, makeCore } = options;
  const profile = profileOf(Number(chain.id.slice("eip155:".length)));
  const scanners = new WeakMap<AddressTable, BlockScanner>();

  /** One for each list: a new list is a new table. */
  function scannerOf(watched: AddressTable, core: MakeCore): BlockScanner {
    let scanner = scanners.get(watched);
    if (scanner === undefined) {
      scanner = createBlockScanner({ chain: chain.id, profile, watched, makeCore: core });
      scanners.set(watched, scanner);
    }
    return scanner;
  }

  /** What `by` finds. Null: odd, or a chain part of whose blocks no root covers. */
  function scan<Found>(
    { header, block, receipts }: NodeAnswers,
    watched: AddressTable | undefined,
    by: (scanner: BlockScanner, question: ScanQuestion) => Found | null,
  ): Found | null {
    if (makeCore === null || watched === undefined || !("chunks" in receipts)) return null;
    if (profile.stateSync !== undefined && header.number < profile.stateSync.coveredFrom) return null;
    return by(scannerOf(watched, makeCore), { header, block, receipts });
  }

  function scanBlock(answers: NodeAnswers, wanted: BlockWanted): ScannedBlock | null {
    const scanned = scan(answers, wanted.watched, (scanner, question) => scanner.scan(question));
    return scanned !== null && isDerivable(scanned, wanted) ? scanned : null;
  }

  /** What no root commits to: the addresses of new contracts, and senders. */
  function isDerivable(scanned: ScannedBlock, { senders }: BlockWanted): boolean {
    for (const { transaction, receipt, creates } of scanned.marked)
      if (creates && !proveNewContract(transaction, receipt, profile)) return false;
    if (senders === "hits")
      return scanned.marked.every(
        ({ transaction, touched }) => !touched || "sender" in proveSender(transaction, profile),
      );
    for (let index = 0; index < scanned.transactionCount; index += 1)
      if (!("sender" in proveSender(scanned.transactionAt(index), profile))) return false;
    return true;
  }

  return {
    async read(answers, wanted, signal) {
      const { header } = answers;
      const scanned = scanBlock(answers, wanted);
      if (scanned !== null) {
        const hashes = () => transactionHashesOf(answers.block.result());
        const traces = await tracer.trace(header, { count: scanned.transactionCount, hashes }, signal);
        nativeCheck?.offer(header, () => ({ header, ...parsed(answers), traces }));
        if (traces === null && !scanned.recipientTouched) {
          const transfers = [
            ...scanned.marked.flatMap((one) => decodeOneTransaction({ ...one, header }, decode)),
            ...decodeWithdrawals(scanned.withdrawals, decode),
          ];
          return { transfers, proven: true, traced: false };
        }
        const transfers = decodeTransfers({ header, ...parsed(answers), traces }, decode);
        return { transfers, proven: true, traced: traces !== null };
      }
      const whole = parsed(answers);
      if (whole.block === null || whole.receipts === null) return null;
      const proven = await prover.prove({ header, ...whole }, signal);
      const hashes = transactionHashesOf(whole.block);
      const traces = await tracer.trace(header, { count: hashes.length, hashes: () => hashes }, signal);
      nativeCheck?.offer(header, () => ({ header, ...whole, traces }));
      return { transfers: decodeTransfers({ header, ...whole, traces }, decode), proven, traced: traces !== null };
    },

    readLogs(answers, watched) {
      const { header } = answers;
      const marked = scan(answers, watched, (scanner, question) => scanner.scanLogs(question));
      return marked?.flatMap((one) => decodeReceiptLogs({ ...one, header }, decode)) ?? null;
    },
  };
}

function parsed({ block, receipts }: NodeAnswers): { block: unknown; receipts: unknown } {
  return { block: block.result(), receipts: "chunks" in receipts ? receipts.result() : receipts };
}
