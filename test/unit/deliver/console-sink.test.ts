import { describe, expect, test } from "@jest/globals";
import { createConsoleSink } from "../../../src/deliver/sinks/console.ts";
import type { SinkMessage } from "../../../src/types/sink.ts";

const DATA = {
  alertId: "alr_7zk4",
  revision: 2,
  stage: "included",
  action: "hold",
  summary: "12 ETH from the Radiant Capital theft reached deposit address 0x1111.",
  chain: { id: "eip155:1", name: "ethereum" },
  transaction: { hash: "0xabc", index: 17 },
};

async function printed(body: string, over: Partial<SinkMessage> = {}) {
  const written: string[] = [];
  const sink = createConsoleSink({ kind: "console", name: "screen" }, { write: (text) => void written.push(text) });
  const message = { webhookId: "msg_1", type: "alert.updated", severity: "critical", body, timestamp: 1 } as const;
  const outcome = await sink.send({ ...message, ...over }, new AbortController().signal);
  return { outcome, text: written.join("") };
}

describe("the console sink", () => {
  test("one block with everything a person needs first", async () => {
    const { outcome, text } = await printed(JSON.stringify({ type: "alert.updated", data: DATA }));
    expect(outcome).toEqual({ result: "delivered", status: null, excerpt: "" });
    expect(text).toBe(
      [
        "[CRITICAL] alert.updated",
        "  12 ETH from the Radiant Capital theft reached deposit address 0x1111.",
        "  action hold",
        "  chain  ethereum",
        "  tx     0xabc",
        "  stage  included, revision 2",
        "  alert  alr_7zk4",
        "  id     msg_1",
        "",
        "",
      ].join("\n"),
    );
  });

  test("a body without these fields still prints who and what", async () => {
    for (const body of ['{"data":{"message":"node a is away"}}', "{}", "null", "[]", "not json", '{"data":7}']) {
      const { outcome, text } = await printed(body, { type: "system.degraded", severity: "high" });
      expect(outcome.result).toBe("delivered");
      expect(text).toContain("[HIGH] system.degraded\n");
      expect(text).toContain("id     msg_1\n");
      expect(text).not.toContain("undefined");
    }
  });

  test("an escape sequence or a line break in a stranger's text does not reach the terminal", async () => {
    const summary = "USDT\u001b[2J\u202E\n[CRITICAL] forged\r";
    const { text } = await printed(JSON.stringify({ data: { ...DATA, summary } }));
    expect(text).toContain("  USDT [2J [CRITICAL] forged\n");
    expect(text.split("\n").filter((line) => line.startsWith("["))).toHaveLength(1);
  });

  test("an output that fails is tried again", async () => {
    const sink = createConsoleSink(
      { kind: "console", name: "screen" },
      {
        write: () => {
          throw new Error("disk full");
        },
      },
    );
    const message = { webhookId: "m", type: "alert.created", severity: "low", body: "{}", timestamp: 1 } as const;
    expect(await sink.send(message, new AbortController().signal)).toMatchObject({
      result: "retry",
      error: "not written: disk full",
    });
  });
});
