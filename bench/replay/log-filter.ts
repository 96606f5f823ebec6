/** eth_getLogs: the logs of a block that a filter names, as byte ranges of the block's log list. */
import type { RpcLog } from "./rpc-shapes.ts";

export interface LogFilter {
  /** Null: any. */
  readonly addresses: ReadonlySet<string> | null;
  /** By position; null: any. */
  readonly topics: readonly (ReadonlySet<string> | null)[];
}

export interface IndexedLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly start: number;
  readonly end: number;
}

/** The list as our own writer wrote it: compact JSON, so every log's bytes follow from its text. */
export function indexLogs(list: Buffer): IndexedLog[] {
  let start = 1;
  return (JSON.parse(list.toString("latin1")) as RpcLog[]).map((log) => {
    const end = start + JSON.stringify(log).length;
    const indexed = { address: log.address, topics: log.topics, start, end };
    start = end + 1;
    return indexed;
  });
}

export function parseLogFilter(filter: Readonly<Record<string, unknown>>): LogFilter {
  const topics = Array.isArray(filter["topics"]) ? (filter["topics"] as unknown[]) : [];
  return { addresses: oneOrMany(filter["address"]), topics: topics.map(oneOrMany) };
}

/** Hex text is compared in lower case: clients send checksummed addresses. */
function oneOrMany(value: unknown): ReadonlySet<string> | null {
  if (value === null || value === undefined) return null;
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.length === 0 ? null : new Set(list.map((one) => String(one).toLowerCase()));
}

export function isUnfiltered({ addresses, topics }: LogFilter): boolean {
  return addresses === null && topics.length === 0;
}

export function matchesFilter(log: IndexedLog, { addresses, topics }: LogFilter): boolean {
  if (addresses !== null && !addresses.has(log.address)) return false;
  if (topics.length > log.topics.length) return false;
  return topics.every((wanted, position) => wanted === null || wanted.has(log.topics[position] ?? ""));
}
