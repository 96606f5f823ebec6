/**
 * EIP-7702: accounts that hand their code to a contract. The account is recovered from its signature, as the protocol
 * does. Whether a tuple took effect depends on the account's nonce, which no block shows: it is told as signed.
 */
import type { Address, Transfer } from "../../types/chain.ts";
import { type Checksum, addressOf, quantityOf } from "./answer-fields.ts";
import { type Fields, fieldsOf, listOf } from "../answer-fields.ts";
import { authorityOf as authorityOfSignature } from "./proof/sender.ts";

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
    const from = authorityOf(authorization, place, context.checksum);
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
function authorityOf(authorization: Fields, place: string, checksum: Checksum): Address | null {
  const quantity = (name: string, value: unknown) => `0x${quantityOf(value, `${place}: ${name}`).toString(16)}`;
  const { chainId, nonce, r, s, yParity, v, address } = authorization;
  const signer = authorityOfSignature({
    chainId: quantity("chainId", chainId),
    address: addressOf(address, `${place}: address`, checksum).toLowerCase(),
    nonce: quantity("nonce", nonce),
    yParity: quantity("yParity", yParity ?? v),
    r: quantity("r", r),
    s: quantity("s", s),
  });
  return signer === null ? null : checksum(signer);
}
