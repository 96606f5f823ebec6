/**
 * The watchlist in force, replaced as a whole while others match with it. Whoever takes it keeps the one it took, unchanged,
 * until it gives it back; one that is replaced is closed when the last of them has.
 */
import { assert } from "../lib/assert.ts";
import type { WatchlistSnapshot } from "./snapshot.ts";

export interface WatchlistLease {
  readonly watchlist: WatchlistSnapshot;
  /** Once; the watchlist is not asked afterwards. */
  release(): void;
}

export interface CurrentWatchlist {
  /** The one in force now. */
  take(): WatchlistLease;
  /** From now on `next` is the one that is taken. */
  replace(next: WatchlistSnapshot): void;
}

export function createCurrentWatchlist(first: WatchlistSnapshot): CurrentWatchlist {
  // To be in force is a lease like any other.
  let take = leasesOf(first);
  let inForce = take();
  return {
    take: () => take(),
    replace(next) {
      const replaced = inForce;
      take = leasesOf(next);
      inForce = take();
      replaced.release();
    },
  };
}

function leasesOf(watchlist: WatchlistSnapshot): () => WatchlistLease {
  let count = 0;
  return () => {
    let isHeld = true;
    count += 1;
    return {
      watchlist,
      release() {
        assert(isHeld, "a lease is given back once");
        isHeld = false;
        count -= 1;
        if (count === 0) watchlist.close();
      },
    };
  };
}
