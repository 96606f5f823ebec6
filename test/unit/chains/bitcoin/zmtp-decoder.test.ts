import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  createZmtpDecoder,
  subscriberGreeting,
  subscriberHello,
  ZmtpError,
} from "../../../../src/chains/bitcoin/zmtp-decoder.ts";
import { FIXTURES, fixtureJson } from "../../../support/bitcoin/recorded-chain.ts";
import { messageOf, publisherOpening } from "../../../support/bitcoin/zmq-publisher.ts";

const session = readFileSync(join(FIXTURES, "regtest/zmtp/zmtp-server-to-client.bin"));
const recorded = fixtureJson("regtest/zmtp/zmtp-messages.json") as { topic: string; body: string; seq: number }[];
const LARGE = 4_000_000;
/** A frame of 768 bytes that says that more follow. */
const LONG_PART: number[] = [3, 0, 0, 0, 0, 0, 0, 3, 0, ...Array.from({ length: 768 }, () => 0)];

/** The messages in a stream that arrives in chunks of that size. */
function messagesIn(stream: Uint8Array, chunkBytes: number, maxMessageBytes = LARGE): Uint8Array[][] {
  const decoder = createZmtpDecoder({ maxMessageBytes });
  const messages: Uint8Array[][] = [];
  for (let at = 0; at < stream.length; at += chunkBytes) {
    messages.push(...decoder.feed(stream.subarray(at, at + chunkBytes)));
  }
  return messages;
}

test.each([1, 7, 64, 1_000, session.length])(
  "the recorded session in chunks of %d bytes gives what libzmq gave",
  (chunkBytes) => {
    const messages = messagesIn(session, chunkBytes).map(([topic, body, counter]) => ({
      topic: Buffer.from(topic as Uint8Array).toString("latin1"),
      body: Buffer.from(body as Uint8Array).toString("hex"),
      seq: Buffer.from(counter as Uint8Array).readUInt32LE(),
    }));
    expect(messages).toEqual(recorded);
  },
);

test("what we say is what a ZMTP 3.0 subscriber says", () => {
  const libzmq = readFileSync(join(FIXTURES, "regtest/zmtp/zmtp-client-to-server.bin"));
  const greeting = Buffer.from(subscriberGreeting());
  // libzmq says 3.1 and has a length in the signature, which version 3 does not read.
  expect(greeting.subarray(12)).toEqual(libzmq.subarray(12, 64));
  expect([greeting[0], greeting[9], greeting[10], greeting[11]]).toEqual([0xff, 0x7f, 3, 0]);
  const hello = Buffer.from(subscriberHello(["hashblock", "sequence"]));
  expect(hello.subarray(0, 27)).toEqual(libzmq.subarray(64, 91));
  expect(hello.toString("latin1", 27)).toBe("\x00\x0a\x01hashblock\x00\x09\x01sequence");
});

describe("bounds", () => {
  const opening = publisherOpening();
  const after = (...frames: number[][]) => Buffer.concat([opening, ...frames.map((frame) => Buffer.from(frame))]);
  const CASES: readonly [what: string, bytes: Uint8Array, text: RegExp][] = [
    ["a web server", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), /does not speak ZMTP/],
    ["an older ZMTP", Buffer.from("\xff\0\0\0\0\0\0\0\x01\x7f\x01", "latin1"), /does not speak ZMTP/],
    [
      "security that we do not have",
      Buffer.from(`\xff${"\0".repeat(8)}\x7f\x03\0CURVE${"\0".repeat(47)}`, "latin1"),
      /security/,
    ],
    ["a subscriber", publisherOpening("SUB"), /not a publisher/],
    [
      "an error in place of READY",
      Buffer.concat([opening.subarray(0, 64), Buffer.from("\x04\x07\x05ERROR\0", "latin1")]),
      /refused/,
    ],
    ["a message before READY", Buffer.concat([opening.subarray(0, 64), Buffer.from([0, 1, 65])]), /before READY/],
    ["a frame of 2^63 bytes", after([2, 0x80, 0, 0, 0, 0, 0, 0, 0]), /a frame of 9223372036854775808 bytes/],
    ["a frame of one byte too many", after([2, 0, 0, 0, 0, 0, 0, 4, 1]), /a frame of 1025 bytes/],
    [
      "a message of parts without end",
      after([1, 1, 65], [1, 1, 65], [1, 1, 65], [1, 1, 65], [1, 1, 65]),
      /without an end/,
    ],
    ["parts that are large together", after(LONG_PART, LONG_PART), /without an end/],
    ["reserved bits", after([0x80, 0]), /reserved bits/],
  ];
  test.each(CASES)("%s ends the connection", (_what, bytes, text) => {
    expect(() => messagesIn(bytes, bytes.length, 1_024)).toThrow(text);
    expect(() => messagesIn(bytes, 1, 1_024)).toThrow(ZmtpError);
  });

  test("a frame as large as allowed, sent byte by byte, is read in linear time", () => {
    const body = Buffer.alloc(1_000_000, 7);
    const startedAt = performance.now();
    const [message] = messagesIn(Buffer.concat([opening, messageOf("rawtx", body, 1)]), 1, LARGE);
    expect(Buffer.from(message?.[1] as Uint8Array).equals(body)).toBe(true);
    // Copied again for each byte it would be 500 GB.
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });

  test("whatever bytes come in whatever chunks: a bounded message, nothing, or a ZmtpError", () => {
    const stream = fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 50 }), ([greeted, bytes], chunkBytes) => {
        try {
          for (const parts of messagesIn(greeted ? Buffer.concat([opening, bytes]) : bytes, chunkBytes, 64)) {
            expect(parts.reduce((sum, part) => sum + part.length, 0)).toBeLessThanOrEqual(64);
          }
        } catch (error) {
          if (!(error instanceof ZmtpError)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("how a stream is cut changes nothing", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 700 }),
        (bodies, chunkBytes) => {
          const stream = Buffer.concat([opening, ...bodies.map((body, index) => messageOf("hashtx", body, index))]);
          const messages = messagesIn(stream, chunkBytes);
          expect(messages.map(([, body]) => body)).toEqual(bodies.map((body) => Uint8Array.from(body)));
        },
      ),
      { numRuns: 200 },
    );
  });
});
