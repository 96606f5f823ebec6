/** Goal: asking in batches answers as asking one by one does, wherever in a batch a script is. */
import { expect, test } from "@jest/globals";
import { addressOf } from "../../../../src/chains/bitcoin/address.ts";
import { BATCH, HashFilter } from "../../../../src/chains/bitcoin/hash-filter.ts";
import { NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import { sourceOf } from "../../../../src/chains/bitcoin/payload-set.ts";
import { ScriptQueue } from "../../../../src/chains/bitcoin/script-queue.ts";
import { createScriptTable } from "../../../../src/chains/bitcoin/script-table.ts";
import { createRandom } from "../proof/mutants.ts";

const { mainnet: network } = NETWORKS;
const random = createRandom(20_261_122);

function bytesOf(length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

/** Of the lengths of scripts with an address, with and without one, and of some other lengths. */
function someScript(): Buffer {
  const [hash, key] = [bytesOf(20), bytesOf(32)];
  return random.pick([
    Buffer.concat([Buffer.of(0x76, 0xa9, 20), hash, Buffer.of(0x88, 0xac)]),
    Buffer.concat([Buffer.of(0xa9, 20), hash, Buffer.of(0x87)]),
    Buffer.concat([Buffer.of(0, 20), hash]),
    Buffer.concat([Buffer.of(0, 32), key]),
    Buffer.concat([Buffer.of(0x51, 32), key]),
    ...[22, 23, 25, 34].map((length) => Buffer.concat([Buffer.of(0x61), bytesOf(length - 1)])),
    Buffer.concat([Buffer.of(0x61), bytesOf(8 + random.below(100))]),
  ]);
}

test.each([1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH + 7])("of %i scripts exactly the watched are told", (count) => {
  const scripts = Array.from({ length: count }, someScript);
  const isWatched = scripts.map((_, index) => index === 0 || index === count - 1 || index % 1_000 > 990);
  const table = createScriptTable(
    new Set(scripts.filter((_, index) => isWatched[index]).map((script) => addressOf(script, network))),
    network,
  );
  const source = sourceOf(Buffer.concat(scripts.flatMap((script) => [Buffer.of(script.length), script])));
  const marks = new Uint8Array(count);
  const queue = new ScriptQueue(table, source, marks);
  let at = 0;
  for (const [owner, { length }] of scripts.entries()) {
    queue.add(at + 1, length, owner);
    at += 1 + length;
  }
  queue.flush();
  expect([...marks].map(Boolean)).toEqual(isWatched);
});

test("a full filter holds what was added, and about one in a thousand of what was not", () => {
  const filter = new HashFilter(2 ** 16);
  const hash = () => random.below(2 ** 32) | 0;
  const added = Int32Array.from({ length: 2 ** 16 }, hash);
  for (const one of added) filter.add(one);
  for (let start = 0; start < added.length; start += BATCH)
    expect(filter.heldOf(added.subarray(start, start + BATCH), BATCH)).toHaveLength(BATCH);
  const strangers = Array.from({ length: 2 ** 16 }, hash).filter((one) => filter.mayHold(one));
  expect(strangers.length).toBeLessThan(2 ** 16 / 200);
});
