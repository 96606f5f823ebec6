/** A file of entries that is not as it was written: told when it is opened, and never taken for "not listed" afterwards. */
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createRandom } from "../../../bench/replay/random.ts";
import { ConfigError } from "../../../src/lib/errors.ts";
import type { WatchEntry } from "../../../src/types/watch.ts";
import { buildWatchlist, openWatchlist, type WatchlistSnapshot } from "../../../src/watchlist/snapshot.ts";
import { createTempDir, type TempDir } from "../../support/temp-dir.ts";
import { headsOf, makeEntries, naiveIndex } from "./entries.ts";
import { NO_OWN } from "../../../src/watchlist/own-index.ts";

const NEVER = new AbortController().signal;
const HEAD_BYTES = 72;
const { entries } = makeEntries(60, 7);
const naive = naiveIndex(entries);

let folder: TempDir;
let file = "";
let open: WatchlistSnapshot | null = null;

beforeEach(async () => {
  folder = createTempDir("damaged");
  file = path.join(folder.path, "watchlist.entries");
  const loaded = entries.map((entry) => ({ entry, hasAdapter: true }));
  const options = { file, lists: headsOf(), entries: loaded, count: entries.length, own: NO_OWN, enable: [] };
  open = await buildWatchlist(options, NEVER);
});
afterEach(async () => {
  open?.close();
  await folder.remove();
});

async function expectRefused(why: string): Promise<void> {
  const opening = openWatchlist({ file, own: NO_OWN }, NEVER);
  await expect(opening).rejects.toThrow(ConfigError);
  await expect(opening).rejects.toThrow(`${file} is not a whole entry file: ${why}`);
}

/** End of the records, places of the slots, trailer: read by the description of the file. */
function partsOf(whole: Buffer) {
  const recordsEnd = Number(whole.readBigUInt64LE(24));
  const trailerAt = Number(whole.readBigUInt64LE(32));
  const { index } = JSON.parse(whole.toString("utf8", trailerAt)) as { index: { slots: number } };
  return { recordsEnd, trailerAt, placesAt: trailerAt - 4 * index.slots };
}

describe("when it is opened", () => {
  test("missing, or not a file at all", async () => {
    const there = file;
    file = `${there}-not`;
    await expectRefused("it cannot be opened");
    file = folder.path;
    await expectRefused("it is not a regular file");
  });

  test("cut anywhere, or longer than it was", async () => {
    const whole = readFileSync(file);
    const { recordsEnd, trailerAt, placesAt } = partsOf(whole);
    for (const length of [0, 1, HEAD_BYTES - 1]) {
      writeFileSync(file, whole.subarray(0, length));
      await expectRefused(`it ends at byte ${length}`);
    }
    const ends = [HEAD_BYTES, 500, recordsEnd, recordsEnd + 40_960, placesAt, trailerAt, whole.length - 1];
    for (const length of ends) {
      writeFileSync(file, whole.subarray(0, length));
      await expectRefused("its content is not what was written");
    }
    writeFileSync(file, Buffer.concat([whole, Buffer.from(" ")]));
    await expectRefused("its content is not what was written");
  });

  test("somebody else's", async () => {
    writeFileSync(file, "format: heistwatch/1\n".repeat(10));
    await expectRefused("it does not begin as one");
    const other = Buffer.from("heistwatch-entries/2\n".padEnd(200, "\0"));
    writeFileSync(file, other);
    await expectRefused("it does not begin as one");
  });

  test("one bit changed, in any part of it", async () => {
    const whole = readFileSync(file);
    const { recordsEnd, trailerAt, placesAt } = partsOf(whole);
    const random = createRandom(8);
    const within = (from: number, to: number) => Array.from({ length: 8 }, () => from + random.below(to - from));
    const places = [
      24,
      31,
      32,
      39,
      40,
      71,
      HEAD_BYTES,
      recordsEnd,
      placesAt,
      trailerAt,
      whole.length - 1,
      ...within(HEAD_BYTES, recordsEnd),
      ...within(recordsEnd, placesAt),
      ...within(placesAt, trailerAt),
      ...within(trailerAt, whole.length),
    ];
    for (const at of places) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
      writeFileSync(file, changed);
      await expectRefused("its content is not what was written");
    }
    writeFileSync(file, whole);
    expect((await openWatchlist({ file, own: NO_OWN }, NEVER)).version).toBe(open?.version);
  });
});

