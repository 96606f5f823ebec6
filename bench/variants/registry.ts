/** Every variant the bench knows. A new one is a file here and a line below. */
import { openBare } from "./bare.ts";
import { openEthers } from "./ethers.ts";
import { openJsonParse } from "./json-parse.ts";
import { openOurs } from "./ours.ts";
import type { OpenVariantWith } from "./variant.ts";
import { openViem } from "./viem.ts";

export const VARIANTS = {
  bare: openBare,
  "json-parse": openJsonParse,
  ours: openOurs({ core: "wasm", senders: "hits" }),
  "ours-live": openOurs({ core: "wasm", senders: "all" }),
  "ours-typescript": openOurs({ core: "typescript", senders: "hits" }),
  "ours-reference": openOurs({ core: "reference", senders: "hits" }),
  "ours-reference-live": openOurs({ core: "reference", senders: "all" }),
  viem: openViem,
  ethers: openEthers,
} satisfies Record<string, OpenVariantWith>;

export type VariantName = keyof typeof VARIANTS;
