/**
 * Goal: whatever a node changes in its answers, no block is proven that means anything else than the true one.
 * Method: a seeded generator per kind of change, on recorded blocks; the seed replays a mutant exactly.
 */
import type { BlockJson, Json, ReceiptJson } from "./support.ts";

export interface Answers {
  block: BlockJson;
  receipts: ReceiptJson[];
}

/** mulberry32: small, seeded, the same everywhere. */
export function createRandom(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  const pick = <T>(items: readonly T[]): T => {
    const item = items[below(items.length)];
    if (item === undefined) throw new Error("picked from nothing");
    return item;
  };
  return { next, below, pick };
}
export type Random = ReturnType<typeof createRandom>;

/** Another text of the same form: one digit of a hex text is another digit. */
export function otherHex(text: string, random: Random): string {
  if (text.length <= 2) return "0x1";
  const at = 2 + random.below(text.length - 2);
  const digit = ((Number.parseInt(text[at] ?? "0", 16) + 1 + random.below(15)) % 16).toString(16);
  return text.slice(0, at) + digit + text.slice(at + 1);
}

function alterField(fields: Json, key: string, random: Random): void {
  const value = fields[key];
  if (typeof value === "string") fields[key] = otherHex(value, random);
  else if (typeof value === "boolean") fields[key] = !value;
  else if (Array.isArray(value)) fields[key] = value.length === 0 ? ["0x1"] : value.slice(1);
  else fields[key] = "0x1";
}

function logsPlaces(receipts: readonly ReceiptJson[]): [ReceiptJson, number][] {
  return receipts.flatMap((receipt) => receipt.logs.map((_, at): [ReceiptJson, number] => [receipt, at]));
}

function swap(items: unknown[], random: Random): void {
  const first = random.below(items.length);
  const second = (first + 1 + random.below(items.length - 1)) % items.length;
  [items[first], items[second]] = [items[second], items[first]];
}

/** Numbers every place again, as a careful liar would after adding or dropping something. */
export function renumber({ block, receipts }: Answers): void {
  let logIndex = 0;
  let gas = 0n;
  block.transactions.forEach((transaction, index) => (transaction["transactionIndex"] = `0x${index.toString(16)}`));
  receipts.forEach((receipt, index) => {
    const transactionIndex = `0x${index.toString(16)}`;
    gas += BigInt(receipt["gasUsed"] as string);
    Object.assign(receipt, { transactionIndex, cumulativeGasUsed: `0x${gas.toString(16)}` });
    for (const log of receipt.logs) {
      const place = {
        transactionIndex,
        logIndex: `0x${logIndex.toString(16)}`,
        transactionHash: receipt["transactionHash"],
      };
      Object.assign(log, place);
      logIndex += 1;
    }
  });
}

const maybeRenumber = (answers: Answers, random: Random) => {
  if (random.below(2) === 0) renumber(answers);
};

type Mutate = (answers: Answers, random: Random) => void;

const field =
  (of: (answers: Answers, random: Random) => Json, keys?: readonly string[]): Mutate =>
  (answers, random) => {
    const fields = of(answers, random);
    alterField(fields, random.pick(keys ?? Object.keys(fields)), random);
  };

const anyLog = ({ receipts }: Answers, random: Random): Json => {
  const [receipt, at] = random.pick(logsPlaces(receipts));
  return receipt.logs[at] ?? {};
};
const anyReceipt = ({ receipts }: Answers, random: Random): Json => random.pick(receipts);
const anyTransaction = ({ block }: Answers, random: Random): Json => random.pick(block.transactions);
const anyWithdrawal = ({ block }: Answers, random: Random): Json => random.pick(block.withdrawals ?? []);

/** Every object or list in an answer with its keys: for changes that may hit anything. */
function anyLeaf(answers: Answers, random: Random): [Json, string] {
  let at: Json = random.below(2) === 0 ? answers.block : (answers.receipts as unknown as Json);
  for (;;) {
    const key = random.pick(Object.keys(at));
    const value = at[key];
    if (typeof value !== "object" || value === null || Object.keys(value).length === 0 || random.below(12) === 0)
      return [at, key];
    at = value as Json;
  }
}

