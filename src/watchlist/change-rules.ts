/**
 * Who may change what is watched, alone or with a second person. Pure.
 *
 * Always holds: what makes an alert more likely is one person's act, at once; what makes one less likely needs two
 * names. The two ways around that are short and loud: a dispute mutes one entry for four hours, once a day, and never a
 * sanctioned one; who added an entry may take it back within the hour.
 */
import { endOfEntry } from "../lib/moments.ts";
import { ENTRY_BASES, ENTRY_DEFAULTS, type WatchEntry } from "../types/watch.ts";
import { type Actor, PERSON_ROLES, type PersonRole, type Proposal } from "../types/watch-change.ts";
import type { IncidentInput } from "../types/watchlist-format.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const DISPUTE_MS = 4 * HOUR_MS;
// From the start of one to the start of the next, by anybody: else one person could mute an entry for good.
export const DISPUTE_AGAIN_MS = 24 * HOUR_MS;
export const UNDO_MS = 60 * MINUTE_MS;
export const PROPOSAL_MS = 24 * HOUR_MS;
export const REVIEW_MS = 24 * HOUR_MS;
/** A review that is put off comes back within a quarter of a year. */
export const REVIEW_AGAIN_MAX_MS = 90 * 24 * HOUR_MS;
export const SUPPRESS_MAX_MS = 7 * 24 * HOUR_MS;
/** An address that touches more is most likely a service: a second person confirms it. */
export const CUSTOMERS_MAX = 25;
export const COUNTERPARTIES_MAX = 1_000;

export type Decision =
  | { readonly do: "apply" }
  /** Recorded at once, told once a second person confirms. */
  | { readonly do: "record"; readonly because: string }
  | { readonly do: "propose"; readonly because: string }
  | { readonly do: "refuse"; readonly because: string };

const APPLY: Decision = { do: "apply" };
const propose = (because: string): Decision => ({ do: "propose", because });
const refuse = (because: string): Decision => ({ do: "refuse", because });

export function mayAct({ role }: Actor, least: PersonRole): boolean {
  return PERSON_ROLES.indexOf(role) >= PERSON_ROLES.indexOf(least);
}

/** Null: may. */
export function refuseRole(actor: Actor, least: PersonRole): string | null {
  if (mayAct(actor, least)) return null;
  return `${actor.name} is ${actor.role}; this needs ${least === "admin" ? "admin" : `${least} or above`}`;
}

