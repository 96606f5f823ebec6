/** A ZMQ publisher on 127.0.0.1 that speaks ZMTP 3.0 as far as a subscriber sees it. */
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

export interface ZmqPublisher {
  readonly url: string;
  /** Topics that subscribers asked for, in order. */
  readonly subscriptions: string[];
  subscribers(): number;
  publish(topic: string, body: Uint8Array): void;
  /** Sends bytes as they are. */
  raw(bytes: Uint8Array): void;
  /** Ends every connection, as a node does that stops. */
  hangUp(): void;
  close(): Promise<void>;
}

/** `opening`: what it says to whoever connects; default: greeting and READY. */
export async function startZmqPublisher(opening: Uint8Array = publisherOpening()): Promise<ZmqPublisher> {
  const sockets = new Set<Socket>();
  const subscriptions: string[] = [];
  const counters = new Map<string, number>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
    let heard = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      subscriptions.splice(0, subscriptions.length, ...topicsIn(heard));
    });
    socket.write(opening);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const raw = (bytes: Uint8Array) => {
    for (const socket of sockets) socket.write(bytes);
  };
  return {
    url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    subscriptions,
    subscribers: () => sockets.size,
    publish(topic, body) {
      const counter = counters.get(topic) ?? 0;
      counters.set(topic, counter + 1);
      raw(messageOf(topic, body, counter));
    },
    raw,
    hangUp() {
      for (const socket of sockets) socket.destroy();
      counters.clear();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

export function publisherOpening(socketType = "PUB"): Buffer {
  const greeting = Buffer.alloc(64);
  greeting.write("\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL", "latin1");
  const ready = Buffer.from(
    `\x05READY\x0bSocket-Type\0\0\0${String.fromCharCode(socketType.length)}${socketType}`,
    "latin1",
  );
  return Buffer.concat([greeting, Uint8Array.of(4, ready.length), ready]);
}

export function messageOf(topic: string, body: Uint8Array, counter: number): Buffer {
  const last = Buffer.alloc(4);
  last.writeUInt32LE(counter >>> 0);
  return Buffer.concat([frame(Buffer.from(topic, "latin1"), true), frame(body, true), frame(last, false)]);
}

function frame(body: Uint8Array, more: boolean): Buffer {
  if (body.length < 256) return Buffer.concat([Uint8Array.of(Number(more), body.length), body]);
  const head = Buffer.alloc(9);
  head[0] = 2 + Number(more);
  head.writeBigUInt64BE(BigInt(body.length), 1);
  return Buffer.concat([head, body]);
}

/** Subscriptions of a ZMTP 3.0 subscriber: after greeting and READY, a message of 0x01 and the topic each. */
function topicsIn(heard: Buffer): string[] {
  const topics: string[] = [];
  let at = 64;
  while (at + 2 <= heard.length) {
    const end = at + 2 + (heard[at + 1] ?? 0);
    if (end > heard.length) break;
    if (heard[at] === 0 && heard[at + 2] === 1) topics.push(heard.toString("latin1", at + 3, end));
    at = end;
  }
  return topics;
}
