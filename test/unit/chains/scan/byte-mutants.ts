/** Changes of an answer's text, well-formed JSON or not. Each kind is drawn by a seed. */
import { otherHex, type Random } from "../proof/mutants.ts";

/** The text of a result, with the places of its texts: from the opening quote to behind the closing one. */
export interface ResultText {
  readonly text: string;
  readonly keys: readonly Place[];
  readonly values: readonly Place[];
}

interface Place {
  readonly from: number;
  readonly to: number;
}

export function resultText(value: unknown): ResultText {
  const text = JSON.stringify(value);
  const keys: Place[] = [];
  const values: Place[] = [];
  for (const { index, 0: found } of text.matchAll(/"[^"]*"/g)) {
    const place = { from: index, to: index + found.length };
    (text[place.to] === ":" ? keys : values).push(place);
  }
  return { text, keys, values };
}

/** Changes a result's text; Latin-1, one byte a character. */
export type MutateText = (result: ResultText, random: Random) => string;

const cut = (text: string, { from, to }: Place) => text.slice(from, to);
const put = (text: string, { from, to }: Place, by: string) => text.slice(0, from) + by + text.slice(to);
const anyPlace = (text: string, random: Random, length = 0): Place => {
  const from = random.below(text.length - length);
  return { from, to: from + length };
};

/** What one text becomes, quotes included. */
const value =
  (change: (text: string, random: Random) => string): MutateText =>
  ({ text, values }, random) => {
    const place = random.pick(values);
    return put(text, place, change(cut(text, place), random));
  };

/** What stands for a key and the value behind it. */
const field =
  (change: (key: string, own: string, random: Random) => string): MutateText =>
  ({ text, keys }, random) => {
    const key = random.pick(keys);
    const place = { from: key.from, to: valueEnd(text, key.to + 1) };
    return put(text, place, change(cut(text, key), text.slice(key.to + 1, place.to), random));
  };

/** Behind the value that begins at `from`, in compact JSON without escapes. */
function valueEnd(text: string, from: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = from; ; at += 1) {
    const sign = text[at] ?? "";
    if (!quoted && depth === 0 && ",}]".includes(sign)) return at;
    if (sign === '"') quoted = !quoted;
    else if (!quoted && "{[".includes(sign)) depth += 1;
    else if (!quoted && "}]".includes(sign)) depth -= 1;
  }
}

const character = (random: Random) => String.fromCharCode(random.below(256));
const SIGNS = ["{", "}", "[", "]", ",", ":", '"', "\\", "0", "x", " ", "\n", "\0", "e", "-", "."];
const WRONG = [
  "0",
  "1",
  "12",
  "-1",
  "0.5",
  "1e3",
  "true",
  "false",
  "null",
  "[]",
  "[[]]",
  "{}",
  '""',
  '"0x"',
  '["0x0"]',
  '{"a":1}',
];
const NUMBERS = ["1e400", "-0", "1.0", "01", "0x1", "1E2", "+1", ".5", "1.", "9".repeat(400), "NaN", "Infinity", "00"];
const BLANKS = [
  " ",
  "\t",
  "\n",
  "\r",
  "\u000b",
  "\f",
  "\u00a0",
  "\0",
  "\u0001",
  "\u001f",
  "\u007f",
  "\u0080",
  "\u00ff",
  "\ufeff",
];
const escaped = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
const latin = (sign: string) => Buffer.from(sign, "utf8").toString("latin1");

/** Inside the quotes, at a place of its own. */
const inside = (text: string, random: Random, by: (sign: string) => string): string => {
  if (text.length === 2) return `"${by("a")}"`;
  const at = 1 + random.below(text.length - 2);
  return text.slice(0, at) + by(text[at] ?? "") + text.slice(at + 1);
};

