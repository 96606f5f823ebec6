/** What must not be forgotten about the watchlists: reviews that are due, and entries whose dates end. Told once each. */
import { storeMessage } from "../store/alert-messages.ts";
import type { Db } from "../store/database.ts";
import { type DueOfList, isAnythingDue, takeEnds, takeReviews } from "../store/watch-due.ts";
import type { WatchBook, WatchStore } from "../store/watch-store.ts";
import type { Severity } from "../types/alert.ts";
import { watchMessage } from "./watch-message.ts";

export interface DueDeps {
  readonly db: Db;
  readonly store: Pick<WatchStore, "write">;
  readonly operationSinks: readonly string[];
  readonly now: () => number;
}

/** Long enough for a weekend, and to ask whoever made the list. */
export const END_NOTICE_MS = 7 * 24 * 60 * 60_000;

/** What was told is remembered in the transaction that stores the message: no restart tells it twice, or never. */
export async function tellWhatIsDue(deps: DueDeps): Promise<void> {
  const now = deps.now();
  const when = { now, noticeMs: END_NOTICE_MS };
  if (!(await isAnythingDue(deps.db, when))) return;
  await deps.store.write(async (book) => {
    for (const due of await takeReviews(book.trx, now)) await tell(book, { due, ...REVIEW, now }, deps);
    for (const due of await takeEnds(book.trx, when))
      await tell(book, { due, ...(due.over ? ENDED : ENDING), now }, deps);
  });
}

interface Words {
  readonly what: "review" | "ending" | "ended";
  readonly severity: Severity;
  readonly say: (due: DueOfList) => string;
}

const REVIEW: Words = {
  what: "review",
  severity: "medium",
  say: (due) =>
    `${entriesOf(due)} should be looked at again: ${namesOf(due)}. heistwatch watch review shows them, and watch review ENTRY --why TEXT says that you did.`,
};

const ENDING: Words = {
  what: "ending",
  severity: "high",
  say: (due) =>
    `The dates of ${entriesOf(due)} end, the first ${new Date(due.first).toISOString()}: ${namesOf(due)}. From then on their transfers are only recorded. To keep them, import the list with later dates, or add them yourself.`,
};

const ENDED: Words = {
  what: "ended",
  severity: "high",
  say: (due) =>
    `The dates of ${entriesOf(due)} are over: ${namesOf(due)}. Their transfers are only recorded now, and hold nothing.`,
};

async function tell(
  book: WatchBook,
  { due, what, severity, say, now }: Words & { due: DueOfList; now: number },
  { operationSinks }: Pick<DueDeps, "operationSinks">,
): Promise<void> {
  const message = watchMessage({
    type: "watchlist.due",
    subject: `watchlist:${due.list}`,
    severity,
    summary: say(due),
    detail: { what, entries: due.count, first: new Date(due.first).toISOString() },
    now,
  });
  await storeMessage(book.trx, { message, sinks: operationSinks, now, queued: false });
}

function entriesOf({ count, list }: DueOfList): string {
  return count === 1 ? `an entry of ${list}` : `${count} entries of ${list}`;
}

function namesOf({ named, count }: DueOfList): string {
  return `${named.join(", ")}${count > named.length ? ` and ${count - named.length} more` : ""}`;
}
