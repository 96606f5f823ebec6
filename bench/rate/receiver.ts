/**
 * A receiver that keeps what a rate is measured by, and no bodies: when each alert was first told, and how often.
 * Every signature is checked.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { TEST_WEBHOOK_SECRET } from "../../test/support/receiver.ts";

export interface ToldAlert {
  readonly alertId: string;
  readonly block: number;
  /** When its `alert.created` had arrived in full, unix milliseconds. */
  readonly at: number;
}

export interface RateReceiver {
  readonly url: string;
  readonly secret: string;
  /** In order of arrival, each alert once. */
  readonly created: readonly ToldAlert[];
  /** Alerts told as final, each once. */
  readonly finalized: ReadonlySet<string>;
  /** What must not be: a `webhook-id` that came again, a second `alert.created` of one alert, a wrong signature. */
  readonly faults: { readonly repeats: number; readonly createdAgain: number; readonly unverified: number };
  stop(): Promise<void>;
}

interface Body {
  readonly type: string;
  readonly data: { readonly alertId?: string; readonly block?: { readonly number: number } };
}

export async function startRateReceiver(): Promise<RateReceiver> {
  const webhook = new Webhook(TEST_WEBHOOK_SECRET);
  const created = new Map<string, ToldAlert>();
  const order: ToldAlert[] = [];
  const finalized = new Set<string>();
  const ids = new Set<string>();
  const faults = { repeats: 0, createdAgain: 0, unverified: 0 };

  function keep(raw: string, headers: Record<string, string>): void {
    const at = Date.now();
    const webhookId = headers["webhook-id"] ?? "";
    if (!isVerified(webhook, raw, headers)) faults.unverified += 1;
    if (ids.has(webhookId)) faults.repeats += 1;
    ids.add(webhookId);
    const { type, data } = JSON.parse(raw) as Body;
    const alertId = data.alertId ?? "";
    if (type === "alert.finalized") finalized.add(alertId);
    if (type !== "alert.created") return;
    if (created.has(alertId)) faults.createdAgain += 1;
    const told = { alertId, block: data.block?.number ?? 0, at };
    if (!created.has(alertId)) order.push(told);
    created.set(alertId, told);
  }

  const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    keep(await textOf(message), message.headers as Record<string, string>);
    response.writeHead(204).end();
  };
  const server = createServer((message, response) => void answer(message, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhook`,
    secret: TEST_WEBHOOK_SECRET,
    created: order,
    finalized,
    faults,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function isVerified(webhook: Webhook, raw: string, headers: Record<string, string>): boolean {
  try {
    webhook.verify(raw, headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}
