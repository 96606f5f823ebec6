/** What an address with a typo was meant to be: the checksum of its chain tells which near spelling is right. */
import { getAddress } from "ethers";
import type { ChainId } from "../types/chain.ts";
import { isWellFormed } from "./coins.ts";

const HEX = "0123456789abcdef";
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/** Letters in the wrong case that a tired eye still makes; a wrong digit changes about half of all cases. */
const WRONG_CASES_MAX = 3;
const SPELLINGS_MAX = 3;
/** Longer texts are no address of a chain with a checksum. */
const LENGTH_MAX = 90;

/** At most three, the likeliest first. Empty: nothing near is right, or the chain's addresses carry no checksum. */
export function nearSpellings(chain: ChainId, text: string): readonly string[] {
  if (text.length > LENGTH_MAX) return [];
  if (chain.startsWith("eip155:")) return nearEvm(text);
  // Without a checksum every near spelling would be "right".
  if (chain.startsWith("solana:") || isWellFormed(chain, text) || !/^(?:bip122|tron):/.test(chain)) return [];
  const isBech32 = /^(?:bc|ltc)1/i.test(text);
  const own = isBech32 ? text.toLowerCase() : text;
  const from = isBech32 ? own.indexOf("1") + 1 : 0;
  const found: string[] = own === text ? [] : isWellFormed(chain, own) ? [own] : [];
  for (const near of edits(own, from, isBech32 ? BECH32 : BASE58)) {
    if (isWellFormed(chain, near)) found.push(near);
    if (found.length === SPELLINGS_MAX) break;
  }
  return [...new Set(found)];
}

function nearEvm(text: string): readonly string[] {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return [];
  const right = getAddress(text.toLowerCase());
  if (right === text) return [];
  // One case alone carries no checksum: nothing says it is wrong.
  if (text === text.toLowerCase() || text.slice(2) === text.slice(2).toUpperCase()) return [];
  const found: string[] = [];
  for (const near of edits(text.toLowerCase(), 2, HEX)) {
    const checked = getAddress(near);
    // All letters in the right case by chance: one in two for each of them.
    if (wrongCases(checked, text) === 0) found.push(checked);
    if (found.length === SPELLINGS_MAX) break;
  }
  const isCaseSlip = wrongCases(right, text) <= WRONG_CASES_MAX;
  return (isCaseSlip ? [right, ...found] : [...found, right]).slice(0, SPELLINGS_MAX);
}

/** Letters that are the same but for their case. */
function wrongCases(a: string, b: string): number {
  let count = 0;
  for (let at = 0; at < a.length; at += 1)
    if (a[at] !== b[at] && a[at]?.toLowerCase() === b[at]?.toLowerCase()) count += 1;
  return count;
}

/** One sign replaced, or two neighbours swapped. */
function* edits(text: string, from: number, alphabet: string): Generator<string> {
  for (let at = from; at < text.length; at += 1) {
    const next = text[at + 1];
    if (next !== undefined && next !== text[at]) yield text.slice(0, at) + next + text[at] + text.slice(at + 2);
    for (const sign of alphabet) if (sign !== text[at]) yield text.slice(0, at) + sign + text.slice(at + 1);
  }
}
