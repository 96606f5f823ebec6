/**
 * A watchlist of a million entries replaced twenty times, as the daemon does it: built in slices from entries that are not
 * held, asked, and let go of. Prints the memory of the process after each.
 *
 *     node bench/swaps.ts [--size 1000000] [--swaps 20]
 */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { letGarbageGrow } from "../src/lib/collector.ts";
import { buildWatchlist } from "../src/watchlist/snapshot.ts";
import { entryOf, fillers, WATCHED_CHAIN } from "./fillers.ts";
import { markdownTable } from "./table.ts";
import { NO_OWN } from "../src/watchlist/own-index.ts";

const LIST = "bench";
const NEVER = new AbortController().signal;

const { values } = parseArgs({
  options: { size: { type: "string", default: "1000000" }, swaps: { type: "string", default: "20" } },
});
const count = Number(values.size);
// As the daemon runs: garbage is let grow.
letGarbageGrow();
const folder = mkdtempSync(path.join(os.tmpdir(), "heistwatch-bench-swaps-"));
const file = path.join(folder, "watchlist.entries");

/** Each edition has a label of its own, so that every one is another list. */
function* entries(edition: number) {
  for (const address of fillers(count))
    yield { entry: { ...entryOf(LIST, address), label: `edition ${edition}` }, hasAdapter: true };
}

function build(edition: number) {
  const incident = { id: LIST, name: LIST, kind: "theft", date: null, attribution: null, attributionBasis: null };
  const lists = [{ list: LIST, incident: { ...incident, disputed: false, lossUsd: null, references: [], note: null } }];
  return buildWatchlist({ file, lists, entries: entries(edition), count, own: NO_OWN, enable: [] }, NEVER);
}

function openFiles(): number {
  const links = readdirSync("/proc/self/fd").map((one) => {
    try {
      return readlinkSync(`/proc/self/fd/${one}`);
    } catch {
      return ""; // The folder's own number is gone by now.
    }
  });
  return links.filter((link) => link.startsWith(file)).length;
}

try {
  let inForce = await build(0);
  const [listed = ""] = fillers(count);
  const rows: string[][] = [];
  for (let swap = 0; swap <= Number(values.swaps); swap += 1) {
    const taken = inForce;
    if (swap > 0) inForce = await build(swap);
    // The one that was taken goes on answering beside its successor.
    const [old] = taken.entriesOf(WATCHED_CHAIN, listed);
    const [now] = inForce.entriesOf(WATCHED_CHAIN, listed);
    const { rss, external, arrayBuffers } = process.memoryUsage();
    const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
    rows.push([
      String(swap),
      mb(rss),
      mb(external),
      mb(arrayBuffers),
      String(openFiles()),
      `${old?.label}, ${now?.label}`,
    ]);
  }
  console.log(markdownTable(["swaps", "RSS MB", "external MB", "buffers MB", "open files", "answers"], rows));
} finally {
  rmSync(folder, { recursive: true });
}
