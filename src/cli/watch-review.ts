/** `heistwatch watch review|freshness`: what somebody should look at again, and which lists are too old. */
import { AppError } from "../lib/errors.ts";
import { describeStale, type Freshness } from "../watchlist/freshness.ts";
import type { WatchEntry } from "../types/watch.ts";
import { EXIT, readConfig } from "./context.ts";
import { durationMs } from "./duration.ts";
import { paint, print, printJson, short, table, timeOf } from "./output.ts";
import { askWatch, type PersonOptions } from "./watch-ask.ts";
import { act } from "./watch-change.ts";

export interface ReviewOptions extends PersonOptions {
  readonly why?: string;
  readonly again?: string;
  readonly limit: number;
}

/** Without an entry: what is to be reviewed, the next first. */
export async function reviewWatch(entryId: string | undefined, options: ReviewOptions): Promise<number> {
  const { why, again } = options;
  if (entryId === undefined) return listReviews(options);
  if (why === undefined) throw new AppError("say what you found: --why TEXT");
  const againMs = again === undefined ? null : durationMs(again);
  return act("watch.review", { entryId, why, againMs }, options);
}

/** Whether the lists are as new as the configuration asks; 1 where one is not. */
export async function watchFreshness(options: PersonOptions): Promise<number> {
  const found = await askWatch<Freshness>(readConfig(options), { name: "watch.freshness", args: {}, options });
  if (options.json === true) printJson(found);
  else if (found.lists.length === 0) print("No list has a maximum age (watchlists.rules in the configuration).");
  else
    for (const one of found.lists)
      print(one.fresh ? `${one.list}: fresh, of ${one.version}` : paint("red", `stale: ${describeStale(one)}`));
  return found.fresh ? EXIT.ok : EXIT.fix;
}

async function listReviews(options: ReviewOptions): Promise<number> {
  const args = { limit: options.limit };
  const entries = await askWatch<WatchEntry[]>(readConfig(options), { name: "watch.reviews", args, options });
  if (options.json === true) printJson(entries);
  else if (entries.length === 0) print("Nothing to review.");
  else
    print(
      table(
        ["review by", "", "entry", "added by", "label"],
        entries.map(({ id, reviewBy = 0, addedBy, label }) => [
          timeOf(reviewBy),
          reviewBy <= Date.now() ? "due" : "",
          id,
          addedBy ?? "",
          short(label, 60),
        ]),
      ),
    );
  return EXIT.ok;
}
