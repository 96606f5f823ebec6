/**
 * Goal: whatever a node sends, the scanner never proves what the reference path refuses, never hides a hit, never
 * changes who is watched, and never ends in anything but an outcome that the reference path has too.
 * Method: seeded changes of small blocks, of what they say (as `proof/mutants.ts`) and of the bytes they say it in, each
 * read three ways. `PROOF_MUTANTS=10000` makes that many of each kind; `PROOF_SEED` replays.
 */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Answers, createRandom, KINDS, type Random } from "../proof/mutants.ts";
import type { BlockJson, ReceiptJson } from "../proof/support.ts";
import { builtBlocks } from "./built-blocks.ts";
import { LARGE_KINDS, type MutateText, TEXT_KINDS } from "./byte-mutants.ts";
import { around, type Base, createBase, expectOneOutcome, latin1, told } from "./outcomes.ts";
import { envelope, startToldNode } from "./ways.ts";
import { recordedBlocks, type Written } from "./whole-blocks.ts";

const COUNT = Number(process.env["PROOF_MUTANTS"] ?? 300);
const SEED = Number(process.env["PROOF_SEED"] ?? 20_260_101);
const TIMEOUT_MS = 60_000 + COUNT * 100;

/** Small, so that a mutant costs about a millisecond; the built ones hold what the recorded ones lack. */
const NAMES = [
  "ethereum 1000000",
  "ethereum 15537393",
  "a little of everything",
  "OP stack, chain 8453",
  "Arbitrum",
  "2 transactions",
];

const node = await startToldNode();
const bases: Base[] = [];

beforeAll(async () => {
  const all = [...recordedBlocks(), ...builtBlocks()];
  for (const name of NAMES) {
    const one = all.find((block) => block.name === name);
    if (one === undefined) throw new Error(`no block ${name}`);
    bases.push(await createBase(node, one, SEED));
  }
  // A hook that is given up goes on beside the next one, on the same node.
}, TIMEOUT_MS);

afterAll(async () => {
  await node.close();
  console.log(
    `${told.mutants} mutants read three ways: ${told.refused} refused, ${told.scanned} scanned, ${told.hits} hits`,
  );
});

test("the unchanged blocks are scanned", async () => {
  for (const base of bases) {
    expect(await expectOneOutcome(base, {}, base.one.name)).toMatchObject({ kind: "read", proven: true });
    expect(base.scanners.map(({ way }) => way.scanned())).toEqual([true, true]);
  }
});

/** Of one seed: which block, and what becomes of it; null: nothing. Returns how many were refused. */
async function eachMutant(
  { kind, count }: { kind: string; count: number },
  make: (base: Base, random: Random) => Promise<Partial<Written> | null>,
): Promise<number> {
  let refused = 0;
  for (let round = 0; round < count; round += 1) {
    const seed = SEED + round;
    const random = createRandom(seed);
    const base = random.pick(bases);
    const what = `${kind}, ${base.one.name}, PROOF_SEED=${seed}`;
    const changed = await make(base, random);
    const outcome = changed === null ? null : await expectOneOutcome(base, changed, what);
    if (outcome?.kind === "refused") refused += 1;
  }
  return refused;
}

describe(`${COUNT} of each kind, seed ${SEED}`, () => {
  test.each(Object.keys(KINDS))(
    "what is said: %s",
    async (kind) => {
      const refused = await eachMutant({ kind, count: COUNT }, async ({ one, texts, answers }, random) => {
        const changed: Answers = {
          block: JSON.parse(texts.block.text) as BlockJson,
          receipts: JSON.parse(texts.receipts.text) as ReceiptJson[],
        };
        try {
          KINDS[kind]?.(changed, random);
        } catch {
          return null; // Not every block has what this kind changes.
        }
        const [block, receipts] = [JSON.stringify(changed.block), JSON.stringify(changed.receipts)];
        return {
          block: block === JSON.stringify(one.block) ? answers.block : await node.ask(envelope(block)),
          receipts: receipts === JSON.stringify(one.receipts) ? answers.receipts : await node.ask(envelope(receipts)),
        };
      });
      expect(refused).toBeGreaterThan(COUNT / 4);
    },
    TIMEOUT_MS,
  );

  const KINDS_OF_TEXT: [string, number, MutateText][] = [
    ...Object.entries(TEXT_KINDS).map(([kind, mutate]): [string, number, MutateText] => [kind, COUNT, mutate]),
    ...Object.entries(LARGE_KINDS).map(([kind, mutate]): [string, number, MutateText] => [
      kind,
      Math.ceil(COUNT / 15),
      mutate,
    ]),
  ];
  test.each(KINDS_OF_TEXT)(
    "how it is written: %s, %d times",
    async (kind, count, mutate) => {
      await eachMutant({ kind, count }, async ({ texts }, random) => {
        const part = random.pick(["block", "receipts"] as const);
        const text = mutate(texts[part], random);
        return { [part]: await node.ask(around(text)) };
      });
    },
    TIMEOUT_MS,
  );
});