const WRONG_VALUES: readonly (() => unknown)[] = [
  () => null,
  () => undefined,
  () => 0,
  () => 12,
  () => -1,
  () => true,
  () => "",
  () => "0x",
  () => "0x-1",
  () => "x",
  () => [],
  () => [[]],
  () => ({}),
  () => ({ toString: 1, valueOf: 2, length: 66 }),
  () => ["0x0"],
  () => Number.NaN,
  () => "\u0000",
  () => "0x0\u0131",
  () => `0x${"f".repeat(64)}`,
  () => `0x${"f".repeat(65)}`,
  () => `0x${"0".repeat(66)}`,
];

const ODD_HEX: readonly ((text: string) => string)[] = [
  (text) => text.toUpperCase(),
  (text) => text.slice(0, 2) + text.slice(2).toUpperCase(),
  (text) => text.slice(2),
  (text) => `${text}0`,
  (text) => `${text}00`,
  (text) => text.slice(0, -1),
  (text) => text.slice(0, -2),
  (text) => `0x0${text.slice(2)}`,
  (text) => `0x00${text.slice(2)}`,
  (text) => ` ${text}`,
  (text) => `${text} `,
  (text) => `${text.slice(0, -1)}g`,
  (text) => `${text.slice(0, -1)}\u0131`,
  (text) => `${text}\u0000`,
  (text) => `-${text}`,
  (text) => text.replace("0x", "0b"),
];

