/** Asks the served screening over HTTP at a fixed concurrency, and holds each answer against what it has to be. */
import { Pool } from "undici";
import { type Answered, faultOf, type Query } from "./queries.ts";
import { numberOf } from "./world.ts";

export interface Client {
  /** Milliseconds of each request, in the order they ended. */
  readonly latencies: number[];
  post(path: string, body: string): Promise<unknown>;
  close(): Promise<void>;
}

export function createClient({ url, token, connections }: { url: string; token: string; connections: number }): Client {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const latencies: number[] = [];
  return {
    latencies,
    async post(path, body) {
      const startedAt = performance.now();
      const answer = await pool.request({ path, method: "POST", headers, body });
      const text = await answer.body.text();
      latencies.push(performance.now() - startedAt);
      if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
      return JSON.parse(text) as unknown;
    },
    close: () => pool.close(),
  };
}

/** Each of `work` once, at most so many at a time. */
export async function atOnce(
  concurrency: number,
  count: number,
  work: (place: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  async function turn(): Promise<void> {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, turn));
}

export function bodyOf(queries: readonly Query[]): string {
  return JSON.stringify({ items: queries.map(({ chain, address }) => ({ chain, address, direction: "withdrawal" })) });
}

/** One answer, held against the list it names; whether that list was in force meanwhile is known once all swaps are told. */
export interface Said {
  readonly version: string;
  readonly askedAt: bigint;
  readonly answeredAt: bigint;
  readonly items: number;
  readonly faults: readonly string[];
}

export async function say(client: Client, queries: readonly Query[]): Promise<Said> {
  const askedAt = process.hrtime.bigint();
  const { result } = (await client.post("/v1/screen", bodyOf(queries))) as {
    result: { lists: { version: string }; items: Answered[] };
  };
  const answeredAt = process.hrtime.bigint();
  const { lists, items } = result;
  return { version: lists.version, askedAt, answeredAt, items: items.length, faults: faultsIn(result, queries) };
}

function faultsIn(
  { lists, items }: { lists: { version: string }; items: readonly Answered[] },
  queries: readonly Query[],
): string[] {
  if (items.length !== queries.length) return [`${items.length} answers to ${queries.length} questions`];
  const number = numberOf(lists.version);
  return queries.flatMap((query, at) => {
    const fault = faultOf(query, items[at] as Answered, number);
    return fault === null ? [] : [`${query.chain} ${JSON.stringify(query.address)}, list ${number}: ${fault}`];
  });
}

export interface InForce {
  readonly version: string;
  /** Monotonic, ns. */
  readonly at: bigint;
}

/** What is wrong with an answer: its list was not in force meanwhile, or it says another thing than that list. */
export function faultsOf({ version, askedAt, answeredAt, faults }: Said, lists: readonly InForce[]): readonly string[] {
  const place = lists.findIndex((list) => list.version === version);
  const list = lists[place];
  const next = lists[place + 1];
  if (list === undefined) return [`an answer by ${version}, which was never in force`];
  if (list.at > answeredAt || (next !== undefined && next.at < askedAt))
    return [`an answer by ${version}, which was not in force between question and answer`];
  return faults;
}
