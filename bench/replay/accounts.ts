/** The population of the generated chain: accounts with real keys, so that every sender can be recovered. */
import { pointFromScalar, signRecoverable } from "tiny-secp256k1";
import { hexOf } from "./encoding/hex.ts";
import { keccak256 } from "./encoding/keccak.ts";
import { addressOfKey } from "./verify.ts";

export interface Account {
  readonly rank: number;
  readonly address: string;
}

export interface Signature {
  readonly r: string;
  readonly s: string;
  readonly yParity: 0 | 1;
}

export interface Population {
  accountOf(rank: number): Account;
  sign(rank: number, hash: Uint8Array): Signature;
  /** Every account asked for so far. */
  used(): readonly Account[];
}

/** Keys are public knowledge by design: they follow from the rank. */
function keyOf(rank: number): Uint8Array {
  return keccak256(Buffer.from(`heistwatch replay account ${rank}`));
}

export function createPopulation(): Population {
  const accounts = new Map<number, Account>();
  return {
    accountOf(rank) {
      const known = accounts.get(rank);
      if (known !== undefined) return known;
      const point = pointFromScalar(keyOf(rank), false);
      if (point === null) throw new Error(`no public key for account ${rank}`);
      const account = { rank, address: addressOfKey(point) };
      accounts.set(rank, account);
      return account;
    },
    sign(rank, hash) {
      const { signature, recoveryId } = signRecoverable(hash, keyOf(rank));
      return {
        r: withoutLeadingZeros(signature.subarray(0, 32)),
        s: withoutLeadingZeros(signature.subarray(32)),
        yParity: recoveryId === 1 ? 1 : 0,
      };
    },
    used: () => [...accounts.values()],
  };
}

function withoutLeadingZeros(bytes: Uint8Array): string {
  return `0x${hexOf(bytes).slice(2).replace(/^0+/, "")}`;
}
