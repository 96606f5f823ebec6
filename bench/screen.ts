/**
 * Screening over HTTP on this machine, with ten million entries: how long an answer takes beside one of an empty route, and
 * whether each is what a naive lookup says, also while the lists are swapped.
 *
 *     npm run bench:screen [-- --size 10000000 --queries 1000000 --requests 20000 --embedded]
 *
 * Real: route, token, lists in their file, exposure looked up and answer kept in Postgres, which waits for the disk before it
 * confirms. Made up: how the chains stand. Ends with 1 when an answer is wrong.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { buildWatchlist } from "../src/watchlist/snapshot.ts";
import { NO_OWN } from "../src/watchlist/own-index.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { atOnce, bodyOf, createClient, faultsOf, type InForce, type Said, say } from "./screen/asking.ts";
import { makeQueries, type Query } from "./screen/queries.ts";
import type { FromServer, ServerOptions } from "./screen/server.ts";
import { SWING_ROOM } from "./screen/serving.ts";
import { listedEntries } from "./screen/world.ts";
import { markdownTable, median, quantile } from "./table.ts";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "10000000" },
    bitcoin: { type: "string", default: "20000" },
    queries: { type: "string", default: "1000000" },
    requests: { type: "string", default: "20000" },
    rounds: { type: "string", default: "5" },
    embedded: { type: "boolean", default: false },
  },
});
const CONCURRENCY = 32;
const BATCH = 1_000;
const BATCHES_AT_ONCE = 4;
const SWAP_EVERY_MS = 250;
const RATIO_MAX = 10;
const SHOWN_MAX = 20;
const NEVER = new AbortController().signal;

const [evm, bitcoin] = [Number(values.size), Number(values.bitcoin)];
const folder = mkdtempSync(path.join(os.tmpdir(), "heistwatch-bench-screen-"));
const postgres = values.embedded ? null : await startPostgres({ durable: true });
let child: ChildProcess | null = null;

try {
  const file = path.join(folder, "watched.entries");
  const builtIn = await buildFile(file);
  const startedAt = performance.now();
  const queries = makeQueries({ count: Number(values.queries), seed: 1, evm, bitcoin });
  console.log(`${queries.length} queries made in ${seconds(startedAt)}, ${evm + bitcoin} entries built in ${builtIn}`);
  const server: ServerOptions = {
    file,
    databaseUrl: (await postgres?.createDatabase("screen")) ?? null,
    dataDir: folder,
  };
  child = fork(path.join(import.meta.dirname, "screen/server.ts"), [JSON.stringify(server)], { stdio: "inherit" });
  const inForce: InForce[] = [];
  const { url, token } = await started(child, inForce);
  const failed = await measure({ url, token, queries, inForce, child });
  process.exitCode = failed ? 1 : 0;
} finally {
  child?.disconnect();
  await postgres?.stop();
  rmSync(folder, { recursive: true });
}

async function buildFile(file: string): Promise<string> {
  const startedAt = performance.now();
  const incident = { id: "bench", name: "Bench", kind: "theft", date: null, attribution: null, attributionBasis: null };
  const more = { disputed: false, lossUsd: null, references: [], note: null };
  const built = await buildWatchlist(
    {
      file,
      lists: [{ list: "bench", incident: { ...incident, ...more } }],
      entries: listedEntries({ evm, bitcoin }),
      count: evm + bitcoin + SWING_ROOM,
      own: NO_OWN,
      enable: [],
    },
    NEVER,
  );
  built.close();
  return seconds(startedAt);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(0)} s`;
}

async function started(server: ChildProcess, inForce: InForce[]): Promise<{ url: string; token: string }> {
  const [first] = (await once(server, "message")) as [FromServer];
  if (!("serves" in first)) throw new Error("the server told something else first");
  inForce.push({ version: first.serves.version, at: BigInt(first.serves.at) });
  server.on("message", (message: FromServer) => {
    if ("swapped" in message) inForce.push({ ...message.swapped, at: BigInt(message.swapped.at) });
  });
  return first.serves;
}

interface Measuring {
  readonly url: string;
  readonly token: string;
  readonly queries: readonly Query[];
  readonly inForce: readonly InForce[];
  readonly child: ChildProcess;
}

async function measure({ url, token, queries, inForce, child: server }: Measuring): Promise<boolean> {
  const latencies = { empty: [] as number[], one: [] as number[], batch: [] as number[] };
  const perRound = Math.ceil(Number(values.requests) / Number(values.rounds));
  const singles = queries.slice(0, 10_000).map((query) => bodyOf([query]));
  const ask = (client: ReturnType<typeof createClient>, route: string, count: number) =>
    atOnce(CONCURRENCY, count, async (place) => {
      await client.post(route, singles[place % singles.length] as string);
    });
  for (const route of ["/v1/empty", "/v1/screen"] as const)
    await withClient({ url, token }, (client) => ask(client, route, 2_000));
  // Turn by turn, so that both meet the same machine.
  for (let round = 0; round < Number(values.rounds); round += 1) {
    latencies.empty.push(...(await withClient({ url, token }, (client) => ask(client, "/v1/empty", perRound))));
    latencies.one.push(...(await withClient({ url, token }, (client) => ask(client, "/v1/screen", perRound))));
  }
  const said: Said[] = [];
  const startedAt = performance.now();
  latencies.batch.push(
    ...(await withClient({ url, token }, (client) => askBatches(client, queries.slice(0, queries.length / 2), said))),
  );
  server.send({ swapEveryMs: SWAP_EVERY_MS });
  await withClient({ url, token }, (client) => askBatches(client, queries.slice(queries.length / 2), said));
  const itemsPerSecond = queries.length / ((performance.now() - startedAt) / 1_000);
  await withClient({ url, token }, (client) =>
    atOnce(CONCURRENCY, Math.min(20_000, queries.length), async (place) => {
      said.push(await say(client, [queries[place] as Query]));
    }),
  );
  server.send({ swapEveryMs: null });
  // Whatever was swapped before is told by now: messages come in order.
  await new Promise((resolve) => setTimeout(resolve, 2 * SWAP_EVERY_MS));
  const faults = said.flatMap((one) => faultsOf(one, inForce));
  return report({ latencies, said, faults, itemsPerSecond, swaps: inForce.length - 1 });
}

async function withClient(
  at: { url: string; token: string },
  work: (client: ReturnType<typeof createClient>) => Promise<void>,
): Promise<readonly number[]> {
  const client = createClient({ ...at, connections: CONCURRENCY });
  await work(client);
  await client.close();
  return client.latencies;
}

async function askBatches(
  client: ReturnType<typeof createClient>,
  queries: readonly Query[],
  said: Said[],
): Promise<void> {
  await atOnce(BATCHES_AT_ONCE, Math.ceil(queries.length / BATCH), async (place) => {
    said.push(await say(client, queries.slice(place * BATCH, (place + 1) * BATCH)));
  });
}

function report(of: {
  latencies: Record<"empty" | "one" | "batch", readonly number[]>;
  said: readonly Said[];
  faults: readonly string[];
  itemsPerSecond: number;
  swaps: number;
}): boolean {
  const { latencies, said, faults, itemsPerSecond, swaps } = of;
  const ms = (value: number) => value.toFixed(2);
  const row = (name: string, all: readonly number[]) => [
    name,
    String(all.length),
    ms(median(all)),
    ms(quantile(all, 0.99)),
    ms(quantile(all, 0.999)),
  ];
  console.log(
    markdownTable(
      ["what", "requests", "p50 ms", "p99 ms", "p99.9 ms"],
      [
        row(`empty route, ${CONCURRENCY} at once`, latencies.empty),
        row(`one address, ${CONCURRENCY} at once`, latencies.one),
        row(`${BATCH} addresses, ${BATCHES_AT_ONCE} at once`, latencies.batch),
      ],
    ),
  );
  const ratio = quantile(latencies.one, 0.99) / median(latencies.empty);
  console.log(`p99 of one address: ${ratio.toFixed(1)} times the p50 of the empty route (at most ${RATIO_MAX})`);
  const items = said.reduce((sum, one) => sum + one.items, 0);
  console.log(
    `${items} answers held against the naive lookup, ${swaps} swaps, ${faults.length} wrong; ${itemsPerSecond.toFixed(0)} addresses a second in batches`,
  );
  for (const fault of faults.slice(0, SHOWN_MAX)) console.log(`wrong: ${fault}`);
  return faults.length > 0 || ratio > RATIO_MAX;
}
