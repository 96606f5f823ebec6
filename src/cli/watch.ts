/** `heistwatch watch list`. */
import { loadLists } from "../daemon/lists.ts";
import { EXIT, type GlobalOptions, readConfig } from "./context.ts";
import { print, printJson, short, table } from "./output.ts";

export async function listWatch(
  options: GlobalOptions & { incident?: string; chain?: string; all?: boolean },
): Promise<number> {
  const config = readConfig(options);
  const lists = await loadLists(config);
  const followed = new Set(config.chains.map((chain) => chain.id));
  const enabled = new Set(config.watchlists.enable);
  const rows = lists.loaded
    .flatMap((list) => list.entries)
    .map(({ entry, hasAdapter }) => ({ ...entry, state: stateOf({ entry, hasAdapter, followed, enabled }) }))
    .filter((row) => options.all === true || row.state === "watched")
    .filter((row) => options.incident === undefined || row.incident === options.incident)
    .filter((row) => options.chain === undefined || row.chain === options.chain);
  if (options.json === true) printJson(rows);
  else {
    print(
      table(
        ["chain", "address", "incident", "role", "basis", "state", "label"],
        rows.map((row) => [row.chain, row.address, row.incident, row.role, row.basis, row.state, short(row.label, 60)]),
      ),
    );
    print(`${rows.length} entries.`);
  }
  return EXIT.ok;
}

interface StateFacts {
  readonly entry: {
    readonly default: string;
    readonly chain: string;
    readonly list: string;
    readonly incident: string;
  };
  readonly hasAdapter: boolean;
  readonly followed: ReadonlySet<string>;
  readonly enabled: ReadonlySet<string>;
}

function stateOf({ entry, hasAdapter, followed, enabled }: StateFacts): string {
  if (entry.default === "never") return "never";
  if (entry.default === "off" && !enabled.has(entry.list) && !enabled.has(entry.incident)) return "off";
  if (!hasAdapter) return "no adapter yet";
  return followed.has(entry.chain) ? "watched" : "chain not followed";
}
