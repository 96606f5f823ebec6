/** Goal: a watched script is always found, a stranger's never, and a key in whatever form its owner uses next. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { addressOf } from "../../../../src/chains/bitcoin/address.ts";
import { NETWORKS } from "../../../../src/chains/bitcoin/networks.ts";
import { createScriptTable, type ScriptTable } from "../../../../src/chains/bitcoin/script-table.ts";
import { SlotIndex, type Sought } from "../../../../src/chains/bitcoin/slot-index.ts";
import { createRandom } from "../proof/mutants.ts";

const { mainnet: network } = NETWORKS;

function hash160(bytes: Uint8Array): Buffer {
  return createHash("ripemd160").update(createHash("sha256").update(bytes).digest()).digest();
}

function hex(text: string): Buffer {
  return Buffer.from(text, "hex");
}

/** Every script that one key can be paid with. */
function scriptsOf(key: Buffer) {
  const hash = hash160(key);
  const p2wpkh = Buffer.concat([hex("0014"), hash]);
  const other = Buffer.alloc(33, 3);
  const push = (bytes: Buffer) => Buffer.concat([Buffer.of(bytes.length), bytes]);
  return {
    p2pkh: Buffer.concat([hex("76a914"), hash, hex("88ac")]),
    p2wpkh,
    nested: Buffer.concat([hex("a914"), hash160(p2wpkh), hex("87")]),
    p2pk: Buffer.concat([push(key), hex("ac")]),
    oneOfTwo: Buffer.concat([hex("51"), push(other), push(key), hex("52ae")]),
    twoOfTwenty: Buffer.concat([hex("52"), ...Array.from({ length: 19 }, () => push(other)), push(key), hex("0114ae")]),
  };
}

/** Asks the fast way, with other bytes around, and the whole way; both must agree. */
function ask(table: ScriptTable, script: Buffer) {
  const match = table.match(script);
  const bytes = Buffer.concat([Buffer.alloc(5, 0x76), script, Buffer.alloc(40, 0x76)]);
  const source = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  expect(table.touches(source, 5, script.length)).toBe(match.watched || match.equivalent.length > 0);
  return match;
}

const KEY = Buffer.concat([Buffer.of(2), Buffer.alloc(32, 0xab)]);
const WHOLE_KEY = Buffer.concat([Buffer.of(4), Buffer.alloc(64, 0xcd)]);
const SCRIPTS = scriptsOf(KEY);
const text = (script: Buffer) => addressOf(script, network);

describe("one key", () => {
  const FORMS = Object.entries(SCRIPTS);
  const IMPLYING = ["p2pkh", "p2wpkh", "p2pk"];

  test.each(FORMS.filter(([form]) => IMPLYING.includes(form)))(
    "of a watched %s is recognised in every other form",
    (watchedForm, watchedScript) => {
      const table = createScriptTable([text(watchedScript)], network);
      for (const [form, script] of FORMS) {
        const expected =
          form === watchedForm
            ? { watched: true, equivalent: [] }
            : { watched: false, equivalent: [text(watchedScript)] };
        expect({ form, ...ask(table, script) }).toEqual({ form, ...expected });
      }
    },
  );

  test.each(FORMS.filter(([form]) => !IMPLYING.includes(form)))("of a watched %s alone is not", (watched, script) => {
    const table = createScriptTable([text(script)], network);
    for (const [form, one] of FORMS)
      expect({ form, ...ask(table, one) }).toEqual({ form, watched: form === watched, equivalent: [] });
  });

  test("in several watched forms names the others", () => {
    const table = createScriptTable([text(SCRIPTS.p2pkh), text(SCRIPTS.p2wpkh), text(SCRIPTS.p2pk)], network);
    const { watched, equivalent } = ask(table, SCRIPTS.p2wpkh);
    expect(watched).toBe(true);
    expect(new Set(equivalent)).toEqual(new Set([text(SCRIPTS.p2pkh), text(SCRIPTS.p2pk)]));
    expect(ask(table, SCRIPTS.nested).equivalent).toHaveLength(3);
    expect(ask(table, SCRIPTS.oneOfTwo).equivalent).toHaveLength(3);
  });

  test("a nested form that is watched itself as well is watched, with the key's other address beside it", () => {
    const table = createScriptTable([text(SCRIPTS.nested), text(SCRIPTS.p2pkh)], network);
    expect(ask(table, SCRIPTS.nested)).toEqual({ watched: true, equivalent: [text(SCRIPTS.p2pkh)] });
    expect(ask(table, SCRIPTS.p2pkh)).toEqual({ watched: true, equivalent: [] });
  });

  test("of 65 bytes", () => {
    const scripts = scriptsOf(WHOLE_KEY);
    const table = createScriptTable([text(scripts.p2pkh)], network);
    for (const script of [scripts.p2pk, scripts.oneOfTwo, scripts.p2wpkh])
      expect(ask(table, script).equivalent).toEqual([text(scripts.p2pkh)]);
  });
});

