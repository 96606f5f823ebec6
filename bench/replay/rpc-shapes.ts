/** A node's answers as far as the bench reads and writes them. Hex text throughout. */

export interface RpcAccess {
  readonly address: string;
  readonly storageKeys: readonly string[];
}

export interface RpcAuthorization {
  readonly chainId: string;
  readonly address: string;
  readonly nonce: string;
  readonly yParity: string;
  readonly r: string;
  readonly s: string;
}

export interface RpcTransaction {
  blockHash: string;
  blockNumber: string;
  transactionIndex: string;
  hash: string;
  type: string;
  chainId?: string;
  nonce: string;
  gas: string;
  gasPrice: string;
  maxFeePerGas?: string;
  maxPriorityFeePerGas?: string;
  maxFeePerBlobGas?: string;
  blobVersionedHashes?: readonly string[];
  accessList?: readonly RpcAccess[];
  authorizationList?: readonly RpcAuthorization[];
  from: string;
  to: string | null;
  value: string;
  input: string;
  v: string;
  yParity?: string;
  r: string;
  s: string;
}

export interface RpcLog {
  address: string;
  topics: readonly string[];
  data: string;
  blockHash: string;
  blockNumber: string;
  transactionHash: string;
  transactionIndex: string;
  logIndex: string;
  /** Newer nodes say it. */
  blockTimestamp?: string;
  removed: boolean;
}

export interface RpcReceipt {
  blockHash: string;
  blockNumber: string;
  transactionHash: string;
  transactionIndex: string;
  from: string;
  to: string | null;
  contractAddress: string | null;
  cumulativeGasUsed: string;
  gasUsed: string;
  effectiveGasPrice: string;
  logsBloom: string;
  type: string;
  status?: string;
  /** Before Byzantium, instead of `status`. */
  root?: string;
  logs: RpcLog[];
}

export interface RpcWithdrawal {
  index: string;
  validatorIndex: string;
  address: string;
  amount: string;
}

export interface RpcHeader {
  hash: string;
  parentHash: string;
  sha3Uncles: string;
  miner: string;
  stateRoot: string;
  transactionsRoot: string;
  receiptsRoot: string;
  logsBloom: string;
  difficulty: string;
  number: string;
  gasLimit: string;
  gasUsed: string;
  timestamp: string;
  extraData: string;
  mixHash: string;
  nonce: string;
  baseFeePerGas?: string;
  withdrawalsRoot?: string;
  blobGasUsed?: string;
  excessBlobGas?: string;
  parentBeaconBlockRoot?: string;
  requestsHash?: string;
}

export interface RpcBlock extends RpcHeader {
  size: string;
  uncles: readonly string[];
  transactions: RpcTransaction[];
  withdrawals?: RpcWithdrawal[];
}
