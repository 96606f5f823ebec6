/** The same encodings by other means: ethers' RLP and Keccak, and a trie written straight from the Yellow Paper. */
import { encodeRlp, keccak256, type RlpStructuredDataish } from "ethers";

/** A hex quantity as RLP wants it: no leading zeros, zero empty. */
export function int(value: bigint | number | string): string {
  const text = BigInt(value).toString(16);
  return text === "0" ? "0x" : `0x${text.length % 2 === 0 ? "" : "0"}${text}`;
}

export function encode(items: RlpStructuredDataish, typeByte = 0): string {
  const list = encodeRlp(items);
  return typeByte === 0 ? list : `0x${typeByte.toString(16).padStart(2, "0")}${list.slice(2)}`;
}

const nibblesOf = (hex: string) => Array.from(hex.slice(2), (digit) => Number.parseInt(digit, 16));

function compact(path: readonly number[], isLeaf: boolean): string {
  const flag = (isLeaf ? 2 : 0) + (path.length % 2);
  const nibbles = path.length % 2 === 1 ? [flag, ...path] : [flag, 0, ...path];
  return `0x${nibbles.map((nibble) => nibble.toString(16)).join("")}`;
}

type Pair = readonly [path: readonly number[], value: string];

function node(pairs: readonly Pair[]): RlpStructuredDataish {
  const first = pairs[0];
  if (first === undefined) return "0x";
  if (pairs.length === 1) return [compact(first[0], true), first[1]];
  let shared = 0;
  while (pairs.every(([path]) => path[shared] !== undefined && path[shared] === first[0][shared])) shared += 1;
  if (shared > 0) {
    const rest = pairs.map(([path, value]): Pair => [path.slice(shared), value]);
    return [compact(first[0].slice(0, shared), false), reference(node(rest))];
  }
  const below: Pair[][] = Array.from({ length: 16 }, () => []);
  for (const [path, value] of pairs) below[path[0] ?? 0]?.push([path.slice(1), value]);
  const children = below.map((branch) => (branch.length === 0 ? "0x" : reference(node(branch))));
  return [...children, "0x"];
}

function reference(value: RlpStructuredDataish): RlpStructuredDataish {
  const encoded = encodeRlp(value);
  return encoded.length < 2 + 64 ? value : keccak256(encoded);
}

/** The root of the index trie over encoded items. */
export function referenceRoot(items: readonly string[]): string {
  return keccak256(encodeRlp(node(items.map((item, index): Pair => [nibblesOf(encodeRlp(int(index))), item]))));
}

export function referenceBloom(logs: readonly { address: string; topics: readonly string[] }[]): string {
  const bits = new Uint8Array(256);
  for (const item of logs.flatMap(({ address, topics }) => [address, ...topics])) {
    const hash = keccak256(item).slice(2);
    for (const at of [0, 4, 8]) {
      const bit = Number.parseInt(hash.slice(at, at + 4), 16) % 2048;
      const byte = 255 - Math.floor(bit / 8);
      bits[byte] = (bits[byte] ?? 0) | (1 << (bit % 8));
    }
  }
  return `0x${Buffer.from(bits).toString("hex")}`;
}
