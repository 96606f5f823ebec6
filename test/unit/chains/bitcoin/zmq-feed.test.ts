import { afterEach, describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { followBlockHints } from "../../../../src/chains/bitcoin/zmq-feed.ts";
import { FIXTURES } from "../../../support/bitcoin/recorded-chain.ts";
import { publisherOpening, startZmqPublisher, type ZmqPublisher } from "../../../support/bitcoin/zmq-publisher.ts";
import { waitFor } from "../../../support/wait-for.ts";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
});

interface Feed {
  wakes(): number;
  readonly warnings: string[];
  readonly ended: Promise<void>;
  stop(): void;
}

function follow(url: string): Feed {
  const stop = new AbortController();
  const warnings: string[] = [];
  const quiet = () => undefined;
  const log = {
    debug: quiet,
    info: quiet,
    error: quiet,
    warn: (facts: object) => warnings.push(JSON.stringify(facts)),
  };
  let wakes = 0;
  const ended = followBlockHints({ node: "own-a", url, reconnectMs: 20, log }, () => (wakes += 1), stop.signal);
  undo.push(() => {
    stop.abort();
    return ended;
  });
  return { wakes: () => wakes, warnings, ended, stop: () => stop.abort() };
}

async function feedOf(opening?: Uint8Array): Promise<{ publisher: ZmqPublisher; feed: Feed }> {
  const publisher = await startZmqPublisher(opening);
  undo.push(() => publisher.close());
  return { publisher, feed: follow(publisher.url) };
}

/** Subscribed, and the hint of the new connection has been given. */
async function settled({ publisher, feed }: { publisher: ZmqPublisher; feed: Feed }): Promise<void> {
  await waitFor("both subscriptions", () => publisher.subscriptions.length === 2);
  await waitFor("the hint of the new connection", () => feed.wakes() > 0);
  await sleep(150);
}

const HASH = Buffer.alloc(32, 7);

describe("hints", () => {
  test("it subscribes to blocks, and a new connection is a hint by itself: what was published before is lost", async () => {
    const both = await feedOf();
    await settled(both);
    expect(both.publisher.subscriptions).toEqual(["hashblock", "sequence"]);
    expect(both.feed.wakes()).toBe(1);
  });

  test.each([
    ["a block", "hashblock", HASH],
    ["a block connected", "sequence", Buffer.concat([HASH, Buffer.from("C")])],
    ["a block disconnected, which no hashblock tells", "sequence", Buffer.concat([HASH, Buffer.from("D")])],
  ])("%s wakes", async (_what, topic, body) => {
    const both = await feedOf();
    await settled(both);
    both.publisher.publish(topic, body);
    await waitFor("a hint", () => both.feed.wakes() === 2);
  });

  test.each([
    ["a transaction that enters the mempool", "sequence", Buffer.concat([HASH, Buffer.from("A"), Buffer.alloc(8)])],
    ["a transaction that leaves it", "sequence", Buffer.concat([HASH, Buffer.from("R"), Buffer.alloc(8)])],
    ["an empty message", "sequence", Buffer.alloc(0)],
    ["a topic that begins like one of ours", "hashblocks", HASH],
    ["a topic nobody asked for", "rawtx", HASH],
  ])("%s does not wake", async (_what, topic, body) => {
    const both = await feedOf();
    await settled(both);
    for (let index = 0; index < 20; index += 1) both.publisher.publish(topic, body);
    await sleep(300);
    expect(both.feed.wakes()).toBe(1);
    both.publisher.publish("hashblock", HASH);
    await waitFor("a hint", () => both.feed.wakes() === 2);
  });

  test("a message that comes right behind another one is not lost in the pause between hints", async () => {
    const both = await feedOf();
    await settled(both);
    both.publisher.publish("hashblock", HASH);
    await waitFor("the first hint", () => both.feed.wakes() === 2, { intervalMs: 1 });
    both.publisher.publish("hashblock", HASH);
    await waitFor("the second", () => both.feed.wakes() === 3);
  });

  test("a flood is one hint at once and one afterwards, and the last message is never lost in it", async () => {
    const both = await feedOf();
    await settled(both);
    for (let index = 0; index < 5_000; index += 1) both.publisher.publish("hashblock", HASH);
    await waitFor("two hints", () => both.feed.wakes() >= 3);
    await sleep(400);
    expect(both.feed.wakes()).toBeLessThan(20);
    const before = both.feed.wakes();
    both.publisher.publish("hashblock", HASH);
    await waitFor("one more", () => both.feed.wakes() > before);
  });

  test("invalidateblock as it was recorded wakes for each block that left, though no hashblock names them", async () => {
    const both = await feedOf();
    await settled(both);
    const lines = readFileSync(join(FIXTURES, "regtest/zmq-capture.jsonl"), "utf8").trim().split("\n");
    const events = lines.map((line) => JSON.parse(line) as { mark?: string; topic?: string; body?: string });
    const from = events.findIndex(({ mark }) => mark === "invalidateblock tip-1");
    const to = events.findIndex(({ mark }) => mark === "reconsiderblock");
    const sequence = events.slice(from, to).filter(({ topic }) => topic === "sequence");
    const labels = sequence.map(({ body }) => Buffer.from(body ?? "", "hex").toString("latin1", 32, 33));
    expect(labels).toEqual(["D", "D", "A"]);
    const wakes: number[] = [];
    for (const { body } of sequence) {
      both.publisher.publish("sequence", Buffer.from(body ?? "", "hex"));
      await sleep(250);
      wakes.push(both.feed.wakes());
    }
    expect(wakes).toEqual([2, 3, 3]);
  });
});

describe("trouble costs time, not the chain", () => {
  test("a publisher that goes away is connected to again, whatever its counters say then", async () => {
    const both = await feedOf();
    await settled(both);
    both.publisher.hangUp();
    await waitFor("the next connection", () => both.feed.wakes() === 2 && both.publisher.subscribers() === 1);
    await sleep(150);
    both.publisher.publish("hashblock", HASH);
    await waitFor("a hint", () => both.feed.wakes() === 3);
    expect(both.feed.warnings[0]).toContain("closed");
  });

  test.each([
    ["speaks HTTP", Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), "does not speak ZMTP"],
    [
      "announces a frame of gigabytes",
      Buffer.concat([publisherOpening(), Buffer.from([3, 0, 0, 0, 1, 0, 0, 0, 0])]),
      "a frame of",
    ],
  ])(
    "a publisher that %s is left and tried again, and the feed still ends when told to",
    async (_what, opening, why) => {
      const { feed } = await feedOf(opening);
      await waitFor("two tries", () => feed.warnings.length >= 2);
      expect(feed.warnings[0]).toContain(why);
      feed.stop();
      await feed.ended;
    },
  );

  test("a port where nobody listens, and one that is none, are no reason to stop", async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));
    const away = follow(`tcp://127.0.0.1:${port}`);
    await waitFor("a warning", () => away.warnings.some((one) => one.includes("ECONNREFUSED")));
    const none = follow("tcp://127.0.0.1:99999");
    await waitFor("a warning", () => none.warnings.length > 1);
  });
});
