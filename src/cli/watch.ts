/** `heistwatch watch list|show|search|proposals|versions|diff|history|impact|upgrade`: looking at what is watched. */
import type { ImportedList } from "../daemon/watch-import.ts";
import type { EntryImpact } from "../store/watch-reach.ts";
import type { VersionRow } from "../store/watch-store.ts";
import { endOfEntry } from "../lib/moments.ts";
import { MUTE_WORDS, type WatchEntry } from "../types/watch.ts";
import type { AuditRecord, EntryChange, Proposal } from "../types/watch-change.ts";
import { normalizeAddress } from "../chains/registry.ts";
import { EXIT, readConfig } from "./context.ts";
import { storedLists } from "./stored-lists.ts";
import { paint, paintSeverity, print, printJson, short, table, timeOf } from "./output.ts";
import { askWatch, type PersonOptions } from "./watch-ask.ts";
import { describeProposal } from "./watch-change.ts";

export async function listWatch(
  options: PersonOptions & { incident?: string; chain?: string; all?: boolean },
): Promise<number> {
  const config = readConfig(options);
  const { loaded } = await storedLists(config, options);
  const entries = loaded.flatMap((list) => list.entries.map(({ entry }) => entry));
  const followed = new Set(config.chains.map((chain) => chain.id));
  const enabled = new Set(config.watchlists.enable);
  const rows = entries
    .map((entry) => ({ ...entry, state: stateOf({ entry, followed, enabled }) }))
    .filter((row) => options.all === true || isWatched(row.state))
    .filter((row) => options.incident === undefined || row.incident === options.incident)
    .filter((row) => options.chain === undefined || row.chain === options.chain);
  if (options.json === true) printJson(rows);
  else {
    printEntries(rows);
    print(`${rows.length} entries.`);
  }
  return EXIT.ok;
}

function printEntries(rows: readonly (WatchEntry & { state: string })[]): void {
  print(
    table(
      ["chain", "address", "incident", "role", "basis", "state", "label"],
      rows.map((row) => [row.chain, row.address, row.incident, row.role, row.basis, row.state, short(row.label, 60)]),
    ),
  );
}

interface StateFacts {
  readonly entry: WatchEntry;
  readonly followed: ReadonlySet<string>;
  readonly enabled: ReadonlySet<string>;
}

const WATCHED_STATES: readonly string[] = ["watched", "ended", ...Object.values(MUTE_WORDS)];
const isWatched = (state: string) => WATCHED_STATES.includes(state);

function stateOf({ entry, followed, enabled }: StateFacts): string {
  if (entry.default === "never") return "never";
  if (entry.default === "off" && !enabled.has(entry.list) && !enabled.has(entry.incident)) return "off";
  if (normalizeAddress(entry.chain, entry.address) === "noAdapter") return "no adapter yet";
  if (!followed.has(entry.chain)) return "chain not followed";
  if (endOfEntry(entry) <= Date.now()) return "ended";
  return entry.muted === undefined ? "watched" : MUTE_WORDS[entry.muted.why];
}

export async function showWatch(address: string, options: PersonOptions): Promise<number> {
  const config = readConfig(options);
  const canonical = config.chains.map(({ id }) => normalizeAddress(id, address)).find((one) => one !== null);
  const asked = canonical === undefined || canonical === "noAdapter" ? address : canonical;
  const entries = await askWatch<WatchEntry[]>(config, { name: "watch.show", args: { address: asked }, options });
  return printFound(entries, options);
}

export async function searchWatch(text: string, options: PersonOptions & { limit: number }): Promise<number> {
  const args = { text, limit: options.limit };
  return printFound(
    await askWatch<WatchEntry[]>(readConfig(options), { name: "watch.search", args, options }),
    options,
  );
}

function printFound(entries: readonly WatchEntry[], { json }: PersonOptions): number {
  if (json === true) printJson(entries);
  else if (entries.length === 0) print("Nothing found.");
  else for (const entry of entries) print(describeEntry(entry));
  return EXIT.ok;
}

function describeEntry(entry: WatchEntry): string {
  const { id, role, basis, label, incident, muted, addedBy, addedAt, reviewBy, sources } = entry;
  const dates = describeDates(entry, Date.now());
  return [
    `${paint("bold", id)}${muted === undefined ? "" : paint("yellow", `  ${MUTE_WORDS[muted.why]} by ${muted.by}`)}`,
    `  ${role}, ${basis}, incident ${incident}, ${entry.default}${entry.sanctioned === null ? "" : `, sanctioned (${entry.sanctioned.list})`}: ${label}`,
    ...(addedBy === undefined ? [] : [`  added by ${addedBy} ${timeOf(addedAt ?? null)}`]),
    ...(reviewBy === undefined ? [] : [`  review due ${timeOf(reviewBy)}`]),
    ...(dates === null ? [] : [`  ${dates}`]),
    ...sources.map(({ ref }) => `  source ${ref}`),
  ].join("\n");
}

