/** A receiver of heistwatch alerts in TypeScript: Node 24 and nothing else. */
import { createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";
import { createServer } from "node:http";

// One of the two is enough; with both, either one that fits is accepted.
const SECRET = process.env["WEBHOOK_SECRET"] ?? ""; // whsec_...
const PUBLIC_KEY = process.env["WEBHOOK_PUBLIC_KEY"] ?? ""; // whpk_...
const TOLERANCE_S = 5 * 60;
const BODY_BYTES_MAX = 256 * 1024;

/** `body`: the raw bytes, before any JSON parser saw them. */
export function isGenuine(headers: Record<string, string | string[] | undefined>, body: Buffer): boolean {
  const id = String(headers["webhook-id"] ?? "");
  const timestamp = String(headers["webhook-timestamp"] ?? "");
  if (id === "" || !/^\d{1,15}$/.test(timestamp)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_S) return false;
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  // Several while keys are rotated: one that fits is enough.
  return String(headers["webhook-signature"] ?? "")
    .split(" ")
    .some((one) => {
      const [version, text = ""] = one.split(",", 2);
      const signature = Buffer.from(text, "base64");
      if (version === "v1" && SECRET !== "") return isSharedSignature(signed, signature);
      return version === "v1a" && PUBLIC_KEY !== "" && isPublicSignature(signed, signature);
    });
}

function isSharedSignature(signed: Buffer, signature: Buffer): boolean {
  const key = Buffer.from(SECRET.replace("whsec_", ""), "base64");
  const expected = createHmac("sha256", key).update(signed).digest();
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}

function isPublicSignature(signed: Buffer, signature: Buffer): boolean {
  const raw = Buffer.from(PUBLIC_KEY.replace("whpk_", ""), "base64");
  const head = Buffer.from("302a300506032b6570032100", "hex"); // ed25519 in SPKI
  const key = createPublicKey({ key: Buffer.concat([head, raw]), format: "der", type: "spki" });
  return verify(null, signed, key, signature);
}

const seen = new Set<string>(); // In production: a table with a unique column, written with the alert.

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) request.destroy();
    else chunks.push(chunk);
  });
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    const id = String(request.headers["webhook-id"]);
    if (!isGenuine(request.headers, body)) return void response.writeHead(401).end();
    const alert = JSON.parse(body.toString("utf8")) as { type: string };
    // Answer only once it is stored: a 2xx is never sent again.
    if (!seen.has(id)) console.log(`alert ${id} ${alert.type}`);
    seen.add(id);
    response.writeHead(204).end();
  });
});
server.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", () => console.log("receiver listens"));
