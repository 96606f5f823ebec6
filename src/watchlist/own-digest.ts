/** What is told about own addresses as one hash, whatever their order: a list that came in another order is the same list. */
import { createHash, hash } from "node:crypto";
import type { OwnRecords } from "./own-records.ts";

const BUCKETS = 256;
const BUCKET_SIZE_MIN = 16;

/**
 * 128 bits of each record's hash, as two numbers; each kind in its own order, which is not the order of the rows. A changed
 * record changes both.
 */
export function* digestOfRecords(records: OwnRecords): Generator<void, string> {
  const [first, second] = [createBuckets(), createBuckets()];
  for (const at of records.places()) {
    const hashed = hash("sha256", records.contentOf(at), "buffer");
    first.add(hashed[0] as number, hashed.readBigUInt64BE(0));
    second.add(hashed[8] as number, hashed.readBigUInt64BE(8));
    yield;
  }
  const content = createHash("sha256");
  for (const half of [first, second])
    for (const numbers of half.inOrder()) {
      content.update(numbers);
      yield;
    }
  return content.digest("hex");
}

interface Buckets {
  /** `bucket`: the number's first byte. */
  add(bucket: number, value: bigint): void;
  inOrder(): Generator<BigUint64Array>;
}

/** Numbers put in order part by part: to sort a million at once holds everybody up for a tenth of a second. */
function createBuckets(): Buckets {
  const numbers = Array.from({ length: BUCKETS }, () => new BigUint64Array(BUCKET_SIZE_MIN));
  const sizes = new Uint32Array(BUCKETS);
  return {
    add(bucket, value) {
      const size = sizes[bucket] as number;
      let of = numbers[bucket] as BigUint64Array<ArrayBuffer>;
      if (size === of.length) {
        const larger = new BigUint64Array(2 * size);
        larger.set(of);
        of = larger;
        numbers[bucket] = larger;
      }
      of[size] = value;
      sizes[bucket] = size + 1;
    },
    *inOrder() {
      for (const [bucket, of] of numbers.entries()) yield of.subarray(0, sizes[bucket]).toSorted();
    },
  };
}