/** What the dates of its list mean for an entry now; null: it has none. */
export function describeDates(entry: WatchEntry, now: number): string | null {
  const { validFrom, validUntil, sanctioned } = entry;
  if (validFrom === undefined && validUntil === undefined) return null;
  const from = validFrom === undefined ? "" : ` from ${validFrom}`;
  const dates = `valid${from}${validUntil === undefined ? "" : ` until ${validUntil}`}`;
  if (sanctioned !== null) return `${dates}: of a sanctioned entry the dates end nothing`;
  const end = endOfEntry(entry);
  if (end <= now) return paint("red", `${dates}: over, what moved since is only recorded`);
  if (end === Infinity) return dates;
  return paint("yellow", `${dates}: ends in ${Math.ceil((end - now) / DAY_MS)} days, then only recorded`);
}

const DAY_MS = 24 * 60 * 60_000;

export async function listProposals(options: PersonOptions & { all?: boolean }): Promise<number> {
  const args = options.all === true ? {} : { state: "open" };
  const proposals = await askWatch<Proposal[]>(readConfig(options), { name: "watch.proposals", args, options });
  if (options.json === true) printJson(proposals);
  else if (proposals.length === 0) print("No proposals.");
  else
    for (const proposal of proposals)
      print(
        `${paint("bold", proposal.proposalId)} until ${timeOf(proposal.expiresAt)}\n${describeProposal(proposal)}\n`,
      );
  return EXIT.ok;
}

export async function listVersions(list: string, options: PersonOptions): Promise<number> {
  const versions = await askWatch<VersionRow[]>(readConfig(options), {
    name: "watch.versions",
    args: { list },
    options,
  });
  if (options.json === true) printJson(versions);
  else
    print(
      table(
        ["number", "version", "time", "action", "by", "approved by", "why"],
        versions.map((row) => [
          String(row.number),
          row.version,
          timeOf(row.at),
          row.action,
          row.actor,
          row.approver ?? "",
          row.why ?? "",
        ]),
      ),
    );
  return EXIT.ok;
}

export async function diffWatch(
  list: string,
  [from, to]: readonly [number, number],
  options: PersonOptions,
): Promise<number> {
  const args = { list, from, to };
  const changes = await askWatch<EntryChange[]>(readConfig(options), { name: "watch.diff", args, options });
  if (options.json === true) printJson(changes);
  else if (changes.length === 0) print("No difference.");
  else for (const change of changes) print(describeChange(change));
  return EXIT.ok;
}

function describeChange({ entryId, before, after }: EntryChange): string {
  if (before === null) return paint("green", `+ ${entryId}`);
  if (after === null) return paint("red", `- ${entryId}`);
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof WatchEntry)[];
  const changed = fields
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => `    ${field}: ${JSON.stringify(before[field])} -> ${JSON.stringify(after[field])}`);
  return [paint("yellow", `~ ${entryId}`), ...changed].join("\n");
}

export async function watchHistory(
  entryId: string | undefined,
  options: PersonOptions & { limit: number },
): Promise<number> {
  const args = { entryId, limit: options.limit };
  const records = await askWatch<AuditRecord[]>(readConfig(options), { name: "watch.history", args, options });
  if (options.json === true) printJson(records);
  else
    print(
      table(
        ["time", "by", "approved by", "action", "what", "why"],
        records.map((row) => [
          timeOf(row.at),
          row.actor,
          row.approver ?? "",
          row.action,
          short(row.subject, 80),
          row.why ?? "",
        ]),
      ),
    );
  return EXIT.ok;
}

export async function watchImpact(entryId: string, options: PersonOptions): Promise<number> {
  const impact = await askWatch<EntryImpact>(readConfig(options), { name: "watch.impact", args: { entryId }, options });
  if (options.json === true) {
    printJson(impact);
    return EXIT.ok;
  }
  print(`${impact.hits} transfers, ${impact.alerts.length} alerts, ${impact.customers.length} customers.`);
  for (const { alertId, severity, stage, restsOnItAlone, summary } of impact.alerts)
    print(
      `  ${alertId}  ${paintSeverity(severity)}  ${stage}${restsOnItAlone ? "" : "  (other entries too)"}  ${summary}`,
    );
  if (impact.customers.length > 0) print(`Customers: ${impact.customers.join(", ")}`);
  for (const { sink, state, count } of impact.deliveries) print(`Deliveries to ${sink}: ${count} ${state}`);
  return EXIT.ok;
}

/** What the files of today would change, before a start or a reload does it. */
export async function watchUpgrade(options: PersonOptions): Promise<number> {
  const lists = await askWatch<ImportedList[]>(readConfig(options), { name: "watch.upgrade", args: {}, options });
  if (options.json === true) {
    printJson(lists);
    return EXIT.ok;
  }
  if (lists.length === 0) print("The files change nothing.");
  for (const { list, version, file, added, changed, held } of lists) {
    print(`${paint("bold", list)} ${version} (${file})`);
    for (const entry of added) print(paint("green", `  + ${entry}`));
    for (const entry of changed) print(paint("yellow", `  ~ ${entry}`));
    for (const entry of held)
      print(paint("red", `  - ${entry}: dropped or weaker, stays until a second person approves`));
  }
  return EXIT.ok;
}
