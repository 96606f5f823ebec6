import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createRandom } from "../../../bench/replay/random.ts";
import { ConfigError } from "../../../src/lib/errors.ts";
import { type AddressFile, openAddressFile, writeAddressFile } from "../../../src/watchlist/address-file.ts";
import { ADDRESS_BYTES, type AddressBytes, createAddressIndex } from "../../../src/watchlist/address-index.ts";

const CHAIN = "eip155:1";
const HEADER_BYTES = 64;

let folder = "";
let file = "";
const open: AddressFile[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "heistwatch-address-file-"));
  file = path.join(folder, "addresses");
});

afterEach(() => {
  for (const one of open.splice(0)) one.close();
  rmSync(folder, { recursive: true, force: true });
});

function stored(bytes: Uint8Array): AddressFile {
  writeAddressFile(file, bytes);
  const opened = openAddressFile(file);
  open.push(opened);
  return opened;
}

function randomAddresses(count: number, seed: number): Buffer {
  return Buffer.from(createRandom(seed).bytes(count * ADDRESS_BYTES));
}

function textsOf(bytes: Uint8Array): string[] {
  const all = Buffer.from(bytes);
  return Array.from({ length: all.length / ADDRESS_BYTES }, (_, position) =>
    all.toString("hex", position * ADDRESS_BYTES, (position + 1) * ADDRESS_BYTES),
  );
}

function allOf(opened: AddressFile): Buffer {
  const copies: Buffer[] = [];
  for (const piece of opened.pieces()) copies.push(Buffer.from(piece));
  return Buffer.concat(copies);
}

function* listsOf(opened: AddressFile): Generator<AddressBytes> {
  for (const bytes of opened.pieces()) yield { chain: CHAIN, bytes };
}

/** Those of `asked` that the file has, at an odd offset as in a log's data. */
function foundOf(opened: AddressFile, asked: readonly string[]): string[] {
  return asked.filter((text) => opened.has(Buffer.from(`ff${text}ff`, "hex"), 1));
}

/** One up, one down: where a search is most easily wrong. */
function neighboursOf(text: string): string[] {
  const value = BigInt(`0x${text}`);
  const limit = 1n << BigInt(8 * ADDRESS_BYTES);
  return [value - 1n, value + 1n].map((one) => ((one + limit) % limit).toString(16).padStart(2 * ADDRESS_BYTES, "0"));
}

describe("an address file", () => {
  // Around one block of 256, one piece of 65,536, and the ends.
  test.each([0, 1, 2, 255, 256, 257, 511, 512, 513, 65_536, 65_537])(
    "of %i addresses has these and no others",
    (count) => {
      const bytes = randomAddresses(count, count + 1);
      const opened = stored(bytes);
      const texts = textsOf(bytes);
      expect(opened.count).toBe(count);
      const asked = count > 1_000 ? texts.filter((_, at) => at % 97 === 0 || at > count - 300) : texts;
      expect(foundOf(opened, asked)).toEqual(asked);
      const others = [...asked.slice(0, 600).flatMap(neighboursOf), "00".repeat(20), "ff".repeat(20)];
      expect(foundOf(opened, others)).toEqual([]);
      expect(textsOf(allOf(opened))).toEqual(texts.toSorted());
    },
  );

  test("answers as a Set does, whatever the addresses have in common", () => {
    // Few different bytes in few places: long common beginnings, repetitions, neighbours, the first and the last address.
    const address = fc
      .record({ fill: fc.constantFrom(0x00, 0x7f, 0xff), head: fc.nat(2), at: fc.nat(19), value: fc.nat(255) })
      .map(({ fill, head, at, value }) => {
        const bytes = Buffer.alloc(ADDRESS_BYTES, fill);
        bytes[0] = head;
        bytes[at] = value;
        return bytes.toString("hex");
      });
    fc.assert(
      fc.property(
        fc.array(address, { maxLength: 900, size: "max" }),
        fc.array(address, { maxLength: 300 }),
        (listed, others) => {
          const opened = stored(Buffer.from(listed.join(""), "hex"));
          const known = new Set(listed);
          const asked = [...listed, ...others, ...listed.slice(0, 100).flatMap(neighboursOf)];
          expect(opened.count).toBe(known.size);
          expect(foundOf(opened, asked)).toEqual(asked.filter((one) => known.has(one)));
        },
      ),
      { numRuns: 30 },
    );
  });

  test.each([0x00, 0xab, 0xff])("finds addresses that all begin with 17 times %i, and none between them", (first) => {
    const bytes = randomAddresses(3_000, 16);
    for (let at = 0; at < bytes.length; at += ADDRESS_BYTES) bytes.fill(first, at, at + 17);
    const texts = [...new Set(textsOf(bytes))];
    const known = new Set(texts);
    const opened = stored(bytes);
    expect(foundOf(opened, texts)).toEqual(texts);
    const between = texts.flatMap(neighboursOf).filter((one) => !known.has(one));
    expect(between.length).toBeGreaterThan(3_000);
    expect(foundOf(opened, between)).toEqual([]);
  });

  test("is the exact store behind an index that was built from its pieces", () => {
    const bytes = randomAddresses(70_000, 21);
    const opened = stored(bytes);
    const index = createAddressIndex({ count: opened.count, lists: listsOf(opened) });
    const probe = index.of(CHAIN, opened.has);
    expect(index.size).toBe(70_000);
    const others = randomAddresses(70_000, 22);
    for (let at = 0; at < bytes.length; at += 13 * ADDRESS_BYTES)
      expect([probe.hasBytes(bytes, at), probe.hasBytes(others, at)]).toEqual([true, false]);
  });

  test("that is replaced goes on answering where it is open", () => {
    const [old, next] = [randomAddresses(600, 23), randomAddresses(900, 24)];
    const before = stored(old);
    const after = stored(next);
    expect(foundOf(before, textsOf(old))).toEqual(textsOf(old));
    expect(foundOf(after, textsOf(next))).toEqual(textsOf(next));
    expect(foundOf(after, textsOf(old))).toEqual([]);
    expect(readdirSync(folder)).toEqual(["addresses"]);
  });
});

