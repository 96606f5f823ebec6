/**
 * The node's ZMQ publisher as a hint to look sooner. It proves nothing: a publisher may drop messages, lose its place at
 * each start of the node, or stay silent for ever. Polling is the truth, so what a message says is not read further than
 * to see whether it is about blocks, its counter not at all, and each new connection is a hint by itself.
 */
import { connect, type Socket } from "node:net";
import { describeError } from "../../lib/errors.ts";
import { redactText } from "../../lib/redact.ts";
import { sleep } from "../../lib/sleep.ts";
import type { Log } from "../../types/log.ts";
import { createZmtpDecoder, subscriberGreeting, subscriberHello, type ZmtpDecoder, ZmtpError } from "./zmtp-decoder.ts";

export interface ZmqFeedOptions {
  readonly node: string;
  /** `tcp://host:port`. */
  readonly url: string;
  readonly topics: readonly string[];
  /** A message with more is not waited for: the connection is given up. */
  readonly maxMessageBytes: number;
  readonly reconnectMs: number;
  readonly log: Log;
}

export interface ZmqMessage {
  readonly topic: string;
  readonly body: Uint8Array;
}

// Greeting and READY are a hundred bytes: a publisher that needs longer is none.
const HANDSHAKE_MS = 10_000;
// A publisher may be silent for an hour; the system's own probes find a connection that is dead.
const KEEP_ALIVE_MS = 30_000;
// A hash and a word; the sequence topic has a counter behind it.
const HINT_BYTES_MAX = 1_024;
const HINT_TOPICS = ["hashblock", "sequence"];
// A block connected or disconnected; the others are transactions of the mempool.
const BLOCK_LABELS = new Set(["C".charCodeAt(0), "D".charCodeAt(0)]);
const LABEL_AT = 32;
// A reorg of many blocks, or a publisher that floods: looking more often than this finds nothing more.
const HINT_GAP_MS = 100;

/** Wakes whenever the node's chain may have changed, until the signal aborts. Never throws. */
export async function followBlockHints(
  options: Omit<ZmqFeedOptions, "topics" | "maxMessageBytes">,
  wake: () => void,
  signal: AbortSignal,
): Promise<void> {
  const hint = spaced(wake, signal);
  const feed = { ...options, topics: HINT_TOPICS, maxMessageBytes: HINT_BYTES_MAX };
  await followZmq(feed, { onOpen: hint, onMessage: (message) => isAboutBlocks(message) && hint() }, signal);
}

function isAboutBlocks({ topic, body }: ZmqMessage): boolean {
  return topic === "hashblock" || (topic === "sequence" && BLOCK_LABELS.has(body[LABEL_AT] ?? 0));
}

/** At once, and then once more for all that came in the meantime. */
function spaced(wake: () => void, signal: AbortSignal): () => void {
  let resting = false;
  let again = false;
  async function hint(): Promise<void> {
    again = true;
    if (resting) return;
    resting = true;
    while (again && !signal.aborted) {
      again = false;
      wake();
      await sleep(HINT_GAP_MS, signal);
    }
    resting = false;
  }
  return () => void hint();
}

interface ZmqListener {
  /** Subscribed: what was published before is lost. */
  readonly onOpen: () => void;
  readonly onMessage: (message: ZmqMessage) => void;
}

/** Runs until the signal aborts. Never throws: a dead feed costs time, not the chain. */
export async function followZmq(options: ZmqFeedOptions, listener: ZmqListener, signal: AbortSignal): Promise<void> {
  const { node, url, log } = options;
  while (!signal.aborted) {
    const why = await oneConnection(options, listener, signal).catch(wordsOf);
    if (!signal.aborted) log.warn({ node, url, why }, "zmq feed ended, polling goes on; opening it again");
    await sleep(options.reconnectMs, signal);
  }
}

async function oneConnection(options: ZmqFeedOptions, listener: ZmqListener, signal: AbortSignal): Promise<string> {
  const { hostname, port } = new URL(options.url);
  // An IPv6 address stands in brackets in a URL.
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port), noDelay: true });
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  const ended = Promise.withResolvers<string>();
  const decoder = createZmtpDecoder(options);
  const handshake = setTimeout(() => decoder.isReady() || ended.resolve("no ZMTP greeting"), HANDSHAKE_MS);
  socket.on("connect", () => socket.write(subscriberGreeting()));
  socket.on("data", (chunk: Uint8Array) => {
    try {
      receive({ chunk, decoder, socket, topics: options.topics, listener });
    } catch (error) {
      if (!(error instanceof ZmtpError)) throw error;
      ended.resolve(error.message);
    }
  });
  socket.on("error", (error) => ended.resolve(wordsOf(error)));
  socket.on("close", () => ended.resolve("closed"));
  const onAbort = () => ended.resolve("stopping");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await ended.promise;
  } finally {
    clearTimeout(handshake);
    signal.removeEventListener("abort", onAbort);
    socket.removeAllListeners("data");
    socket.destroy();
  }
}

const wordsOf = (error: unknown): string => redactText(describeError(error));

interface Received {
  readonly chunk: Uint8Array;
  readonly decoder: ZmtpDecoder;
  readonly socket: Socket;
  readonly topics: readonly string[];
  readonly listener: ZmqListener;
}

function receive({ chunk, decoder, socket, topics, listener }: Received): void {
  const before = { greeted: decoder.isGreeted(), ready: decoder.isReady() };
  const messages = decoder.feed(chunk);
  if (!before.greeted && decoder.isGreeted()) socket.write(subscriberHello(topics));
  if (!before.ready && decoder.isReady()) listener.onOpen();
  for (const [topic, body] of messages) {
    if (topic === undefined || body === undefined) continue;
    const name = Buffer.from(topic).toString("latin1");
    // A subscription is a prefix: what merely begins like a topic is another one.
    if (topics.includes(name)) listener.onMessage({ topic: name, body });
  }
}
