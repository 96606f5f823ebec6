/** What ends by itself: disputes and suppressions, and proposals nobody decided within a day. */
import { storeMessage } from "../store/alert-messages.ts";
import type { StoredHead } from "../store/watch-reading.ts";
import type { WatchBook } from "../store/watch-store.ts";
import type { WatchEntry } from "../types/watch.ts";
import type { Proposal } from "../types/watch-change.ts";
import { PROPOSAL_MS } from "../watchlist/change-rules.ts";
import { changeOf } from "./watch-entry.ts";
import type { ImportDeps } from "./watch-import.ts";
import { watchMessage } from "./watch-message.ts";

type EndsDeps = Pick<ImportDeps, "store" | "operationSinks" | "now" | "log">;

/** True: a proposal of a file ran out, so the file must be looked at again. */
export async function endWhatIsOver(deps: EndsDeps): Promise<boolean> {
  const now = deps.now();
  if (!(await deps.store.isAnythingOver(now))) return false;
  return deps.store.write(async (book) => {
    const ended = Map.groupBy(await book.muteEnded(now), ({ list }) => list);
    for (const [list, entries] of ended) await endMutes(book, { list, entries, now });
    const expired = await book.expired(now);
    for (const proposal of expired) await endProposal(book, { proposal, now, deps });
    deps.log.info({ mutesEnded: ended.size, proposalsExpired: expired.length }, "disputes and proposals ended");
    return expired.some(({ action }) => action === "import");
  });
}

async function endMutes(
  book: WatchBook,
  { list, entries, now }: { list: string; entries: readonly WatchEntry[]; now: number },
): Promise<void> {
  const stored = (await book.head(list)) as StoredHead;
  const changes = entries.map((entry) => {
    const { muted: _muted, ...after } = entry;
    return { entryId: entry.id, before: entry, after };
  });
  const change = changeOf(stored, changes, now);
  await book.apply({ change, action: "mute ended", actor: "heistwatch", approver: null, why: null, now });
}

async function endProposal(
  book: WatchBook,
  { proposal, now, deps }: { proposal: Proposal; now: number; deps: EndsDeps },
): Promise<void> {
  await book.close(proposal.proposalId, { state: "expired", by: "heistwatch", now });
  // What is only recorded until somebody confirms it must not be forgotten, and a file is asked again.
  if (proposal.action === "confirm" && (await isStillRecorded(book, proposal)))
    await book.propose({ ...proposal, now, expiresAt: now + PROPOSAL_MS });
  const message = watchMessage({
    subject: `proposal:${proposal.proposalId}`,
    severity: "medium",
    summary: `Nobody decided within 24 h on what ${proposal.proposer} proposed (${proposal.action}, ${proposal.change.list}): what is watched stays as it is.`,
    now,
  });
  await storeMessage(book.trx, { message, sinks: deps.operationSinks, now, queued: false });
}

async function isStillRecorded(book: WatchBook, { change }: Proposal): Promise<boolean> {
  for (const { entryId } of change.entries) if ((await book.entry(entryId))?.muted?.why === "unconfirmed") return true;
  return false;
}
