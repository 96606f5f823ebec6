/**
 * What people do to own addresses: a batch is checked whole and then carried out under the store's lock, with its line in
 * the audit trail and, where an alert would name another customer or none, a page to the operators; all in one transaction.
 */
import { storeMessage } from "../store/alert-messages.ts";
import { forgetCounts, highestCount, rememberCount } from "../store/own-counts.ts";
import { type OwnBook, ownKey, type OwnStore } from "../store/own-store.ts";
import { audit } from "../store/watch-apply.ts";
import type { Severity } from "../types/alert.ts";
import type { OwnChange } from "../types/own.ts";
import type { OwnAddress } from "../types/watch.ts";
import type { Actor } from "../types/watch-change.ts";
import type { FileProblem } from "../types/watchlist-format.ts";
import type { NormalizeAddress } from "../watchlist/addresses.ts";
import { checkOwnPlaces, checkOwnRows, isSameOwn, type OwnPlace } from "../watchlist/own-batch.ts";
import type { OwnIndex } from "../watchlist/own-index.ts";
import { refuseOwnAct } from "../watchlist/own-rules.ts";
import { createProblems, describeProblem, type Problems, showFound } from "../watchlist/problems.ts";
import { NotAllowedError } from "./actors.ts";
import { BadCallError } from "./checked.ts";
import { watchMessage } from "./watch-message.ts";

export interface OwnDeskDeps {
  readonly store: OwnStore;
  readonly normalizeAddress: NormalizeAddress;
  /** Own addresses of files and the database. */
  readonly kept: () => Promise<OwnIndex>;
  /** Who is paged. */
  readonly operationSinks: readonly string[];
  readonly now: () => number;
}

export interface OwnOutcome {
  readonly added: number;
  readonly replaced: number;
  readonly removed: number;
  /** Known already, and as they were given. */
  readonly unchanged: number;
  /** How many people have given now. */
  readonly addresses: number;
}

export interface OwnDesk {
  add(
    actor: Actor,
    of: { addresses: readonly unknown[]; replace: boolean; why?: string | undefined },
  ): Promise<OwnOutcome>;
  remove(actor: Actor, of: { addresses: readonly unknown[]; acceptLoss: boolean; why: string }): Promise<OwnOutcome>;
  /** The next reading of the database is taken, however few it gives. */
  acceptDatabase(actor: Actor, of: { why: string }): Promise<void>;
}

/** As many lines of a problem as a person reads. */
const SHOWN_MAX = 20;
/** More are told by number; each is in `own_change` for ever. */
const AUDITED_MAX = 50;
const FROM = "addresses";
const SUBJECT = "own:given";

interface Asked {
  readonly actor: Actor;
  readonly action: string;
  readonly why: string | null;
  readonly mayReplace: boolean;
  readonly acceptLoss: boolean;
}

