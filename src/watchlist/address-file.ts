/**
 * Millions of addresses on disk: the exact answer behind the address index, for a process that cannot hold them.
 *
 * A file is a header of 64 bytes (a magic line; at 24 the number of addresses, uint64; at 32 the SHA-256 of all that
 * follows the header; little-endian) and the addresses, 20 bytes each, rising, each once. It is never changed: another
 * list is another file in its place. Memory holds every 256th address; an answer reads the 256 that begin there.
 */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, statSync, writeFileSync } from "node:fs";
import { assert } from "../lib/assert.ts";
import { ConfigError } from "../lib/errors.ts";
import { ADDRESS_BYTES, type ConfirmAddress } from "./address-index.ts";
import { compareAddresses, lastNotAbove, sortAddresses } from "./sorted-addresses.ts";

const MAGIC = Buffer.from("heistwatch-addresses/1\n");
const COUNT_AT = 24;
const DIGEST_AT = 32;
const HEADER_BYTES = 64;
const BLOCK_ADDRESSES = 256;
const BLOCK_BYTES = BLOCK_ADDRESSES * ADDRESS_BYTES;
// 1.3 MB: the file is read through in pieces of whole blocks.
const PIECE_BYTES = 256 * BLOCK_BYTES;

export interface AddressFile {
  readonly count: number;
  /** Throws ConfigError when the file was cut while it was open: what cannot be read is not "no". */
  readonly has: ConfirmAddress;
  /** Every address, rising; each piece is overwritten by the next. To build an index without holding them all. */
  pieces(): Iterable<Uint8Array>;
  close(): void;
}

/** `bytes`: the addresses one after the other, in any order, at most 2^24. A file of that name is replaced as a whole. */
export function writeAddressFile(path: string, bytes: Uint8Array): void {
  const sorted = sortAddresses(bytes);
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeBigUInt64LE(BigInt(sorted.length / ADDRESS_BYTES), COUNT_AT);
  createHash("sha256").update(sorted).digest().copy(header, DIGEST_AT);
  // A process that has the old file open goes on reading the old one.
  const part = `${path}.part`;
  const file = openSync(part, "w", 0o600);
  try {
    writeFileSync(file, header);
    writeFileSync(file, sorted);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, path);
}

/** Reads the file through once. Throws ConfigError when it is missing, foreign, cut or changed. */
export function openAddressFile(path: string): AddressFile {
  const file = openRegular(path);
  try {
    return readAddressFile(path, file);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function readAddressFile(path: string, file: number): AddressFile {
  const { count, digest } = readHeader(path, file);
  const read = (into: Uint8Array, position: number) => {
    readExactly(path, file, { into, at: HEADER_BYTES + position * ADDRESS_BYTES });
    return into;
  };
  function* pieces() {
    const buffer = new Uint8Array(PIECE_BYTES);
    for (let done = 0; done < count; done += PIECE_BYTES / ADDRESS_BYTES)
      yield read(buffer.subarray(0, (count - done) * ADDRESS_BYTES), done);
  }
  const firsts = firstsOf({ pieces: pieces(), count, digest });
  if (firsts === null) throw unfit(path, "its content is not what was written");
  const block = new Uint8Array(BLOCK_BYTES);
  let isOpen = true;
  return {
    count,
    has(bytes, offset) {
      // Its number may by now be another file's.
      assert(isOpen, "the address file is open");
      const wanted = { bytes, at: offset };
      const nearest = lastNotAbove(firsts, wanted);
      if (nearest < 0) return false;
      const position = nearest * BLOCK_ADDRESSES;
      const near = read(block.subarray(0, (count - position) * ADDRESS_BYTES), position);
      const found = lastNotAbove(near, wanted);
      return compareAddresses({ bytes: near, at: found * ADDRESS_BYTES }, wanted) === 0;
    },
    pieces,
    close() {
      isOpen = false;
      closeSync(file);
    },
  };
}

function openRegular(path: string): number {
  try {
    // Asked before opening: to open a pipe is to wait for its writer.
    if (statSync(path).isFile()) return openSync(path, "r");
  } catch (error) {
    throw unfit(path, "it cannot be opened", error);
  }
  throw unfit(path, "it is not a regular file");
}

interface Header {
  readonly count: number;
  readonly digest: Uint8Array;
}

function readHeader(path: string, file: number): Header {
  const header = Buffer.alloc(HEADER_BYTES);
  readExactly(path, file, { into: header, at: 0 });
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) throw unfit(path, "it does not begin as one");
  const count = Number(header.readBigUInt64LE(COUNT_AT));
  const { size } = fstatSync(file);
  if (size !== HEADER_BYTES + count * ADDRESS_BYTES)
    throw unfit(path, `it should hold ${count} addresses and has ${size} bytes`);
  return { count, digest: header.subarray(DIGEST_AT) };
}

/** The first address of each block; null when the addresses are not those of the digest. */
function firstsOf(from: Header & { readonly pieces: Iterable<Uint8Array> }): Uint8Array | null {
  const firsts = new Uint8Array(Math.ceil(from.count / BLOCK_ADDRESSES) * ADDRESS_BYTES);
  const hash = createHash("sha256");
  let end = 0;
  for (const piece of from.pieces) {
    hash.update(piece);
    for (let at = 0; at < piece.length; at += BLOCK_BYTES, end += ADDRESS_BYTES)
      firsts.set(piece.subarray(at, at + ADDRESS_BYTES), end);
  }
  return hash.digest().equals(from.digest) ? firsts : null;
}

function readExactly(path: string, file: number, what: { readonly into: Uint8Array; readonly at: number }): void {
  let done = 0;
  while (done < what.into.length) {
    const read = readSync(file, what.into, done, what.into.length - done, what.at + done);
    if (read === 0) throw unfit(path, `it ends at byte ${what.at + done}`);
    done += read;
  }
}

function unfit(path: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(`${path} is not a whole address file: ${why}`, { cause });
}
