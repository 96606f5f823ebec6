/**
 * Goal: every movement a real block tells is decoded, and nothing else.
 * Method: each recorded block is read a second time in the most straightforward way, with ethers' ABI decoder trying every
 * event shape on every log, and the two lists are compared.
 */
import { describe, expect, test } from "@jest/globals";
import { getAddress, Interface, type LogDescription } from "ethers";
import { createChecksum } from "../../../src/chains/evm/checksum.ts";
import { decodeHeader, decodeTransfers } from "../../../src/chains/evm/decode-block.ts";
import type { Transfer } from "../../../src/types/chain.ts";
import { fixtureBlocks, recorded } from "./fixture-blocks.ts";

interface RawLog {
  readonly address: string;
  readonly topics: string[];
  readonly data: string;
}
interface RawReceipt {
  readonly status?: string;
  readonly logs: RawLog[];
  readonly contractAddress: string | null;
  readonly gasUsed: string;
  readonly effectiveGasPrice?: string;
}
interface RawTransaction {
  readonly hash: string;
  readonly from: string;
  readonly to: string | null;
  readonly value: string;
  readonly input: string;
  readonly gasPrice?: string;
  readonly authorizationList?: unknown[];
}
interface RawBlock {
  readonly number: string;
  readonly miner: string;
  readonly baseFeePerGas?: string;
  readonly transactions: RawTransaction[];
  readonly withdrawals?: { index: string; address: string; amount: string }[];
}

/** Every shape of the events we know, one Interface each: ethers tells the number of indexed fields apart only so. */
const SHAPES: readonly { kind: string; abi: Interface }[] = [
  ["erc20", "event Transfer(address indexed from, address indexed to, uint256 value)"],
  ["erc20", "event Transfer(address indexed from, address to, uint256 value)"],
  ["erc20", "event Transfer(address from, address to, uint256 value)"],
  ["erc721", "event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)"],
  [
    "single",
    "event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)",
  ],
  [
    "batch",
    "event TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)",
  ],
  ["approval20", "event Approval(address indexed from, address indexed to, uint256 value)"],
  ["approval721", "event Approval(address indexed from, address indexed to, uint256 indexed tokenId)"],
  ["approvalAll", "event ApprovalForAll(address indexed from, address indexed to, bool approved)"],
  [
    "permit2",
    "event Approval(address indexed from, address indexed token, address indexed to, uint160 value, uint48 expiration)",
  ],
  [
    "permit2",
    "event Permit(address indexed from, address indexed token, address indexed to, uint160 value, uint48 expiration, uint48 nonce)",
  ],
  ["deposit", "event Deposit(address indexed account, uint256 value)"],
  ["withdrawal", "event Withdrawal(address indexed account, uint256 value)"],
].map(([kind = "", abi = ""]) => ({ kind, abi: new Interface([abi]) }));

function readLog(log: RawLog, place: string, chain: string): string[] {
  for (const { kind, abi } of SHAPES) {
    const event = parse(abi, log);
    if (event !== null) return tell(kind, event, { contract: getAddress(log.address), place, chain });
  }
  return [];
}

/** Null unless the log has just this shape: ethers itself does not look at the number of topics. */
function parse(abi: Interface, log: RawLog): LogDescription | null {
  const fragment = abi.fragments[0] as unknown as { inputs: { indexed: boolean }[] };
  if (log.topics.length - 1 !== fragment.inputs.filter((input) => input.indexed).length) return null;
  try {
    return abi.parseLog(log);
  } catch {
    return null;
  }
}

