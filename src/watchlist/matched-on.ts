/**
 * On which chains an entry is matched. The key of an ordinary EVM account controls the same address on every EVM chain, so
 * such an entry is matched on all of them; a contract stands on its own chain only, at the same address elsewhere may be
 * somebody else's. An entry that does not say is an ordinary account, unless its role is a contract's.
 */
import type { ChainId } from "../types/chain.ts";
import type { EntryRole, WatchEntry } from "../types/watch.ts";

const CONTRACT_ROLES: ReadonlySet<EntryRole> = new Set(["exploit_contract", "victim_contract"]);

export function isEvm(chain: ChainId): boolean {
  return chain.startsWith("eip155:");
}

/** Exactly, or because it is the same account there. */
export function isMatchedOn(entry: Pick<WatchEntry, "chain" | "role" | "contract">, chain: ChainId): boolean {
  if (entry.chain === chain) return true;
  return isEvm(entry.chain) && isEvm(chain) && !isContract(entry);
}

function isContract({ contract, role }: Pick<WatchEntry, "role" | "contract">): boolean {
  return contract ?? CONTRACT_ROLES.has(role);
}