/** Names differ in nothing but case: one person. */
export function isSamePerson(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** What an address was seen to touch in the last 24 hours. */
export interface Reach {
  readonly customers: number;
  readonly counterparties: number;
}

export function decideAdd(of: {
  readonly actor: Actor;
  readonly entry: WatchEntry;
  /** It is on that list already. */
  readonly isKnown: boolean;
  /** What stands against watching it, as the rest of a sentence; null: nothing. */
  readonly refusedAs: string | null;
  /** "I know, and watch it all the same." */
  readonly isOverridden: boolean;
  readonly reach: Reach;
}): Decision {
  const { actor, entry, reach } = of;
  const role = refuseRole(actor, "investigator");
  if (role !== null) return refuse(role);
  if (of.isKnown) return refuse(`${entry.id} is watched already: change it, or dispute it`);
  if (of.refusedAs !== null && !of.isOverridden) return refuse(`${entry.address} ${of.refusedAs}`);
  // A sanctioned address is told from the first moment, whoever it touches.
  if (entry.sanctioned !== null) return APPLY;
  if (reach.customers > CUSTOMERS_MAX)
    return {
      do: "record",
      because: `it touched ${reach.customers} of our customers in 24 h, more than ${CUSTOMERS_MAX}`,
    };
  if (reach.counterparties > COUNTERPARTIES_MAX)
    return {
      do: "record",
      because: `it touched ${reach.counterparties} addresses in 24 h, more than ${COUNTERPARTIES_MAX}`,
    };
  return APPLY;
}

export function decideChange(of: { actor: Actor; before: WatchEntry; after: WatchEntry }): Decision {
  const role = refuseRole(of.actor, "investigator");
  if (role !== null) return refuse(role);
  const weaker = weakerIn(of.before, of.after);
  return weaker.length === 0 ? APPLY : propose(`weaker: ${weaker.join(", ")}`);
}

export function decideRemove({ actor }: { actor: Actor }): Decision {
  const role = refuseRole(actor, "investigator");
  return role === null ? propose("removing an entry") : refuse(role);
}

/** Who looked says so; nothing tells less for it. */
export function decideReview({ actor, entry }: { actor: Actor; entry: WatchEntry }): Decision {
  const role = refuseRole(actor, "investigator");
  if (role !== null) return refuse(role);
  return entry.reviewBy === undefined ? refuse("no review of it is due") : APPLY;
}

export function decideSuppress(of: { actor: Actor; entry: WatchEntry; now: number; until: number }): Decision {
  const { actor, entry, now, until } = of;
  const role = refuseRole(actor, "investigator");
  if (role !== null) return refuse(role);
  if (entry.sanctioned !== null) return refuse("a sanctioned entry is never switched off");
  if (until <= now || until > now + SUPPRESS_MAX_MS) return refuse("a suppression ends within 7 days");
  return propose("suppressing an entry");
}

export function decideDispute(of: {
  actor: Actor;
  entry: WatchEntry;
  now: number;
  /** When it was last disputed, by anybody; null: never. */
  lastDisputedAt: number | null;
}): Decision {
  const { actor, entry, now, lastDisputedAt } = of;
  const role = refuseRole(actor, "investigator");
  if (role !== null) return refuse(role);
  if (entry.sanctioned !== null) return refuse("a sanctioned entry cannot be disputed");
  if (entry.muted !== undefined) return refuse(`the entry is ${entry.muted.why} already`);
  if (lastDisputedAt !== null && now - lastDisputedAt < DISPUTE_AGAIN_MS)
    return refuse("it was disputed within the last 24 h: ask a second person to remove or suppress it");
  return APPLY;
}

export function decideUndo(of: {
  actor: Actor;
  entry: WatchEntry;
  now: number;
  /** Nobody changed it since it was added. */
  isAsAdded: boolean;
}): Decision {
  const { actor, entry, now } = of;
  const role = refuseRole(actor, "investigator");
  if (role !== null) return refuse(role);
  if (entry.addedBy === undefined || entry.addedAt === undefined) return refuse("it came with a file");
  if (!isSamePerson(entry.addedBy, actor.name))
    return refuse(`it was added by ${entry.addedBy}: only they may undo it`);
  if (now - entry.addedAt > UNDO_MS)
    return refuse("it was added more than 60 minutes ago: removing it needs a second person");
  if (!of.isAsAdded) return refuse("it was changed since: removing it needs a second person");
  return APPLY;
}

export function decideApprove(of: { actor: Actor; proposal: Proposal; now: number }): Decision {
  const { actor, proposal } = of;
  const role = refuseRole(actor, "approver");
  if (role !== null) return refuse(role);
  const closed = refuseClosed(proposal, of.now);
  if (closed !== null) return refuse(closed);
  if (isSamePerson(proposal.proposer, actor.name)) return refuse("who proposed it cannot approve it");
  return APPLY;
}

/** Saying no needs no second person: what is watched stays watched. */
export function decideReject(of: { actor: Actor; proposal: Proposal; now: number }): Decision {
  const { actor, proposal } = of;
  const isTheirs = isSamePerson(proposal.proposer, actor.name);
  const role = isTheirs ? null : refuseRole(actor, "approver");
  if (role !== null) return refuse(role);
  const closed = refuseClosed(proposal, of.now);
  return closed === null ? APPLY : refuse(closed);
}

function refuseClosed({ state, expiresAt, createdAt }: Proposal, now: number): string | null {
  if (state !== "open") return `it is ${state}`;
  // A clock that was set back must not keep a proposal alive.
  if (now >= expiresAt || now < createdAt - MINUTE_MS) return "it has expired: propose it again";
  return null;
}

/** In which ways the entry would tell less than before; empty: in none. */
export function weakerIn(before: WatchEntry, after: WatchEntry): string[] {
  const weaker: string[] = [];
  const isFurther = <T>(order: readonly T[], was: T, is: T) => order.indexOf(is) > order.indexOf(was);
  if (isFurther(ENTRY_DEFAULTS, before.default, after.default))
    weaker.push(`default ${before.default} to ${after.default}`);
  if (before.direction === "both" && after.direction === "to_only") weaker.push("matched as recipient only");
  // Which of two roles alerts more depends on the basis: a person decides.
  if (before.role !== after.role) weaker.push(`role ${before.role} to ${after.role}`);
  if (isFurther(ENTRY_BASES, before.basis, after.basis)) weaker.push(`basis ${before.basis} to ${after.basis}`);
  if (after.independentSources < before.independentSources) weaker.push("fewer independent sources");
  if (before.sanctioned !== null && after.sanctioned === null) weaker.push("not sanctioned any more");
  if (before.incident !== after.incident) weaker.push(`incident ${before.incident} to ${after.incident}`);
  if (before.contract !== true && after.contract === true) weaker.push("a contract: matched on its own chain only");
  if (endOfEntry(after) < endOfEntry(before)) weaker.push(`valid until ${after.validUntil} only`);
  if (before.muted === undefined && after.muted !== undefined) weaker.push(after.muted.why);
  return weaker;
}

export function isWeakerIncident(before: IncidentInput, after: IncidentInput): boolean {
  return after.disputed && !before.disputed;
}
