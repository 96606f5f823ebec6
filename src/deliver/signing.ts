/**
 * Standard Webhooks v1: a message and its secrets in, the three headers out.
 * What always holds: the signed bytes are the sent bytes, and no error text carries a piece of a secret.
 */
import { createHmac } from "node:crypto";
import { assert } from "../lib/assert.ts";
import { ConfigError } from "../lib/errors.ts";

const PREFIX = "whsec_";
// The specification's bounds: shorter can be guessed, longer than HMAC-SHA256's block gains nothing.
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;

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
  /** `whsec_...`, the new one first during a rotation. */
  readonly secrets: readonly string[];
}

/** The key bytes of a `whsec_...` text. Strict: a lenient decoder would turn a typing error into a shorter key. */
export function parseSecret(text: string): Buffer {
  if (!text.startsWith(PREFIX)) throw new ConfigError(`webhook secret must start with ${PREFIX}`);
  const encoded = text.slice(PREFIX.length);
  const key = Buffer.from(encoded, "base64");
  if (key.toString("base64") !== encoded) throw new ConfigError("webhook secret is not base64");
  if (key.length < SECRET_BYTES_MIN || key.length > SECRET_BYTES_MAX) {
    throw new ConfigError(
      `webhook secret has ${key.length} bytes, it must have ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX}`,
    );
  }
  return key;
}

/** One `v1` signature per secret: a receiver that knows either the old or the new one accepts. */
export function signHeaders({ webhookId, timestamp, body, secrets }: SignInput): SignatureHeaders {
  // A dot in the id would let bytes move between id, timestamp and body without changing what is signed.
  assert(/^[^.\s]+$/.test(webhookId), "a webhook id has no dot and no space");
  assert(Number.isSafeInteger(timestamp) && timestamp >= 0, "a webhook timestamp is whole unix seconds");
  assert(secrets.length > 0, "a webhook is never sent unsigned");
  const signatures = secrets.map((secret) => {
    const hmac = createHmac("sha256", parseSecret(secret)).update(`${webhookId}.${timestamp}.`).update(body);
    return `v1,${hmac.digest("base64")}`;
  });
  return {
    "webhook-id": webhookId,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" "),
  };
}