export function createOwnDesk(deps: OwnDeskDeps): OwnDesk {
  const { store, normalizeAddress, now } = deps;
  const options = { from: FROM, normalizeAddress };

  async function carryOut(
    book: OwnBook,
    { asked, changes, given }: { asked: Asked; changes: readonly OwnChange[]; given: number },
  ): Promise<OwnOutcome> {
    const replaced = changes.filter(({ before, after }) => before !== null && after !== null).length;
    const removed = changes.filter(({ after }) => after === null).length;
    await allowed(book, { asked, replaced, removed });
    const counts = { added: changes.length - replaced - removed, replaced, removed };
    const outcome = { ...counts, unchanged: given - changes.length };
    if (changes.length === 0) return { ...outcome, addresses: book.state.addresses };
    const at = now();
    const { revision, addresses } = await book.apply(changes, at);
    if (asked.acceptLoss) await acceptCount(book, { addresses, at });
    await record(book, { asked, changes, revision, at });
    if (replaced + removed > 0) await tell(book, { asked, summary: wordsOf(asked, counts), at });
    return { ...outcome, addresses };
  }

  /** What is gone now is not counted as lost again. */
  async function acceptCount(book: OwnBook, { addresses, at }: { addresses: number; at: number }): Promise<void> {
    await forgetCounts(book.trx, "given");
    await rememberCount(book.trx, { source: "given", count: addresses, now: at });
  }

  async function allowed(
    book: OwnBook,
    { asked, replaced, removed }: { asked: Asked; replaced: number; removed: number },
  ): Promise<void> {
    const { addresses: count } = book.state;
    const highest = Math.max(count, (await highestCount(book.trx, { source: "given", now: now() })) ?? 0);
    const refused = refuseOwnAct({ ...asked, replaced, removed, count, highest });
    if (refused !== null) throw new NotAllowedError(refused);
  }

  async function tell(book: OwnBook, of: { asked: Asked; summary: string; at: number }): Promise<void> {
    const severity: Severity = of.asked.acceptLoss ? "critical" : "high";
    const message = watchMessage({ subject: SUBJECT, severity, summary: of.summary, now: of.at });
    await storeMessage(book.trx, { message, sinks: deps.operationSinks, now: of.at, queued: false });
  }

  return {
    async add(actor, { addresses, replace, why }) {
      const { rows, problems } = checkOwnRows(addresses, options);
      refuseProblems([...problems, ...contradictions(rows, await deps.kept())]);
      return store.write(async (book) => {
        const known = await book.known([...rows.values()]);
        const changes = [...rows.values()].flatMap((after): OwnChange[] => {
          const before = known.get(ownKey(after)) ?? null;
          if (before !== null && isSameOwn(before, after)) return [];
          return [{ chain: after.chain, address: after.address, before, after }];
        });
        const asked = { actor, action: "own add", why: why ?? null, mayReplace: replace, acceptLoss: false };
        return carryOut(book, { asked, changes, given: rows.size });
      });
    },

    async remove(actor, { addresses, acceptLoss, why }) {
      const { rows, problems } = checkOwnPlaces(addresses, options);
      refuseProblems(problems);
      return store.write(async (book) => {
        const known = await book.known([...rows.values()]);
        refuseProblems(unknownIn(rows, known));
        const changes = [...known.values()].map(
          (before): OwnChange => ({ chain: before.chain, address: before.address, before, after: null }),
        );
        const asked = { actor, action: "own remove", why, mayReplace: false, acceptLoss };
        return carryOut(book, { asked, changes, given: rows.size });
      });
    },

    acceptDatabase: (actor, { why }) =>
      store.write(async (book) => {
        const at = now();
        await forgetCounts(book.trx, "database");
        const asked = { actor, action: "own accept", why, mayReplace: false, acceptLoss: true };
        await record(book, { asked, changes: [], revision: book.state.revision, at });
        const summary = `${actor.name} accepts what the database of own addresses gives next, however few. Why: ${why}`;
        await tell(book, { asked, summary, at });
      }),
  };
}

/** What a file or the database says stands: to say otherwise here would change nothing. */
function contradictions(rows: ReadonlyMap<number, OwnAddress>, kept: OwnIndex): readonly FileProblem[] {
  return inBatch((problems) => {
    for (const [line, row] of rows) {
      const stands = kept.of(row.chain, row.address);
      if (stands === null || isSameOwn(stands, row)) continue;
      const found = `${row.address}, which a file or the database gives to ${showFound(stands.customerRef)} (${stands.wallet})`;
      problems.add({ line, field: "address", found, allowed: "what they do not know, or as they say it" });
    }
  });
}

function unknownIn(rows: ReadonlyMap<number, OwnPlace>, known: ReadonlyMap<string, unknown>): readonly FileProblem[] {
  return inBatch((problems) => {
    for (const [line, row] of rows)
      if (!known.has(ownKey(row)))
        problems.add({ line, field: "address", found: row.address, allowed: "an address that people gave" });
  });
}

function inBatch(look: (problems: Problems) => void): readonly FileProblem[] {
  const problems = createProblems(FROM);
  look(problems);
  return problems.list();
}

/** All or nothing: with one wrong row nothing of a batch is taken. */
function refuseProblems(problems: readonly FileProblem[]): void {
  if (problems.length === 0) return;
  const more = problems.length > SHOWN_MAX ? [`and ${problems.length - SHOWN_MAX} more`] : [];
  const told = [...problems.slice(0, SHOWN_MAX).map(describeProblem), ...more];
  throw new BadCallError(`nothing was taken: ${told.join("; ")}`);
}

function wordsOf({ actor, why }: Asked, { replaced, removed }: { replaced: number; removed: number }): string {
  const done = [
    ...(replaced === 0 ? [] : [`gave ${replaced} own addresses another customer or wallet`]),
    ...(removed === 0 ? [] : [`removed ${removed} own addresses`]),
  ];
  return `${actor.name} ${done.join(" and ")}. Why: ${why ?? "not said"}`;
}

function record(
  book: OwnBook,
  { asked, changes, revision, at }: { asked: Asked; changes: readonly OwnChange[]; revision: number; at: number },
): Promise<void> {
  const side = (of: "before" | "after") =>
    changes.length > AUDITED_MAX
      ? JSON.stringify({ revision, addresses: changes.length })
      : JSON.stringify(changes.map((change) => change[of]));
  return audit(book.trx, {
    at,
    actor: asked.actor.name,
    action: asked.action,
    subject: `own:${revision}`,
    why: asked.why,
    before: side("before"),
    after: side("after"),
    approver: null,
    changeHash: null,
  });
}
