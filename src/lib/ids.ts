/**
 * Ids made from what happened on chain: never from block hash, block-level log index, role, list, time or attempt.
 * No `:`, no `.`, never digits only, so they serve as BullMQ job ids and as Standard Webhooks ids.
 */
import { createHash } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const ID_LENGTH = 26; // 130 bits of the hash: collisions stay out of reach for any number of alerts.

/** Lower-case Crockford base32 of the first 130 bits of the SHA-256 of the parts, each length-prefixed. */
export function hashId(prefix: string, parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:${part}`);
  const bytes = hash.digest();
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < ID_LENGTH) {
      bits -= 5;
      text += ALPHABET[(value >> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return `${prefix}_${text}`;
}

export function hitIdOf(of: { chain: string; txHash: string; key: string }): string {
  return hashId("hit", [of.chain, of.txHash, of.key]);
}

export function alertIdOf(of: { chain: string; txHash: string; subject: string }): string {
  return hashId("alr", [of.chain, of.txHash, of.subject]);
}

export function webhookIdOf(of: { alertId: string; revision: number; core: string }): string {
  return hashId("msg", [of.alertId, String(of.revision), of.core]);
}

export function deliveryIdOf(of: { webhookId: string; sink: string }): string {
  return hashId("dlv", [of.webhookId, of.sink]);
}
