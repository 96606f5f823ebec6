import { describe, expect, test } from "@jest/globals";
import { createPublicKey, verify as verifyBytes } from "node:crypto";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import {
  checkSigningKey,
  newPrivateKey,
  newSecret,
  parsePrivateKey,
  parseSecret,
  publicKeyOf,
  signHeaders,
} from "../../../src/deliver/signing.ts";

// Official vector: libraries/javascript/src/webhook.test.ts, "sign function works".
const VECTOR = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  webhookId: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1614265330,
  body: '{"test": 2432232314}',
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};

// Official vector: libraries/go/webhook_asymmetric_test.go at 5fb2ce9; the public key is derived from its seed.
const VECTOR_V1A = {
  privateKey: "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=",
  publicKey: "whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=",
  signature: "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==",
};

const secretOf = (byte: number, length = 32) => `whsec_${Buffer.alloc(length, byte).toString("base64")}`;
const OLD = secretOf(1);
const NEW = secretOf(2);
const unixNow = () => Math.floor(Date.now() / 1_000);

function signedNow(over: { secrets?: readonly string[]; timestamp?: number; body?: string } = {}) {
  const body = over.body ?? '{"test": 2432232314}';
  const timestamp = over.timestamp ?? unixNow();
  return { body, headers: signHeaders({ webhookId: "msg_1", timestamp, body, secrets: over.secrets ?? [NEW] }) };
}

describe("signHeaders", () => {
  test("the official vector comes out", () => {
    const { secret, signature, ...input } = VECTOR;
    expect(signHeaders({ ...input, secrets: [secret] })).toEqual({
      "webhook-id": VECTOR.webhookId,
      "webhook-timestamp": "1614265330",
      "webhook-signature": signature,
    });
  });

  test("the official library accepts what we sign, text or bytes, any body and any key length", () => {
    fc.assert(
      fc.property(fc.json(), fc.uint8Array({ minLength: 24, maxLength: 64 }), (body, key) => {
        const secret = `whsec_${Buffer.from(key).toString("base64")}`;
        const timestamp = unixNow();
        const asText = signHeaders({ webhookId: "msg_1", timestamp, body, secrets: [secret] });
        const asBytes = signHeaders({ webhookId: "msg_1", timestamp, body: Buffer.from(body), secrets: [secret] });
        expect(asText).toEqual(asBytes);
        expect(new Webhook(secret).verify(Buffer.from(body), { ...asText })).toEqual(JSON.parse(body));
      }),
    );
  });

  test("during a rotation receivers with the old key and with the new key both accept, the new one stands first", () => {
    const { body, headers } = signedNow({ secrets: [NEW, OLD] });
    expect(() => new Webhook(OLD).verify(body, { ...headers })).not.toThrow();
    expect(() => new Webhook(NEW).verify(body, { ...headers })).not.toThrow();
    const [first, second, ...rest] = headers["webhook-signature"].split(" ");
    expect(first).toBe(signedNow({ secrets: [NEW] }).headers["webhook-signature"]);
    expect(second).toBe(signedNow({ secrets: [OLD] }).headers["webhook-signature"]);
    expect(rest).toEqual([]);
  });

  test("a receiver with a third key refuses", () => {
    const { body, headers } = signedNow({ secrets: [NEW, OLD] });
    expect(() => new Webhook(secretOf(3)).verify(body, { ...headers })).toThrow("No matching signature");
  });

  test("a good signature among bad ones is found", () => {
    const { body, headers } = signedNow();
    const good = headers["webhook-signature"];
    const bad = `v1,${Buffer.alloc(32).toString("base64")}`;
    const list = { ...headers, "webhook-signature": `${bad} v2,${good.slice(3)} ${good} ${bad}` };
    expect(() => new Webhook(NEW).verify(body, list)).not.toThrow();
  });

  test.each([
    ["no id", { "webhook-id": "" }],
    ["another id", { "webhook-id": "msg_2" }],
    ["no timestamp", { "webhook-timestamp": "" }],
    ["a word as timestamp", { "webhook-timestamp": "hello" }],
    ["another timestamp", { "webhook-timestamp": String(unixNow() - 7) }],
    ["no signature", { "webhook-signature": "" }],
    ["a signature without its value", { "webhook-signature": "v1," }],
    ["a signature cut short", { "webhook-signature": signedNow().headers["webhook-signature"].slice(0, 8) }],
  ])("the official library refuses %s", (_name, over) => {
    const { body, headers } = signedNow();
    expect(() => new Webhook(NEW).verify(body, { ...headers, ...over })).toThrow();
  });

  test("one changed byte of the body is refused", () => {
    const { body, headers } = signedNow();
    expect(() => new Webhook(NEW).verify(body.replace("2", "3"), { ...headers })).toThrow("No matching signature");
  });

  test.each([
    [-301, false],
    [-290, true],
    [290, true],
    [302, false],
  ])("an attempt stamped %i s from the receiver's clock passes: %s", (offset, passes) => {
    const { body, headers } = signedNow({ timestamp: unixNow() + offset });
    const verify = () => new Webhook(NEW).verify(body, { ...headers });
    if (passes) expect(verify).not.toThrow();
    else expect(verify).toThrow("timestamp");
  });

  test.each([
    ["an id with a dot", { webhookId: "msg.1" }],
    ["an empty id", { webhookId: "" }],
    ["an id with a line break", { webhookId: "msg\n1" }],
    ["a fractional timestamp", { timestamp: 1.5 }],
    ["a negative timestamp", { timestamp: -1 }],
    ["no secret", { secrets: [] }],
  ])("%s is a bug of ours and throws", (_name, over) => {
    expect(() => signHeaders({ webhookId: "msg_1", timestamp: 1, body: "{}", secrets: [NEW], ...over })).toThrow(
      "assertion failed",
    );
  });
});

