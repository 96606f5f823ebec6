/** A transaction kept as its bytes, with those that made the coins it spends: it proves itself, whoever kept it. */
import type { PendingTransaction } from "../../types/chain.ts";
import { slotOf } from "./outpoints.ts";
import type { Network } from "./networks.ts";
import { coinAt, proveOutputs, readPending } from "./read-transaction.ts";

export interface RecordedTransaction {
  readonly txid: string;
  readonly raw: Uint8Array;
  /** By id. */
  readonly parents: ReadonlyMap<string, Uint8Array>;
}

/** Throws ProofError where bytes are not those of their id. */
export function readRecorded({ txid, raw, parents }: RecordedTransaction, network: Network): PendingTransaction {
  const coins = new Map([...parents].map(([parent, bytes]) => [parent, proveOutputs(bytes, parent)]));
  const read = readPending({
    raw,
    network,
    watched: null,
    prevoutOf: (outpoint) => {
      const outputs = coins.get(outpoint.txid);
      return outputs === undefined ? null : coinAt(outputs, outpoint);
    },
  });
  proveOutputs(raw, txid);
  return { hash: read.txid, slots: read.inputs.map((outpoint) => slotOf(outpoint)), transfers: read.transfers };
}
