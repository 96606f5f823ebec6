/**
 * Goal: value that moves in any way the EVM has is told once, with the right amount, from proven and traced blocks.
 * Method: real contracts on a real node, signed with real keys, read by the real daemon with proofs required; what must be
 * told was written down by hand for each transaction.
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { getAddress, HDNodeWallet, Mnemonic, type TransactionLike } from "ethers";
import type { AlertBody } from "../../src/alerts/body-schema.ts";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { type DaemonProcess, startDaemon, writeDaemonConfig } from "../support/daemon.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Compiled, compileSolidity } from "./contracts.ts";

const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

contract Inner {
  function pay(address payable to) external payable { (bool ok,) = to.call{value: msg.value}(""); require(ok); }
}
library Sender {
  function send(address payable to, uint256 value) external { (bool ok,) = to.call{value: value}(""); require(ok); }
}
contract Bomb { constructor(address payable to) payable { selfdestruct(to); } }
contract Payer { constructor(address payable to) payable { (bool ok,) = to.call{value: msg.value}(""); require(ok); } }
contract Empty {}

contract Mover {
  Inner inner = new Inner();
  function nested(address payable to) external payable { inner.pay{value: msg.value}(to); }
  function boom(address payable to) external payable { (bool ok,) = to.call{value: msg.value}(""); require(ok); revert("boom"); }
  function reverted(address payable to) external payable { try this.boom{value: msg.value}(to) {} catch {} }
  function delegated(address code, address payable to) external payable {
    (bool ok,) = code.delegatecall(abi.encodeWithSignature("go(address,uint256)", to, msg.value)); require(ok);
  }
  function destroyed(address payable to) external payable { new Bomb{value: msg.value}(to); }
  function created(address payable to) external payable { new Payer{value: msg.value, salt: bytes32(uint256(7))}(to); }
  function payout(address payable[] calldata to, uint256 each) external payable {
    for (uint256 i = 0; i < to.length; i++) { (bool ok,) = to[i].call{value: each}(""); require(ok); }
  }
}
contract Code {
  function go(address payable to, uint256 value) external payable { (bool ok,) = to.call{value: value}(""); require(ok); }
}
contract Tokens {
  event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
  event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value);
  event TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values);
  event ApprovalForAll(address indexed owner, address indexed operator, bool approved);
  function nft(address to, uint256 id) external { emit Transfer(msg.sender, to, id); }
  function single(address to, uint256 id, uint256 value) external { emit TransferSingle(msg.sender, msg.sender, to, id, value); }
  function batch(address to, uint256[] calldata ids, uint256[] calldata values) external { emit TransferBatch(msg.sender, msg.sender, to, ids, values); }
  function allowAll(address operator) external { emit ApprovalForAll(msg.sender, operator, true); }
}
contract Weth {
  event Deposit(address indexed dst, uint256 wad);
  event Withdrawal(address indexed src, uint256 wad);
  event Approval(address indexed src, address indexed guy, uint256 wad);
  function deposit() external payable { emit Deposit(msg.sender, msg.value); }
  function withdraw(uint256 wad) external { (bool ok,) = msg.sender.call{value: wad}(""); require(ok); emit Withdrawal(msg.sender, wad); }
  function approve(address guy, uint256 wad) external { emit Approval(msg.sender, guy, wad); }
}
contract Old {
  event Transfer(address from, address to, uint256 value);
  function transfer(address to, uint256 value) external { emit Transfer(msg.sender, to, value); }
}
`;

const ETHER = 10n ** 18n;
// anvil's own test accounts.
const MNEMONIC = "test test test test test test test test test test test junk";
const account = (index: number) => HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(MNEMONIC), `m/44'/60'/0'/0/${index}`);
const HELPER = account(0);
const THIEF = account(5);
const STRANGER = account(6).address;

let anvil: Anvil;
let receiver: Receiver;
let dir: TempDir;
let daemon: DaemonProcess;
let compiled: (name: string) => Compiled;
const at: Record<string, string> = {};

beforeAll(async () => {
  [anvil, receiver, compiled] = await Promise.all([
    startAnvil({ chainId: 1 }),
    startReceiver(),
    compileSolidity(SOURCE),
  ]);
  dir = createTempDir("movements");
  // Accounts that exist: opening five hundred in one transaction is more than its gas limit allows.
  await Promise.all(others.map((address) => anvil.rpc("anvil_setBalance", [address, "0x1"])));
  for (const name of ["Mover", "Code", "Tokens", "Weth", "Old"]) at[name] = await deploy(HELPER.address, name);
  const written = await writeDaemonConfig({
    dir: dir.path,
    nodeUrl: anvil.url,
    nodeWsUrl: anvil.wsUrl,
    start: Number(await anvil.rpc<string>("eth_blockNumber")) + 1,
    watch: [{ address: THIEF.address }],
    tokens: [{ address: at["Weth"] ?? "", symbol: "WETH", decimals: 18, kind: "wrapped_native" }],
    webhooks: [{ name: "desk", url: receiver.url, secrets: [receiver.secret] }],
  });
  daemon = await startDaemon(written);
});

afterAll(async () => {
  await daemon?.stop();
  await Promise.all([anvil?.stop(), receiver?.stop(), dir?.remove()]);
});

async function send(transaction: { from: string; to?: string; data?: string; value?: bigint }): Promise<string> {
  const value = `0x${(transaction.value ?? 0n).toString(16)}`;
  const hash = await anvil.rpc<string>("eth_sendTransaction", [{ ...transaction, value, gas: "0xf00000" }]);
  const receipt = await waitFor("the transaction to be mined", () =>
    anvil.rpc<{ status: string } | null>("eth_getTransactionReceipt", [hash]),
  );
  if (receipt.status !== "0x1") throw new Error(`transaction ${hash} failed`);
  return hash;
}

async function deploy(from: string, name: string): Promise<string> {
  const hash = await send({ from, data: compiled(name).bytecode });
  const { contractAddress } = await anvil.rpc<{ contractAddress: string }>("eth_getTransactionReceipt", [hash]);
  return getAddress(contractAddress);
}

function call(name: string, method: string, args: readonly unknown[]): { to: string; data: string } {
  return { to: at[name] ?? "", data: compiled(name).abi.encodeFunctionData(method, args) };
}

/** What was told of a transaction: `category from->to amount`, in the order of the alert. Nothing told: empty. */
function toldOf(hash: string): string[] {
  const bodies = receiver.requests
    .map((request) => request.body as AlertBody)
    .filter((body) => body.data.transaction?.hash === hash);
  const latest = bodies.toSorted((a, b) => b.data.revision - a.data.revision)[0];
  return (latest?.data.transfers ?? []).map(({ category, from, to, amount }) => `${category} ${from}->${to} ${amount}`);
}

