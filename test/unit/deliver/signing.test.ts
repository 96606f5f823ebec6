import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { parseSecret, signHeaders } from "../../../src/deliver/signing.ts";

// Official vector: libraries/javascript/src/webhook.test.ts, "sign function works".
const VECTOR = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  webhookId: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1614265330,
  body: '{"test": 2432232314}',
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
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
