/** Which revisions of an alert people are told who follow no single one: what happened, what they should do, whether it stands. */
import type { AlertRecord, Stage } from "../types/alert.ts";

export interface Revision {
  /** Null: it is the first. */
  readonly before: Pick<AlertRecord, "kind" | "severity" | "action"> | null;
  readonly lastStage: Stage | null;
  readonly record: AlertRecord;
  /** A transfer is told that was not told before. */
  readonly gainedHit: boolean;
}

/** False: finality of what was in a block already, more operators who vouch for it, a value that changes nothing. */
export function isNews({ before, lastStage, record, gainedHit }: Revision): boolean {
  if (before === null || lastStage === null || gainedHit) return true;
  if (before.kind !== record.kind || before.severity !== record.severity || before.action !== record.action)
    return true;
  return record.stage !== lastStage && !(lastStage === "included" && record.stage === "final");
}