test("two watched addresses of one key in one script are both named", () => {
  const other = scriptsOf(WHOLE_KEY);
  const both = Buffer.concat([hex("5121"), KEY, hex("41"), WHOLE_KEY, hex("52ae")]);
  const table = createScriptTable([text(SCRIPTS.p2pkh), text(other.p2pkh)], network);
  const named = [text(SCRIPTS.p2pkh), text(other.p2pkh)].toSorted();
  expect(ask(table, both)).toEqual({ watched: false, equivalent: named });
});

/** Nearly a script of a known kind, or of a key. */
const NEARLY: [string, Buffer][] = [
  ["a P2PKH that ends otherwise", Buffer.concat([SCRIPTS.p2pkh.subarray(0, 24), hex("ad")])],
  ["a P2PKH with another opcode before its end", Buffer.concat([SCRIPTS.p2pkh.subarray(0, 23), hex("87ac")])],
  ["a P2PKH with a byte more", Buffer.concat([SCRIPTS.p2pkh, hex("ac")])],
  ["a P2WPKH of version 1", Buffer.concat([hex("51"), SCRIPTS.p2wpkh.subarray(1)])],
  ["a P2WPKH that is cut off", SCRIPTS.p2wpkh.subarray(0, 21)],
  ["a P2PK that does not check", Buffer.concat([SCRIPTS.p2pk.subarray(0, -1), hex("ae")])],
  ["a P2PK of no key", Buffer.concat([hex("2105"), KEY.subarray(1), hex("ac")])],
  ["a multisig that counts one key fewer", Buffer.concat([SCRIPTS.oneOfTwo.subarray(0, -2), hex("51ae")])],
  ["a multisig that wants more keys than it has", Buffer.concat([hex("53"), SCRIPTS.oneOfTwo.subarray(1)])],
  ["a multisig with bytes behind its count", Buffer.concat([SCRIPTS.oneOfTwo.subarray(0, -1), hex("51ae")])],
  ["the key in an OP_RETURN", Buffer.concat([hex("6a21"), KEY])],
  ["an empty script", Buffer.alloc(0)],
];
test.each(NEARLY)("%s is not taken for the key", (_what, script) => {
  const table = createScriptTable([text(SCRIPTS.p2pkh)], network);
  expect(ask(table, script)).toEqual({ watched: false, equivalent: [] });
});

test.each(NEARLY.filter(([, script]) => script[0] !== 0x6a))(
  "%s is found where it is watched itself",
  (_what, script) => {
    const table = createScriptTable([text(SCRIPTS.p2pkh), text(script)], network);
    expect(ask(table, script)).toEqual({ watched: true, equivalent: [] });
  },
);

test("payloads that are equal do not make scripts equal", () => {
  const [short, long] = [Buffer.alloc(20, 9), Buffer.alloc(32, 9)];
  const kinds = {
    p2pkh: Buffer.concat([hex("76a914"), short, hex("88ac")]),
    p2sh: Buffer.concat([hex("a914"), short, hex("87")]),
    p2wsh: Buffer.concat([hex("0020"), long]),
    p2tr: Buffer.concat([hex("5120"), long]),
    bare20: short,
    bare32: long,
  };
  for (const [kind, script] of Object.entries(kinds)) {
    const table = createScriptTable([text(script)], network);
    for (const [other, one] of Object.entries(kinds))
      expect({ kind, other, watched: ask(table, one).watched }).toEqual({ kind, other, watched: kind === other });
  }
});