describe("a file that is no whole address file is refused, by its name", () => {
  const refused = (why: string) => {
    expect(() => openAddressFile(file)).toThrow(ConfigError);
    expect(() => openAddressFile(file)).toThrow(`${file} is not a whole address file: ${why}`);
  };

  test("missing, or not a file at all", () => {
    refused("it cannot be opened");
    file = folder;
    refused("it is not a regular file");
  });

  test("cut anywhere, or longer than it was", () => {
    writeAddressFile(file, randomAddresses(300, 25));
    const whole = readFileSync(file);
    for (const length of [0, 1, HEADER_BYTES - 1]) {
      writeFileSync(file, whole.subarray(0, length));
      refused(`it ends at byte ${length}`);
    }
    for (const length of [HEADER_BYTES, whole.length - ADDRESS_BYTES, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, length));
      refused(`it should hold 300 addresses and has ${length} bytes`);
    }
    writeFileSync(file, Buffer.concat([whole, Buffer.alloc(ADDRESS_BYTES)]));
    refused("it should hold 300 addresses");
  });

  test("somebody else's", () => {
    writeFileSync(file, "format: heistwatch/1\n".repeat(10));
    refused("it does not begin as one");
    writeAddressFile(file, randomAddresses(10, 26));
    const other = readFileSync(file);
    other.write("heistwatch-addresses/2", 0);
    writeFileSync(file, other);
    refused("it does not begin as one");
  });

  test("a count that only a lying header has", () => {
    writeAddressFile(file, randomAddresses(10, 27));
    const lying = readFileSync(file);
    lying.writeBigUInt64LE(2n ** 64n - 1n, 24);
    writeFileSync(file, lying);
    refused("it should hold");
  });

  test("one bit of an address or of the digest changed", () => {
    writeAddressFile(file, randomAddresses(300, 28));
    const whole = readFileSync(file);
    for (const at of [32, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 3_000, whole.length - 1]) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(file, changed);
      refused("its content is not what was written");
    }
  });
});

test("an address that can no longer be read is an error, never a no", () => {
  const bytes = randomAddresses(2_000, 29);
  const opened = stored(bytes);
  truncateSync(file, HEADER_BYTES + 1_000 * ADDRESS_BYTES);
  const last = textsOf(bytes).toSorted().at(-1) ?? "";
  expect(() => foundOf(opened, [last])).toThrow(ConfigError);
});

test("a closed file is not asked", () => {
  const bytes = randomAddresses(10, 30);
  writeAddressFile(file, bytes);
  const opened = openAddressFile(file);
  opened.close();
  expect(() => opened.has(bytes, 0)).toThrow("the address file is open");
});

test("the file is as described: a reader of the description finds its parts", () => {
  const bytes = randomAddresses(300, 31);
  writeAddressFile(file, bytes);
  const written = readFileSync(file);
  expect(written.toString("latin1", 0, 24)).toBe("heistwatch-addresses/1\n\0");
  expect(written.readBigUInt64LE(24)).toBe(300n);
  const body = written.subarray(HEADER_BYTES);
  expect(written.subarray(32, HEADER_BYTES)).toEqual(createHash("sha256").update(body).digest());
  expect(textsOf(body)).toEqual(textsOf(bytes).toSorted());
});