const thief = THIEF.address;
const others = Array.from({ length: 499 }, (_, index) => `0x${(0xabc000 + index).toString(16).padStart(40, "0")}`);

type Case = readonly [what: string, run: () => Promise<string>, told: (hash: string) => Promise<readonly string[]>];
const told =
  (...lines: string[]) =>
  () =>
    Promise.resolve(lines);
const place = (name: string) => at[name] ?? "";

const CASES: readonly Case[] = [
  [
    "nested calls",
    () => send({ from: HELPER.address, value: ETHER, ...call("Mover", "nested", [thief]) }),
    async () => [`internal ${await innerOf()}->${thief} ${ETHER}`],
  ],
  [
    "a call that was reverted inside a transaction that was not",
    () => send({ from: HELPER.address, value: ETHER, ...call("Mover", "reverted", [thief]) }),
    told(),
  ],
  [
    "a call by delegated code",
    () => send({ from: HELPER.address, value: 2n * ETHER, ...call("Mover", "delegated", [place("Code"), thief]) }),
    async () => [`internal ${place("Mover")}->${thief} ${2n * ETHER}`],
  ],
  [
    "a contract that destroys itself",
    () => send({ from: HELPER.address, value: 3n * ETHER, ...call("Mover", "destroyed", [thief]) }),
    async (hash) => [`internal ${await createdIn(hash)}->${thief} ${3n * ETHER}`],
  ],
  [
    "a payment out of a constructor (create2)",
    () => send({ from: HELPER.address, value: 4n * ETHER, ...call("Mover", "created", [thief]) }),
    async (hash) => [`internal ${await createdIn(hash)}->${thief} ${4n * ETHER}`],
  ],
  [
    "one of five hundred payouts",
    () =>
      send({ from: HELPER.address, value: 5n * ETHER, ...call("Mover", "payout", [[...others, thief], ETHER / 100n]) }),
    async () => [`internal ${place("Mover")}->${thief} ${ETHER / 100n}`],
  ],
  [
    "an ERC-721 token",
    () => send({ from: thief, ...call("Tokens", "nft", [STRANGER, 77n]) }),
    told(`erc721 ${thief}->${STRANGER} 1`),
  ],
  [
    "an ERC-1155 token",
    () => send({ from: thief, ...call("Tokens", "single", [STRANGER, 5n, 12n]) }),
    told(`erc1155 ${thief}->${STRANGER} 12`),
  ],
  [
    "a batch of ERC-1155 tokens",
    () => send({ from: thief, ...call("Tokens", "batch", [STRANGER, [1n, 2n], [3n, 4n]]) }),
    told(`erc1155 ${thief}->${STRANGER} 3`, `erc1155 ${thief}->${STRANGER} 4`),
  ],
  [
    "a Transfer without indexed fields",
    () => send({ from: thief, ...call("Old", "transfer", [STRANGER, 9n]) }),
    told(`erc20 ${thief}->${STRANGER} 9`),
  ],
  [
    "a wrap",
    () => send({ from: thief, value: ETHER, ...call("Weth", "deposit", []) }),
    async () => [`native ${thief}->${place("Weth")} ${ETHER}`, `wrap ${place("Weth")}->${thief} ${ETHER}`],
  ],
  [
    "an unwrap",
    () => send({ from: thief, ...call("Weth", "withdraw", [ETHER]) }),
    async () => [`internal ${place("Weth")}->${thief} ${ETHER}`, `wrap ${thief}->${place("Weth")} ${ETHER}`],
  ],
  [
    "an approval",
    () => send({ from: thief, ...call("Weth", "approve", [STRANGER, 5n]) }),
    told(`approval ${thief}->${STRANGER} 5`),
  ],
  [
    "an approval of a whole collection",
    () => send({ from: thief, ...call("Tokens", "allowAll", [STRANGER]) }),
    told(`approval ${thief}->${STRANGER} 1`),
  ],
  [
    "a new contract",
    () => send({ from: thief, data: compiled("Empty").bytecode }),
    async (hash) => [`creation ${thief}->${await contractOf(hash)} 0`],
  ],
  [
    "a delegation of the account (EIP-7702), sent by somebody else",
    sendDelegation,
    async () => [`delegation ${thief}->${place("Code")} 0`],
  ],
];

