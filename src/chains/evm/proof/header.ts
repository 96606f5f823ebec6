/**
 * Block header -> its hash. One table serves every chain we know: they use Ethereum's fields, and the later ones are
 * present from their fork on (go-ethereum core/types/block.go, Header, `rlp:"optional"`; the same in op-geth, bor, bsc
 * and nitro). Arbitrum keeps its send root in extraData and its L1 block in mixHash, bytes to us.
 */
import { type Fields, type FieldTable, isAbsent, writeFields } from "./fields.ts";
import { keccakHex } from "./keccak.ts";
import { RlpWriter } from "./rlp.ts";
import { Unproven } from "./unproven.ts";

/** Header fields of every block, in the order of the encoding. */
export const ALWAYS: FieldTable = [
  ["parentHash", "hash"],
  ["sha3Uncles", "hash"],
  ["miner", "address"],
  ["stateRoot", "hash"],
  ["transactionsRoot", "hash"],
  ["receiptsRoot", "hash"],
  ["logsBloom", "bloom"],
  ["difficulty", "quantity"],
  ["number", "quantity"],
  ["gasLimit", "quantity"],
  ["gasUsed", "quantity"],
  ["timestamp", "quantity"],
  ["extraData", "data"],
  ["mixHash", "hash"],
  ["nonce", "nonce8"],
];

/** In the order they came: London, Shanghai, Cancun (three), Prague, Amsterdam. */
export const SINCE_A_FORK: FieldTable = [
  ["baseFeePerGas", "quantity"], // EIP-1559
  ["withdrawalsRoot", "hash"], // EIP-4895
  ["blobGasUsed", "quantity"], // EIP-4844
  ["excessBlobGas", "quantity"],
  ["parentBeaconBlockRoot", "hash"], // EIP-4788
  ["requestsHash", "hash"], // EIP-7685
  ["blockAccessListHash", "hash"], // EIP-7928
];

/** By the number of later fields a header has. */
const TABLES: readonly FieldTable[] = Array.from({ length: SINCE_A_FORK.length + 1 }, (_, present) => [
  ...ALWAYS,
  ...SINCE_A_FORK.slice(0, present),
]);

const writer = new RlpWriter();

export function headerHash(block: Fields): string {
  return keccakHex(written(block));
}

/** The bytes whose hash names the block. */
export function rawHeader(block: Fields): Uint8Array {
  return Uint8Array.from(written(block));
}

function written(block: Fields): Uint8Array {
  writer.clear();
  writeFields(writer, block, tableOf(block), "header");
  writer.endList(0);
  return writer.view();
}

function tableOf(block: Fields): FieldTable {
  let present = SINCE_A_FORK.findIndex(([key]) => isAbsent(block[key]));
  if (present === -1) present = SINCE_A_FORK.length;
  // RLP writes a hole as it writes zero: two headers would have one hash. No chain has one.
  const beyond = SINCE_A_FORK.slice(present).find(([key]) => !isAbsent(block[key]));
  if (beyond !== undefined)
    throw new Unproven(
      "header",
      "malformed",
      `${beyond[0]} without ${SINCE_A_FORK[present]?.[0] ?? "its predecessor"}`,
    );
  return TABLES[present] ?? ALWAYS;
}