/** As a receiver would, with the public key alone. */
function acceptsV1a(publicKey: string, { body, headers }: ReturnType<typeof signedNow>): boolean {
  const raw = Buffer.from(publicKey.slice("whpk_".length), "base64");
  const key = createPublicKey({
    key: Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]),
    format: "der",
    type: "spki",
  });
  const signed = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  return headers["webhook-signature"]
    .split(" ")
    .filter((one) => one.startsWith("v1a,"))
    .some((one) => verifyBytes(null, signed, key, Buffer.from(one.slice("v1a,".length), "base64")));
}

describe("v1a", () => {
  const { secret: _secret, signature: _signature, ...input } = VECTOR;
  const { privateKey, publicKey, signature } = VECTOR_V1A;

  test("the official vector comes out, from the seed and from seed and public key together", () => {
    const both = Buffer.concat([privateKey, publicKey].map((key) => Buffer.from(key.slice(5), "base64")));
    for (const key of [privateKey, `whsk_${both.toString("base64")}`])
      expect(signHeaders({ ...input, secrets: [key] })["webhook-signature"]).toBe(signature);
    expect(publicKeyOf(privateKey)).toBe(publicKey);
  });

  test("v1 and v1a go out together, and a receiver that knows only one of them accepts", () => {
    const ed25519 = newPrivateKey();
    const signed = signedNow({ secrets: [NEW, ed25519] });
    expect(signed.headers["webhook-signature"]).toMatch(/^v1,\S+ v1a,\S+$/);
    expect(() => new Webhook(NEW).verify(signed.body, { ...signed.headers })).not.toThrow();
    expect(acceptsV1a(publicKeyOf(ed25519), signed)).toBe(true);
  });

  test("another key's signature, a changed body and a signature cut short are refused", () => {
    const ed25519 = newPrivateKey();
    const signed = signedNow({ secrets: [ed25519] });
    const publicKeyOfIt = publicKeyOf(ed25519);
    expect(acceptsV1a(publicKeyOf(newPrivateKey()), signed)).toBe(false);
    expect(acceptsV1a(publicKeyOfIt, { ...signed, body: signed.body.replace("2", "3") })).toBe(false);
    const cut = { ...signed.headers, "webhook-signature": signed.headers["webhook-signature"].slice(0, 8) };
    expect(acceptsV1a(publicKeyOfIt, { ...signed, headers: cut })).toBe(false);
    expect(() => new Webhook(NEW).verify(signed.body, { ...signed.headers })).toThrow("No matching signature");
  });

  test("new keys are keys, and no two are the same", () => {
    for (const make of [newSecret, newPrivateKey]) {
      const made = Array.from({ length: 20 }, make);
      expect(new Set(made).size).toBe(20);
      for (const key of made) expect(() => checkSigningKey(key)).not.toThrow();
    }
  });

  test.each([
    ["the prefix alone", "whsk_"],
    ["31 bytes", `whsk_${Buffer.alloc(31, 7).toString("base64")}`],
    ["33 bytes", `whsk_${Buffer.alloc(33, 7).toString("base64")}`],
    ["64 bytes whose second half is not the public key", `whsk_${Buffer.alloc(64, 7).toString("base64")}`],
    ["a public key", VECTOR_V1A.publicKey],
    ["a space at the end", `${VECTOR_V1A.privateKey} `],
  ])("%s is refused, and the error does not repeat it", (_name, text) => {
    expect(() => parsePrivateKey(text)).toThrow("webhook secret");
    expect(() => checkSigningKey(text)).toThrow(/^(?!.*BwcH).*webhook secret/);
  });
});

describe("parseSecret", () => {
  test.each([24, 32, 64])("%i bytes make a key", (length) => {
    expect(parseSecret(secretOf(7, length))).toEqual(Buffer.alloc(length, 7));
  });

  test.each([
    ["the empty text", ""],
    ["no prefix", VECTOR.secret.slice("whsec_".length)],
    ["another prefix", VECTOR.secret.replace("whsec_", "whsk_")],
    ["the prefix alone", "whsec_"],
    ["23 bytes", secretOf(7, 23)],
    ["65 bytes", secretOf(7, 65)],
    ["a space at the end", `${VECTOR.secret} `],
    ["a line break at the end", `${VECTOR.secret}\n`],
    ["a missing padding", secretOf(7, 32).replace("=", "")],
    ["the URL alphabet", `whsec_${Buffer.alloc(30, 255).toString("base64url")}`],
  ])("%s is refused, and the error does not repeat it", (_name, text) => {
    let message = "";
    try {
      parseSecret(text);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain("webhook secret");
    const tail = text.replace("whsec_", "").trim();
    if (tail.length > 8) expect(message).not.toContain(tail.slice(0, 8));
  });
});
