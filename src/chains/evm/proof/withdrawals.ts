/** Withdrawals of the beacon chain -> their root (EIP-4895; go-ethereum core/types/withdrawal.go). */
import { type Fields, type FieldTable, fieldsOf, isAbsent, listOf, writeFields } from "./fields.ts";
import type { ChainProfile } from "./profiles.ts";
import { RlpWriter } from "./rlp.ts";
import { listPath, type ListPath, listRoot } from "./trie.ts";
import { inItem, Unproven } from "./unproven.ts";

/** In the order of the encoding. */
export const WITHDRAWAL: FieldTable = [
  ["index", "quantity"],
  ["validatorIndex", "quantity"],
  ["address", "address"],
  ["amount", "quantity"],
];

const writer = new RlpWriter(4 * 1024);

export function checkWithdrawals(block: Fields, profile: ChainProfile): void {
  const root = block["withdrawalsRoot"];
  const withdrawals = isAbsent(block["withdrawals"]) ? [] : listOf(block["withdrawals"], "withdrawals", "withdrawals");
  // OP chains have no withdrawals of this kind; since Isthmus the field holds the storage root of L2ToL1MessagePasser
  // (https://docs.base.org/base-chain/specs/upgrades/isthmus/exec-engine), which the header hash covers.
  if (isAbsent(root) || profile.withdrawals === "storage") {
    if (withdrawals.length > 0)
      throw new Unproven("withdrawals", "mismatch", `withdrawals that the header of ${profile.name} does not cover`);
    return;
  }
  if (listRoot(withdrawals.length, writer, itemsOf(withdrawals)) !== root)
    throw new Unproven("withdrawals", "mismatch", "withdrawals do not match withdrawalsRoot");
}

/** What shows that a withdrawal of the block is under their root; `place`: in the block's list. */
export function withdrawalPath(place: number, withdrawals: readonly unknown[]): ListPath {
  return listPath({ count: withdrawals.length, index: place }, writer, itemsOf(withdrawals));
}

function itemsOf(withdrawals: readonly unknown[]): (index: number) => void {
  return (index) =>
    inItem("withdrawal", index, () => {
      writeFields(writer, fieldsOf(withdrawals[index], "it", "withdrawals"), WITHDRAWAL, "withdrawals");
      writer.endList(0);
    });
}
