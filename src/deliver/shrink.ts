/**
 * A native body made shorter for receivers with a hard limit: whole transfers and entries go first (their totals stay
 * in the body), then references, then long texts are cut. Ids, addresses and amounts are never cut.
 */
import { shortened } from "../lib/outside-text.ts";

interface Step {
  /** At most this many items of every list. */
  readonly items: number;
  /** At most this many characters of every text that is no id. */
  readonly chars: number;
}

const STEPS: readonly Step[] = [
  { items: 8, chars: 1_000 },
  { items: 4, chars: 500 },
  { items: 2, chars: 250 },
  { items: 1, chars: 120 },
  { items: 1, chars: 40 },
  { items: 1, chars: 10 },
];
/** References are for machines that can take them: the first thing a reader can do without. */
const LEFT_OUT_FROM_STEP = 2;
const LEFT_OUT = new Set(["sources", "utxo"]);
/** Fields of one object: a body has fewer, an operational message's `detail` may have more. */
const FIELDS_MAX = 32;

const ID = /^[\x21-\x7e]{0,128}$/;

/** The body itself, then ever shorter ones. */
export function* shrinking(body: string): Generator<string> {
  yield body;
  const value: unknown = JSON.parse(body);
  for (const [index, step] of STEPS.entries())
    yield JSON.stringify(shrunk(value, step, index >= LEFT_OUT_FROM_STEP ? LEFT_OUT : new Set()));
}

function shrunk(value: unknown, step: Step, leftOut: ReadonlySet<string>): unknown {
  if (typeof value === "string") return ID.test(value) ? value : shortened(value, step.chars);
  if (Array.isArray(value)) return value.slice(0, step.items).map((item: unknown) => shrunk(item, step, leftOut));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => !leftOut.has(key))
    .slice(0, FIELDS_MAX);
  return Object.fromEntries(entries.map(([key, item]) => [key, shrunk(item, step, leftOut)]));
}
