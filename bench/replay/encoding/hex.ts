/** JSON-RPC hex text to bytes and back. */
const NOTHING = new Uint8Array(0);

export function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex.slice(2), "hex");
}

/** A quantity as RLP wants it: big-endian without leading zeros, zero is empty. */
export function quantityBytes(hex: string): Uint8Array {
  const digits = hex.slice(2).replace(/^0+/, "");
  if (digits === "") return NOTHING;
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
}

export function hexOf(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`;
}

export function quantityOf(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
