/**
 * A subscription over WebSocket (newHeads, newPendingTransactions) as a hint to look sooner. It proves nothing and may die silently: polling is the truth, and
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
  /** A feed that says nothing for this long is taken for dead. */
  readonly silentMs: number;
  readonly reconnectMs: number;
  readonly log: Log;
}

export interface FeedOptions extends HeadHintsOptions {
  /** For logs. */
  readonly feed: string;
  /** Parameters of `eth_subscribe`, the best first: what the node refuses gives way to the next. */
  readonly subscriptions: readonly (readonly unknown[])[];
}

export function followHeadHints(options: HeadHintsOptions, wake: () => void, signal: AbortSignal): Promise<void> {
  return followFeed({ ...options, feed: "head feed", subscriptions: [["newHeads"]] }, wake, signal);
}

/** Runs until the signal aborts. Never throws: a dead feed costs time, not the chain. `onResult` gets what the node sent. */
export async function followFeed(
  options: FeedOptions,
  onResult: (result: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const { node, feed, subscriptions, log } = options;
  for (let refusals = 0; !signal.aborted; ) {
    try {
      const params = subscriptions[refusals % subscriptions.length] ?? [];
      const why = await oneConnection(options, { params, onResult }, signal);
      if (why === REFUSED) refusals += 1;
      if (!signal.aborted) log.warn({ node, why }, `${feed} ended, polling goes on; opening it again`);
    } catch (error) {
      log.warn({ node, error: redactText(describeError(error)) }, `${feed} could not be opened, polling goes on`);
    }
    await sleep(options.reconnectMs, signal);
  }
}

const REFUSED = "the node refused the subscription";

async function oneConnection(
  options: FeedOptions,
  { params, onResult }: { params: readonly unknown[]; onResult: (result: unknown) => void },
  signal: AbortSignal,
): Promise<string> {
  const socket = new WebSocket(options.url);
  const ended = Promise.withResolvers<string>();
  let lastWord = performance.now();
  const subscribe = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params });
  socket.addEventListener("open", () => socket.send(subscribe));
  socket.addEventListener("close", () => ended.resolve("closed"));
  socket.addEventListener("error", () => ended.resolve("connection failed"));
  socket.addEventListener("message", ({ data }) => {
    const meaning = meaningOf(data);
    if (meaning === "refused") ended.resolve(REFUSED);
    if (meaning === null || meaning === "refused" || signal.aborted) return;
    lastWord = performance.now();
    onResult(meaning.result);
  });
  const watchdog = setInterval(
    () => {
      if (performance.now() - lastWord > options.silentMs)
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

/** What the node sent; whatever is neither news nor a refusal says nothing. */
function meaningOf(data: unknown): { result: unknown } | "refused" | null {
  if (typeof data !== "string") return null;
  try {
    const message = JSON.parse(data) as { method?: unknown; error?: unknown; params?: { result?: unknown } } | null;
    if (message?.method === "eth_subscription") return { result: message.params?.result };
    return message?.error === undefined || message.error === null ? null : "refused";
  } catch {
    return null;
  }
}