async function innerOf(): Promise<string> {
  // The mover made it with its first nonce: contracts begin at 1.
  const slot = await anvil.rpc<string>("eth_getStorageAt", [place("Mover"), "0x0", "latest"]);
  return getAddress(`0x${slot.slice(-40)}`);
}

async function createdIn(hash: string): Promise<string> {
  const traces = await anvil.rpc<{ type: string; result: { address: string } }[]>("trace_transaction", [hash]);
  return getAddress(traces.find((trace) => trace.type === "create")?.result.address ?? "");
}

async function contractOf(hash: string): Promise<string> {
  return getAddress(
    (await anvil.rpc<{ contractAddress: string }>("eth_getTransactionReceipt", [hash])).contractAddress,
  );
}

async function sendDelegation(): Promise<string> {
  const countOf = async (address: string) =>
    Number(await anvil.rpc<string>("eth_getTransactionCount", [address, "latest"]));
  const authorization = await THIEF.authorize({ address: place("Code"), nonce: await countOf(thief), chainId: 1 });
  const transaction: TransactionLike = {
    type: 4,
    chainId: 1,
    nonce: await countOf(HELPER.address),
    to: STRANGER,
    value: 0n,
    data: "0x01",
    gasLimit: 500_000n,
    maxFeePerGas: 10n ** 11n,
    maxPriorityFeePerGas: 10n ** 9n,
    authorizationList: [authorization],
  };
  return anvil.rpc<string>("eth_sendRawTransaction", [await HELPER.signTransaction(transaction)]);
}

test("each kind of movement is told once, with the right amount, from proven and traced blocks", async () => {
  const hashes: string[] = [];
  for (const [, run] of CASES) hashes.push(await run());
  // The last case's alert closes the list: blocks are stored in order.
  const last = hashes.at(-1) ?? "";
  await waitFor("the last case to be told", () => toldOf(last).length > 0, { timeoutMs: 60_000 });
  for (const [index, [what, , expected]] of CASES.entries()) {
    const hash = hashes[index] ?? "";
    const wanted = await expected(hash);
    await waitFor(`${what} to be told`, () => toldOf(hash).length === wanted.length, { timeoutMs: 30_000 });
    expect({ what, told: toldOf(hash) }).toEqual({ what, told: wanted });
  }
  const alerts = receiver.requests
    .map((request) => request.body as AlertBody)
    .filter((body) => body.type === "alert.created");
  for (const { data } of alerts) expect(data.trust).toMatchObject({ proven: true, traced: true });
  expect(new Set(alerts.map(({ data }) => data.alertId)).size).toBe(alerts.length);
}, 180_000);
