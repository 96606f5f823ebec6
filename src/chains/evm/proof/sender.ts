/**
 * Who signed: senders of transactions and authorities of EIP-7702, by ECDSA recovery (tiny-secp256k1: Rust in wasm,
 * about 0.25 ms each). Homestead's rule of a low s is not asked for: a signature under a proven root was accepted.
 */
import { recover } from "tiny-secp256k1";
import {
  addressOf,
  AUTHORIZATION_PAYLOAD,
  countOf,
  type Fields,
  fieldsOf,
  listOf,
  parityOf,
  quantityOf,
  writeFields,
} from "./fields.ts";
import { keccak } from "./keccak.ts";
import { RlpWriter } from "./rlp.ts";
import type { TypedTransaction } from "./transactions.ts";
import { Unproven } from "./unproven.ts";

/** The order of secp256k1: r and s are below it and not zero. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
/** EIP-7702 takes only the lower half, so that an authorization has one valid signature. */
const HALF_ORDER = ORDER / 2n;
const AUTHORIZATION_MAGIC = 0x05;

const writer = new RlpWriter();

/** The sender in lower-case hex: recovered, or the field that the encoding itself carries. */
export function senderOf(transaction: TypedTransaction, chainId: number): string {
  const { fields, type, typeByte } = transaction;
  // `from` of these is part of the hash or fixed, and was checked there.
  if (type.signature === "none") return addressOf(fields, "from", "senders");
  writer.clear();
  const parity = type.signature === "legacy" ? startLegacy(fields, chainId) : parityOf(fields, "senders");
  writeFields(writer, fields, type.fields.slice(0, -3), "senders");
  writer.endList(0);
  if (typeByte !== 0) writer.rawByte(typeByte);
  const sender = recoverAddress(fields, parity);
  if (sender === null) throw new Unproven("senders", "mismatch", "no key could have signed it");
  return sender;
}

/** EIP-155 appends the chain id and two empty items to what is signed; v tells whether. Returns the parity. */
function startLegacy(fields: Fields, chainId: number): number {
  const v = quantityOf(fields, "v", "senders");
  if (v === 27n || v === 28n) return Number(v - 27n);
  const signedFor = (v - 35n) / 2n;
  if (v < 35n || signedFor !== BigInt(chainId))
    throw new Unproven("senders", "mismatch", `v is ${v}, which no transaction of chain ${chainId} has`);
  writer.emptyString();
  writer.emptyString();
  writer.uint(chainId);
  return Number((v - 35n) % 2n);
}

/**
 * The authorities of a type 4 transaction, in order; `null` where the signature is none. Such an authorization is
 * skipped on chain, it does not fail its transaction.
 */
export function authoritiesOf({ fields }: TypedTransaction): readonly (string | null)[] {
  return listOf(fields["authorizationList"], "authorizationList", "senders").map((entry) =>
    authorityOf(fieldsOf(entry, "authorization", "senders")),
  );
}

/** The account that signed one authorization, lower-case; null where the signature is none. */
export function authorityOf(authorization: Fields): string | null {
  const parity = countOf(authorization, "yParity", "senders");
  if (parity > 1 || quantityOf(authorization, "s", "senders") > HALF_ORDER) return null;
  writer.clear();
  writeFields(writer, authorization, AUTHORIZATION_PAYLOAD, "senders");
  writer.endList(0);
  writer.rawByte(AUTHORIZATION_MAGIC);
  return recoverAddress(authorization, parity);
}

/** The address of a contract that `sender` creates with its transaction number `nonce`. */
export function createdAddress(sender: string, nonce: number): string {
  writer.clear();
  writer.uint(nonce);
  const mark = writer.size;
  writer.rawHex(sender);
  writer.endString(mark);
  writer.endList(0);
  return addressFrom(keccak(writer.view()));
}

/** Recovers the key that signed what the writer holds. */
function recoverAddress(signature: Fields, parity: number): string | null {
  const r = quantityOf(signature, "r", "senders");
  const s = quantityOf(signature, "s", "senders");
  if (r === 0n || s === 0n || r >= ORDER || s >= ORDER) return null;
  const bytes = Buffer.from(r.toString(16).padStart(64, "0") + s.toString(16).padStart(64, "0"), "hex");
  const key = recover(keccak(writer.view()), bytes, parity === 0 ? 0 : 1, false);
  // 0x04, then the two coordinates.
  return key === null ? null : addressFrom(keccak(key.subarray(1)));
}

function addressFrom(hash: Uint8Array): string {
  return `0x${Buffer.from(hash.buffer, hash.byteOffset + 12, 20).toString("hex")}`;
}