describe("after it was opened", () => {
  /** Right, or an error that names the file: how often the one and the other. */
  function askAll(): { right: number; refused: number } {
    const counts = { right: 0, refused: 0 };
    for (const { chain, address } of entries) {
      try {
        const found = (open as WatchlistSnapshot).entriesOf(chain, address);
        if (!isDeepStrictEqual(found, naive(chain, address))) expect(found).toEqual(naive(chain, address));
        counts.right += 1;
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        expect(error.message).toContain(file);
        counts.refused += 1;
      }
    }
    return counts;
  }

  function overwrite(bytes: Uint8Array, at: number): void {
    const number = openSync(file, "r+");
    writeSync(number, bytes, 0, bytes.length, at);
    closeSync(number);
  }

  test("nothing happened: every answer is right", () => {
    expect(askAll()).toEqual({ right: entries.length, refused: 0 });
  });

  test("cut: what cannot be read is not a no", () => {
    const { recordsEnd } = partsOf(readFileSync(file));
    truncateSync(file, recordsEnd);
    expect(askAll()).toEqual({ right: 0, refused: entries.length });
    truncateSync(file, 0);
    expect(askAll().refused).toBe(entries.length);
  });

  test("any byte of a record changed: a right answer or an error", () => {
    const whole = readFileSync(file);
    const { recordsEnd } = partsOf(whole);
    const random = createRandom(9);
    let refused = 0;
    for (let round = 0; round < 150; round += 1) {
      const at = HEAD_BYTES + random.below(recordsEnd - HEAD_BYTES);
      overwrite(Buffer.from([(whole[at] ?? 0) ^ (1 + random.below(255))]), at);
      refused += askAll().refused;
      overwrite(whole.subarray(at, at + 1), at);
    }
    expect(refused).toBeGreaterThan(50);
    expect(askAll().refused).toBe(0);
  });

  test("the place of a slot's record changed to another, to none, to anywhere: an error", () => {
    const whole = readFileSync(file);
    const { placesAt, trailerAt, recordsEnd } = partsOf(whole);
    const slots = (trailerAt - placesAt) / 4;
    const places = Array.from({ length: slots }, (_, slot) => whole.readUInt32LE(placesAt + 4 * slot));
    const used = places.filter((place) => place !== 0);
    const others = [0, 1, HEAD_BYTES / 8, 12, recordsEnd / 8, 2 ** 32 - 1];
    for (const slot of [...places.keys()].filter((one) => places[one] !== 0).slice(0, 12)) {
      for (const other of [...others, ...used.filter((place) => place !== places[slot]).slice(0, 5)]) {
        const bytes = Buffer.alloc(4);
        bytes.writeUInt32LE(other);
        overwrite(bytes, placesAt + 4 * slot);
        expect([slot, other, askAll().refused > 0]).toEqual([slot, other, true]);
      }
      overwrite(whole.subarray(placesAt + 4 * slot, placesAt + 4 * slot + 4), placesAt + 4 * slot);
    }
    expect(askAll().refused).toBe(0);
  });

  test("the first file is not read in place of the one that replaced it", () => {
    const size = statSync(file).size;
    writeFileSync(`${file}.new`, "x".repeat(size));
    expect(askAll().refused).toBe(0);
  });
});

test("the made entries are of every kind that matters here", () => {
  const of = (has: (entry: WatchEntry) => boolean) => entries.filter(has).length;
  expect(of(({ contract }) => contract === true)).toBeGreaterThan(5);
  expect(of(({ chain }) => chain.startsWith("bip122:"))).toBeGreaterThan(5);
  expect(
    of(({ address }) => new Set(entries.filter((one) => one.address === address).map(({ list }) => list)).size > 1),
  ).toBeGreaterThan(10);
});
