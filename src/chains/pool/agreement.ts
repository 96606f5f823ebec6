/**
 * What the operators of a chain say together: pure, no clock, no network.
 *
 * Always holds: an operator counts once; a null, empty or failed answer agrees with nobody; two different hashes are a
 * dispute, however many stand behind each; an operator that may still answer is waited for.
 */
import type { Header } from "../../types/chain.ts";

/** `none`: does not have the block yet. `failed`: did not answer now. `away`: has been missing for longer than we wait. */
export type OperatorAnswer =
  | { readonly kind: "header"; readonly header: Header }
  | { readonly kind: "none" }
  | { readonly kind: "failed" }
  | { readonly kind: "away" };

export interface Side {
  readonly header: Header;
  readonly operators: readonly string[];
}

export type Agreement =
  | {
      readonly kind: "agreed";
      readonly header: Header;
      readonly operators: readonly string[];
      readonly missing: readonly string[];
    }
  /** Who answers does not have it, or not all of them yet. */
  | { readonly kind: "absent" }
  /** Somebody did not answer, and may still. */
  | { readonly kind: "unanswered"; readonly operators: readonly string[] }
  | { readonly kind: "disputed"; readonly sides: readonly Side[] };

/** What the answers about one height mean; `answers` has one for each configured operator. */
export function agreementOf(answers: ReadonlyMap<string, OperatorAnswer>): Agreement {
  const named = (kind: OperatorAnswer["kind"]) =>
    [...answers].flatMap(([operator, answer]) => (answer.kind === kind ? [operator] : []));
  const sides = sidesOf(answers);
  if (sides.length > 1) return { kind: "disputed", sides };
  const failed = named("failed");
  const [side] = sides;
  if (failed.length > 0) return { kind: "unanswered", operators: failed };
  if (side === undefined)
    return named("none").length > 0 ? { kind: "absent" } : { kind: "unanswered", operators: named("away") };
  if (named("none").length > 0) return { kind: "absent" };
  return { kind: "agreed", header: side.header, operators: side.operators, missing: named("away") };
}

function sidesOf(answers: ReadonlyMap<string, OperatorAnswer>): Side[] {
  const sides = new Map<string, { header: Header; operators: string[] }>();
  for (const [operator, answer] of answers) {
    if (answer.kind !== "header") continue;
    // One hash with two parents is two claims: nothing was recomputed yet.
    const key = `${answer.header.hash} ${answer.header.parentHash}`;
    const side = sides.get(key) ?? { header: answer.header, operators: [] };
    side.operators.push(operator);
    sides.set(key, side);
  }
  return [...sides.values()];
}

/** The highest number that at least `count` of the operators reach; null when fewer answered. */
export function reachedBy(numbers: readonly number[], count: number): number | null {
  return numbers.toSorted((a, b) => b - a)[count - 1] ?? null;
}
