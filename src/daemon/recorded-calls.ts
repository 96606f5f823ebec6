/** What the command line asks about hits that are only recorded, and about alerts that wait in a group. */
import { z } from "zod";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../lib/errors.ts";
import { RECORDED_RULES } from "../types/hit.ts";
import { releaseAlert } from "../store/alert-groups.ts";
import type { Db } from "../store/database.ts";
import { countRecorded, listRecorded, prunedTotals, tellRecorded, type TellRecorded } from "../store/recorded.ts";
import { checked } from "./checked.ts";
import type { ControlCalls } from "./instance.ts";

const list = z.strictObject({
  limit: z.int().min(1).max(10_000),
  offset: z.int().nonnegative(),
  rule: z.enum(RECORDED_RULES).optional(),
  entry: z.string().max(512).optional(),
});
const oneHit = z.strictObject({ hitId: z.string().max(64) });
const oneAlert = z.strictObject({ alertId: z.string().max(64) });

const REFUSED: Record<Exclude<TellRecorded, "told">, string> = {
  unknown: "there is no such hit, or its transaction left the chain",
  "told before": "it is told already",
  "not final yet": "its block is not final yet: until then the rules are asked again with every change of the chain",
  muted:
    "its entry is disputed, suppressed, over or waits for a second person: decide that first (heistwatch watch show)",
};

export function createRecordedCalls(deps: { db: Db; clock: Clock; onWork: () => void }): ControlCalls {
  const { db, clock, onWork } = deps;
  return {
    "recorded.list": async (args) => {
      const rows = await listRecorded(db, checked(list, args));
      return rows.map(({ hit, block, at }) => ({
        hitId: hit.hitId,
        at,
        chain: hit.chain,
        block,
        transaction: hit.transfer.txHash,
        from: hit.transfer.from,
        to: hit.transfer.to,
        asset: hit.asset.id,
        amount: hit.transfer.amount.toString(),
        entries: hit.matches.map(({ entry }) => entry.id),
        ...hit.recordedOnly,
      }));
    },
    "recorded.totals": async () => ({
      stored: await countRecorded(db, { from: 0, to: Number.MAX_SAFE_INTEGER }),
      pruned: await prunedTotals(db),
    }),
    "recorded.tell": async (args) => {
      const { hitId } = checked(oneHit, args);
      const done = await tellRecorded(db, { hitId, now: clock.now() });
      if (done !== "told") throw new AppError(`${hitId} cannot be told: ${REFUSED[done]}`);
      onWork();
      return { hitId };
    },
    "alerts.release": async (args) => {
      const { alertId } = checked(oneAlert, args);
      const sinks = await releaseAlert(db, { alertId, now: clock.now() });
      if (sinks === null)
        throw new AppError(`${alertId} is not held in a group: there is no such alert, or it was told by itself`);
      onWork();
      return { alertId, sinks };
    },
  };
}
