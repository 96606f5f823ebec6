/** An import that a guard refused: who is paged of it, and what the audit trail keeps. */
import { digestOf } from "../lib/canonical-json.ts";
import { storeMessage } from "../store/alert-messages.ts";
import type { WatchBook } from "../store/watch-store.ts";
import { named } from "./watch-outcome.ts";
import { watchMessage } from "./watch-message.ts";

export interface RefusedImport {
  readonly list: string;
  /** Name of the file that was read. */
  readonly from: string;
  /** Whom the audit trail names. */
  readonly actor: string;
  /** One line each. */
  readonly reasons: readonly string[];
  /** What became of the list, as a sentence. */
  readonly outcome: string;
  /** True: a file that is looked at again and again is told once while nothing about it changes. */
  readonly once: boolean;
  readonly now: number;
}

const ACTION = "refuse import";

/** In the transaction of the look that refused it. */
export async function tellRefused(
  book: WatchBook,
  of: RefusedImport,
  { operationSinks }: { readonly operationSinks: readonly string[] },
): Promise<void> {
  const { list, from, actor, reasons, outcome, now } = of;
  const changeHash = digestOf({ list, from, reasons });
  if (of.once && (await book.lastAudit(list))?.changeHash === changeHash) return;
  const why = named(reasons);
  await book.audit({
    at: now,
    actor,
    action: ACTION,
    subject: list,
    why: `${from}: ${why}`,
    before: null,
    after: null,
    approver: null,
    changeHash,
  });
  const message = watchMessage({
    type: "watchlist.importRefused",
    subject: `watchlist:${list}`,
    severity: "high",
    summary: `${from}, handed over by ${actor}, was refused: ${why}. ${outcome}`,
    detail: { list, from, actor, reasons: reasons.length },
    now,
  });
  await storeMessage(book.trx, { message, sinks: operationSinks, now, queued: false });
}