/** A body around a good result, by the request's id. */
type Around = (result: string, id: number, random: Random) => string;

const version = '"jsonrpc":"2.0"';
const AROUND: Readonly<Record<string, Around>> = {
  "an error beside the result": (result, id, random) => {
    const error = random.pick(["null", '{"code":-32000,"message":"no"}', '"no"', "0", "false", "[]", "{}"]);
    const fields = [version, `"id":${id}`, `"result":${result}`];
    fields.splice(random.below(4), 0, `"error":${error}`);
    return `{${fields.join(",")}}`;
  },
  "another id": (result, id, random) => {
    const ids = [
      id + 1,
      -id,
      id + 0.5,
      `${id}.0`,
      `${id}e0`,
      `0${id}`,
      `"${id}"`,
      "null",
      "true",
      "[]",
      "{}",
      `[${id}]`,
      `${id}0`,
      "9".repeat(30),
    ];
    return `{${version},"id":${random.pick(ids)},"result":${result}}`;
  },
  "ids missing or twice": (result, id, random) =>
    random.pick([
      `{${version},"result":${result}}`,
      `{${version},"id":${id},"result":${result},"id":${id}}`,
      `{${version},"id":${id + 1},"result":${result},"id":${id}}`,
      `{${version},"id":${id},"result":${result},"id":${id + 1}}`,
    ]),
  "results missing, null or twice": (result, id, random) =>
    random.pick([
      `{${version},"id":${id}}`,
      `{${version},"id":${id},"result":null}`,
      `{${version},"id":${id},"result":null,"result":${result}}`,
      `{${version},"id":${id},"result":${result},"result":null}`,
      `{${version},"id":${id},"result":${result},"result":${result}}`,
      `{${version},"id":${id},"Result":${result}}`,
    ]),
  "no object": (result, _, random) =>
    random.pick(["", " ", "null", "[]", "{}", "0", '"x"', result, "<html></html>", "{", "\0"]),
  "something in front or behind": (result, id, random) => {
    const strange = random.pick([
      "x",
      "}",
      "]",
      ",",
      "\0",
      " \0",
      "{}",
      "\u00ef\u00bb\u00bf",
      "\u00a0",
      "\n\n",
      " ",
      "\t\r\n",
      "//",
      "null",
    ]);
    const good = `{${version},"id":${id},"result":${result}}`;
    return random.pick([strange + good, good + strange]);
  },
  "another order, unknown fields": (result, id, random) =>
    random.pick([
      `{"result":${result},"id":${id}}`,
      `{"id":${id},"result":${result},"extra":{"id":1,"error":2}}`,
      ` {\n"id" :${id} , "result"\t:\r\n${result} } `,
    ]),
};

describe("around the result", () => {
  test.each(Object.keys(AROUND))(
    "%s",
    async (kind) => {
      await eachMutant({ kind, count: COUNT }, async ({ texts }, random) => {
        const part = random.pick(["block", "receipts"] as const);
        // Drawn before the id is known, so that a seed replays.
        const seed = random.below(2 ** 31);
        return {
          [part]: await node.ask(latin1((id) => AROUND[kind]?.(texts[part].text, id, createRandom(seed)) ?? "")),
        };
      });
    },
    TIMEOUT_MS,
  );

  // Read as digits, these words are these numbers.
  test.each([
    ["[]", 475],
    ["{}", 827],
    ["null", 69_560],
    ["true", 75_343],
    ["false", 595_723],
    ["[5123456]", 56_267_309],
  ])("the id %s is not %d", async (word, id) => {
    for (const base of bases) {
      const block = await node.ask(() => `{${version},"id":${word},"result":${base.texts.block.text}}`);
      await expectOneOutcome(base, { block: { ...block, id } }, `id ${word}`);
      expect(base.scanners.map(({ way }) => way.scanned())).toEqual([false, false]);
    }
  });
});

