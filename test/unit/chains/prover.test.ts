/** What the adapter does with a proof: nothing is scanned that should match its hash and does not. */
import { describe, expect, test } from "@jest/globals";
import { decodeHeader } from "../../../src/chains/evm/decode-block.ts";
import { createProver } from "../../../src/chains/evm/prover.ts";
import { ProofMismatchError } from "../../../src/chains/node-errors.ts";
import type { RpcCaller } from "../../../src/chains/evm/rpc-client.ts";
import type { Log } from "../../../src/types/log.ts";
import { type Answers, recorded } from "./recorded.ts";

const NUMBER = 18_000_000;
const signal = new AbortController().signal;

const silentNode: RpcCaller = {
  call: () => Promise.reject(new Error("a proof of this block asks the node for nothing")),
};

function prove(proofs: "require" | "prefer", spoil: (answers: Answers) => void = () => undefined, chain = "eip155:1") {
  const told: string[] = [];
  const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: (_facts, message) => told.push(message) };
  const answers = recorded(NUMBER);
  const header = decodeHeader(answers.block);
  spoil(answers);
  const prover = createProver({ rpc: silentNode, chain: { id: chain, proofs }, node: "own-a", log });
  return {
    told,
    again: () => prover.prove({ header, ...answers }, signal),
    proven: prover.prove({ header, ...answers }, signal),
  };
}

function hideLog(answers: Answers): void {
  answers.receipts.find((receipt) => receipt.logs.length > 1)?.logs.pop();
}

/** The way to make a lie look like a test node's borrowed sender. */
function takeSignature(answers: Answers): void {
  hideLog(answers);
  Object.assign(answers.block.transactions[0] ?? {}, { value: "0x1", r: "0x0", s: "0x0" });
}

describe("a block of a real chain", () => {
  test("is proven", async () => {
    await expect(prove("require").proven).resolves.toBe(true);
  });

  test.each([
    ["that hides a log", hideLog],
    ["that hides a log and takes a signature away", takeSignature],
    [
      "that changes an amount",
      (answers: Answers) => Object.assign(answers.block.transactions[3] ?? {}, { value: "0x5" }),
    ],
    ["that is not well formed", (answers: Answers) => Object.assign(answers.block, { receiptsRoot: 7 })],
  ])("%s is refused, and asked for again", async (_what, spoil) => {
    const { proven } = prove("require", spoil);
    await expect(proven).rejects.toThrow(ProofMismatchError);
    await expect(proven).rejects.toMatchObject({ retryable: true, code: "proof_mismatch" });
    await expect(proven).rejects.toThrow(/own-a gave block 18000000 with content that does not match its hash/);
  });

  test("is believed all the same where the operator said so, but never as proven, and it is told once", async () => {
    const { proven, again, told } = prove("prefer", hideLog);
    await expect(proven).resolves.toBe(false);
    await expect(again()).resolves.toBe(false);
    expect(told).toHaveLength(1);
  });
});

test("on a chain whose encoding we do not know a mismatch is no lie, and no proof", async () => {
  const { proven, told } = prove("require", hideLog, "eip155:987654");
  await expect(proven).resolves.toBe(false);
  expect(told).toEqual([expect.stringContaining("agreed, not proven")]);
});
