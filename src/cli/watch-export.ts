/** `heistwatch watch export`: a list, or all that is known of an incident, as others read it. */
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ConfigError } from "../lib/errors.ts";
import type { LoadedList } from "../watchlist/load.ts";
import type { ExportFormat, ExportList } from "../watchlist/export/exported.ts";
import { EXPORT_FORMATS } from "../watchlist/export/registry.ts";
import { EXIT, readConfig } from "./context.ts";
import { print } from "./output.ts";
import { storedLists } from "./stored-lists.ts";
import type { PersonOptions } from "./watch-ask.ts";

export interface ExportOptions extends PersonOptions {
  readonly list?: string;
  readonly incident?: string;
  readonly format: string;
  readonly out?: string;
}

/** What `--format` takes: `jsonl` is short for our own lines. */
export const EXPORT_NAMES = [...EXPORT_FORMATS.map(({ name }) => name), "jsonl"];

export async function exportWatch(options: ExportOptions): Promise<number> {
  const { loaded } = await storedLists(readConfig(options), options);
  const list = exportListOf(loaded, options);
  const pieces = formatNamed(options.format).write(list, Date.now());
  if (options.out === undefined) {
    await pipeline(Readable.from(pieces), process.stdout, { end: false });
    return EXIT.ok;
  }
  // Never over a file that is there, and for nobody else to read: it says whom we suspect.
  await pipeline(Readable.from(pieces), createWriteStream(options.out, { flags: "wx", mode: 0o600 }));
  print(`${list.entries.length} entries in ${options.out}.`);
  return EXIT.ok;
}

function formatNamed(name: string): ExportFormat {
  const wanted = name === "jsonl" ? "heistwatch-lines" : name;
  const format = EXPORT_FORMATS.find((one) => one.name === wanted);
  if (format === undefined) throw new ConfigError(`no format ${name}; known: ${EXPORT_NAMES.join(", ")}`);
  return format;
}

type Exported = ExportList & { readonly entries: readonly LoadedList["entries"][number]["entry"][] };

/** Of an incident, an address that several lists name stands there once for each chain: as the first of them tells it. */
export function exportListOf(
  loaded: readonly LoadedList[],
  { list, incident }: Pick<ExportOptions, "list" | "incident">,
): Exported {
  if ((list === undefined) === (incident === undefined)) throw new ConfigError("name one: --list or --incident");
  const found = loaded.filter((one) => (list === undefined ? one.incident.id === incident : one.list === list));
  const [first] = found;
  if (first === undefined)
    throw new ConfigError(`nothing is called ${list ?? incident ?? ""}: see heistwatch watch list --all`);
  const byPlace = new Map(
    found
      .toReversed()
      .flatMap(({ entries }) => entries.toReversed().map(({ entry }) => [`${entry.chain}/${entry.address}`, entry])),
  );
  const day =
    found
      .map(({ version }) => version.replace(/\+\d+$/, ""))
      .toSorted()
      .at(-1) ?? first.version;
  return {
    list: list ?? first.incident.id,
    version: day,
    incident: first.incident,
    entries: [...byPlace.values()].toReversed(),
  };
}
