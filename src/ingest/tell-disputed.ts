/** Operators disagree: the hits of every side are stored and told as disputed. */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import type { ScannedBlock } from "../types/checkpoint.ts";
import { type HeadLoopOptions, isLate, type LoopState } from "./loop-state.ts";

/** Both sides of a dispute, as far as they can be read: nothing waits for them to agree but the cursor. */
export async function tellDisputed(
  options: HeadLoopOptions,
  state: LoopState,
  { height, signal }: { height: number; signal: AbortSignal },
): Promise<void> {
  const views = options.adapter.views?.() ?? [];
  const reading = await state.disputes.read(
    { height, views, window: state.window, finalNumber: state.finalizedNumber },
    signal,
  );
  for (const { operator, error } of reading.troubles)
    options.log.warn({ operator, error: redactText(describeError(error)) }, "one side of a dispute is not read");
  if (signal.aborted || (reading.blocks.length === 0 && reading.doubtedAbove === null)) return;
  const now = options.clock.now();
  const scanned: ScannedBlock[] = [];
  for (const block of reading.blocks) {
    const disputing = views.map(({ operator }) => operator).filter((name) => !block.trust.operators.includes(name));
    const told = { ...block, trust: { ...block.trust, disputing } };
    const hits = options.match(told);
    const at = { chain: options.lease.chain, time: told.timestamp, blockHash: told.hash };
    // Not thrown where it stops: what waits for nobody must not hold up the end either.
    const valued = (await options.valuer?.valueHits(hits, at, signal)) ?? hits;
    scanned.push({ block: told, hits: valued, late: isLate(options, told, now) });
  }
  if (signal.aborted) return;
  await options.store.commitDisputed({
    lease: options.lease,
    scanned,
    listVersion: options.listVersion,
    headNumber: state.headNumber,
    doubtedAbove: reading.doubtedAbove,
    now,
  });
  state.disputes.stored(reading.blocks);
  options.onCommitted({ blocks: 0, hits: scanned.reduce((sum, one) => sum + one.hits.length, 0), reorgDepth: 0 });
}
