/**
 * Goal: on a real node, value that contracts move is found complete when it was traced, and told as unseen when it was not.
 * Method: each kind of internal movement in a transaction of its own on anvil, with real keys and Ethereum's fee rules; the
 * node's own tracer and balances are asked, nothing is known beforehand but what each transaction moves inside.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { createChecksum } from "../../src/chains/evm/checksum.ts";
import { type BlockAnswers, decodeHeader, transactionHashesOf } from "../../src/chains/evm/decode-block.ts";
import { decodeParityTraces } from "../../src/chains/evm/decode-traces.ts";
import { createNativeCheck, type NativeCheck, type NativeOutcome } from "../../src/chains/evm/native-check.ts";
import { createRequestGate } from "../../src/lib/request-gate.ts";
import { createRpcClient, type RpcCaller, type RpcClient } from "../../src/chains/evm/rpc-client.ts";
import { RpcError } from "../../src/chains/rpc-envelope.ts";
import { type Compiled, compileSolidity } from "../e2e/contracts.ts";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { waitFor } from "../support/wait-for.ts";

const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

contract Inner { function pay(address payable to) external payable { (bool ok,) = to.call{value: msg.value}(""); require(ok); } }
contract Code { function go(address payable to) external payable { (bool ok,) = to.call{value: msg.value}(""); require(ok); } }
contract Bomb { constructor(address payable to) payable { selfdestruct(to); } }
contract OwnBomb { constructor() payable { selfdestruct(payable(address(this))); } }
contract Old {
  receive() external payable {}
  function end(address payable to) external { selfdestruct(to); }
}
contract Mover {
  Inner inner = new Inner();
  Code code = new Code();
  function nested(address payable to) external payable { inner.pay{value: msg.value}(to); }
  function boom(address payable to) external payable { (bool ok,) = to.call{value: msg.value}(""); require(ok); revert("boom"); }
  function reverted(address payable to) external payable { try this.boom{value: msg.value}(to) {} catch {} }
  function delegated(address payable to) external payable {
    (bool ok,) = address(code).delegatecall(abi.encodeWithSignature("go(address)", to)); require(ok);
  }
  function destroyed(address payable to) external payable { new Bomb{value: msg.value}(to); }
  function burned() external payable { new OwnBomb{value: msg.value}(); }
  function created() external payable { new Old{salt: bytes32(uint256(7))}(); payable(new Old{salt: bytes32(uint256(8))}()).transfer(msg.value); }
  function endOld(address payable old, address payable to) external payable {
    (bool ok,) = old.call{value: msg.value}(""); require(ok);
    Old(old).end(to);
  }
  function payout(address payable[] calldata to, uint256 each) external payable {
    for (uint256 i = 0; i < to.length; i++) { (bool ok,) = to[i].call{value: each}(""); require(ok); }
  }
  function back() external payable { (bool ok,) = msg.sender.call{value: msg.value}(""); require(ok); }
}
`;

const ETHER = 10n ** 18n;
const NEVER = new AbortController().signal;
const HEIR = `0x${"5e".repeat(20)}`;
const many = Array.from({ length: 100 }, (_, index) => `0x${(0xabc000 + index).toString(16).padStart(40, "0")}`);
const checksum = createChecksum();
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const context = { chain: "eip155:1", nativeAssetId: "eip155:1/slip44:60", checksum };

let anvil: Anvil;
let rpc: RpcClient;
let compiled: (name: string) => Compiled;
let sender = "";
let mover = "";
let old = "";

beforeAll(async () => {
  [anvil, compiled] = await Promise.all([startAnvil({ chainId: 1 }), compileSolidity(SOURCE)]);
  rpc = createRpcClient({
    name: "own",
    url: anvil.url,
    timeoutMs: 30_000,
    maxBodyBytes: 64 * 1024 * 1024,
    gate: createRequestGate({ maxConcurrent: 4, maxPerSecond: 10_000 }),
  });
  [sender = ""] = await anvil.rpc<string[]>("eth_accounts");
  // A fee recipient with a balance of its own: tips count.
  await anvil.rpc("anvil_setCoinbase", [`0x${"c0".repeat(20)}`]);
  mover = await deploy("Mover");
  old = await deploy("Old");
});

afterAll(async () => {
  await rpc?.close();
  await anvil?.stop();
});

let check: NativeCheck | null = null;
afterEach(() => check?.close());

/** Mined in a block of its own. */
async function send(transaction: {
  to?: string;
  data: string;
  value?: bigint;
}): Promise<{ blockHash: string; contractAddress: string }> {
  const value = `0x${(transaction.value ?? 0n).toString(16)}`;
  const hash = await anvil.rpc<string>("eth_sendTransaction", [
    { ...transaction, from: sender, value, gas: "0xf00000" },
  ]);
  const receipt = await waitFor("the transaction to be mined", () =>
    anvil.rpc<{ status: string; blockHash: string; contractAddress: string } | null>("eth_getTransactionReceipt", [
      hash,
    ]),
  );
  if (receipt.status !== "0x1") throw new Error(`transaction ${hash} failed`);
  return receipt;
}

