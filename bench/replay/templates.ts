/** Real transactions with their receipts, ready to be drawn again with other people in them. */
import { loadRecordedBlocks, type RecordedBlock } from "./fixtures.ts";
import type { RpcHeader, RpcReceipt, RpcTransaction } from "./rpc-shapes.ts";

export interface Template {
  readonly type: string;
  /** JSON of the transaction and of its receipt. */
  readonly transaction: string;
  readonly receipt: string;
  /** Addresses (40 hex digits) of people, not contracts; the sender first. */
  readonly people: readonly string[];
  readonly created: string | null;
}

// Since Ethereum became proof of stake blocks look alike; older ones are half as full.
const FIRST_BLOCK = 15_547_621;
const TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const PLAIN_TRANSFER_GAS = "0x5208";

export interface Templates {
  readonly transactions: readonly Template[];
  /** Headers whose builder (miner, extraData) the generated blocks take turns with. */
  readonly headers: readonly RpcHeader[];
}

export function loadTemplates(): Templates {
  const blocks = loadRecordedBlocks("ethereum").filter(({ block }) => Number(block.number) >= FIRST_BLOCK);
  const contracts = contractsOf(blocks);
  const people = peopleOf(blocks, contracts);
  return {
    transactions: blocks.flatMap((recorded) => templatesOf(recorded, people)),
    headers: blocks.map(({ block }) => block),
  };
}

/** Whatever emitted a log, was created, or was called with data. */
function contractsOf(blocks: readonly RecordedBlock[]): Set<string> {
  const contracts = new Set<string>();
  for (const { block, receipts } of blocks) {
    for (const { contractAddress, logs } of receipts) {
      for (const log of logs) contracts.add(bare(log.address));
      if (contractAddress !== null) contracts.add(bare(contractAddress));
    }
    for (const { to, input } of block.transactions) if (to !== null && input !== "0x") contracts.add(bare(to));
  }
  return contracts;
}

/** Senders, recipients of plain transfers, and both ends of token transfers that are no known contract. */
function peopleOf(blocks: readonly RecordedBlock[], contracts: ReadonlySet<string>): Set<string> {
  const people = new Set<string>();
  for (const { block, receipts } of blocks) {
    for (const { from } of block.transactions) people.add(bare(from));
    block.transactions.forEach(({ to, input }, index) => {
      if (to !== null && input === "0x" && receipts[index]?.gasUsed === PLAIN_TRANSFER_GAS) people.add(bare(to));
    });
    for (const { topics } of receipts.flatMap((receipt) => receipt.logs)) {
      if (topics[0] !== TRANSFER_TOPIC) continue;
      for (const topic of topics.slice(1, 3)) {
        const address = topic.slice(26);
        if (topic.startsWith(`0x${"0".repeat(24)}`) && !isReserved(address) && !contracts.has(address))
          people.add(address);
      }
    }
  }
  return people;
}

/** The zero address, precompiles and burn addresses stay what they are. */
function isReserved(address: string): boolean {
  return address.startsWith("0".repeat(16));
}

function templatesOf({ block, receipts }: RecordedBlock, people: ReadonlySet<string>): Template[] {
  return block.transactions.flatMap((transaction, index) => {
    const receipt = receipts[index];
    if (receipt === undefined) return [];
    return [templateOf(transaction, receipt, people)];
  });
}

function templateOf(transaction: RpcTransaction, receipt: RpcReceipt, people: ReadonlySet<string>): Template {
  const named = [transaction.to ?? "0x", ...receipt.logs.flatMap(({ topics }) => topics.slice(1))];
  const addresses = named.map((text) => (text.length === 66 ? text.slice(26) : bare(text)));
  const sender = bare(transaction.from);
  return {
    type: transaction.type,
    transaction: JSON.stringify(transaction),
    receipt: JSON.stringify(receipt),
    people: [...new Set([sender, ...addresses.filter((address) => people.has(address))])],
    created: receipt.contractAddress === null ? null : bare(receipt.contractAddress),
  };
}

function bare(address: string): string {
  return address.slice(2);
}
