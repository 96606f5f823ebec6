/** `heistwatch node list|drain|undrain|test`. */
import type { NodeRow } from "../daemon/operator-calls.ts";
import { checkNodes, codeOf, mark } from "./check.ts";
import { callDaemon, EXIT, type GlobalOptions, readConfig } from "./context.ts";
import { durationMs } from "./duration.ts";
import { print, printJson, short, table, timeOf } from "./output.ts";

export async function listNodes({ config, json }: GlobalOptions): Promise<number> {
  const nodes = (await callDaemon(readConfig({ config }), "node.list", {})) as NodeRow[];
  if (json === true) printJson(nodes);
  else print(nodesTable(nodes));
  return EXIT.ok;
}

function nodesTable(nodes: readonly NodeRow[]): string {
  return table(
    ["chain", "node", "operator", "state", "head", "latency", "errors", "until", "last evidence", "detail"],
    nodes.map((node) => [
      node.chain,
      node.name,
      node.own ? node.operator : `${node.operator} (not own)`,
      node.state,
      String(node.head),
      `${node.latencyMs} ms`,
      `${node.errors} of ${node.requests}`,
      timeOf(node.drainedUntil),
      timeOf(node.evidence?.at ?? null),
      short(node.evidence?.why ?? node.detail, 120),
    ]),
  );
}

export async function drainNode(name: string, options: GlobalOptions & { for: string }): Promise<number> {
  const args = { name, forMs: durationMs(options.for) };
  const drained = (await callDaemon(readConfig(options), "node.drain", args)) as { until: number };
  if (options.json === true) printJson(drained);
  else print(`${name} is not asked until ${timeOf(drained.until)}. Its operator counts as missing meanwhile.`);
  return EXIT.ok;
}

export async function undrainNode(name: string, options: GlobalOptions): Promise<number> {
  const back = await callDaemon(readConfig(options), "node.undrain", { name });
  if (options.json === true) printJson(back);
  else print(`${name} is asked again.`);
  return EXIT.ok;
}

/** Each configured node by itself, whether or not a daemon runs. */
export async function testNodes({ config, json }: GlobalOptions): Promise<number> {
  const lines = (await Promise.all(readConfig({ config }).chains.map(checkNodes))).flat();
  if (json === true) printJson(lines);
  else for (const line of lines) print(`${mark(line.state)} ${line.what}: ${line.detail}`);
  return codeOf(lines);
}
