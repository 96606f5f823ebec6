/**
 * One record of an entry index as bytes: a list entry, or the part that many entries of a list have in common.
 *
 * | bytes | what |
 * |---|---|
 * | 0 | CRC-32 of the rest |
 * | 4 | length of the record without its padding |
 * | 8 | slot of its address in the table of fingerprints; 2^32 - 1: it is a common part |
 * | 12 | place of the record added before for the same slot; 0: this is the first |
 * | 16 | place of the record added before for the same chain; 0: this is the first |
 * | 20 | place of the record with the common part |
 * | 24 | JSON, then zeros up to a multiple of eight |
 *
 * Numbers are uint32, little-endian. Places count in eights of bytes, so that 32 GB of records can be told apart. Slot,
 * places and checksum say of each record how it was reached: damage on the disk is never taken for "not listed".
 */
import { crc32 } from "node:zlib";
import type { WatchEntry } from "../types/watch.ts";
import { compareText } from "./problems.ts";

export const PLACE_BYTES = 8;
export const RECORD_HEAD_BYTES = 24;
export const NO_SLOT = 2 ** 32 - 1;

export interface EntryRecord {
  readonly slot: number;
  readonly previous: number;
  readonly previousOfChain: number;
  readonly common: number;
  readonly json: string;
}

export function encodeRecord({ slot, previous, previousOfChain, common, json }: EntryRecord): Buffer {
  const length = RECORD_HEAD_BYTES + Buffer.byteLength(json);
  const bytes = Buffer.allocUnsafe(Math.ceil(length / PLACE_BYTES) * PLACE_BYTES).fill(0, length);
  bytes.writeUInt32LE(length, 4);
  bytes.writeUInt32LE(slot, 8);
  bytes.writeUInt32LE(previous, 12);
  bytes.writeUInt32LE(previousOfChain, 16);
  bytes.writeUInt32LE(common, 20);
  bytes.write(json, RECORD_HEAD_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(4, length)), 0);
  return bytes;
}

/** The record's length as its head claims it. */
export function recordLength(head: Buffer): number {
  return head.readUInt32LE(4);
}

/** `bytes`: the record without its padding. Null: it is not as it was written. */
export function decodeRecord(bytes: Buffer): EntryRecord | null {
  if (crc32(bytes.subarray(4)) !== bytes.readUInt32LE(0)) return null;
  return {
    slot: bytes.readUInt32LE(8),
    previous: bytes.readUInt32LE(12),
    previousOfChain: bytes.readUInt32LE(16),
    common: bytes.readUInt32LE(20),
    json: bytes.toString("utf8", RECORD_HEAD_BYTES),
  };
}

/** An entry's id is not written: it follows from the rest. */
export function entryIdOf({ list, chain, address }: Pick<WatchEntry, "list" | "chain" | "address">): string {
  return `${list}/${chain}/${address}`;
}

/** The parts of an id: neither a list's name nor a chain's has a slash. */
export function placeOfId(entryId: string): Pick<WatchEntry, "list" | "chain" | "address"> {
  const [list = "", chain = "", ...address] = entryId.split("/");
  return { list, chain, address: address.join("/") };
}

/** The order in which the entries of an address are told. */
export function compareEntries(a: WatchEntry, b: WatchEntry): number {
  return compareText(a.list, b.list) || compareText(a.chain, b.chain) || compareText(a.address, b.address);
}

/** First those of the chain itself, then those of the same account elsewhere; each in list order. */
export function inOrderFor(chain: WatchEntry["chain"], entries: readonly WatchEntry[]): WatchEntry[] {
  return entries.toSorted((a, b) => Number(a.chain !== chain) - Number(b.chain !== chain) || compareEntries(a, b));
}
