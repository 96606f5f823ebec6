/**
 * Who may change own addresses, and how many may be gone. Pure.
 *
 * Always holds: more own addresses are one person's act, at once. Another customer or none behind an address makes an alert
 * name another or nobody: that takes an approver and is told to the operators. An emptied list is refused.
 */
import type { Actor } from "../types/watch-change.ts";
import { refuseRole } from "./change-rules.ts";

/** As of an imported list: a fifth that is gone is an emptied table or the wrong one. */
export const LOST_SHARE_MAX = 0.2;

/** `of`: how many there were. */
export function isLargeLoss({ lost, of }: { lost: number; of: number }): boolean {
  return lost > of * LOST_SHARE_MAX;
}

export interface OwnAct {
  readonly actor: Actor;
  /** How many given addresses would say something else. */
  readonly replaced: number;
  readonly removed: number;
  /** Replacing was asked for, not an accident. */
  readonly mayReplace: boolean;
  /** How many people have given, and the most of the last seven days. */
  readonly count: number;
  readonly highest: number;
  /** "So many less is right." */
  readonly acceptLoss: boolean;
}

/** Null: may be done. */
export function refuseOwnAct(act: OwnAct): string | null {
  const { actor, replaced, removed, highest } = act;
  const role = refuseRole(actor, "investigator");
  if (role !== null) return role;
  if (replaced > 0 && !act.mayReplace)
    return `${replaced} of them are known with another customer or wallet: look at them, and say that they are to be replaced`;
  if (replaced + removed === 0) return null;
  const approver = refuseRole(actor, "approver");
  if (approver !== null) return approver;
  const left = act.count - removed;
  if (removed === 0 || !isLargeLoss({ lost: highest - left, of: highest })) return null;
  if (!act.acceptLoss)
    return `${left} would be left of ${highest} in the last seven days, more than a fifth less: an admin may say that this is right`;
  return refuseRole(actor, "admin");
}
