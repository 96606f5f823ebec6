/**
 * newHeads over WebSocket as a hint to look sooner. It proves nothing and may die silently: polling is the truth, and
 * a feed that stays silent or closes is opened again.
 */
import { WebSocketProvider } from "ethers";
import { describeError } from "../../lib/errors.ts";
import { redactText } from "../../lib/redact.ts";
import { sleep } from "../../lib/sleep.ts";
import type { Log } from "../../types/log.ts";

export interface HeadHintsOptions {
  readonly node: string;
  readonly url: string;
  readonly evmChainId: number;
  /** A feed without a head for this long is taken for dead. */
  readonly silentMs: number;
  readonly reconnectMs: number;
  readonly log: Log;
}

/** Runs until the signal aborts. */
export async function followHeadHints(options: HeadHintsOptions, wake: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const why = await oneConnection(options, wake, signal);
      if (!signal.aborted)
        options.log.warn({ node: options.node, why }, "head feed ended, polling goes on; opening it again");
    } catch (error) {
      options.log.warn(
        { node: options.node, error: redactText(describeError(error)) },
        "head feed could not be opened, polling goes on",
      );
    }
    await sleep(options.reconnectMs, signal);
  }
}

async function oneConnection(options: HeadHintsOptions, wake: () => void, signal: AbortSignal): Promise<string> {
  const socket = new WebSocket(options.url);
  const ended = Promise.withResolvers<string>();
  // The creator form lets us own the socket's error and close events: ethers listens to neither.
  const provider = new WebSocketProvider(() => socket, options.evmChainId, { staticNetwork: true });
  socket.addEventListener("close", () => ended.resolve("closed"));
  socket.addEventListener("error", () => ended.resolve("connection failed"));
  let lastHead = performance.now();
  const watchdog = setInterval(
    () => {
      if (performance.now() - lastHead > options.silentMs)
        ended.resolve(`silent for ${Math.round(options.silentMs / 1000)} s`);
    },
    Math.max(250, options.silentMs / 4),
  );
  const onAbort = () => ended.resolve("stopping");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const subscribed = provider.on("block", () => {
      lastHead = performance.now();
      wake();
    });
    subscribed.catch((error: unknown) => ended.resolve(describeError(error)));
    return await ended.promise;
  } finally {
    clearInterval(watchdog);
    signal.removeEventListener("abort", onAbort);
    await closeQuietly(provider, socket);
  }
}

/** ethers rejects pending subscriptions on destroy and waits for the socket to open; a dead one is closed beside it. */
async function closeQuietly(provider: WebSocketProvider, socket: WebSocket): Promise<void> {
  void provider.removeAllListeners().catch(() => undefined);
  socket.close();
  await Promise.race([provider.destroy().catch(() => undefined), sleep(500)]);
}
