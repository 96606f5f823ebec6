/** A list, rows of it or a file that were refused: who is paged of it, and what the audit trail keeps. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { digestOf } from "../lib/canonical-json.ts";
import { storeMessage } from "../store/alert-messages.ts";
import type { WatchBook, WatchStore } from "../store/watch-store.ts";
import type { FileProblem } from "../types/watchlist-format.ts";
import { describeProblem } from "../watchlist/problems.ts";
import { localActor } from "./actors.ts";
import { named } from "./watch-outcome.ts";
import { watchMessage } from "./watch-message.ts";

export interface RefusedImport {
  readonly list: string;
  /** What the audit trail says it of: the list, or its file where only rows of that are refused. */
  readonly subject: string;
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
  const { list, subject, from, actor, reasons, outcome, now } = of;
  const changeHash = digestOf({ list, from, reasons });
  if (of.once && (await book.lastAudit(subject))?.changeHash === changeHash) return;
  const why = named(reasons);
  await book.audit({
    at: now,
    actor,
    action: ACTION,
    subject,
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

/** Files that nothing could be taken from: a line of the audit trail each, once while what they hold stays the same. */
export async function auditUnusable(
  store: Pick<WatchStore, "write">,
  { problems, now }: { readonly problems: readonly FileProblem[]; readonly now: number },
): Promise<void> {
  for (const [file, found] of Map.groupBy(problems, (problem) => problem.file)) {
    const reasons = found.map(describeProblem);
    const changeHash = digestOf({ file, reasons, content: await contentOf(file) });
    await store.write(async (book) => {
      if ((await book.lastAudit(file))?.changeHash === changeHash) return;
      const who = { actor: localActor().name, action: ACTION, subject: file, why: named(reasons) };
      await book.audit({ at: now, ...who, before: null, after: null, approver: null, changeHash });
    });
  }
}

/** SHA-256, hex; null: it cannot be read. */
async function contentOf(file: string): Promise<string | null> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
  } catch {
    return null;
  }
  return hash.digest("hex");
}
