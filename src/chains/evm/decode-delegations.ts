/**
 * EIP-7702: accounts that hand their code to a contract. The account is recovered from its signature, as the protocol
 * does. Whether a tuple took effect depends on the account's nonce, which no block shows: it is told as signed.
 */
import { verifyAuthorization } from "ethers";
import type { Transfer } from "../../types/chain.ts";
import { type Checksum, type Fields, addressOf, fieldsOf, listOf, quantityOf } from "./answer-fields.ts";

export interface DelegationPlace {
  readonly transaction: Fields;
  readonly txHash: string;
  readonly txIndex: number;
  readonly what: string;
}

export function decodeDelegations(
  { transaction, txHash, txIndex, what }: DelegationPlace,
  context: { nativeAssetId: string; checksum: Checksum },
): Transfer[] {
  const list = transaction["authorizationList"];
  if (list === undefined || list === null) return [];
  const transfers: Transfer[] = [];
  listOf(list, `${what}: authorizationList`).forEach((entry, nth) => {
    const place = `${what}: authorization ${nth}`;
    const authorization = fieldsOf(entry, place);
    const to = addressOf(authorization["address"], `${place}: address`, context.checksum);
    const from = authorityOf(authorization, to, place);
    if (from !== null)
      transfers.push({
        key: `delegation:${nth}`,
        category: "delegation",
        txHash,
        txIndex,
        from,
        to,
        assetId: context.nativeAssetId,
        amount: 0n,
      });
  });
  return transfers;
}

/** Null: the signature names nobody; the protocol skips such a tuple too. */
function authorityOf(authorization: Fields, address: string, place: string): string | null {
  const tuple = {
    chainId: quantityOf(authorization["chainId"], `${place}: chainId`),
    nonce: quantityOf(authorization["nonce"], `${place}: nonce`),
    address,
  };
  const word = (name: string) =>
    `0x${quantityOf(authorization[name], `${place}: ${name}`).toString(16).padStart(64, "0")}`;
  const signature = {
    r: word("r"),
    s: word("s"),
    yParity: Number(quantityOf(authorization["yParity"] ?? authorization["v"], `${place}: yParity`)) === 0 ? 0 : 1,
  } as const;
  try {
    return verifyAuthorization(tuple, signature);
  } catch {
    return null; // ethers throws on a signature without a signer: the tuple counts for nothing on chain.
  }
}
