/**
 * What should have been told about coins, computed from the chain itself: blocks by plain JSON-RPC, with the rules of
 * docs/line.md (Match) written here once more and on purpose not shared with src/.
 */
import type { CoreRpc } from "../support/bitcoin/core-node.ts";
import { alertKey, type ExpectedAlert, type ExpectedTransfer } from "./oracle.ts";

export interface CoinScene {
  readonly watched: ReadonlySet<string>;
  readonly own: ReadonlySet<string>;
  readonly assetId: string;
}

interface RpcOutput {
  readonly value: number;
  readonly scriptPubKey: { readonly hex: string; readonly address?: string; readonly addresses?: readonly string[] };
}
interface RpcTransaction {
  readonly txid: string;
  readonly vin: readonly { readonly txid?: string; readonly vout?: number }[];
  readonly vout: readonly RpcOutput[];
}
interface RpcBlock {
  readonly hash: string;
  readonly tx: readonly RpcTransaction[];
}

/** A coin on one side of a transaction. */
interface Side {
  readonly key: string;
  /** Among the inputs, or among the outputs. */
  readonly place: number;
  readonly address: string;
  readonly amount: bigint;
}

/** Every alert that blocks `from` to `to` must have caused, by `alertKey`. Amounts are taken to be above dust. */
export async function expectedCoinAlerts(
  rpc: CoreRpc,
  scene: CoinScene,
  { from, to }: { from: number; to: number },
): Promise<Map<string, ExpectedAlert>> {
  const outputs = new Map<string, readonly RpcOutput[]>();
  const alerts = new Map<string, ExpectedAlert>();
  for (let number = 1; number <= to; number += 1) {
    const { hash, tx } = await rpc<RpcBlock>("getblock", await rpc("getblockhash", number), 2);
    for (const transaction of tx) {
      outputs.set(transaction.txid, transaction.vout);
      if (number < from) continue;
      for (const [subject, transfers] of partiesIn(transaction, outputs, scene))
        alerts.set(alertKey(transaction.txid, subject), {
          txHash: transaction.txid,
          subject,
          block: { number, hash },
          transfers,
        });
    }
  }
  return alerts;
}

function partiesIn(
  { vin, vout }: RpcTransaction,
  outputs: ReadonlyMap<string, readonly RpcOutput[]>,
  { watched, own, assetId }: CoinScene,
): Map<string, ExpectedTransfer[]> {
  const spent = vin.flatMap(({ txid, vout: index }, place): Side[] => {
    if (txid === undefined) return [];
    const coin = outputs.get(txid)?.[index ?? -1];
    if (coin === undefined) throw new Error(`no output ${index} of ${txid}`);
    return [sideOf(coin, "vin", place)];
  });
  const made = vout.map((coin, place) => sideOf(coin, "vout", place));
  const payers = new Set(spent.map(({ address }) => address));
  const robbed = spent.find(({ address }) => watched.has(address));
  const paid = made.filter(({ address }) => robbed !== undefined && own.has(address) && !payers.has(address));
  const first = paid[0] ?? spent.find(({ address }) => own.has(address)) ?? robbed;
  const parties = new Map<string, ExpectedTransfer[]>();
  const tell = (subject: string, { key, address, amount }: Side) => {
    const isInput = key.startsWith("vin");
    const sides = isInput ? { from: address, to: null } : { from: null, to: address };
    parties.set(subject, [...(parties.get(subject) ?? []), { key, ...sides, assetId, amount }]);
  };
  // Alerts tell the first of each side first, then the second.
  for (const side of [...spent, ...made].toSorted((a, b) => a.place - b.place)) {
    if (paid.includes(side)) tell(side.address, side);
    else if (watched.has(side.address)) tell(first?.address ?? side.address, side);
  }
  return parties;
}

function sideOf({ value, scriptPubKey }: RpcOutput, kind: "vin" | "vout", place: number): Side {
  const address = scriptPubKey.address ?? scriptPubKey.addresses?.[0] ?? `script:${scriptPubKey.hex}`;
  return { key: `${kind}:${place}`, place, address, amount: BigInt(value.toFixed(8).replace(".", "")) };
}
