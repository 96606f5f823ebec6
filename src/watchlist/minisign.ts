/**
 * Signatures of lists by minisign (jedisct1.github.io/minisign, "Signature format"): Ed25519 over the file's BLAKE2b-512
 * (`ED`) or, in old signatures, over the file itself (`Ed`), and a second one over the first and the trusted comment.
 */
import { verify } from "node:crypto";
import { publicKeyFrom } from "../lib/ed25519.ts";
import { hasInvisible } from "./problems.ts";

const KEY_BYTES = 2 + 8 + 32;
const SIGNATURE_BYTES = 2 + 8 + 64;
const GLOBAL_BYTES = 64;
const TRUSTED = "trusted comment: ";
const UNTRUSTED = "untrusted comment:";
/** Signature and key files have a few hundred. */
const LENGTH_MAX = 16 * 1024;

/** The text is no key or signature, or the signature is not of this key and file. Says which. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
}

export interface MinisignKey {
  /** As minisign prints it: 16 hex digits in upper case. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

export interface SignedContent {
  readonly blake2b512: Uint8Array;
  /** The file itself, for old signatures; null where it was too large to keep. */
  readonly bytes: Uint8Array | null;
}

export interface MinisignCheck {
  /** Of the keys that may sign this list. */
  readonly keys: readonly MinisignKey[];
  /** The text of the `.minisig` file. */
  readonly signature: string;
  readonly content: SignedContent;
}

/** The base64 line alone, or a whole `.pub` file. Throws SignatureError. */
export function parseMinisignKey(text: string): MinisignKey {
  const lines = linesOf(text).filter((line) => !line.startsWith(UNTRUSTED));
  const bytes = decode(lines.length === 1 ? lines[0] : undefined, KEY_BYTES, "a minisign public key");
  if (bytes.toString("latin1", 0, 2) !== "Ed") throw new SignatureError("this key is not of the kind Ed25519");
  return { id: keyId(bytes), bytes: bytes.subarray(10) };
}

/** The trusted comment, once both signatures are right. Throws SignatureError. */
export function verifyMinisign({ keys, signature, content }: MinisignCheck): {
  readonly key: string;
  readonly comment: string;
} {
  const [untrusted = "", first, comment = "", second, ...more] = linesOf(signature);
  if (!untrusted.startsWith(UNTRUSTED) || !comment.startsWith(TRUSTED) || more.length > 0)
    throw new SignatureError("this is not a minisign signature: four lines, the third a trusted comment");
  const bytes = decode(first, SIGNATURE_BYTES, "a minisign signature");
  const global = decode(second, GLOBAL_BYTES, "a signature of the trusted comment");
  const id = keyId(bytes);
  const key = keys.find((one) => one.id === id);
  if (key === undefined) throw new SignatureError(`signed by the key ${id}, which may not sign this list`);
  const message = messageOf(bytes.toString("latin1", 0, 2), content);
  const own = bytes.subarray(10);
  if (!isSignedBy(key, message, own)) throw new SignatureError(`the file is not what the key ${id} signed`);
  const told = comment.slice(TRUSTED.length);
  if (!isSignedBy(key, Buffer.concat([own, Buffer.from(told)]), global))
    throw new SignatureError(`the trusted comment is not what the key ${id} signed`);
  if (hasInvisible(told.replaceAll("\t", " ")))
    throw new SignatureError("the trusted comment has characters that cannot be seen");
  return { key: id, comment: told };
}

function messageOf(algorithm: string, { blake2b512, bytes }: SignedContent): Uint8Array {
  if (algorithm === "ED") return blake2b512;
  if (algorithm !== "Ed") throw new SignatureError("an unknown signature algorithm");
  if (bytes === null) throw new SignatureError("an old signature of a large file: sign it again with minisign -H");
  return bytes;
}

function isSignedBy(key: MinisignKey, message: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, message, publicKeyFrom(key.bytes), signature);
}

/** Little-endian in the file. */
function keyId(bytes: Buffer): string {
  return Buffer.from(bytes.subarray(2, 10).toReversed()).toString("hex").toUpperCase();
}

function linesOf(text: string): string[] {
  if (text.length > LENGTH_MAX) throw new SignatureError("a longer text than any key or signature");
  return text
    .split("\n")
    .map((line) => line.replace(/\r$/, ""))
    .filter((line) => line !== "");
}

function decode(line: string | undefined, length: number, what: string): Buffer {
  const bytes = Buffer.from(line ?? "", "base64");
  // The decoder skips what is no base64: only a text that comes out again is one.
  if (bytes.length !== length || bytes.toString("base64") !== line) throw new SignatureError(`this is not ${what}`);
  return bytes;
}
