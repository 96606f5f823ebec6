/**
 * What should have been told, computed from the chain itself: blocks and receipts by plain JSON-RPC, with rules written
 * here once more and on purpose not shared with src/.
 */
import { id as keccakOf } from "ethers";

export type Rpc = <T = unknown>(method: string, params?: readonly unknown[]) => Promise<T>;

/** Addresses are lower case here. */
export interface Scene {
  /** Watched address -> whether it is matched as recipient only. */
  readonly watched: ReadonlyMap<string, { readonly toOnly: boolean; readonly sanctioned: boolean }>;
  readonly own: ReadonlySet<string>;
  /** Token contract -> smallest amount that is not dust. */
  readonly listedTokens: ReadonlyMap<string, bigint>;
  readonly nativeDustBelow: bigint;
}

export interface ExpectedTransfer {
  readonly key: string;
  /** Null on the side that a coin of a UTXO chain does not have. */
  readonly from: string | null;
  readonly to: string | null;
  readonly assetId: string;
  readonly amount: bigint;
}

interface AccountTransfer extends ExpectedTransfer {
  readonly from: string;
  readonly to: string;
}

export interface ExpectedAlert {
  readonly txHash: string;
  readonly subject: string;
  readonly block: { readonly number: number; readonly hash: string };
  readonly transfers: readonly ExpectedTransfer[];
}

interface RpcTransaction {
  readonly hash: string;
  readonly from: string;
  readonly to: string | null;
  readonly value: string;
  readonly input: string;
}
interface RpcLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}
interface RpcReceipt {
  readonly transactionHash: string;
  readonly status: string;
  readonly contractAddress: string | null;
  readonly logs: readonly RpcLog[];
}
interface RpcBlock {
  readonly number: string;
  readonly hash: string;
  readonly transactions: readonly RpcTransaction[];
}

const TRANSFER = keccakOf("Transfer(address,address,uint256)");
const NATIVE = "eip155:1/slip44:60";

export function alertKey(txHash: string, subject: string): string {
  return `${txHash} ${subject.toLowerCase()}`;
}

/** The party an alert about this transfer is about; null when it concerns nobody. */
export function subjectOf({ from, to }: { from: string; to: string }, scene: Scene): string | null {
  const sender = scene.watched.get(from);
  const watchedFrom = sender !== undefined && !sender.toOnly;
  const watchedTo = scene.watched.has(to);
  if (!watchedFrom && !watchedTo) return null;
  const [opposite, same] = watchedFrom ? [to, from] : [from, to];
  if (scene.own.has(opposite)) return opposite;
  if (scene.own.has(same)) return same;
  return watchedFrom ? from : to;
}

/** Every alert that blocks `from` to `to` must have caused, by `alertKey`. */
export async function expectedAlerts(
  rpc: Rpc,
  scene: Scene,
  { from, to }: { from: number; to: number },
): Promise<Map<string, ExpectedAlert>> {
  const alerts = new Map<string, ExpectedAlert>();
  for (let number = from; number <= to; number += 1) {
    const height = `0x${number.toString(16)}`;
    const block = await rpc<RpcBlock>("eth_getBlockByNumber", [height, true]);
    const receipts = await rpc<RpcReceipt[]>("eth_getBlockReceipts", [height]);
    const byHash = new Map(receipts.map((receipt) => [receipt.transactionHash, receipt]));
    for (const transaction of block.transactions) {
      const receipt = byHash.get(transaction.hash);
      if (receipt === undefined) throw new Error(`no receipt for ${transaction.hash}`);
      for (const transfer of transfersOf(transaction, receipt)) {
        const subject = subjectOf(transfer, scene);
        if (subject === null || isOnlyRecorded(transfer, scene)) continue;
        const key = alertKey(transaction.hash, subject);
        alerts.set(key, {
          txHash: transaction.hash,
          subject,
          block: { number, hash: block.hash },
          transfers: [...(alerts.get(key)?.transfers ?? []), transfer],
        });
      }
    }
  }
  return alerts;
}

function transfersOf(transaction: RpcTransaction, receipt: RpcReceipt): AccountTransfer[] {
  if (BigInt(receipt.status) === 0n) return [];
  const transfers: AccountTransfer[] = [];
  const value = BigInt(transaction.value);
  const to = transaction.to ?? receipt.contractAddress;
  if (value > 0n && to !== null)
    transfers.push({
      key: "native",
      from: transaction.from.toLowerCase(),
      to: to.toLowerCase(),
      assetId: NATIVE,
      amount: value,
    });
  if (transaction.to === null && to !== null)
    transfers.push({
      key: "creation",
      from: transaction.from.toLowerCase(),
      to: to.toLowerCase(),
      assetId: NATIVE,
      amount: 0n,
    });
  receipt.logs.forEach((log, index) => {
    const [topic, sender, recipient] = log.topics;
    if (topic !== TRANSFER || log.topics.length !== 3 || sender === undefined || recipient === undefined) return;
    transfers.push({
      key: `log:${index}`,
      from: `0x${sender.slice(26)}`,
      to: `0x${recipient.slice(26)}`,
      assetId: `eip155:1/erc20:${log.address.toLowerCase()}`,
      amount: BigInt(log.data),
    });
  });
  return transfers;
}

function isOnlyRecorded(transfer: AccountTransfer, scene: Scene): boolean {
  // A new contract is told for what it is, not for what it was paid.
  if (transfer.key === "creation") return false;
  if (transfer.amount === 0n) return true;
  const sender = scene.watched.get(transfer.from);
  const sentByWatched = sender !== undefined && !sender.toOnly;
  const dustBelow =
    transfer.assetId === NATIVE
      ? scene.nativeDustBelow
      : scene.listedTokens.get(transfer.assetId.slice(transfer.assetId.indexOf("0x")));
  if (dustBelow === undefined) return !sentByWatched;
  const sanctioned = sender?.sanctioned === true || scene.watched.get(transfer.to)?.sanctioned === true;
  const ownTouched = scene.own.has(transfer.from) || scene.own.has(transfer.to);
  return transfer.amount < dustBelow && !sanctioned && !ownTouched;
}
