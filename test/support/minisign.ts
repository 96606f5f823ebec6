/** Keys and signatures as minisign makes them. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** What is signed of a file. */
export function contentOf(text: string): { bytes: Uint8Array; blake2b512: Uint8Array } {
  const bytes = Buffer.from(text);
  return { bytes, blake2b512: createHash("blake2b512").update(bytes).digest() };
}
export interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** A key made here; `id`: its eight bytes, base64. */
export function otherKey(id = "AAECAwQFBgc="): { text: string; pair: Pair; id: Buffer } {
  const pair = generateKeyPairSync("ed25519");
  const raw = pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const bytes = Buffer.from(id, "base64");
  return { text: Buffer.concat([Buffer.from("Ed"), bytes, raw]).toString("base64"), pair, id: bytes };
}

/** The text of a `.minisig` file, prehashed. */
export function signed(text: string, { privateKey }: Pair, id: Buffer): string {
  const own = sign(null, contentOf(text).blake2b512, privateKey);
  const global = sign(null, Buffer.concat([own, Buffer.from("made here")]), privateKey);
  const first = Buffer.concat([Buffer.from("ED"), id, own]).toString("base64");
  return `untrusted comment: x\n${first}\ntrusted comment: made here\n${global.toString("base64")}\n`;
}
