/**
 * Standard Webhooks v1 (HMAC-SHA256) and v1a (ed25519): a message and its keys in, the three headers out.
 * What always holds: the signed bytes are the sent bytes, and no error text carries a piece of a secret.
 */
import { createHmac, type KeyObject, randomBytes, sign } from "node:crypto";
import { assert } from "../lib/assert.ts";
import { newSeed, privateKeyOf, publicBytesOf, SEED_BYTES } from "../lib/ed25519.ts";
import { ConfigError } from "../lib/errors.ts";

const SHARED = "whsec_";
const PRIVATE = "whsk_";
const PUBLIC = "whpk_";
// The specification's bounds: shorter can be guessed, longer than HMAC-SHA256's block gains nothing.
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
const NEW_SECRET_BYTES = 32;

export interface SignatureHeaders {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
}

export interface SignInput {
  readonly webhookId: string;
  /** Unix seconds of this attempt, not of the event: receivers refuse what is older than five minutes. */
  readonly timestamp: number;
  readonly body: string | Uint8Array;
  /** `whsec_...` or `whsk_...`, the new one first during a rotation. */
  readonly secrets: readonly string[];
}

/** The key bytes of a `whsec_...` text. Strict: a lenient decoder would turn a typing error into a shorter key. */
export function parseSecret(text: string): Buffer {
  const key = bytesOf(text, SHARED);
  if (key.length < SECRET_BYTES_MIN || key.length > SECRET_BYTES_MAX) {
    throw new ConfigError(
      `webhook secret has ${key.length} bytes, it must have ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX}`,
    );
  }
  return key;
}

/** The key of a `whsk_...` text: a seed of 32 bytes, or the 64 bytes of seed and public key that Go writes. */
export function parsePrivateKey(text: string): KeyObject {
  const bytes = bytesOf(text, PRIVATE);
  if (bytes.length !== SEED_BYTES && bytes.length !== 2 * SEED_BYTES) {
    throw new ConfigError(`webhook secret has ${bytes.length} bytes, an ed25519 key has ${SEED_BYTES}`);
  }
  const key = privateKeyOf(bytes.subarray(0, SEED_BYTES));
  if (bytes.length > SEED_BYTES && !publicBytesOf(key).equals(bytes.subarray(SEED_BYTES))) {
    throw new ConfigError("webhook secret holds a public key that is not its own");
  }
  return key;
}

/** Throws a ConfigError for a text that is neither kind of key. */
export function checkSigningKey(text: string): void {
  if (text.startsWith(PRIVATE)) parsePrivateKey(text);
  else parseSecret(text);
}

/** The `whpk_...` a receiver verifies v1a signatures with. */
export function publicKeyOf(privateKey: string): string {
  return `${PUBLIC}${publicBytesOf(parsePrivateKey(privateKey)).toString("base64")}`;
}

/** A new `whsec_...`: both sides keep it secret. */
export function newSecret(): string {
  return `${SHARED}${randomBytes(NEW_SECRET_BYTES).toString("base64")}`;
}

/** A new `whsk_...`: heistwatch keeps it, the receiver gets `publicKeyOf` it. */
export function newPrivateKey(): string {
  return `${PRIVATE}${newSeed().toString("base64")}`;
}

/** One signature per key: a receiver that knows any one of them accepts. */
export function signHeaders({ webhookId, timestamp, body, secrets }: SignInput): SignatureHeaders {
  // A dot in the id would let bytes move between id, timestamp and body without changing what is signed.
  assert(/^[^.\s]+$/.test(webhookId), "a webhook id has no dot and no space");
  assert(Number.isSafeInteger(timestamp) && timestamp >= 0, "a webhook timestamp is whole unix seconds");
  assert(secrets.length > 0, "a webhook is never sent unsigned");
  const signed = Buffer.concat([Buffer.from(`${webhookId}.${timestamp}.`), Buffer.from(body)]);
  return {
    "webhook-id": webhookId,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": secrets.map((secret) => signatureOf(secret, signed)).join(" "),
  };
}

function signatureOf(secret: string, signed: Buffer): string {
  if (secret.startsWith(PRIVATE)) return `v1a,${sign(null, signed, parsePrivateKey(secret)).toString("base64")}`;
  return `v1,${createHmac("sha256", parseSecret(secret)).update(signed).digest("base64")}`;
}

function bytesOf(text: string, prefix: string): Buffer {
  if (!text.startsWith(prefix)) throw new ConfigError(`webhook secret must start with ${prefix}`);
  const encoded = text.slice(prefix.length);
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.toString("base64") !== encoded) throw new ConfigError("webhook secret is not base64");
  return bytes;
}
