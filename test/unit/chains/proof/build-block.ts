/**
 * Blocks of chains that we have no whole recorded block of, built with the encodings of `reference.ts`: what they show
 * is that the proof follows the rules, not that the rules are the chain's (for that see `vectors.ts`).
 */
import { keccak256, type RlpStructuredDataish } from "ethers";
import { encode, int, referenceBloom, referenceRoot } from "./reference.ts";
import type { BlockJson, Json, ReceiptJson } from "./support.ts";

export interface Sent {
  readonly json: Json;
  readonly typeByte: number;
  readonly items: RlpStructuredDataish[];
  readonly logs?: readonly LogJson[];
  readonly receipt?: Json;
  /** After bloom and logs in the receipt's encoding. */
  readonly receiptTail?: string[];
}

export interface LogJson {
  readonly address: string;
  readonly topics: string[];
  readonly data: string;
}

const word = (byte: string) => `0x${byte.repeat(32)}`;
export const GAS = 21_000;

export function logOf(address: string): LogJson {
  return { address, topics: [word("01"), word("02")], data: word("03") };
}

export function buildBlock(
  sent: readonly Sent[],
  header: Json = {},
  uncovered: readonly Sent[] = [],
): { block: BlockJson; receipts: ReceiptJson[] } {
  const raw = sent.map(({ items, typeByte }) => encode(items, typeByte));
  const logs = sent.map((one) => one.logs ?? []);
  const receiptItems = sent.map(({ typeByte, receiptTail, receipt }, at) => {
    const ofLogs = (logs[at] ?? []).map(({ address, topics, data }) => [address, topics, data]);
    const status = receipt?.["status"] === "0x0" ? "0x" : "0x01";
    return encode(
      [status, int(GAS * (at + 1)), referenceBloom(logs[at] ?? []), ofLogs, ...(receiptTail ?? [])],
      typeByte,
    );
  });
  const fields: Json = {
    parentHash: word("11"),
    sha3Uncles: word("12"),
    miner: `0x${"13".repeat(20)}`,
    stateRoot: word("14"),
    transactionsRoot: referenceRoot(raw),
    receiptsRoot: referenceRoot(receiptItems),
    logsBloom: referenceBloom(logs.flat()),
    difficulty: "0x1",
    number: "0x5000000",
    gasLimit: "0x4000000000000",
    gasUsed: int(GAS * sent.length),
    timestamp: "0x65000000",
    extraData: word("15"),
    mixHash: word("16"),
    nonce: "0x0000000000071524",
    baseFeePerGas: "0x5f5e100",
    ...header,
  };
  const hash = keccak256(encode(headerItems(fields)));
  const block: BlockJson = { ...fields, hash, transactions: [] };
  const receipts: ReceiptJson[] = [];
  let logIndex = 0;
  for (const [index, one] of [...sent, ...uncovered].entries()) {
    const bytes = raw[index];
    const transactionHash = bytes === undefined ? stateSyncHash(fields, hash) : keccak256(bytes);
    const place = {
      blockHash: hash,
      blockNumber: fields["number"],
      transactionIndex: int(index).replace(/^0x$/, "0x0"),
    };
    block.transactions.push({ ...one.json, hash: transactionHash, type: `0x${one.typeByte.toString(16)}`, ...place });
    const at = { ...place, transactionHash };
    const covered = bytes !== undefined;
    receipts.push({
      ...at,
      type: `0x${one.typeByte.toString(16)}`,
      from: one.json["from"],
      to: one.json["to"],
      contractAddress: null,
      status: "0x1",
      gasUsed: covered ? int(GAS) : "0x0",
      cumulativeGasUsed: int(GAS * Math.min(index + 1, sent.length)),
      logsBloom: referenceBloom(one.logs ?? []),
      logs: (one.logs ?? []).map((log) => ({
        ...log,
        ...at,
        logIndex: `0x${(logIndex++).toString(16)}`,
        removed: false,
      })),
      ...one.receipt,
    });
  }
  return { block, receipts };
}

const HEADER_ORDER =
  "parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom difficulty number gasLimit gasUsed timestamp extraData mixHash nonce baseFeePerGas withdrawalsRoot blobGasUsed excessBlobGas parentBeaconBlockRoot requestsHash";
const QUANTITIES = new Set(
  "difficulty number gasLimit gasUsed timestamp baseFeePerGas blobGasUsed excessBlobGas".split(" "),
);

function headerItems(fields: Json): string[] {
  return HEADER_ORDER.split(" ")
    .filter((key) => fields[key] !== undefined)
    .map((key) => (QUANTITIES.has(key) ? int(fields[key] as string) : (fields[key] as string)));
}

/** bor: keccak("matic-bor-receipt-" ++ number in 8 bytes ++ block hash). */
function stateSyncHash(fields: Json, hash: string): string {
  const prefix = Buffer.from("matic-bor-receipt-").toString("hex");
  const number = BigInt(fields["number"] as string)
    .toString(16)
    .padStart(16, "0");
  return keccak256(`0x${prefix}${number}${hash.slice(2)}`);
}
