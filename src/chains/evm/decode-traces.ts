/**
 * Call traces -> value that moved inside contract calls. Two shapes: geth's `callTracer` (debug_traceBlockByHash) and
 * Parity's flat list (trace_block). Nothing on chain commits to a trace, so its top-level frames are compared with the
 * transactions, and what does not fit is refused.
 *
 * What counts: CALL, CREATE, CREATE2 and SELFDESTRUCT with value. DELEGATECALL and STATICCALL move nothing (they repeat
 * the caller's value), CALLCODE pays itself, and a frame below a reverted one never happened.
 */
import type { Address } from "../../types/chain.ts";
import { type Checksum, addressOf, hashOf, quantityOf } from "./answer-fields.ts";
import { type Fields, MalformedAnswerError, fieldsOf, listOf } from "../answer-fields.ts";

export interface ValueFrame {
  readonly kind: "call" | "create" | "selfdestruct";
  readonly from: Address;
  readonly to: Address;
  readonly amount: bigint;
}

/** The frames of one transaction: the outermost as told by the tracer, and below it, in order of execution, those that count. */
export interface TracedTransaction {
  readonly top: { readonly from: Address; readonly to: Address | null; readonly amount: bigint };
  /** With value, or creating a contract. */
  readonly inner: readonly ValueFrame[];
}

type Kind = ValueFrame["kind"] | "ignored";

const CALL_TRACER_KINDS: Readonly<Record<string, Kind>> = {
  CALL: "call",
  CREATE: "create",
  CREATE2: "create",
  SELFDESTRUCT: "selfdestruct",
  DELEGATECALL: "ignored",
  STATICCALL: "ignored",
  CALLCODE: "ignored",
};

/** `debug_traceBlockByHash` with `callTracer`: one entry per transaction, in order. */
export function decodeCallTracer(answer: unknown, checksum: Checksum): TracedTransaction[] {
  return listOf(answer, "traces").map((entry, index) => {
    const what = `trace of transaction ${index}`;
    const top = fieldsOf(fieldsOf(entry, what)["result"], what);
    const inner: ValueFrame[] = [];
    if (top["error"] === undefined) collectCalls(top, { what, checksum, into: inner });
    const to = top["to"];
    return {
      top: {
        from: addressOf(top["from"], `${what}: from`, checksum),
        to: to === undefined || to === null ? null : addressOf(to, `${what}: to`, checksum),
        amount: top["value"] === undefined ? 0n : quantityOf(top["value"], `${what}: value`),
      },
      inner,
    };
  });
}

interface Collect {
  readonly what: string;
  readonly checksum: Checksum;
  readonly into: ValueFrame[];
}

// Ethereum's call depth limit is 1,024; a deeper answer is not a trace.
const DEPTH_MAX = 1_100;

function collectCalls(frame: Fields, collect: Collect, depth = 0): void {
  if (depth > DEPTH_MAX) throw new MalformedAnswerError(`${collect.what} is nested too deeply`);
  const calls = frame["calls"];
  if (calls === undefined || calls === null) return;
  for (const call of listOf(calls, `${collect.what}: calls`)) {
    const inner = fieldsOf(call, `${collect.what}: call`);
    if (inner["error"] !== undefined) continue;
    const kind = CALL_TRACER_KINDS[String(inner["type"])];
    if (kind === undefined) throw new MalformedAnswerError(`${collect.what}: a call of an unknown type`);
    if (kind !== "ignored") {
      const amount = inner["value"] === undefined ? 0n : quantityOf(inner["value"], `${collect.what}: value`);
      addFrame({ kind, amount, from: inner["from"], to: inner["to"] }, collect);
    }
    collectCalls(inner, collect, depth + 1);
  }
}

function addFrame(
  frame: { kind: ValueFrame["kind"]; amount: bigint; from: unknown; to: unknown },
  { what, checksum, into }: Collect,
): void {
  if (frame.amount === 0n && frame.kind !== "create") return;
  const from = addressOf(frame.from, `${what}: from`, checksum);
  const to = addressOf(frame.to, `${what}: to`, checksum);
  // A contract that destroys itself in its own favour moves nothing.
  if (frame.kind === "selfdestruct" && from === to) return;
  into.push({ kind: frame.kind, from, to, amount: frame.amount });
}

/** `trace_block`: one flat list for the block, with `traceAddress` as the place in the tree. Reward entries are no part of any transaction. */
export function decodeParityTraces(
  answer: unknown,
  of: { blockHash: string; txHashes: readonly string[] },
  checksum: Checksum,
): TracedTransaction[] {
  const byTransaction = new Map<string, Fields[]>(of.txHashes.map((hash) => [hash, []]));
  for (const entry of listOf(answer, "traces")) {
    const trace = fieldsOf(entry, "trace");
    // trace_block is asked by number: another block of this height is not an answer.
    if (trace["blockHash"] !== of.blockHash)
      throw new MalformedAnswerError("the node traced another block of this height");
    if (trace["type"] === "reward") continue;
    const traces = byTransaction.get(hashOf(trace["transactionHash"], "trace: transactionHash"));
    if (traces === undefined) throw new MalformedAnswerError("a trace belongs to no transaction of the block");
    traces.push(trace);
  }
  return of.txHashes.map((hash, index) =>
    decodeParityTransaction(byTransaction.get(hash) ?? [], { what: `trace of transaction ${index}`, checksum }),
  );
}

function decodeParityTransaction(
  traces: readonly Fields[],
  { what, checksum }: Omit<Collect, "into">,
): TracedTransaction {
  const [first, ...rest] = traces;
  if (first === undefined || pathOf(first, what) !== "") throw new MalformedAnswerError(`${what} is missing`);
  const inner: ValueFrame[] = [];
  const failed: string[] = first["error"] === undefined ? [] : [""];
  for (const trace of rest) {
    const path = pathOf(trace, what);
    if (failed.some((prefix) => prefix === "" || path.startsWith(`${prefix}.`))) continue;
    if (trace["error"] !== undefined) {
      failed.push(path);
      continue;
    }
    addParityFrame(trace, { what, checksum, into: inner });
  }
  const action = fieldsOf(first["action"], `${what}: action`);
  return {
    top: {
      from: addressOf(action["from"], `${what}: from`, checksum),
      to: first["type"] === "create" ? null : addressOf(action["to"], `${what}: to`, checksum),
      amount: quantityOf(action["value"], `${what}: value`),
    },
    inner,
  };
}

/** `traceAddress` as text: `0.2.1`; empty for the outermost frame. */
function pathOf(trace: Fields, what: string): string {
  return listOf(trace["traceAddress"], `${what}: traceAddress`).join(".");
}

function addParityFrame(trace: Fields, collect: Collect): void {
  const { what } = collect;
  const action = fieldsOf(trace["action"], `${what}: action`);
  switch (trace["type"]) {
    case "call":
      if (action["callType"] !== "call") return;
      return addFrame(
        { kind: "call", amount: quantityOf(action["value"], `${what}: value`), from: action["from"], to: action["to"] },
        collect,
      );
    case "create": {
      const result = fieldsOf(trace["result"], `${what}: result`);
      return addFrame(
        {
          kind: "create",
          amount: quantityOf(action["value"], `${what}: value`),
          from: action["from"],
          to: result["address"],
        },
        collect,
      );
    }
    case "suicide":
      return addFrame(
        {
          kind: "selfdestruct",
          amount: quantityOf(action["balance"], `${what}: balance`),
          from: action["address"],
          to: action["refundAddress"],
        },
        collect,
      );
    default:
      throw new MalformedAnswerError(`${what}: a trace of an unknown type`);
  }
}
