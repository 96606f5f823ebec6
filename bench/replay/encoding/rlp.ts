/** RLP, encoding only. */
export type RlpItem = Uint8Array | readonly RlpItem[];

export function encodeRlp(item: RlpItem): Uint8Array {
  if (item instanceof Uint8Array) {
    const first = item[0];
    if (item.length === 1 && first !== undefined && first < 0x80) return item;
    return Buffer.concat([prefix(0x80, item.length), item]);
  }
  return rlpListOf(item.map(encodeRlp));
}

/** A list whose members are encoded already. */
export function rlpListOf(encoded: readonly Uint8Array[]): Uint8Array {
  const length = encoded.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([prefix(0xc0, length), ...encoded]);
}

function prefix(base: number, length: number): Uint8Array {
  if (length <= 55) return Uint8Array.of(base + length);
  const digits = length.toString(16);
  const lengthBytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  return Buffer.concat([Uint8Array.of(base + 55 + lengthBytes.length), lengthBytes]);
}
