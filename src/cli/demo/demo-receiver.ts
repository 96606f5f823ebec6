/** The other end of the line: a webhook receiver as an exchange would write it, which believes only a valid signature. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { AlertBody } from "../../alerts/body-schema.ts";
import { UnavailableError } from "../../lib/errors.ts";

export interface ReceivedAlert {
  readonly body: AlertBody;
  readonly webhookId: string;
  readonly verified: boolean;
  /** Unix milliseconds. */
  readonly at: number;
}

export interface DemoReceiver {
  readonly url: string;
  /** The first alert, past or future, that the test accepts. */
  next(accept: (alert: ReceivedAlert) => boolean): Promise<ReceivedAlert>;
  stop(): Promise<void>;
}

const WAIT_MS = 20_000;

export async function startDemoReceiver(secret: string): Promise<DemoReceiver> {
  const received: ReceivedAlert[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks).toString("utf8");
      const webhookId = String(request.headers["webhook-id"]);
      const verified = verify({
        secret,
        webhookId,
        timestamp: String(request.headers["webhook-timestamp"]),
        signatures: String(request.headers["webhook-signature"]),
        raw,
      });
      response.writeHead(verified ? 204 : 401).end();
      received.push({ body: JSON.parse(raw) as AlertBody, webhookId, verified, at: Date.now() });
      for (const look of waiting) look();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`,
    next: (accept) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new UnavailableError("the alert did not arrive within 20 s")), WAIT_MS);
        const look = () => {
          const found = received.find(accept);
          if (found === undefined) return;
          clearTimeout(late);
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

interface Signed {
  readonly secret: string;
  readonly webhookId: string;
  readonly timestamp: string;
  readonly signatures: string;
  readonly raw: string;
}

/** Standard Webhooks v1: HMAC-SHA256 over `id.timestamp.body`, compared in constant time, not older than five minutes. */
function verify({ secret, webhookId, timestamp, signatures, raw }: Signed): boolean {
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const expected = createHmac("sha256", key).update(`${webhookId}.${timestamp}.${raw}`).digest();
  return signatures.split(" ").some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ""), "base64");
    return signature.startsWith("v1,") && given.length === expected.length && timingSafeEqual(given, expected);
  });
}
