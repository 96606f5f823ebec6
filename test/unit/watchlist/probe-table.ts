/** The probe of an address table, written from the table's description alone: what a scanner of blocks does. */
import type { FingerprintTable } from "../../../src/types/address-table.ts";

export function isInTable(table: FingerprintTable, chain: string, address: string): boolean {
  const seed = table.seedOf(chain);
  if (seed === null) return false;
  const memory = new DataView(table.memory.buffer);
  let { low, high } = seed;
  for (const [place, value] of Buffer.from(address.slice(2), "hex").entries()) {
    const word = table.wordsAt + (place * 256 + value) * 8;
    low ^= memory.getInt32(word, true);
    high ^= memory.getInt32(word + 4, true);
  }
  if (low === 0) low = 1;
  let slot = Number((BigInt(high >>> 4) * BigInt(table.slots)) >> 28n);
  for (let looks = 0; looks < table.slots; looks += 1) {
    const at = table.fingerprintsAt + slot * 8;
    const found = memory.getInt32(at, true);
    if (found === 0) return false;
    if (found === low && memory.getInt32(at + 4, true) === high) return true;
    slot = (slot + 1) % table.slots;
  }
  throw new Error("a table without an empty slot");
}
