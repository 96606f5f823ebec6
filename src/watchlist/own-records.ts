/**
 * Own addresses as bytes, one record after the other: what millions of objects would take twenty times the room for.
 * A record is where it was said first, the numbers of its chain and wallet, and two texts. Little endian.
 */
import { assert } from "../lib/assert.ts";
import type { Address, ChainId } from "../types/chain.ts";
import type { OwnAddress } from "../types/watch.ts";

/** Who said it first: the number of a file or source, and the line or row in it. */
export interface Place {
  readonly source: number;
  readonly line: number;
}

export const WALLETS = ["deposit", "hot", "cold", "other"] as const satisfies readonly OwnAddress["wallet"][];

// A growing pool takes one more chunk: nothing is copied, and at most so much stands empty.
const CHUNK_BYTES = 2 ** 20;
// Where a record begins is kept in 32 bits.
const CHUNKS_MAX = 2 ** 32 / CHUNK_BYTES;
const LINE_AT = 0;
const SOURCE_AT = 4;
const CHAIN_AT = 6;
/** From here on the bytes are the same wherever and in whatever order the address was told. */
const CONTENT_AT = 8;
const ADDRESS_LENGTH_AT = 9;
const REF_LENGTH_AT = 10;
const ADDRESS_AT = 12;
const ADDRESS_LENGTH_MAX = 255;
const REF_BYTES_MAX = 4096;
const NO_REF = 0xffff;
const RECORD_BYTES_MAX = ADDRESS_AT + ADDRESS_LENGTH_MAX + REF_BYTES_MAX;
const UTF8_BYTES_MAX = 3; // of one UTF-16 code unit

export interface OwnRecords {
  /** Where it is kept from now on. */
  append(own: OwnAddress, from: Place): number;
  /** Whether the record at the place is of this address and chain number. */
  isOf(at: number, chain: number, address: Address): boolean;
  read(at: number, address?: Address): OwnAddress;
  placeOf(at: number): Place;
  /** What is told about the address, as bytes that are equal when it is; valid until the next call. */
  contentOf(at: number): Uint8Array;
  /** -1: no record is of that chain. */
  chainNumber(chain: ChainId): number;
  /** Where the records begin, in the order they came. */
  places(): Iterable<number>;
  readonly isFull: boolean;
  readonly bytes: number;
}

export function createOwnRecords(): OwnRecords {
  const chunks: Buffer[] = [];
  const ends: number[] = [];
  const chains: ChainId[] = [];
  const chainNumbers = new Map<ChainId, number>();
  const scratch = Buffer.alloc(RECORD_BYTES_MAX + 256);

  const chunkOf = (at: number) => chunks[Math.floor(at / CHUNK_BYTES)] as Buffer;

  function numberFor(chain: ChainId): number {
    const known = chainNumbers.get(chain);
    if (known !== undefined) return known;
    assert(chains.length < 2 ** 16, "a chain's number has 16 bits");
    chainNumbers.set(chain, chains.length);
    return chains.push(chain) - 1;
  }

  /** Whether the next record finds room, whatever is in it. */
  const lastHasRoom = () => (ends.at(-1) ?? CHUNK_BYTES) + RECORD_BYTES_MAX <= CHUNK_BYTES;

  return {
    append({ chain, address, customerRef, wallet }, { source, line }) {
      // What does not fit would be found as something else.
      assert(/^[!-~]{1,255}$/.test(address), "an own address is visible ASCII");
      assert((customerRef?.length ?? 0) * UTF8_BYTES_MAX <= REF_BYTES_MAX, "a customer's reference is short");
      if (!lastHasRoom()) {
        assert(chunks.length < CHUNKS_MAX, "own addresses fit in 4 GiB");
        chunks.push(Buffer.allocUnsafeSlow(CHUNK_BYTES));
        ends.push(0);
      }
      const last = chunks.length - 1;
      const chunk = chunks[last] as Buffer;
      const start = ends[last] as number;
      chunk.writeUInt32LE(line, start + LINE_AT);
      chunk.writeUInt16LE(source, start + SOURCE_AT);
      chunk.writeUInt16LE(numberFor(chain), start + CHAIN_AT);
      chunk[start + CONTENT_AT] = WALLETS.indexOf(wallet);
      chunk[start + ADDRESS_LENGTH_AT] = address.length;
      const refAt = start + ADDRESS_AT + chunk.write(address, start + ADDRESS_AT, "latin1");
      const refBytes = customerRef === null ? 0 : chunk.write(customerRef, refAt, "utf8");
      chunk.writeUInt16LE(customerRef === null ? NO_REF : refBytes, start + REF_LENGTH_AT);
      ends[last] = refAt + refBytes;
      return last * CHUNK_BYTES + start;
    },

    isOf(at, chain, address) {
      const chunk = chunkOf(at);
      const start = at % CHUNK_BYTES;
      if (chunk[start + ADDRESS_LENGTH_AT] !== address.length) return false;
      if ((chunk[start + CHAIN_AT] as number) + ((chunk[start + CHAIN_AT + 1] as number) << 8) !== chain) return false;
      for (let index = 0; index < address.length; index += 1)
        if (chunk[start + ADDRESS_AT + index] !== address.charCodeAt(index)) return false;
      return true;
    },

    read(at, known) {
      const chunk = chunkOf(at);
      const start = at % CHUNK_BYTES;
      const refAt = start + ADDRESS_AT + (chunk[start + ADDRESS_LENGTH_AT] as number);
      const refBytes = chunk.readUInt16LE(start + REF_LENGTH_AT);
      return {
        chain: chains[chunk.readUInt16LE(start + CHAIN_AT)] as ChainId,
        address: known ?? chunk.toString("latin1", start + ADDRESS_AT, refAt),
        customerRef: refBytes === NO_REF ? null : chunk.toString("utf8", refAt, refAt + refBytes),
        wallet: WALLETS[chunk[start + CONTENT_AT] as number] as OwnAddress["wallet"],
      };
    },

    placeOf(at) {
      const start = at % CHUNK_BYTES;
      const chunk = chunkOf(at);
      return { source: chunk.readUInt16LE(start + SOURCE_AT), line: chunk.readUInt32LE(start + LINE_AT) };
    },

    contentOf(at) {
      const chunk = chunkOf(at);
      const start = at % CHUNK_BYTES;
      const chain = chains[chunk.readUInt16LE(start + CHAIN_AT)] as ChainId;
      // By its name: the numbers of chains follow from the order of rows.
      const named = scratch.write(`${chain} `, "latin1");
      const copied = chunk.copy(scratch, named, start + CONTENT_AT, endOf(chunk, start));
      return scratch.subarray(0, named + copied);
    },

    chainNumber: (chain) => chainNumbers.get(chain) ?? -1,

    *places() {
      for (const [index, chunk] of chunks.entries())
        for (let start = 0; start < (ends[index] as number); start = endOf(chunk, start))
          yield index * CHUNK_BYTES + start;
    },

    get isFull() {
      return chunks.length === CHUNKS_MAX && !lastHasRoom();
    },

    get bytes() {
      return chunks.length * CHUNK_BYTES;
    },
  };
}

function endOf(chunk: Buffer, start: number): number {
  const refBytes = chunk.readUInt16LE(start + REF_LENGTH_AT);
  const refAt = start + ADDRESS_AT + (chunk[start + ADDRESS_LENGTH_AT] as number);
  return refAt + (refBytes === NO_REF ? 0 : refBytes);
}
