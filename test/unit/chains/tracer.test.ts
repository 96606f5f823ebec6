import { expect, test } from "@jest/globals";
import { createChecksum } from "../../../src/chains/evm/checksum.ts";
import type { RpcCaller } from "../../../src/chains/evm/rpc-client.ts";
import { RpcError } from "../../../src/chains/rpc-envelope.ts";
import { createTracer } from "../../../src/chains/evm/tracer.ts";
import type { Log } from "../../../src/types/log.ts";

const HASH = `0x${"ab".repeat(32)}`;
const TX = `0x${"cd".repeat(32)}`;
const header = { number: 7, hash: HASH, parentHash: `0x${"00".repeat(32)}`, timestamp: 1 };
const signal = new AbortController().signal;
const from = `0x${"11".repeat(20)}`;
const to = `0x${"22".repeat(20)}`;

const PARITY = [
  {
    type: "call",
    action: { callType: "call", from, to, value: "0x5" },
    blockHash: HASH,
    transactionHash: TX,
    traceAddress: [],
    result: {},
  },
];
const CALL_TRACER = [{ result: { type: "CALL", from, to, value: "0x5" } }];
const top = { from, to, amount: 5n };

function tracerOn(answers: Record<string, unknown>, mode: "auto" | "off" = "auto") {
  const asked: string[] = [];
  const told: string[] = [];
  const rpc: RpcCaller = {
    call: (method) => {
      asked.push(method);
      const answer = answers[method] ?? new RpcError("the method does not exist", { details: {}, rpcCode: -32_601 });
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  const log: Log = { debug: () => {}, info: () => {}, warn: (_facts, message) => told.push(message), error: () => {} };
  const tracer = createTracer({ rpc, mode, checksum: createChecksum(), log });
  return {
    asked,
    told,
    trace: (hashes: readonly string[] = [TX]) =>
      tracer.trace(header, { count: hashes.length, hashes: () => hashes }, signal),
  };
}

test("the cheaper method is asked first, and the one that worked from then on", async () => {
  const both = tracerOn({ trace_block: PARITY, debug_traceBlockByHash: CALL_TRACER });
  await expect(both.trace()).resolves.toEqual([{ top, inner: [] }]);
  expect(both.asked).toEqual(["trace_block"]);
  const onlyDebug = tracerOn({ debug_traceBlockByHash: CALL_TRACER });
  await onlyDebug.trace();
  await expect(onlyDebug.trace()).resolves.toEqual([{ top, inner: [] }]);
  expect(onlyDebug.asked).toEqual(["trace_block", "debug_traceBlockByHash", "debug_traceBlockByHash"]);
});

test("a node without tracing is told once and not asked for every block", async () => {
  const { asked, told, trace } = tracerOn({});
  await expect(trace()).resolves.toBeNull();
  await expect(trace()).resolves.toBeNull();
  expect(asked).toEqual(["trace_block", "debug_traceBlockByHash"]);
  expect(told).toEqual([expect.stringContaining("no tracing")]);
});

test("a failing trace is asked for again, and given up for this block, loudly, the third time", async () => {
  const { told, trace } = tracerOn({ trace_block: new RpcError("timed out", { details: {} }) });
  await expect(trace()).rejects.toThrow("timed out");
  await expect(trace()).rejects.toThrow("timed out");
  expect(told).toEqual([]);
  await expect(trace()).resolves.toBeNull();
  expect(told).toEqual([expect.stringContaining("not traced")]);
});

test("a node without the state of a block is not asked three times", async () => {
  const { told, trace } = tracerOn({ trace_block: new RpcError("missing trie node 0xabc", { details: {} }) });
  await expect(trace()).resolves.toBeNull();
  expect(told).toHaveLength(1);
});

test("off asks nothing, and an empty block needs no trace", async () => {
  const off = tracerOn({ trace_block: PARITY }, "off");
  await expect(off.trace()).resolves.toBeNull();
  const empty = tracerOn({ trace_block: PARITY });
  await expect(empty.trace([])).resolves.toEqual([]);
  expect([...off.asked, ...empty.asked]).toEqual([]);
});