function tell(
  kind: string,
  { args }: LogDescription,
  { contract, place, chain }: { contract: string; place: string; chain: string },
): string[] {
  const line = (
    category: string,
    asset: string,
    amount: bigint,
    nth = "",
    from = args["from"] as string,
    to = args["to"] as string,
  ) => `${place}${nth} ${category} ${from}->${to} ${chain}/${asset} ${amount}`;
  const value = () => args["value"] as bigint;
  switch (kind) {
    case "erc20":
      return [line("erc20", `erc20:${contract}`, value())];
    case "erc721":
      return [line("erc721", `erc721:${contract}/${args["tokenId"] as bigint}`, 1n)];
    case "single":
      return [line("erc1155", `erc1155:${contract}/${args["id"] as bigint}`, value())];
    case "batch": {
      const ids = [...(args["ids"] as bigint[])];
      const values = [...(args[4] as bigint[])];
      return ids.map((id, nth) => line("erc1155", `erc1155:${contract}/${id}`, values[nth] ?? 0n, `-${nth}`));
    }
    case "approval20":
      return [line("approval", `erc20:${contract}`, value())];
    case "approval721":
      return [line("approval", `erc721:${contract}/${args["tokenId"] as bigint}`, 1n)];
    case "approvalAll":
      return [line("approval", `erc721:${contract}`, (args["approved"] as boolean) ? 1n : 0n)];
    case "permit2":
      return [line("approval", `erc20:${args["token"] as string}`, value())];
    case "deposit":
      return [line("wrap", `erc20:${contract}`, value(), "", contract, args["account"] as string)];
    default:
      return [line("wrap", `erc20:${contract}`, value(), "", args["account"] as string, contract)];
  }
}

/** The block in the plainest way there is. Delegations are checked in a test of their own. */
function readBlock(block: RawBlock, receipts: readonly RawReceipt[], chain: string, coin: string): string[] {
  const zero = "0x0000000000000000000000000000000000000000";
  const lines: string[] = [];
  let fees = 0n;
  block.transactions.forEach((transaction, index) => {
    const receipt = receipts[index];
    if (receipt === undefined) throw new Error("a receipt is missing");
    const base = BigInt(block.baseFeePerGas ?? "0x0");
    const price = BigInt(receipt.effectiveGasPrice ?? transaction.gasPrice ?? "0x0");
    if (price > base) fees += (price - base) * BigInt(receipt.gasUsed);
    if (receipt.status === "0x0") return;
    const parties = `${getAddress(transaction.from)}->${getAddress(transaction.to ?? receipt.contractAddress ?? zero)}`;
    const value = BigInt(transaction.value);
    if (value > 0n || (transaction.input === "0x" && transaction.to !== null)) {
      lines.push(`${transaction.hash} native native ${parties} ${coin} ${value}`);
    }
    if (transaction.to === null) lines.push(`${transaction.hash} creation creation ${parties} ${coin} 0`);
    receipt.logs.forEach((log, at) => lines.push(...readLog(log, `${transaction.hash} log:${at}`, chain)));
  });
  for (const { index, address, amount } of block.withdrawals ?? []) {
    lines.push(
      `withdrawal-${Number(index)} withdrawal withdrawal ${zero}->${getAddress(address)} ${coin} ${BigInt(amount) * 1_000_000_000n}`,
    );
  }
  if (fees > 0n)
    lines.push(`reward-${Number(block.number)} reward reward ${zero}->${getAddress(block.miner)} ${coin} ${fees}`);
  return lines;
}

function asLine({ txHash, key, category, from, to, assetId, amount }: Transfer): string {
  return `${txHash} ${key} ${category} ${from}->${to} ${assetId} ${amount}`;
}

describe("recorded blocks, every kind of movement", () => {
  const blocks = fixtureBlocks().filter(
    (block) => block.has.includes("block(full tx)") && block.has.includes("receipts"),
  );
  const seen = new Set<string>();

  test.each(blocks.map((block) => [block.chain, block.number, block] as const))(
    "%s %d equals the straightforward reading",
    (_chain, _number, block) => {
      const chain = `eip155:${block.chainId}`;
      const coin = `${chain}/slip44:60`;
      const answer = recorded(block, "block") as RawBlock;
      const receipts = recorded(block, "receipts") as RawReceipt[];
      const transfers = decodeTransfers(
        { header: decodeHeader(answer), block: answer, receipts, traces: null },
        { chain, nativeAssetId: coin, checksum: createChecksum() },
      ).filter(({ category }) => category !== "delegation");
      for (const { category } of transfers) seen.add(category);
      expect(transfers.map(asLine).toSorted()).toEqual(readBlock(answer, receipts, chain, coin).toSorted());
    },
  );

  test("the recorded blocks hold each kind a log or a block can tell", () => {
    expect([...seen].toSorted()).toEqual([
      "approval",
      "creation",
      "erc1155",
      "erc20",
      "erc721",
      "native",
      "reward",
      "withdrawal",
      "wrap",
    ]);
  });
});