export const KINDS: Readonly<Record<string, Mutate>> = {
  "drop a log": (answers, random) => {
    const [receipt, at] = random.pick(logsPlaces(answers.receipts));
    receipt.logs.splice(at, 1);
    maybeRenumber(answers, random);
  },
  "add a log": (answers, random) => {
    const copy = structuredClone(anyLog(answers, random));
    const receipt = random.pick(answers.receipts);
    receipt.logs.splice(random.below(receipt.logs.length + 1), 0, copy);
    maybeRenumber(answers, random);
  },
  "reorder logs": (answers, random) => {
    const several = answers.receipts.filter(({ logs }) => logs.length > 1);
    if (several.length > 0) swap(random.pick(several).logs, random);
    maybeRenumber(answers, random);
  },
  "move a log to another receipt": (answers, random) => {
    const [receipt, at] = random.pick(logsPlaces(answers.receipts));
    const [log] = receipt.logs.splice(at, 1);
    random.pick(answers.receipts.filter((other) => other !== receipt)).logs.push(log ?? {});
    maybeRenumber(answers, random);
  },
  "alter a log's content": (answers, random) => {
    const log = anyLog(answers, random);
    const key = random.pick(["address", "topics", "data"]);
    const topics = log["topics"] as string[];
    if (key !== "topics" || topics.length === 0) return alterField(log, key, random);
    const at = random.below(topics.length);
    const changes: (() => void)[] = [
      () => (topics[at] = otherHex(topics[at] ?? "", random)),
      () => topics.splice(at, 1),
      () => topics.splice(at, 0, topics[at] ?? ""),
      () => (log["topics"] = topics.toReversed()),
    ];
    random.pick(changes)();
  },
  "alter what a log repeats": field(anyLog),
  "drop a receipt": ({ receipts }, random) => void receipts.splice(random.below(receipts.length), 1),
  "add a receipt": ({ receipts }, random) => {
    receipts.splice(random.below(receipts.length), 0, structuredClone(random.pick(receipts)));
  },
  "reorder receipts": (answers, random) => {
    swap(answers.receipts, random);
    maybeRenumber(answers, random);
  },
  "alter a receipt": field(anyReceipt),
  "alter what a receipt derives": field(anyReceipt, ["from", "to", "contractAddress", "gasUsed", "cumulativeGasUsed"]),
  "alter a receipt's outcome": (answers, random) => {
    const receipt = anyReceipt(answers, random);
    const outcomes: Json[] = [
      { status: "0x0" },
      { status: "0x1" },
      { status: "0x2" },
      { root: `0x${"00".repeat(32)}` },
    ];
    Object.assign(
      receipt,
      random.pick([...outcomes, { status: null }, { status: "0x00" }, { logsBloom: `0x${"00".repeat(256)}` }]),
    );
  },
  "drop a transaction": (answers, random) => {
    const at = random.below(answers.block.transactions.length);
    answers.block.transactions.splice(at, 1);
    if (random.below(2) === 0) answers.receipts.splice(at, 1);
    maybeRenumber(answers, random);
  },
  "add a transaction": (answers, random) => {
    const from = random.below(answers.block.transactions.length);
    const to = random.below(answers.block.transactions.length + 1);
    answers.block.transactions.splice(to, 0, structuredClone(answers.block.transactions[from] ?? {}));
    answers.receipts.splice(to, 0, structuredClone(answers.receipts[from] ?? { logs: [] }));
    maybeRenumber(answers, random);
  },
  "reorder transactions": (answers, random) => {
    const seed = random.below(2 ** 31);
    swap(answers.block.transactions, createRandom(seed));
    if (random.below(2) === 0) swap(answers.receipts, createRandom(seed));
    maybeRenumber(answers, random);
  },
  "alter a transaction": field(anyTransaction),
  "alter who sent a transaction": (answers, random) => {
    const at = random.below(answers.block.transactions.length);
    const transaction = answers.block.transactions[at] ?? {};
    alterField(transaction, "from", random);
    if (random.below(2) === 0) Object.assign(answers.receipts[at] ?? {}, { from: transaction["from"] });
  },
  "alter a signature": (answers, random) => {
    const transaction = anyTransaction(answers, random);
    const keys = ["v", "r", "s", "yParity"].filter((key) => transaction[key] !== undefined);
    alterField(transaction, random.pick(keys), random);
  },
  "give a transaction a field of another type": (answers, random) => {
    const entries: [string, unknown][] = [
      ["authorizationList", [{ address: `0x${"ab".repeat(20)}` }]],
      ["mint", "0x1"],
      ["retryValue", "0x1"],
      ["depositValue", "0x1"],
      ["data", "0x1234"],
      ["blobVersionedHashes", [`0x${"01".repeat(32)}`]],
      ["type", random.pick(["0x0", "0x1", "0x2", "0x3", "0x4", "0x7e", "0x7f", "0x64"])],
    ];
    const [key, value] = random.pick(entries);
    anyTransaction(answers, random)[key] = value;
  },
  "alter the header": field(
    ({ block }) => block,
    [
      ..."parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom difficulty number gasLimit gasUsed".split(
        " ",
      ),
      ..."timestamp extraData mixHash nonce hash baseFeePerGas withdrawalsRoot blobGasUsed excessBlobGas".split(" "),
      ..."parentBeaconBlockRoot requestsHash blockAccessListHash".split(" "),
    ],
  ),
  "alter a withdrawal": (answers, random) => {
    if ((answers.block.withdrawals ?? []).length === 0) answers.block.withdrawals = [{ index: "0x0" }];
    else field(anyWithdrawal)(answers, random);
  },
  "drop, add or reorder withdrawals": (answers, random) => {
    const withdrawals = answers.block.withdrawals ?? [];
    if (withdrawals.length < 2) return void (answers.block.withdrawals = [{ index: "0x0" }]);
    const at = random.below(withdrawals.length);
    const changes: (() => void)[] = [
      () => withdrawals.splice(at, 1),
      () => withdrawals.splice(at, 0, structuredClone(withdrawals[at] ?? {})),
      () => swap(withdrawals, random),
      () => delete answers.block.withdrawals,
    ];
    random.pick(changes)();
  },
  "remove any field": (answers, random) => {
    const [fields, key] = anyLeaf(answers, random);
    if (Array.isArray(fields)) fields.splice(Number(key), 1);
    else delete fields[key];
  },
  "put a wrong type anywhere": (answers, random) => {
    const [fields, key] = anyLeaf(answers, random);
    fields[key] = random.pick(WRONG_VALUES)();
  },
  "write hex oddly anywhere": (answers, random) => {
    const [fields, key] = anyLeaf(answers, random);
    const value = fields[key];
    fields[key] = typeof value === "string" ? random.pick(ODD_HEX)(value) : "0xABCDEF";
  },
  "cut a list anywhere": (answers, random) => {
    const lists = [
      answers.receipts,
      answers.block.transactions,
      answers.block.withdrawals ?? [{}],
      ...answers.receipts.map(({ logs }) => logs),
    ];
    const list: unknown[] = random.pick(lists.filter((items) => items.length > 0));
    list.length = random.below(list.length);
    maybeRenumber(answers, random);
  },
  "swap a value with another anywhere": (answers, random) => {
    const [first, firstKey] = anyLeaf(answers, random);
    const [second, secondKey] = anyLeaf(answers, random);
    [first[firstKey], second[secondKey]] = [second[secondKey], first[firstKey]];
  },
};
