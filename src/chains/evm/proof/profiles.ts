/**
 * What differs between chains, as data. A transaction type is its fields in the order of its encoding; a type that a
 * profile does not list makes the block "agreed, not proven".
 */
import type { FieldTable } from "./fields.ts";

/** Where a contract's address comes from when a transaction of this type creates one. */
export type CreationNonce = "nonce" | "depositNonce" | "unknown";

export interface TransactionType {
  readonly name: string;
  /** In the order of the encoding; a signed type's last three are its signature. */
  readonly fields: FieldTable;
  /** `legacy` signs with EIP-155 or before it, `typed` by EIP-2718; `none`: `from` is a field or fixed. */
  readonly signature: "legacy" | "typed" | "none";
  /** What the encoding leaves out, because the protocol fixes it. The node must say the same. */
  readonly fixed?: Readonly<Record<string, string>>;
  readonly creationNonce: CreationNonce;
  /** The node's JSON lacks the content: it is proven from the raw bytes (`eth_getRawTransactionByHash`). */
  readonly rawOnly?: true;
  /** Receipts end in `depositNonce` and `depositReceiptVersion` where the node gives the latter. */
  readonly depositReceipt?: true;
}

export interface StateSync {
  /** From this block on a state-sync transaction is a transaction (type 0x7f), covered by the roots. */
  readonly coveredFrom: number;
  /** State syncs happen in the first block of a sprint: `[from block, blocks in a sprint]`, last first. */
  readonly sprints: readonly (readonly [from: number, blocks: number])[];
}

export interface ChainProfile {
  readonly name: string;
  readonly chainId: number;
  /** False for a chain that we read as Ethereum because we know nothing else of it. */
  readonly known: boolean;
  /** Blocks before this one have an older encoding, which we do not know. */
  readonly encodedSince?: number;
  readonly types: Readonly<Record<number, TransactionType>>;
  /** `list`: the root of `withdrawals`. `storage`: of a contract's storage on OP chains since Isthmus; there are none. */
  readonly withdrawals: "list" | "storage";
  readonly stateSync?: StateSync;
}

const SIGNATURE: FieldTable = [
  ["yParity", "parity"],
  ["r", "quantity"],
  ["s", "quantity"],
];

const CALL: FieldTable = [
  ["gas", "quantity"],
  ["to", "addressOrNone"],
  ["value", "quantity"],
  ["input", "data"],
];

const FEES: FieldTable = [
  ["chainId", "quantity"],
  ["nonce", "quantity"],
  ["maxPriorityFeePerGas", "quantity"],
  ["maxFeePerGas", "quantity"],
];

/** A call that cannot create a contract: EIP-4844 and EIP-7702 demand an address. */
const CALL_ONLY: FieldTable = CALL.map(([key, kind]) => [key, kind === "addressOrNone" ? "address" : kind]);

function signed(name: string, fields: FieldTable): TransactionType {
  return { name, fields: [...fields, ...SIGNATURE], signature: "typed", creationNonce: "nonce" };
}

/** go-ethereum core/types: tx_legacy.go, tx_access_list.go, tx_dynamic_fee.go, tx_blob.go, tx_setcode.go. */
const ETHEREUM_TYPES: Readonly<Record<number, TransactionType>> = {
  0x00: {
    name: "legacy",
    fields: [
      ["nonce", "quantity"],
      ["gasPrice", "quantity"],
      ...CALL,
      ["v", "quantity"],
      ["r", "quantity"],
      ["s", "quantity"],
    ],
    signature: "legacy",
    creationNonce: "nonce",
  },
  0x01: signed("EIP-2930", [
    ["chainId", "quantity"],
    ["nonce", "quantity"],
    ["gasPrice", "quantity"],
    ...CALL,
    ["accessList", "accessList"],
  ]),
  0x02: signed("EIP-1559", [...FEES, ...CALL, ["accessList", "accessList"]]),
  0x03: signed("EIP-4844", [
    ...FEES,
    ...CALL_ONLY,
    ["accessList", "accessList"],
    ["maxFeePerBlobGas", "quantity"],
    ["blobVersionedHashes", "hashes"],
  ]),
  0x04: signed("EIP-7702", [
    ...FEES,
    ...CALL_ONLY,
    ["accessList", "accessList"],
    ["authorizationList", "authorizations"],
  ]),
};

/** op-geth core/types/deposit_tx.go, DepositTx; receipts: receipt.go, depositReceiptRLP and Receipts.EncodeIndex. */
const OP_TYPES: Readonly<Record<number, TransactionType>> = {
  ...ETHEREUM_TYPES,
  0x7e: {
    name: "deposit",
    fields: [
      ["sourceHash", "hash"],
      ["from", "address"],
      ["to", "addressOrNone"],
      ["mint", "quantityOrNone"],
      ["value", "quantity"],
      ["gas", "quantity"],
      ["isSystemTx", "flag"],
      ["input", "data"],
    ],
    signature: "none",
    creationNonce: "depositNonce",
    depositReceipt: true,
  },
};

