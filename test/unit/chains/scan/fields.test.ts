/**
 * Goal: there is no field of any answer that the scanner reads more loosely than the reference path.
 * Method: the first of each field of each kind of object (transactions by type), written in every way that comes to mind,
 * one at a time, read three ways; and blocks that contradict themselves under a right hash.
 */
import { afterAll, expect, test } from "@jest/globals";
import { createRandom, otherHex } from "../proof/mutants.ts";
import { blocksOfOne, contradictoryBlocks, type WholeBlock } from "./built-blocks.ts";
import { around, type Base, createBase, expectOneOutcome, told } from "./outcomes.ts";
import { startToldNode } from "./ways.ts";
import { recordedBlocks } from "./whole-blocks.ts";

const SEED = 1;
const node = await startToldNode();
afterAll(async () => {
  await node.close();
  console.log(`${told.mutants} answers read three ways: ${told.refused} refused, ${told.scanned} scanned`);
});

/** One field of one object of an answer. `text` is the answer with MARK for its value. */
interface FieldPlace {
  readonly name: string;
  readonly part: "block" | "receipts";
  readonly key: string;
  readonly own: string;
  readonly text: string;
}

const MARK = "\u0001";

/** The fields of both answers that are none of `seen`, which are then. */
function newFieldPlaces({ block, receipts, chainId }: WholeBlock, seen: Set<string>): FieldPlace[] {
  const places: FieldPlace[] = [];
  const visit = (value: unknown, name: string, answer: { part: FieldPlace["part"]; whole: unknown }): void => {
    if (Array.isArray(value)) return value.forEach((item) => visit(item, `${name}[]`, answer));
    if (typeof value !== "object" || value === null) return;
    const fields = value as Record<string, unknown>;
    const kind = name === "block.transactions[]" ? `${name} of type ${String(fields["type"])} on ${chainId}` : name;
    for (const [key, own] of Object.entries(fields)) {
      const place = `${kind}: ${key}`;
      if (!seen.has(place)) {
        seen.add(place);
        fields[key] = MARK;
        const text = JSON.stringify(answer.whole);
        fields[key] = own;
        places.push({ name: place, part: answer.part, key, own: JSON.stringify(own), text });
      }
      visit(own, `${kind}.${key}`, answer);
    }
  };
  visit(block, "block", { part: "block", whole: block });
  visit(receipts, "receipts", { part: "receipts", whole: receipts });
  return places;
}

/** What stands for the value; where it begins with the key, the field is written anew. */
function writings(key: string, own: string): string[] {
  const field = `"${key}":`;
  const escapedField = `"\\u00${key.charCodeAt(0).toString(16)}${key.slice(1)}":`;
  const others = ["0", "1", "-1", "0.5", "1e400", "true", "false", "null", "[]", "[[]]", "{}", '""', '"0x"', '["0x0"]'];
  const fields = [
    `"un${key}":${own}`,
    `${field}${own},${field}${own}`,
    `${field}${own},${field}null`,
    `${field}"0x1",${field}${own}`,
    `${escapedField}${own}`,
    // JSON.parse takes the last of two names for one key.
    `${field}${own},${escapedField}null`,
    `${escapedField}"0x1",${field}${own}`,
    `"un":"\\",\\"${key}\\":null,\\"",${field}${own}`,
    `${field} \n\t\r${own} `,
  ];
  if (!own.startsWith('"0x')) return [...others, ...fields];
  const digits = own.slice(3, -1);
  const zeros = [1, 2, 12, 16, 61, 62, 63, 64].map((count) => "0".repeat(count) + digits);
  const padded = [13, 14, 64, 65].map((count) => digits.padStart(count, "0"));
  const spoiled = [
    digits.slice(1),
    digits.slice(0, -1),
    `${digits}0`,
    `${digits}00`,
    `-${digits}`,
    ` ${digits}`,
    `${digits}g`,
  ];
  const hex = [
    ...zeros,
    ...padded,
    ...spoiled,
    digits.toUpperCase(),
    digits.replace(/^0+/, ""),
    "f".repeat(64),
    "0",
    "1",
    "2",
  ];
  return [
    ...others,
    ...fields,
    ...hex.map((text) => `"0x${text}"`),
    `"0X${digits}"`,
    `"${digits}"`,
    `"0x${digits}\\u0000"`,
  ];
}

/** A careful liar changes a value wherever it is repeated, in both answers. */
async function expectSameLieRefused(base: Base, own: string, name: string): Promise<void> {
  const lie = otherHex(own.slice(1, -1), createRandom(SEED));
  const { block, receipts } = base.texts;
  const changed = {
    block: await node.ask(around(block.text.replaceAll(own, `"${lie}"`))),
    receipts: await node.ask(around(receipts.text.replaceAll(own, `"${lie}"`))),
  };
  await expectOneOutcome(base, changed, `${base.one.name}, ${name} is ${lie} everywhere`);
}

test("each field of each kind is read alike three ways, however it is written", async () => {
  const seen = new Set<string>();
  const recorded = recordedBlocks().filter(({ name }) => name === "ethereum 1000000");
  for (const one of [...blocksOfOne(), ...recorded]) {
    const base = await createBase(node, one, SEED);
    for (const { name, part, key, own, text } of newFieldPlaces(one, seen)) {
      for (const writing of writings(key, own)) {
        const field = writing.includes('":') ? writing : `"${key}":${writing}`;
        const changed = text.replace(`"${key}":${JSON.stringify(MARK)}`, () => field);
        const what = `${one.name}, ${name} written ${field.slice(0, 200)}`;
        await expectOneOutcome(base, { [part]: await node.ask(around(changed)) }, what);
      }
      if (/^"0x.{8,}/.test(own)) await expectSameLieRefused(base, own, name);
    }
  }
  expect(seen.size).toBeGreaterThan(250);
}, 300_000);

test("blocks that contradict themselves under a right hash are judged alike", async () => {
  for (const one of contradictoryBlocks()) {
    const base = await createBase(node, one, SEED);
    const outcome = await expectOneOutcome(base, {}, one.name);
    const isTrue = one.name === "a failed transaction logged what is no movement";
    expect({ name: one.name, read: outcome.kind === "read" && outcome.proven }).toEqual({
      name: one.name,
      read: isTrue,
    });
  }
});