test("scripts of more than 200 bytes are known by their hash", () => {
  const long = Buffer.concat([Buffer.alloc(300, 0x51), Buffer.of(1)]);
  const table = createScriptTable([text(long)], network);
  expect(ask(table, long)).toEqual({ watched: true, equivalent: [] });
  expect(ask(table, long.subarray(1)).watched).toBe(false);
  expect(ask(createScriptTable([text(SCRIPTS.p2pkh)], network), long).watched).toBe(false);
});

test("thousands of random scripts of every length: all of the watched, none of the others", () => {
  const random = createRandom(20_261_122);
  const some = (count: number) =>
    Array.from({ length: count }, () => {
      const length = random.below(201);
      const bytes = Buffer.from(Array.from({ length }, () => random.below(256)));
      return random.pick([
        bytes,
        Buffer.concat([hex("0014"), Buffer.concat([bytes, Buffer.alloc(20)]).subarray(0, 20)]),
        Buffer.concat([hex("5120"), Buffer.concat([bytes, Buffer.alloc(32)]).subarray(0, 32)]),
        Buffer.concat([hex("a914"), Buffer.concat([bytes, Buffer.alloc(20)]).subarray(0, 20), hex("87")]),
      ]);
    }).filter((script) => script[0] !== 0x6a);
  const [listed, strangers] = [some(4_000), some(4_000)];
  const texts = new Set(listed.map(text));
  const table = createScriptTable(texts, network);
  for (const script of listed) expect(ask(table, script).watched).toBe(true);
  for (const script of strangers) expect(ask(table, script).watched).toBe(texts.has(text(script)));
});

test("an empty list watches nothing", () => {
  const table = createScriptTable([], network);
  for (const script of Object.values(SCRIPTS)) expect(ask(table, script)).toEqual({ watched: false, equivalent: [] });
});

test("a text that is no address of the network is a bug of whoever hands it over", () => {
  expect(() => createScriptTable(["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"], NETWORKS.regtest)).toThrow("assertion failed");
});

test("scripts made to share a place are found all the same", () => {
  // The hash reads the first eight bytes and the last four: these differ only between them.
  const crowd = Array.from({ length: 3_000 }, (_, index) => {
    const bytes = Buffer.alloc(40, 1);
    bytes.writeUInt32LE(index, 20);
    return bytes;
  });
  const table = createScriptTable(crowd.map(text), network);
  for (const script of crowd) expect(ask(table, script).watched).toBe(true);
  const stranger = Buffer.alloc(40, 1);
  stranger.writeUInt32LE(3_000, 20);
  expect(ask(table, stranger).watched).toBe(false);
});

test("however many entries share a hash, few are looked at", () => {
  const index = new SlotIndex(1_000);
  let compared = 0;
  const sought = (value: number): Sought => ({
    hash: 0xdead_beef | 0,
    text: () => String(value),
    isIt: (entry) => {
      compared += 1;
      return entry === value;
    },
  });
  for (let entry = 0; entry < 1_000; entry += 1) index.insert(sought(entry), entry);
  for (let entry = 0; entry < 1_000; entry += 1) expect(index.find(sought(entry))).toBe(entry);
  expect(index.find(sought(1_000))).toBe(-1);
  expect(compared).toBeLessThanOrEqual(1_001 * 64);
});

test("a table takes at most 64 bytes a script", () => {
  const random = createRandom(1);
  const bytesOf = (length: number) => Buffer.from(Array.from({ length }, () => random.below(256)));
  // Those with a key need most: they have an entry for its nested form as well.
  const addresses = Array.from({ length: 20_000 }, () => text(Buffer.concat([hex("0014"), bytesOf(20)])));
  const { byteLength, size } = createScriptTable(addresses, network);
  expect(byteLength / size).toBeLessThanOrEqual(64);
});
