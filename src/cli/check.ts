/** `heistwatch check`: is the configuration right, is what it names there, what would run, who is watched. */
import { createAdapter } from "../chains/registry.ts";
import { describeConfig } from "../config/describe.ts";
import type { LoadedLists } from "../daemon/lists.ts";
import { readOwnOnce } from "../daemon/own-database-sync.ts";
import { createBullQueues } from "../queue/bull-queues.ts";
import { ConfigError, describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { openStore } from "../store/database.ts";
import type { ChainConfig, Config } from "../types/config.ts";
import { EXIT, type GlobalOptions, readConfig } from "./context.ts";
import { describeListsInUse, listsInUse } from "./stored-lists.ts";
import { destinations, routingLines, unknownIncidents } from "./routing.ts";
import { paint, print, printJson, table, SILENT_LOG } from "./output.ts";

export interface CheckLine {
  readonly what: string;
  readonly state: "ok" | "away" | "wrong";
  readonly detail: string;
}

/** 0: all is there; 1: something to fix; 75: the configuration is right, but something it names does not answer. */
export async function check(options: GlobalOptions): Promise<number> {
  const config = readConfig(options);
  const used = await listsInUse(config);
  const { lists } = used;
  const connections = [...(await checkServers(config)), ...(await Promise.all(config.chains.map(checkNodes))).flat()];
  const incidents = incidentRows(config, lists);
  const code = codeOf(connections);
  const unknown = unknownIncidents(config, lists.watchlist.incidents.keys());
  if (options.json === true) {
    printJson({
      config: describeConfig(config),
      connections,
      lists: { from: used.from, revision: lists.revision, why: used.why },
      incidents,
      ownAddresses: lists.own.count,
      tokens: lists.tokenCount,
      watchedOn: Object.fromEntries(config.chains.map(({ id }) => [id, lists.watchedOn.get(id) ?? 0])),
      routing: destinations(config),
      unknownIncidents: unknown,
    });
    return code;
  }
  print(paint("bold", "What would run"));
  for (const line of describeConfig(config)) print(`  ${line}`);
  print(`\n${paint("bold", "Connections")}`);
  for (const line of connections) print(`  ${mark(line.state)} ${line.what}: ${line.detail}`);
  print(`\n${paint("bold", "Where alerts go")}`);
  for (const line of routingLines(config)) print(`  ${line}`);
  for (const id of unknown)
    print(`  ${paint("yellow", "no list knows the incident")} ${id}, which a route names: it never matches`);
  print(`\n${paint("bold", "Watchlists")} (${describeListsInUse(used)})`);
  print(
    table(
      ["incident", "watched", "chain not followed", "no adapter yet", "off", "never"],
      incidents.map((row) => [
        row.incident,
        ...[row.watched, row.notFollowed, row.noAdapter, row.off, row.never].map(String),
      ]),
    ),
  );
  print(`\n${lists.own.count} own addresses in files, ${lists.tokenCount} listed tokens.`);
  print("The shipped rows are not a full OFAC list: import the SDN file for that.");
  if (lists.own.count === 0 && config.watchlists.ownDatabase === null)
    print(
      "No own addresses: alerts can only say that watched wallets move, not which customer is touched. See watchlists/own/README.md.",
    );
  return code;
}

export function mark(state: CheckLine["state"]): string {
  if (state === "ok") return paint("green", "ok   ");
  return state === "away" ? paint("yellow", "away ") : paint("red", "wrong");
}

async function checkServers(config: Config): Promise<CheckLine[]> {
  const lines: CheckLine[] = [];
  if (config.databaseUrl !== null) {
    lines.push(
      await attempt("Postgres", async () => {
        const store = await openStore(config);
        await store.close();
        return store.where;
      }),
    );
  }
  if (config.redisUrl !== null) {
    const { redisUrl, redisPrefix } = config;
    lines.push(
      await attempt("Redis", async () => {
        const queues = await createBullQueues({ redisUrl, queuePool: null, prefix: redisPrefix, log: SILENT_LOG });
        try {
          const facts = await queues.check();
          return `version ${facts?.version ?? "unknown"}, noeviction, ${facts?.appendOnly === true ? "AOF" : "no AOF: a crash loses queued work until the sweep (set appendonly yes)"}`;
        } finally {
          await queues.close(0);
        }
      }),
    );
  }
  if (config.watchlists.ownDatabase !== null)
    lines.push(
      await attempt("database of own addresses", async () => {
        const { count } = await readOwnOnce(config, new AbortController().signal);
        return `${count} addresses`;
      }),
    );
  return lines;
}

/** Each node of a chain by itself: a pool would hide the one that is away. */
export function checkNodes(chain: ChainConfig): Promise<CheckLine[]> {
  return Promise.all(
    chain.nodes.map((node) =>
      attempt(`${chain.name}, node ${node.name}`, async () => {
        const adapter = createAdapter({ chain, node, log: SILENT_LOG });
        const startedAt = performance.now();
        try {
          const signal = AbortSignal.timeout(10_000);
          const head = await adapter.headNumber(signal);
          const header = await adapter.headerAt(head, signal);
          const tookMs = Math.round(performance.now() - startedAt);
          const block = header === null ? null : await adapter.blockOf(header, signal);
          const finalized = await adapter.finalizedNumber(signal);
          return `head ${head}${block === null ? "" : ` with ${block.transfers.length} transfers`}, final ${finalized}, in ${tookMs} ms`;
        } finally {
          await adapter.close();
        }
      }),
    ),
  );
}

/** 0: all is there; 1: something to fix; 75: something does not answer. */
export function codeOf(lines: readonly CheckLine[]): number {
  if (lines.some((line) => line.state === "wrong")) return EXIT.fix;
  return lines.some((line) => line.state === "away") ? EXIT.tryAgain : EXIT.ok;
}

async function attempt(what: string, work: () => Promise<string>): Promise<CheckLine> {
  try {
    return { what, state: "ok", detail: await work() };
  } catch (error) {
    const { code, retryable } = error as { code?: unknown; retryable?: unknown };
    // The daemon asks a node that forges a block again; a person has to find out why it does.
    const wrong = error instanceof ConfigError || retryable !== true || code === "proof_mismatch";
    return { what, state: wrong ? "wrong" : "away", detail: redactText(describeError(error)) };
  }
}

interface IncidentRow {
  readonly incident: string;
  readonly watched: number;
  readonly notFollowed: number;
  readonly noAdapter: number;
  readonly off: number;
  readonly never: number;
}

function incidentRows(config: Config, { loaded, watchlist }: LoadedLists): IncidentRow[] {
  const followed = new Set(config.chains.map((chain) => chain.id));
  const notFollowed = new Map<string, number>();
  const enabled = new Set(config.watchlists.enable);
  for (const { entry, hasAdapter } of loaded.flatMap((list) => list.entries)) {
    const on =
      entry.default === "on" || (entry.default === "off" && (enabled.has(entry.list) || enabled.has(entry.incident)));
    if (on && hasAdapter && !followed.has(entry.chain))
      notFollowed.set(entry.incident, (notFollowed.get(entry.incident) ?? 0) + 1);
  }
  return watchlist.summary.map(({ incident, watched, noAdapter, off, never }) => {
    const elsewhere = notFollowed.get(incident.id) ?? 0;
    return {
      incident: incident.id,
      watched: watched - elsewhere - noAdapter,
      notFollowed: elsewhere,
      noAdapter,
      off,
      never,
    };
  });
}
