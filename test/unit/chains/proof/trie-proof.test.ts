/** One item under the root of a list: what `listPath` gives, `provenItem` takes, and nothing else. */
import { describe, expect, test } from "@jest/globals";
import { encodeRlp, hexlify } from "ethers";
import fc from "fast-check";
import { readRlp, type RlpItem } from "../../../../src/chains/evm/proof/rlp-reader.ts";
import { RlpWriter } from "../../../../src/chains/evm/proof/rlp.ts";
import { listPath, listRoot } from "../../../../src/chains/evm/proof/trie.ts";
import { provenItem } from "../../../../src/chains/evm/proof/trie-proof.ts";
import { RefutedError } from "../../../../src/lib/errors.ts";

const writer = new RlpWriter();

/** Items of one byte are short enough to stand inside their parents; long ones never are. */
function itemsOf(count: number, size: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => Buffer.alloc(size, 1 + (index % 120)));
}

function pathOf(items: readonly Buffer[], index: number) {
  const write = (at: number) => writer.rawBytes(items[at] ?? Buffer.alloc(0));
  const root = listRoot(items.length, writer, write);
  const path = listPath({ count: items.length, index }, writer, write);
  expect(path.root).toBe(root);
  return path;
}

describe("a path", () => {
  test.each([1, 2, 16, 17, 127, 128, 129, 256, 300])("leads to each of %i items, short or long", (count) => {
    for (const size of [1, 3, 40]) {
      const items = itemsOf(count, size);
      for (const index of [0, 1, 15, 16, 127, 128, 255, count - 1].filter((at) => at < count)) {
        const { root, nodes } = pathOf(items, index);
        expect(Buffer.from(provenItem({ root, index, nodes }))).toEqual(items[index]);
      }
    }
  });

  test("is none of a place beside it that shares its branch", () => {
    for (const [count, index, beside] of [
      [1, 0, 1],
      [2, 1, 2],
      [129, 128, 129],
    ] as const) {
      const { root, nodes } = pathOf(itemsOf(count, 40), index);
      expect(() => provenItem({ root, index: beside, nodes })).toThrow("leads to another place");
    }
  });

  test("is none of another item, another root, or with a node more, less or changed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.nat(), (count, seed, place) => {
        const items = itemsOf(count, 40);
        const index = seed % count;
        const { root, nodes } = pathOf(items, index);
        const refused = (of: Partial<Parameters<typeof provenItem>[0]>) =>
          expect(() => provenItem({ root, index, nodes, ...of })).toThrow(RefutedError);
        refused({ index: (index + 1) % count });
        refused({ index: index + 1 });
        refused({ index: index + 2 ** 20 });
        refused({ root: `0x${"12".repeat(32)}` });
        refused({ nodes: nodes.slice(0, -1) });
        refused({ nodes: [...nodes, nodes[0] as Uint8Array] });
        const at = place % nodes.length;
        const changed = Uint8Array.from(nodes[at] as Uint8Array);
        const byte = place % changed.length;
        changed[byte] = (changed[byte] ?? 0) ^ 1;
        refused({ nodes: nodes.with(at, changed) });
      }),
      { numRuns: 60 },
    );
  });
});

type Nested = Uint8Array | readonly Nested[];
const nested = fc.letrec<{ item: Nested }>((tie) => ({
  item: fc.oneof({ maxDepth: 3 }, fc.uint8Array({ maxLength: 80 }), fc.array(tie("item"), { maxLength: 6 })),
})).item;
const structured = (item: Nested | RlpItem): Parameters<typeof encodeRlp>[0] =>
  item instanceof Uint8Array ? hexlify(item) : item.map(structured);
const bytesOf = (hex: string) => Buffer.from(hex.slice(2), "hex");

describe("reading RLP", () => {
  test("gives back what ethers wrote", () => {
    fc.assert(
      fc.property(nested, (item) => {
        expect(structured(readRlp(bytesOf(encodeRlp(structured(item)))))).toEqual(structured(item));
      }),
    );
  });

  test("of any bytes gives what is written so, or refuses: never two ways for one content", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        let item: RlpItem;
        try {
          item = readRlp(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RefutedError);
          return;
        }
        expect(encodeRlp(structured(item))).toBe(hexlify(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ["nothing", "0x"],
    ["a byte with a header", "0x8101"],
    ["a long form of a short string", "0xb801ff"],
    ["a length with a zero before it", `0xb90038${"ff".repeat(56)}`],
    ["a string that ends too early", "0x83ffff"],
    ["a list that ends inside an item", "0xc183"],
    ["bytes behind the end", "0xc000"],
    ["a length of five bytes", "0xbc0100000000"],
    ["a pit of lists", `0x${Array.from({ length: 20 }, (_, at) => (0xc0 + 19 - at).toString(16)).join("")}`],
  ])("refuses %s", (_what, hex) => {
    expect(() => readRlp(bytesOf(hex))).toThrow(RefutedError);
  });
});
