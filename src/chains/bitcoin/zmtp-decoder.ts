/**
 * ZMTP 3.0 (rfc.zeromq.org/spec/23) as far as a subscriber without security needs it: bytes in, messages out.
 * Whoever listens on the port may send anything: what is not ZMTP, or larger than a bound, throws ZmtpError.
 *
 * States: `greeting` (64 bytes), `ready` (the command READY), `messages`.
 */
import { AppError } from "../../lib/errors.ts";

export class ZmtpError extends AppError {
  override readonly code = "zmtp";
  override readonly retryable = true;
}

export interface ZmtpDecoder {
  /** Messages complete with this chunk, each as its parts. */
  feed(chunk: Uint8Array): Uint8Array[][];
  /** The publisher has greeted: it may be told who we are. */
  isGreeted(): boolean;
  /** It has said READY too: messages may follow. */
  isReady(): boolean;
}

const GREETING_BYTES = 64;
// Topic, body and counter; a part more is not what a node sends.
const PARTS_MAX = 4;
const MORE = 0x01;
const LONG = 0x02;
const COMMAND = 0x04;

/** What a subscriber says first: version 3.0, mechanism NULL. */
export function subscriberGreeting(): Uint8Array {
  const greeting = Buffer.alloc(GREETING_BYTES);
  greeting[0] = 0xff;
  greeting[9] = 0x7f;
  greeting[10] = 3;
  greeting.write("NULL", 12, "latin1");
  return greeting;
}

/** What it says when greeted: that it is a subscriber, and of what. */
export function subscriberHello(topics: readonly string[]): Uint8Array {
  const ready = Buffer.from("\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB", "latin1");
  const subscriptions = topics.map((topic) => {
    const name = Buffer.from(topic, "latin1");
    return Buffer.concat([Uint8Array.of(0, name.length + 1, 1), name]);
  });
  return Buffer.concat([Uint8Array.of(COMMAND, ready.length), ready, ...subscriptions]);
}

export function createZmtpDecoder({ maxMessageBytes }: { maxMessageBytes: number }): ZmtpDecoder {
  let state: "greeting" | "ready" | "messages" = "greeting";
  const pending = createInbox();
  let parts: Uint8Array[] = [];
  let partBytes = 0;

  /** One frame from the front of what is here; null: not all of it is. */
  function takeFrame(): { flags: number; body: Uint8Array } | null {
    const bytes = pending.bytes();
    const flags = bytes[0];
    if (flags === undefined) return null;
    if ((flags & ~(MORE | LONG | COMMAND)) !== 0) throw new ZmtpError("reserved bits are set in a frame");
    const headBytes = (flags & LONG) === 0 ? 2 : 9;
    if (bytes.length < headBytes) return null;
    const size = (flags & LONG) === 0 ? BigInt(bytes[1] ?? 0) : bytes.readBigUInt64BE(1);
    // Before any of it is waited for: the size is what the other side says.
    if (size > BigInt(maxMessageBytes)) throw new ZmtpError(`a frame of ${size} bytes`);
    const frameBytes = headBytes + Number(size);
    if (bytes.length < frameBytes) return null;
    const body = Uint8Array.from(bytes.subarray(headBytes, frameBytes));
    pending.drop(frameBytes);
    return { flags, body };
  }

  function takePart(body: Uint8Array, isLast: boolean): Uint8Array[] | null {
    parts.push(body);
    partBytes += body.length;
    if (parts.length > PARTS_MAX || partBytes > maxMessageBytes) throw new ZmtpError("a message without an end");
    if (!isLast) return null;
    const message = parts;
    parts = [];
    partBytes = 0;
    return message;
  }

  function takeGreeting(): boolean {
    checkGreeting(pending.bytes());
    if (pending.bytes().length < GREETING_BYTES) return false;
    pending.drop(GREETING_BYTES);
    state = "ready";
    return true;
  }

  return {
    feed(chunk) {
      pending.add(chunk);
      const messages: Uint8Array[][] = [];
      if (state === "greeting" && !takeGreeting()) return messages;
      for (let frame = takeFrame(); frame !== null; frame = takeFrame()) {
        const { flags, body } = frame;
        if ((flags & COMMAND) !== 0) {
          if (state === "ready") checkReady(body);
          state = "messages";
          continue;
        }
        if (state === "ready") throw new ZmtpError("a message before READY");
        const message = takePart(body, (flags & MORE) === 0);
        if (message !== null) messages.push(message);
      }
      return messages;
    },
    isGreeted: () => state !== "greeting",
    isReady: () => state === "messages",
  };
}

/** As much of it as is here. */
function checkGreeting(bytes: Buffer): void {
  const wrong =
    (bytes.length > 0 && bytes[0] !== 0xff) ||
    (bytes.length > 9 && ((bytes[9] ?? 0) & 1) !== 1) ||
    (bytes.length > 10 && (bytes[10] ?? 0) < 3) ||
    (bytes.length >= 32 && bytes.toString("latin1", 12, 32).replace(/\0+$/, "") !== "NULL");
  if (wrong) throw new ZmtpError("the other side does not speak ZMTP 3 without security");
}

function checkReady(body: Uint8Array): void {
  const text = Buffer.from(body).toString("latin1");
  if (!text.startsWith("\x05READY")) throw new ZmtpError("the other side refused the connection");
  const publishers = ["\x03PUB", "\x04XPUB"].map((type) => `Socket-Type\0\0\0${type}`);
  if (!publishers.some((one) => text.includes(one))) throw new ZmtpError("the other side is not a publisher");
}

/** Bytes that wait for their rest, in a buffer that grows by doubling: whoever sends them one by one costs no more. */
function createInbox(): { add(chunk: Uint8Array): void; bytes(): Buffer; drop(count: number): void } {
  let buffer = Buffer.alloc(1_024);
  let from = 0;
  let to = 0;
  return {
    add(chunk) {
      if (to + chunk.length > buffer.length) {
        const room = to - from + chunk.length > buffer.length / 2 ? 2 * (to - from + chunk.length) : buffer.length;
        const next = Buffer.alloc(room);
        buffer.copy(next, 0, from, to);
        to -= from;
        from = 0;
        buffer = next;
      }
      buffer.set(chunk, to);
      to += chunk.length;
    },
    bytes: () => buffer.subarray(from, to),
    drop(count) {
      from += count;
    },
  };
}