const ZERO_ADDRESS = "0x0000000000000000000000000000000000000000";
/** nitro's go-ethereum, core/types/arb_types.go and arbitrum_signer.go. */
const ARBOS_ADDRESS = "0x00000000000000000000000000000000000a4b05";
const ARB_RETRYABLE_TX_ADDRESS = "0x000000000000000000000000000000000000006e";

const ARBITRUM_CALL: FieldTable = [["maxFeePerGas", "feeCap"], ...CALL];

function arbitrum(name: string, fields: FieldTable, more: Partial<TransactionType> = {}): TransactionType {
  return { name, fields: [["chainId", "quantity"], ...fields], signature: "none", creationNonce: "unknown", ...more };
}

/** nitro's go-ethereum, core/types/arb_types.go (structs in their RLP order) and transaction_marshalling.go (JSON names). */
const ARBITRUM_TYPES: Readonly<Record<number, TransactionType>> = {
  ...ETHEREUM_TYPES,
  0x64: arbitrum(
    "Arbitrum deposit",
    [
      ["requestId", "hash"],
      ["from", "address"],
      ["to", "address"],
      ["value", "quantity"],
    ],
    { fixed: { input: "0x" } },
  ),
  0x65: arbitrum("Arbitrum unsigned", [["from", "address"], ["nonce", "quantity"], ...ARBITRUM_CALL], {
    creationNonce: "nonce",
  }),
  0x66: arbitrum("Arbitrum contract", [["requestId", "hash"], ["from", "address"], ...ARBITRUM_CALL]),
  0x68: arbitrum("Arbitrum retry", [
    ["nonce", "quantity"],
    ["from", "address"],
    ...ARBITRUM_CALL,
    ["ticketId", "hash"],
    ["refundTo", "address"],
    ["maxRefund", "quantity"],
    ["submissionFeeRefund", "quantity"],
  ]),
  0x69: arbitrum(
    "Arbitrum submit retryable",
    [
      ["requestId", "hash"],
      ["from", "address"],
      ["l1BaseFee", "quantity"],
      ["depositValue", "quantity"],
      ["maxFeePerGas", "feeCap"],
      ["gas", "quantity"],
      ["retryTo", "addressOrNone"],
      ["retryValue", "quantity"],
      ["beneficiary", "address"],
      ["maxSubmissionFee", "quantity"],
      ["refundTo", "address"],
      ["retryData", "data"],
    ],
    { fixed: { to: ARB_RETRYABLE_TX_ADDRESS, value: "0x0" } },
  ),
  0x6a: arbitrum("Arbitrum internal", [["input", "data"]], {
    fixed: { from: ARBOS_ADDRESS, to: ARBOS_ADDRESS, value: "0x0" },
  }),
};

/** bor core/types/tx_state_sync.go: the JSON has none of its content (transaction_marshalling.go). */
const POLYGON_TYPES: Readonly<Record<number, TransactionType>> = {
  ...ETHEREUM_TYPES,
  0x7f: {
    name: "state sync",
    fields: [],
    signature: "none",
    fixed: { from: ZERO_ADDRESS, to: ZERO_ADDRESS, value: "0x0", input: "0x" },
    creationNonce: "unknown",
    rawOnly: true,
  },
};

const ETHEREUM = { known: true, types: ETHEREUM_TYPES, withdrawals: "list" } as const;
const OP_STACK = { known: true, types: OP_TYPES, withdrawals: "storage" } as const;

const POLYGON: ChainProfile = {
  name: "Polygon PoS",
  chainId: 137,
  known: true,
  types: POLYGON_TYPES,
  withdrawals: "list",
  stateSync: {
    // Madhugiri (PIP-74); before it bor_receipt.go keeps these receipts outside of the block. Sprints of 16 since Delhi.
    coveredFrom: 80_084_800,
    sprints: [
      [38_189_056, 16],
      [0, 64],
    ],
  },
};

// BNB Chain encodes as Ethereum does: its milliseconds are in mixHash, its votes in extraData (bsc gen_header_rlp.go).
const PROFILES: readonly ChainProfile[] = [
  { ...ETHEREUM, name: "Ethereum", chainId: 1 },
  { ...ETHEREUM, name: "BNB Chain", chainId: 56 },
  POLYGON,
  // Bedrock; before it, l2geth.
  { ...OP_STACK, name: "OP Mainnet", chainId: 10, encodedSince: 105_235_063 },
  { ...OP_STACK, name: "Base", chainId: 8453 },
  // Nitro; before it, Arbitrum Classic.
  { ...ETHEREUM, name: "Arbitrum One", chainId: 42161, types: ARBITRUM_TYPES, encodedSince: 22_207_817 },
];

/** The profile of a chain. One that we do not know is read as Ethereum: what differs there shows as a mismatch. */
export function profileOf(chainId: number): ChainProfile {
  const known = PROFILES.find((profile) => profile.chainId === chainId);
  return known ?? { ...ETHEREUM, name: `chain ${chainId}`, chainId, known: false };
}
