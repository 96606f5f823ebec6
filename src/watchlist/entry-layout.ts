/**
 * How the bytes of an entry index are laid out.
 *
 * | from | what |
 * |---|---|
 * | 0 | a magic line; at 24 the end of the records, at 32 the beginning of the trailer (uint64); at 40 the SHA-256 of all behind the head and of the 40 bytes before |
 * | 72 | records, see `entry-record.ts` |
 * | end of the records | the table's random words and fingerprints, as they are in its memory |
 * | then | for each slot the place of its last record, uint32; 0: none |
 * | then, to the end | the trailer, JSON |
 *
 * All numbers are little-endian.
 */
import { hash, type Hash } from "node:crypto";
import type { AddressTable } from "../types/address-table.ts";
import type { Address, ChainId } from "../types/chain.ts";
import { ADDRESS_BYTES, type AddressIndex, type SavedIndex, writeAddress } from "./address-index.ts";
import type { ReadableStorage } from "./entry-storage.ts";
import { isEvm } from "./matched-on.ts";

const MAGIC = Buffer.from("heistwatch-entries/1\n");
const RECORDS_END_AT = 24;
const TRAILER_AT = 32;
const DIGEST_AT = 40;
export const HEAD_BYTES = 72;
export const PLACE_NUMBER_BYTES = Uint32Array.BYTES_PER_ELEMENT;

const EVM_SPACE = "eip155";
const TEXT_SPACE = "text";

export interface Trailer<F> {
  readonly index: SavedIndex;
  readonly lastOfChain: readonly (readonly [chain: ChainId, place: number])[];
  readonly count: number;
  /** Of the entries in the order they were added, hex. */
  readonly digest: string;
  readonly facts: F;
}

export interface Head {
  readonly recordsEnd: number;
  readonly trailerAt: number;
}

export function encodeHead({ recordsEnd, trailerAt }: Head, ofContent: Hash): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head.writeBigUInt64LE(BigInt(recordsEnd), RECORDS_END_AT);
  head.writeBigUInt64LE(BigInt(trailerAt), TRAILER_AT);
  digestOf(head, ofContent).copy(head, DIGEST_AT);
  return head;
}

/** Throws ConfigError when it is not an entry index at all, or cut. */
export function readHead(storage: ReadableStorage): Head & { readonly bytes: Buffer } {
  const bytes = Buffer.alloc(HEAD_BYTES);
  storage.read(bytes, 0);
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw storage.unfit("it does not begin as one");
  const recordsEnd = Number(bytes.readBigUInt64LE(RECORDS_END_AT));
  const trailerAt = Number(bytes.readBigUInt64LE(TRAILER_AT));
  return { recordsEnd, trailerAt, bytes };
}

export function isWhole(head: Buffer, ofContent: Hash): boolean {
  return digestOf(head, ofContent).equals(head.subarray(DIGEST_AT));
}

function digestOf(head: Buffer, ofContent: Hash): Buffer {
  return ofContent.update(head.subarray(0, DIGEST_AT)).digest();
}

/** The random words and the fingerprints: what of the table is kept. */
export function tableBytes({ memory, wordsAt, fingerprintsAt, slots }: AddressIndex["table"]): Uint8Array {
  return new Uint8Array(memory.buffer, wordsAt, fingerprintsAt + 2 * slots * Int32Array.BYTES_PER_ELEMENT - wordsAt);
}

/** The index as scanners of blocks see it. */
export function tableOn(index: AddressIndex, addressesOf: AddressTable["addressesOf"]): AddressTable {
  return { ...index.table, seedOf: (chain) => (isEvm(chain) ? index.seedOf(EVM_SPACE) : null), addressesOf };
}

/** Where the place of the last record of slot 0 stands; those of the other slots follow. */
export function placesAt(recordsEnd: number, table: AddressIndex["table"]): number {
  return recordsEnd + tableBytes(table).length;
}

/**
 * The slot of an address, where it is or where it is added; -1: not there, or no address of an EVM chain. EVM addresses
 * are their own 20 bytes, the same on every EVM chain, because most entries are matched on all of them. What other chains
 * call an address is hashed together with the chain.
 */
export function createSlots(index: AddressIndex, what: "add" | "find"): (chain: ChainId, address: Address) => number {
  const evm = index.of(EVM_SPACE);
  const text = index.of(TEXT_SPACE);
  const key = new Uint8Array(ADDRESS_BYTES);
  return (chain, address) => {
    if (isEvm(chain)) return writeAddress(address, key, 0) ? evm[what](key, 0) : -1;
    return text[what](hash("sha256", `${chain}/${address}`, "buffer"), 0);
  };
}
