/** One bundle for each chain family and kind of transfer, of real blocks. */
import { addressOf } from "../../../src/chains/bitcoin/address.ts";
import { displayHash, transactionHash } from "../../../src/chains/bitcoin/double-hash.ts";
import { parseBlock } from "../../../src/chains/bitcoin/read-block.ts";
import { NETWORKS } from "../../../src/chains/bitcoin/networks.ts";
import type { BundleParts } from "../../../src/evidence/bundle.ts";
import type { Transfer } from "../../../src/types/chain.ts";
import {
  actors,
  ledger,
  mainnetBlocks,
  prefixBlocks,
  regtestBlocks,
  type WholeBlock,
} from "../chains/bitcoin/fixtures.ts";
import { transactionsOf } from "../chains/bitcoin/strip.ts";
import { bitcoinParts, evmParts, type Pick } from "./make.ts";

export interface Kind {
  readonly name: string;
  readonly make: () => Promise<BundleParts>;
  /** Sentences about single transfers that must be proven, or only trusted. */
  readonly shows: "proven" | "trusted";
}

const of =
  (category: Transfer["category"], more: Pick = () => true): Pick =>
  (transfer) =>
    transfer.category === category && more(transfer);

const evm = (name: string, number: number, pick: Pick, shows: Kind["shows"] = "proven"): Kind => ({
  name: `${name} of block ${number}`,
  make: () => Promise.resolve(evmParts(number, pick)),
  shows,
});

const [CONTRACT, RECIPIENT] = [
  "0x7a250d5630B4cF539739dF2C5dAcb4c659F2488D",
  "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045",
];

/** Frames as a tracer tells them, of a transaction that succeeded. */
export const TRACED = {
  index: 0,
  inner: [
    { kind: "call", from: CONTRACT, to: RECIPIENT, amount: 12n * 10n ** 17n },
    { kind: "create", from: CONTRACT, to: RECIPIENT, amount: 0n },
  ],
} as const;

export const EVM_KINDS: readonly Kind[] = [
  evm("coin", 22_869_878, of("native")),
  evm("coin before EIP-155 and Byzantium", 1_000_000, of("native")),
  evm("ERC-20", 20_000_000, of("erc20")),
  evm("ERC-721", 15_537_394, of("erc721")),
  evm("ERC-1155", 15_547_621, of("erc1155")),
  evm("wrap", 20_000_000, of("wrap")),
  evm("approval", 20_000_000, of("approval")),
  evm("delegation", 22_869_878, of("delegation")),
  evm("new contract", 18_000_000, of("creation")),
  evm("withdrawal", 20_000_000, of("withdrawal")),
  // Of no recorded block are content and the traces of calls there; what a trace says is trusted in any case.
  {
    name: "internal call",
    make: () => Promise.resolve(evmParts(20_000_000, of("internal"), TRACED)),
    shows: "trusted",
  },
  evm("reward", 20_000_000, of("reward"), "trusted"),
];

/** Transactions of the recorded regtest chain by their id, for parents. */
let recordedById: ReadonlyMap<string, Buffer> | null = null;
export function recordedParent(txid: string): Uint8Array | string {
  recordedById ??= new Map([...prefixBlocks(), ...regtestBlocks()].flatMap(({ block }) => idsOf(block)));
  return recordedById.get(txid) ?? "it is not recorded";
}

function idsOf(block: Buffer): [string, Buffer][] {
  const transactions = parseBlock(block);
  return transactionsOf(block).map((raw, index) => [displayHash(transactionHash(transactions, index)), raw]);
}

/** Script kinds of the recorded chain, each by an actor that has it. */
function scriptKinds(): Kind[] {
  const { regtest } = NETWORKS;
  const blocks = regtestBlocks();
  const seen = new Set<string>();
  return actors().flatMap(({ type, spk }) => {
    const address = addressOf(Buffer.from(spk, "hex"), regtest);
    return (["in", "out"] as const).flatMap((dir) => {
      const row = ledger().find((one) => one.spk === spk && one.dir === dir && one.branch === "main");
      const at = blocks.find(({ header }) => header.hash === row?.hash);
      if (row === undefined || at === undefined || seen.has(`${type} ${dir}`)) return [];
      seen.add(`${type} ${dir}`);
      const key = `${dir === "in" ? "vin" : "vout"}:${row.index}`;
      const pick: Pick = (transfer) =>
        transfer.txHash === row.txid && transfer.key === key && (transfer.from ?? transfer.to) === address;
      return [
        { name: `${type} ${dir}put`, make: () => bitcoinParts(at, pick, recordedParent), shows: "proven" } as const,
      ];
    });
  });
}

function mainnet(height: number): WholeBlock {
  const found = mainnetBlocks().find(({ told }) => told.height === height);
  if (found?.spent == null) throw new Error(`no spent coins of block ${height}`);
  return { ...found, spent: found.spent };
}

export const BITCOIN_KINDS: readonly Kind[] = [
  ...scriptKinds(),
  { name: "coinbase output of block 1", make: () => bitcoinParts(mainnet(1), of("output")), shows: "proven" },
  {
    name: "output of mainnet block 866342",
    make: () =>
      bitcoinParts(
        mainnet(866_342),
        of("output", ({ txIndex }) => txIndex > 0),
      ),
    shows: "proven",
  },
  {
    name: "input whose parent is not at hand",
    make: () => bitcoinParts(mainnet(866_342), of("input")),
    shows: "trusted",
  },
];