describe("whole answers", () => {
  test("of another block, or in each other's place, are refused alike", async () => {
    for (const base of bases) {
      const { block, receipts } = base.answers;
      await expectOneOutcome(base, { block: receipts, receipts: block }, `${base.one.name}: swapped`);
      for (const { one, header, answers } of bases) {
        if (one === base.one) continue;
        const what = `${base.one.name} with ${one.name}`;
        await expectOneOutcome(base, { receipts: answers.receipts }, what);
        await expectOneOutcome(base, { block: answers.block }, what);
        await expectOneOutcome(base, { header }, what);
      }
    }
  });

  test("of the right block under a header that differs are refused alike", async () => {
    const other = `0x${"12".repeat(32)}`;
    // An empty block has no transaction that names the hash asked for: a sibling of it would hide everything.
    const empty = builtBlocks().filter((one) => one.block.transactions.length === 0);
    const siblings: Base[] = [];
    for (const one of empty) siblings.push(await createBase(node, one, SEED));
    for (const base of [...bases, ...siblings]) {
      const { header } = base;
      const { number, timestamp } = header;
      for (const lie of [{ hash: other }, { parentHash: other }, { number: number + 1 }, { timestamp: timestamp + 1 }])
        expect(
          await expectOneOutcome(base, { header: { ...header, ...lie } }, `${base.one.name}: ${JSON.stringify(lie)}`),
        ).toMatchObject({ kind: "refused" });
    }
  });
});

/** The core keeps more of a part than its text is long, where the text says little: its room can be filled on purpose. */
describe("lists that fill the core's room", () => {
  const entries = (count: number, entry: string) => `[${Array.from({ length: count }, () => entry).join(",")}]`;

  test(
    "transactions that say as little as they may",
    async () => {
      const base = bases.find(({ one }) => one.name === "ethereum 1000000") as Base;
      const { hash, number } = base.one.block as unknown as Readonly<Record<string, string>>;
      const least = (index: number) =>
        `{"blockHash":"${hash}","blockNumber":"${number}","transactionIndex":"0x${index.toString(16)}","type":"0x0","from":"0x${"11".repeat(20)}","to":null,"value":"0x0","input":"0x"}`;
      const rest = JSON.stringify({ ...base.one.block, transactions: 0 });
      for (let count = 1_500; count < 2_500; count += 7) {
        const list = Array.from({ length: count }, (_, index) => least(index)).join(",");
        const block = await node.ask(envelope(rest.replace('"transactions":0', `"transactions":[${list}]`)));
        const receipts = await node.ask(envelope("[]"));
        await expectOneOutcome(base, { block, receipts }, `${count} transactions`);
      }
    },
    TIMEOUT_MS,
  );

  test.each([
    ["an access list of nothing", "accessList", "{}"],
    ["authorizations of nothing", "authorizationList", "{}"],
    [
      "storage keys",
      "accessList",
      `{"address":"0x${"22".repeat(20)}","storageKeys":${entries(40, `"0x${"33".repeat(32)}"`)}}`,
    ],
  ] as const)(
    "%s",
    async (_, key, entry) => {
      const base = bases.find(({ one }) => one.name === "a little of everything") as Base;
      for (let count = 1_000; count * entry.length < 2_000_000; count *= 2) {
        const transactions = base.one.block.transactions.map((transaction) => ({
          ...transaction,
          ...(key in transaction ? { [key]: "@" } : {}),
        }));
        const text = JSON.stringify({ ...base.one.block, transactions })
          .replace('"@"', entries(count, entry))
          .replaceAll('"@"', "[]");
        await expectOneOutcome(base, { block: await node.ask(envelope(text)) }, `${count} in ${key}`);
      }
    },
    TIMEOUT_MS,
  );
});

test("enough was scanned, refused and hit to mean something", () => {
  expect(told.mutants).toBeGreaterThan(COUNT * 50);
  expect(told.refused).toBeGreaterThan(COUNT * 20);
  expect(told.scanned).toBeGreaterThan(COUNT);
});
