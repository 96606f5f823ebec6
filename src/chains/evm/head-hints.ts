/**
 * newHeads over WebSocket as a hint to look sooner. It proves nothing and may die silently: polling is the truth, and
 * a feed that stays silent or closes is opened again.
 *
 * The socket is Node's own: ethers' socket provider leaves rejected promises behind when a node is away, refuses the
 * subscription or sends nonsense, and one of those ends the process.
 */
import { describeError } from "../../lib/errors.ts";
import { redactText } from "../../lib/redact.ts";
import { sleep } from "../../lib/sleep.ts";
import type { Log } from "../../types/log.ts";

export interface HeadHintsOptions {
  readonly node: string;
  readonly url: string;
  /** A feed without a head for this long is taken for dead. */
  readonly silentMs: number;
  readonly reconnectMs: number;
  readonly log: Log;
}

const SUBSCRIBE = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] });

/** Runs until the signal aborts. Never throws: a dead feed costs time, not the chain. */
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
  let lastHead = performance.now();
  socket.addEventListener("open", () => socket.send(SUBSCRIBE));
  socket.addEventListener("close", () => ended.resolve("closed"));
  socket.addEventListener("error", () => ended.resolve("connection failed"));
  socket.addEventListener("message", ({ data }) => {
    const meaning = meaningOf(data);
    if (meaning === "refused") ended.resolve("the node refused the subscription");
    if (meaning !== "head" || signal.aborted) return;
    lastHead = performance.now();
    wake();
  });
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
    return await ended.promise;
  } finally {
    clearInterval(watchdog);
    signal.removeEventListener("abort", onAbort);
    socket.close();
  }
}

/** What the node sent; whatever is neither a head nor a refusal says nothing. */
function meaningOf(data: unknown): "head" | "refused" | null {
  if (typeof data !== "string") return null;
  try {
    const message = JSON.parse(data) as { method?: unknown; error?: unknown } | null;
    if (message?.method === "eth_subscription") return "head";
    return message?.error === undefined || message.error === null ? null : "refused";
  } catch {
    return null;
  }
}
