/** The form of an EVM proof in a bundle; docs/evidence.md says it for others. */
import { z } from "zod";
import { inForm } from "../../proof-form.ts";
import { normalizeEvmAddress } from "../checksum.ts";

const HEX = /^0x(?:[0-9a-f]{2})*$/;
const bytes = z.string().regex(HEX, "lower-case hex with 0x");
const address = z.string().refine((text) => normalizeEvmAddress(text) === text, "an address with its checksum");
const place = z.int().min(0).max(0xffff_ffff);

/** One item of a list of the block: its bytes, and the trie nodes from the list's root to it. */
const listed = z.strictObject({ index: place, raw: bytes, nodes: z.array(bytes).min(1).max(16) });

/** Value that moved inside the transaction's calls, as the node's trace tells it. Base units. */
const call = z.strictObject({
  kind: z.enum(["call", "create", "selfdestruct"]),
  from: address,
  to: address,
  amount: z.string().regex(/^(?:0|[1-9]\d{0,77})$/, "a decimal number"),
});

const evmProof = z.strictObject({
  family: z.literal("evm"),
  /** RLP of the block's header: its Keccak-256 is the block's hash. */
  header: bytes,
  transaction: listed.nullable(),
  receipt: listed.nullable(),
  withdrawal: listed.nullable(),
  /** Null: not asked for, or not told. */
  calls: z.array(call).max(100_000).nullable(),
});

export type EvmProof = z.output<typeof evmProof>;
export type ListedItem = z.output<typeof listed>;

/** Throws RefutedError. */
export const parseEvmProof = (proof: unknown): EvmProof => inForm(evmProof, proof);

export function bytesOfHex(hex: string): Uint8Array {
  return Buffer.from(hex.slice(2), "hex");
}