async function deploy(name: string): Promise<string> {
  return (await send({ data: compiled(name).bytecode })).contractAddress;
}

/** The block of a call, as the adapter reads it. */
async function blockOf(method: string, args: readonly unknown[], value: bigint): Promise<BlockAnswers> {
  const data = compiled("Mover").abi.encodeFunctionData(method, args);
  const { blockHash } = await send({ to: mover, data, value });
  const block = await rpc.call("eth_getBlockByHash", [blockHash, true], NEVER);
  const header = decodeHeader(block);
  const receipts = await rpc.call("eth_getBlockReceipts", [blockHash], NEVER);
  const traces = await rpc.call("trace_block", [`0x${header.number.toString(16)}`], NEVER);
  const of = { blockHash, txHashes: transactionHashesOf(block) };
  return { header, block, receipts, traces: decodeParityTraces(traces, of, checksum) };
}

async function outcomeOf(answers: BlockAnswers, through: RpcCaller = rpc): Promise<NativeOutcome> {
  return new Promise((resolve) => {
    check = createNativeCheck({ rpc: through, context, own: true, log: quiet, onNativeCheck: resolve });
    check.offer(answers.header, () => answers);
  });
}

/** The same node without its tracers. */
const balancesOnly: RpcCaller = {
  call: (method, params, signal) =>
    method.startsWith("debug_")
      ? Promise.reject(new RpcError("the method does not exist", { details: {}, rpcCode: -32_601 }))
      : rpc.call(method, params, signal),
};

// What goes on from the contract that was called, in wei: what nobody sees without traces.
const CASES: readonly [what: string, method: string, args: () => unknown[], value: bigint, inside: bigint][] = [
  ["nested calls", "nested", () => [HEIR], ETHER, ETHER],
  ["a call that was reverted", "reverted", () => [HEIR], ETHER, 0n],
  ["a call by delegated code", "delegated", () => [HEIR], 2n * ETHER, 2n * ETHER],
  ["a contract that destroys itself in its constructor", "destroyed", () => [HEIR], 3n * ETHER, 3n * ETHER],
  ["a contract that burns what it holds", "burned", () => [], 4n * ETHER, 4n * ETHER],
  ["two created contracts, one paid (create2)", "created", () => [], 5n * ETHER, 5n * ETHER],
  ["an old contract that destroys itself", "endOld", () => [old, HEIR], 6n * ETHER, 6n * ETHER],
  ["a hundred payouts", "payout", () => [many, ETHER / 100n], ETHER, ETHER],
  ["a payment back to the sender", "back", () => [], 7n * ETHER, 7n * ETHER],
];

describe.each(CASES)("%s", (_what, method, args, value, inside) => {
  test("is complete by the transaction's state difference and by balances, and unseen without traces", async () => {
    const answers = await blockOf(method, args(), value);
    await expect(outcomeOf(answers)).resolves.toMatchObject({ kind: "complete", by: "transaction", traced: true });
    await expect(outcomeOf(answers, balancesOnly)).resolves.toMatchObject({ kind: "complete", by: "balances" });
    const untraced = { ...answers, traces: null };
    const blind = inside === 0n ? { kind: "complete" } : { kind: "incomplete", unseen: inside };
    await expect(outcomeOf(untraced)).resolves.toMatchObject({ ...blind, by: "transaction", traced: false });
    // Sender, contract and fee recipient are all there is to draw from.
    await expect(outcomeOf(untraced, balancesOnly)).resolves.toMatchObject({ ...blind, by: "balances", traced: false });
  });
});

test("a node whose traces leave out a selfdestruct is found out", async () => {
  const answers = await blockOf("destroyed", [HEIR], ETHER);
  const [trace] = answers.traces ?? [];
  if (trace === undefined) throw new Error("the block was traced");
  const inner = trace.inner.filter(({ kind }) => kind !== "selfdestruct");
  expect(inner).toHaveLength(trace.inner.length - 1);
  await expect(outcomeOf({ ...answers, traces: [{ ...trace, inner }] })).resolves.toMatchObject({
    kind: "incomplete",
    traced: true,
    unseen: ETHER,
    differences: [{ address: checksum(HEIR), expected: 0n, actual: ETHER }],
  });
});
