/** A touched transaction as transfers: one for each coin it spends or makes, with one summary of all of them. */
import { type Address, type Transfer, UTXO_PARTS_MAX, type UtxoPart, type UtxoSummary } from "../../types/chain.ts";
import { addressOf } from "./address.ts";
import type { Coin } from "./coins.ts";
import type { Network } from "./networks.ts";
import type { ScriptTable } from "./script-table.ts";

export interface TransactionCoins {
  readonly txHash: string;
  /** Place in the block; -1: in none yet. */
  readonly txIndex: number;
  /** In the order of the inputs; null where nobody told us the coin. Empty for a coinbase, which spends none. */
  readonly inputs: readonly (Coin | null)[];
  readonly outputs: readonly Coin[];
}

interface NamedCoin {
  readonly index: number;
  readonly address: Address;
  readonly amount: bigint;
  readonly equivalent: readonly Address[];
  readonly change: boolean;
}

/** Every input that is known and every output, in order, inputs first. */
export function transfersOf(
  { txHash, txIndex, inputs, outputs }: TransactionCoins,
  { network, watched }: { network: Network; watched: ScriptTable | null },
): Transfer[] {
  const spentScripts = new Set(inputs.flatMap((coin) => (coin === null ? [] : [textOf(coin.script)])));
  const nameCoin = (coin: Coin, index: number): NamedCoin => ({
    index,
    address: addressOf(coin.script, network),
    amount: coin.amount,
    equivalent: watched?.match(coin.script).equivalent ?? [],
    change: false,
  });
  const spent = inputs.flatMap((coin, index) => (coin === null ? [] : [nameCoin(coin, index)]));
  const made = outputs.map((coin, index) => ({
    ...nameCoin(coin, index),
    // The same script again, nothing less: whose another script is, nobody can be certain of.
    change: spentScripts.has(textOf(coin.script)),
  }));
  const common = {
    txHash,
    txIndex,
    assetId: `${network.chainId}/slip44:${network.slip44}`,
    utxo: summaryOf({ spent, made, isWhole: spent.length === inputs.length }, inputs.length),
  };
  return [
    ...spent.map(
      (coin): Transfer => ({
        ...common,
        ...parts(coin),
        key: `vin:${coin.index}`,
        category: "input",
        from: coin.address,
        to: null,
      }),
    ),
    ...made.map(
      (coin): Transfer => ({
        ...common,
        ...parts(coin),
        key: `vout:${coin.index}`,
        category: "output",
        from: null,
        to: coin.address,
      }),
    ),
  ];
}

function parts({ amount, change, equivalent }: NamedCoin): Pick<Transfer, "amount" | "change" | "equivalent"> {
  return { amount, ...(change ? { change } : {}), ...(equivalent.length > 0 ? { equivalent } : {}) };
}

function summaryOf(
  { spent, made, isWhole }: { spent: readonly NamedCoin[]; made: readonly NamedCoin[]; isWhole: boolean },
  inputCount: number,
): UtxoSummary {
  const [input, output] = [sumOf(spent), sumOf(made)];
  return {
    inputs: { count: inputCount, amount: input, first: firstOf(spent) },
    outputs: {
      count: made.length,
      amount: output,
      changeAmount: sumOf(made.filter(({ change }) => change)),
      first: firstOf(made),
    },
    fee: inputCount > 0 && isWhole ? input - output : null,
  };
}

function firstOf(coins: readonly NamedCoin[]): UtxoPart[] {
  return coins
    .slice(0, UTXO_PARTS_MAX)
    .map(({ index, address, amount, change }) => ({ index, address, amount, ...(change ? { change } : {}) }));
}

function sumOf(coins: readonly { readonly amount: bigint }[]): bigint {
  return coins.reduce((sum, { amount }) => sum + amount, 0n);
}

function textOf(script: Uint8Array): string {
  return Buffer.from(script).toString("latin1");
}
