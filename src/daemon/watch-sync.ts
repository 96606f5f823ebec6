/**
 * Keeps what is matched as the files and the store say, while the lines run: changed files are imported, what other
 * processes changed in the store is read, disputes and proposals end when their time is over.
 */
import type { Logger } from "pino";
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import { createWaker } from "../lib/waker.ts";
import type { Config } from "../types/config.ts";
import type { FileProblem } from "../types/watchlist-format.ts";
import { SIGNATURE_EXTENSION } from "../watchlist/list-signature.ts";
import { describeProblem } from "../watchlist/problems.ts";
import type { Alarms } from "./alarms.ts";
import { fingerprintOf, watchPaths } from "./file-watch.ts";
import type { LiveLists } from "./live-lists.ts";
import { type FileLists, readFiles } from "./lists.ts";
import { auditUnusable } from "./import-refused.ts";
import { endWhatIsOver } from "./watch-ends.ts";
import { type ImportDeps, tryImport } from "./watch-import.ts";

export interface SyncOptions extends ImportDeps {
  readonly config: Config;
  readonly live: LiveLists;
  readonly alarms: Alarms;
  readonly log: Logger;
}

// Another process' change of the store is read within this time.
const TURN_MS = 1_000;
// Where the file system gives no hints.
const LOOK_AT_FILES_MS = 10_000;
// Several files of one change, or one file written in parts, are one change.
const SETTLE_MS = 300;
// A file that is being written is wrong for a moment.
const WRONG_FILE_GRACE_MS = 3_000;
const TROUBLE_LINE_MS = 60_000;

export async function runWatchSync(
  options: SyncOptions,
  { files, seen }: { files: FileLists; seen: string },
  signal: AbortSignal,
): Promise<void> {
  const paths = watchedPaths(options.config);
  const waker = createWaker();
  let fingerprint = seen;
  let mayHaveChanged = false;
  let lookedAt = 0;
  let toldAt = 0;
  let unusable = unusableOf(files, options.now());
  watchPaths(
    paths,
    () => {
      mayHaveChanged = true;
      waker.wake();
    },
    signal,
  );
  tellProblems(options, files);
  while (!signal.aborted) {
    try {
      if (mayHaveChanged) await sleep(SETTLE_MS, signal);
      const isDue = mayHaveChanged || options.now() - lookedAt >= LOOK_AT_FILES_MS;
      mayHaveChanged = false;
      const isImportDue = await endWhatIsOver(options);
      if (isDue || isImportDue) {
        const found = await fingerprintOf(paths);
        lookedAt = options.now();
        if (found !== fingerprint || isImportDue) unusable = unusableOf(await reload(options), options.now());
        fingerprint = found;
      }
      if (unusable !== null && options.now() - unusable.at >= WRONG_FILE_GRACE_MS) {
        await auditUnusable(options.store, { problems: unusable.problems, now: options.now() });
        unusable = null;
      }
      await options.live.refresh();
      toldAt = 0;
    } catch (error) {
      if (options.now() - toldAt >= TROUBLE_LINE_MS) {
        toldAt = options.now();
        options.log.error(
          { error: redactText(describeError(error)) },
          "watchlists not brought up to date, trying again",
        );
      }
    }
    await waker.wait(TURN_MS, signal);
  }
}

export function watchedPaths({ watchlists }: Config): string[] {
  // A folder is looked at with everything in it; a single file's signature stands beside it.
  const signatures = watchlists.paths.map((one) => `${one}${SIGNATURE_EXTENSION}`);
  return [...watchlists.paths, ...signatures, ...watchlists.own, watchlists.tokens];
}

/** Files without problems are imported, own addresses and tokens taken over where they have none. */
async function reload(options: SyncOptions): Promise<FileLists> {
  const files = await readFiles(options.config);
  options.log.info({ lists: files.lists.lists.length }, "watchlist files changed, read again");
  tellProblems(options, files);
  await tryImport(files.lists, options);
  await options.live.refresh(files.problems.length === 0 ? files : undefined);
  return files;
}

/** Watchlist files that are wrong since; null: none is. */
function unusableOf({ lists }: FileLists, at: number): { problems: readonly FileProblem[]; at: number } | null {
  return lists.problems.length === 0 ? null : { problems: lists.problems, at };
}

const SHOWN_MAX = 5;

function tellProblems({ alarms, log }: SyncOptions, files: FileLists): void {
  const problems = [...files.lists.problems, ...files.problems];
  if (problems.length === 0) return alarms.clear("watchlist:files");
  const told = problems.map(describeProblem);
  log.error(
    { problems: told.slice(0, SHOWN_MAX), count: told.length },
    "watchlist files refused, what was read before stays",
  );
  alarms.raise({
    subject: "watchlist:files",
    kind: "system",
    type: "watchlist.importRefused",
    severity: "critical",
    graceMs: WRONG_FILE_GRACE_MS,
    detail: refusal(problems, told),
  });
}

function refusal(problems: readonly FileProblem[], told: readonly string[]): string {
  const files = [...new Set(problems.map(({ file }) => file))];
  const more = told.length > SHOWN_MAX ? `; and ${told.length - SHOWN_MAX} more` : "";
  return `${files.join(", ")} cannot be used as it is, what was read from it before stays in use: ${told.slice(0, SHOWN_MAX).join("; ")}${more}. heistwatch check shows all.`;
}
