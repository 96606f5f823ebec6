/** What was proposed, as the entries stand when it is approved. */
import type { WatchBook } from "../store/watch-store.ts";
import type { WatchEntry } from "../types/watch.ts";
import type { ListChange, Proposal } from "../types/watch-change.ts";

/** A dispute that began or ended since is not what was proposed, and stays as it is: unless the mute is the proposal. */
export async function asMutedNow(book: WatchBook, { action, change }: Proposal): Promise<ListChange> {
  if (action === "suppress" || action === "confirm") return change;
  const entries = await Promise.all(
    change.entries.map(async ({ entryId, before, after }) => {
      const muted = (await book.entry(entryId))?.muted;
      const withMute = (entry: WatchEntry | null) => {
        if (entry === null) return null;
        const { muted: _muted, ...rest } = entry;
        return muted === undefined ? rest : { ...rest, muted };
      };
      return { entryId, before: withMute(before), after: withMute(after) };
    }),
  );
  return { ...change, entries };
}
