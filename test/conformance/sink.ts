/** What every sink must do, whatever it sends to. Called once per kind of sink from a test file. */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { SendOutcome, Sink, SinkMessage } from "../../src/types/sink.ts";

export interface SinkUnderTest {
  /** Where the sink must send to: a local receiver that never answers, or a port where nobody listens. */
  readonly url: string;
  /** Texts the sink is configured with that nobody may ever see. `url` holds one in its path and one in its query. */
  readonly secrets: { readonly signing: string; readonly header: string };
}

const MESSAGE: SinkMessage = {
  webhookId: "msg_conformance",
  type: "alert.created",
  severity: "critical",
  body: JSON.stringify({ type: "alert.created", data: { summary: "a test" } }),
  timestamp: 1_795_000_000,
};

const SIGNING = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
const HEADER = "canary-in-header-5f1c";
const CANARIES = [SIGNING.slice("whsec_".length), HEADER, "canary-in-path-5f1c", "canary-in-query-5f1c"];

/** Well below every sink's own timeout: what ends sooner was ended by the signal. */
const SOON_MS = 1_500;

export function sinkConformance(name: string, makeSink: (under: SinkUnderTest) => Sink): void {
  describe(`${name} keeps the promises of every sink`, () => {
    let silent: Server;
    let deadPort = 0;
    const sockets = new Set<Socket>();

    beforeAll(async () => {
      silent = createServer((socket) => {
        sockets.add(socket);
        socket.on("error", () => undefined).resume();
      });
      await listen(silent);
      const closed = createServer();
      await listen(closed);
      deadPort = portOf(closed);
      await new Promise((done) => closed.close(done));
    });

    afterAll(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => silent.close(done));
    });

    test("a dead receiver is an outcome, not an exception, and its text shows no secret", async () => {
      const outcome = await useSink(makeSink, deadPort, (sink) => sink.send(MESSAGE, new AbortController().signal));
      expect(["delivered", "retry"]).toContain(outcome.result);
      expectNoCanary(JSON.stringify(outcome));
    });

    test("a signal that is already aborted sends nothing", async () => {
      const before = sockets.size;
      const outcome = await useSink(makeSink, portOf(silent), async (sink) => {
        const answer = await sink.send(MESSAGE, AbortSignal.abort());
        // A connection that was begun all the same would arrive about now.
        await new Promise((done) => setTimeout(done, 200));
        return answer;
      });
      expect(outcome.result).toBe("retry");
      expect(sockets.size).toBe(before);
    });

    test("a signal that aborts ends a send that hangs", async () => {
      const startedAt = performance.now();
      const outcome = await useSink(makeSink, portOf(silent), (sink) => sink.send(MESSAGE, AbortSignal.timeout(100)));
      expect(performance.now() - startedAt).toBeLessThan(SOON_MS);
      expect(["delivered", "retry"]).toContain(outcome.result);
      expectNoCanary(JSON.stringify(outcome));
    });

    test("close ends a send that hangs, may be called twice, and a send afterwards is an outcome", async () => {
      const startedAt = performance.now();
      const outcomes = await useSink(makeSink, portOf(silent), async (sink) => {
        const hanging = sink.send(MESSAGE, new AbortController().signal);
        await new Promise((done) => setTimeout(done, 50));
        await Promise.all([sink.close(), sink.close()]);
        await sink.close();
        return [await hanging, await sink.send(MESSAGE, new AbortController().signal)];
      });
      expect(performance.now() - startedAt).toBeLessThan(SOON_MS);
      for (const outcome of outcomes) expectOutcome(outcome);
    });

    test("describe shows no secret, no path and no query", async () => {
      await useSink(makeSink, deadPort, async (sink) => {
        expect(sink.describe()).not.toBe("");
        expectNoCanary(sink.describe());
        expect(sink.describe()).not.toContain("?");
      });
    });

    test("name and kind are set", async () => {
      await useSink(makeSink, deadPort, async (sink) => {
        expect(sink.name).not.toBe("");
        expect(sink.kind).not.toBe("");
      });
    });
  });
}

async function useSink<T>(
  makeSink: (under: SinkUnderTest) => Sink,
  port: number,
  use: (sink: Sink) => Promise<T>,
): Promise<T> {
  const url = `http://127.0.0.1:${port}/canary-in-path-5f1c?key=canary-in-query-5f1c`;
  const sink = makeSink({ url, secrets: { signing: SIGNING, header: HEADER } });
  try {
    return await use(sink);
  } finally {
    await sink.close();
  }
}

function expectOutcome(outcome: SendOutcome): void {
  expect(["delivered", "retry", "rejected"]).toContain(outcome.result);
  expectNoCanary(JSON.stringify(outcome));
}

function expectNoCanary(text: string): void {
  for (const canary of CANARIES) expect(text).not.toContain(canary);
}

function listen(server: Server): Promise<void> {
  return new Promise((listening) => server.listen(0, "127.0.0.1", listening));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