export const TEXT_KINDS: Readonly<Record<string, MutateText>> = {
  "flip a bit": ({ text }, random) => {
    const place = anyPlace(text, random, 1);
    return put(text, place, String.fromCharCode(text.charCodeAt(place.from) ^ (1 << random.below(8))));
  },
  "replace a byte": ({ text }, random) =>
    put(text, anyPlace(text, random, 1), random.pick([character(random), random.pick(SIGNS)])),
  "insert a byte": ({ text }, random) =>
    put(text, anyPlace(text, random), random.pick([character(random), random.pick(SIGNS)])),
  "delete a byte": ({ text }, random) => put(text, anyPlace(text, random, 1), ""),
  "another digit": value((text, random) => `"${otherHex(text.slice(1, -1), random)}"`),
  truncate: ({ text }, random) =>
    text.slice(0, random.below(text.length)) + random.pick(["", "]", "}", "}]", '"', '"}', '"}]', '"}]}']),
  "copy a part elsewhere": ({ text }, random) => {
    const part = cut(text, anyPlace(text, random, 1 + random.below(Math.min(2_000, text.length - 1))));
    return put(text, anyPlace(text, random), part);
  },
  "name a key twice": field((key, own, random) =>
    random.pick([
      `${key}:${own},${key}:${own}`,
      `${key}:${own},"x":[1,{"y":${own}}],${key}:${own}`,
      `${key}:${random.pick(WRONG)},${key}:${own}`,
      `${key}:${own},${key}:${random.pick(WRONG)}`,
      `${key}:${otherHex(own, random)},${key}:${own}`,
    ]),
  ),
  "another key": field((key, own, random) =>
    random.pick([
      `${key.toUpperCase()}:${own}`,
      `${key.slice(0, -2)}":${own}`,
      `${key.slice(0, -1)}s":${own}`,
      `" ${key.slice(1)}:${own}`,
      `"":${own}`,
      `"__proto__":${own}`,
      `"k${"e".repeat(5_000)}y":${own}`,
    ]),
  ),
  "escape in a key": field((key, own, random) => `${inside(key, random, escaped)}:${own}`),
  "escape in a value": value((text, random) =>
    inside(text, random, (sign) => random.pick([escaped(sign), `\\${sign}`, `${sign}\\n`, "\\", '\\"', "\\u00"])),
  ),
  "another type": field((key, _own, random) => `${key}:${random.pick(WRONG)}`),
  "a number": field((key, _own, random) => `${key}:${random.pick(NUMBERS)}`),
  "a number in an unknown field": field((key, own, random) => `${key}:${own},"unknown":${random.pick(NUMBERS)}`),
  "upper case": value((text, random) =>
    random.pick([text.toUpperCase(), text.toUpperCase().replace("0X", "0x"), text.replace("0x", "0X")]),
  ),
  "odd length": value((text, random) =>
    random.pick([`${text.slice(0, -1)}0"`, `${text.slice(0, -2)}"`, `"0x0${text.slice(3)}`]),
  ),
  "leading zeros": value(
    (text, random) => `"0x${"0".repeat(1 + random.below(random.pick([2, 16, 80])))}${text.slice(3)}`,
  ),
  "drop leading zeros": value((text) => text.replace(/^"0x0+/, '"0x')),
  signs: value((text, random) =>
    random.pick([
      `"-${text.slice(1)}`,
      `"+${text.slice(1)}`,
      `"0x-${text.slice(3)}`,
      `"0x${text.slice(4)}`,
      `-${text}`,
    ]),
  ),
  "strange signs inside a text": value((text, random) =>
    inside(text, random, (sign) => random.pick([sign, ""]) + latin(random.pick(BLANKS))),
  ),
  "strange signs around a text": value((text, random) => {
    const sign = latin(random.pick(BLANKS));
    return random.pick([
      `${sign}${text}`,
      `${text}${sign}`,
      `${sign}${text}${sign}`,
      `"${sign}${text.slice(1)}`,
      `${text.slice(0, -1)}${sign}"`,
    ]);
  }),
  "swap two values": ({ text, values }, random) => {
    const [first, second] = [random.pick(values), random.pick(values)].toSorted((a, b) => a.from - b.from) as [
      Place,
      Place,
    ];
    return first.from === second.from ? text : put(put(text, second, cut(text, first)), first, cut(text, second));
  },
  "commas and colons": ({ text, keys }, random) => {
    const { from, to } = random.pick(keys);
    return random.pick([
      put(text, { from, to: from }, ","),
      put(text, { from: to, to: to + 1 }, random.pick([",", "", "::", "="])),
    ]);
  },
};

/** Expensive ones: fewer of them are made. */
export const LARGE_KINDS: Readonly<Record<string, MutateText>> = {
  "nest 100,000 deep": field((key, own, random) => {
    const [open, close] = random.pick([
      ["[", "]"],
      ['{"a":', "}"],
      ['[{"logs":', "}]"],
      ["[", ""],
    ] as const);
    return `${random.pick([key, '"unknown"'])}:${open.repeat(100_000)}${own}${close.repeat(100_000)},${key}:${own}`;
  }),
  "nest as deep as may be and one deeper": field((key, own, random) => {
    const depth = 13 + random.below(6);
    return `"unknown":${"[".repeat(depth)}${"]".repeat(depth)},${key}:${own}`;
  }),
  "a huge text": value(
    (text, random) => `${text.slice(0, -1)}${random.pick(["0", "00", "f", "é", " "]).repeat(600_000)}"`,
  ),
  "a huge unknown field": field((key, own, random) => {
    const huge = random.pick([
      `"${"ab".repeat(1_000_000)}"`,
      `[${"{},".repeat(500_000)}0]`,
      "1".repeat(1_000_000),
      " ".repeat(1_000_000),
    ]);
    return `"unknown":${huge},${key}:${own}`;
  }),
  "a list of many nothings": field(
    (key, _own, random) => `${key}:[${`${random.pick(["{}", "[]", '""', "null", '{"a":1}'])},`.repeat(100_000)}{}]`,
  ),
};
