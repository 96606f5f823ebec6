/** The form of a proof of the Bitcoin family in a bundle; docs/evidence.md says it for others. */
import { z } from "zod";
import { inForm } from "../../proof-form.ts";

const bytes = z.string().regex(/^(?:[0-9a-f]{2})+$/, "lower-case hex");
const hash = z.string().regex(/^[0-9a-f]{64}$/, "32 bytes of lower-case hex");

/** Without witnesses, which no hash of the header covers by a branch. */
const transaction = z.strictObject({
  index: z.int().min(0).max(0xffff_ffff),
  raw: bytes,
  /** The other hash of each pair from the leaves up, in the order of its bytes. */
  branch: z.array(hash).max(32),
});

const bitcoinProof = z.strictObject({
  family: z.literal("bitcoin"),
  /** 80 bytes: their double SHA-256, written backwards, is the block's hash. */
  header: bytes,
  transaction,
  coinbase: transaction,
  /** Transactions that made the coins that claimed inputs spend, each once, without witnesses, in the order of the inputs. */
  parents: z.array(bytes),
});

export type BitcoinProof = z.output<typeof bitcoinProof>;
export type LeafProof = z.output<typeof transaction>;

/** Throws RefutedError. */
export const parseBitcoinProof = (proof: unknown): BitcoinProof => inForm(bitcoinProof, proof);
