/** What stops the head loop for a moment: which errors are waited out, and how they are told. */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import type { HeadLoopOptions } from "./loop-state.ts";

// A node that stays away is worth a line a minute, not one a second.
const TROUBLE_LINE_MS = 60_000;

export function createTroubleLog({ clock, log }: HeadLoopOptions): { tell(error: unknown): void; over(): void } {
  let toldAt: number | null = null;
  return {
    tell(error) {
      if (toldAt !== null && clock.now() - toldAt < TROUBLE_LINE_MS) return;
      toldAt = clock.now();
      // A node of another chain is waited for like one that is away, but only a person can change it.
      const level = isWrongChain(error) ? "error" : "warn";
      log[level]({ error: redactText(describeError(error)) }, "block not read, asking again");
    },
    over() {
      if (toldAt !== null) log.info({}, "the node answers again");
      toldAt = null;
    },
  };
}

export function kindOf(error: unknown): "mismatch" | "dispute" | "node" {
  if (disputedHeight(error) !== null) return "dispute";
  return (error as { code?: unknown }).code === "proof_mismatch" ? "mismatch" : "node";
}

/** The lowest block that operators differ about; null: this error is no dispute. */
export function disputedHeight(error: unknown): number | null {
  const { code, details } = error as { code?: unknown; details?: { height?: unknown } };
  return code === "dispute" && typeof details?.height === "number" ? details.height : null;
}

function isWrongChain(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "wrong_chain";
}

/** Node and network trouble is waited out; a lost lease, a changed list and bugs are not this loop's to decide. */
export function isWaitable(error: unknown): boolean {
  if (isWrongChain(error)) return true;
  return (
    typeof error === "object" &&
    error !== null &&
    (error as { retryable?: unknown }).retryable === true &&
    (error as { code?: unknown }).code !== "list_changed"
  );
}
