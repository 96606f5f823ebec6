/**
 * Each way in which screening does not know: shown on a daemon with Postgres and two operators, which is clear before and
 * after. Whoever is listed is held all along, with what is missing said.
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Client } from "pg";
import type { Anvil } from "../support/anvil.ts";
import { type DaemonConfig, writeDaemonConfig, type WrittenConfig } from "../support/daemon.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";
import { cliJson, type Heistwatch, PATIENCE_MS, runDaemon, startHeistwatch, until } from "./support/heistwatch.ts";
import { createPipeline, type Pipeline } from "./support/screening.ts";
import { DEPOSIT, startEthereum, STRANGER, THIEF, WATCHING } from "./support/theft.ts";

const CHAIN = "eip155:1";
const LIMIT_MS = 120_000;
const ofStranger = { chain: CHAIN, address: STRANGER, direction: "deposit" };
const ofThief = { chain: CHAIN, address: THIEF, direction: "deposit" };

let dir: TempDir;
let node: Anvil;
let postgres: PostgresServer;
let databaseUrl: string;
let proxies: readonly FaultProxy[];
let at: WrittenConfig;
let daemon: Heistwatch;
let pipeline: Pipeline;
let token = "";

beforeAll(async () => {
  dir = createTempDir("screen-unknown");
  [node, postgres] = await Promise.all([startEthereum(), startPostgres()]);
  databaseUrl = await postgres.createDatabase("screening");
  proxies = await Promise.all([startFaultProxy(node.url), startFaultProxy(node.url)]);
  at = await configured({});
  daemon = await startHeistwatch(at);
  await until(daemon, "chain followed from here");
  ({ token } = await cliJson<{ token: string }>(["people", "add", "pipeline", "--role", "service"], at));
  pipeline = createPipeline({ httpPort: at.httpPort, token: () => token });
  await mineUntilClear();
}, LIMIT_MS);

afterAll(async () => {
  await daemon.stop();
  await Promise.all([...proxies.map((proxy) => proxy.stop()), node.stop()]);
  await postgres.stop();
  await dir.remove();
}, 60_000);

function configured(more: Partial<DaemonConfig>): Promise<WrittenConfig> {
  return writeDaemonConfig({
    dir: dir.path,
    nodeUrl: "",
    nodes: proxies.map(({ url }, place) => ({ name: `node-${place}`, operator: `op-${place}`, http: url, own: true })),
    quorum: 2,
    databaseUrl,
    // A stuck node shall be told by these tests' own means, not by the watchdog of a chain that rests between two of them.
    chain: { blockTimeMs: 4_000 },
    ...WATCHING,
    ...more,
  });
}

async function mineUntilClear(): Promise<void> {
  await waitFor(
    "a clear answer",
    async () => {
      await node.mine();
      return (await pipeline.tell(ofStranger)) === "clear";
    },
    { timeoutMs: PATIENCE_MS, intervalMs: 300 },
  );
}

async function query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows;
  } finally {
    await client.end();
  }
}

test.each([
  [
    "a chain that no adapter reads",
    { chain: "tron:0x2b6653dc", address: "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8" },
    "noAdapter",
  ],
  ["a chain that is not configured", { chain: "eip155:137", address: STRANGER }, "notConfigured"],
  ["a wrong checksum", { chain: CHAIN, address: STRANGER.replace("d34", "D34") }, "invalidAddress"],
  ["spaces", { chain: CHAIN, address: ` ${STRANGER}` }, "invalidAddress"],
])("%s", async (_name, item, code) => {
  expect(await pipeline.tell({ direction: "deposit", ...item })).toBe(`unknown ${code}`);
});

test("the account of a listed one is told also on a chain that is not configured", async () => {
  expect(await pipeline.tell({ ...ofThief, chain: "eip155:137" })).toBe("hold listed notConfigured");
});

test(
  "a chain that is behind",
  async () => {
    for (const proxy of proxies)
      proxy.set({ lie: (result, { method }) => (method === "eth_getBlockByHash" ? null : result) });
    await node.mine(20);
    const { reasons } = await pipeline.until(ofStranger, "unknown chainTrouble lagging");
    expect(reasons[1]?.text).toMatch(/^scanned up to block \d+, the chain is at \d+: ask again/);
    expect(await pipeline.tell(ofThief)).toBe("hold listed chainTrouble lagging");
    for (const proxy of proxies) proxy.set({});
    await mineUntilClear();
  },
  LIMIT_MS,
);

test(
  "an operator too few",
  async () => {
    proxies[1]?.set({ down: "reset" });
    const lost = await waitFor(
      "the quorum lost",
      async () => {
        await node.mine();
        const told = await pipeline.tell(ofStranger);
        return told.includes("quorumLost") ? told : null;
      },
      { timeoutMs: PATIENCE_MS, intervalMs: 300 },
    );
    expect(lost).toMatch(/^unknown /);
    expect(await pipeline.tell(ofThief)).toMatch(/^hold listed .*quorumLost/);
    proxies[1]?.set({});
    // What was scanned without it is compared first.
    await mineUntilClear();
  },
  LIMIT_MS,
);

test(
  "a hole in what was scanned",
  async () => {
    await node.mine(3);
    const sent = { from: STRANGER, to: DEPOSIT, value: "0x1", gas: "0x5208" };
    const inHole = { chain: CHAIN, transaction: await node.rpc<string>("eth_sendTransaction", [sent]) };
    await node.mine(3);
    const { block } = await pipeline.until(inHole, "clear");
    await mineUntilClear();
    const hole = block?.number ?? 0;
    const [range] = await query(
      "select from_number, to_number from coverage where scan = 'live' and from_number < $1 and to_number > $1",
      [hole],
    );
    const [from, to] = [Number(range?.["from_number"]), Number(range?.["to_number"])];
    await query(
      `insert into coverage (chain, scan, reading, from_number, to_number, list_version, traced, proven, operators)
       select chain, scan, reading, $1::int8, to_number, list_version, traced, proven, operators
       from coverage where scan = 'live' and from_number = $2`,
      [hole + 1, from],
    );
    await query("update coverage set to_number = $1 where scan = 'live' and from_number = $2", [hole - 1, from]);
    const { reasons } = await pipeline.until(ofStranger, "unknown coverageHole");
    expect(reasons[0]?.text).toContain("1 block was not scanned");
    expect(await pipeline.tell(ofThief)).toBe("hold listed coverageHole");
    expect(await pipeline.tell(inHole)).toBe("unknown coverageHole");
    await query("delete from coverage where scan = 'live' and from_number = $1", [hole + 1]);
    await query("update coverage set to_number = $1 where scan = 'live' and from_number = $2", [to, from]);
    await pipeline.until(ofStranger, "clear");
  },
  LIMIT_MS,
);

test(
  "a scan of the past that runs, or waits to",
  async () => {
    await query(
      `insert into retro_scan (scan_id, chain, state, reading, from_number, to_number, blocks, reason, requested_by, created_at)
     values ('scan-elsewhere', $1, 'running', 'whole', 0, 0, 1, 'test', 'test', $2)`,
      [CHAIN, Date.now()],
    );
    await query(
      `insert into retro_range (scan_id, chain, chunk, from_number, to_number, state, epoch, holder, expires_at)
     values ('scan-elsewhere', $1, 0, 0, 0, 'claimed', 1, 'elsewhere', now() + interval '1 hour')`,
      [CHAIN],
    );
    await pipeline.until(ofStranger, "unknown retroScanRunning");
    expect(await pipeline.tell(ofThief)).toBe("hold listed retroScanRunning");
    await query("delete from retro_range where scan_id = 'scan-elsewhere'");
    await query("delete from retro_scan where scan_id = 'scan-elsewhere'");
    await pipeline.until(ofStranger, "clear");
  },
  LIMIT_MS,
);

test(
  "a transaction that nobody knows, that waits, that stands in another block",
  async () => {
    expect(await pipeline.tell({ chain: CHAIN, transaction: `0x${"12".repeat(32)}` })).toBe("unknown notSeenYet");
    expect(await pipeline.tell({ chain: CHAIN, transaction: "0x12" })).toBe("unknown invalidTransaction");
    await node.rpc("evm_setAutomine", [false]);
    const sent = { from: STRANGER, to: DEPOSIT, value: "0x1", gas: "0x5208" };
    const transaction = await node.rpc<string>("eth_sendTransaction", [sent]);
    const item = { chain: CHAIN, transaction };
    expect(await pipeline.tell(item)).toBe("unknown inMempool");
    await node.mine();
    await node.rpc("evm_setAutomine", [true]);
    const { block } = await pipeline.until(item, "clear");
    expect(await pipeline.tell({ ...item, block: (block?.number ?? 0) - 1 })).toBe("unknown movesNothing");
    expect(await pipeline.tell({ ...item, block: 1_000_000 })).toBe("unknown notScannedYet");
  },
  LIMIT_MS,
);

test(
  "a list that was added to is followed within a second, and unknown until its chain is",
  async () => {
    const added = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
    const item = { ...ofStranger, address: added };
    expect(await pipeline.tell(item)).toBe("clear");
    // By another process, as a colleague's daemon would: this one reads it from the store.
    await cliJson(["watch", "add", added, "--incident", "test-heist", "--yes"], {
      ...at,
      configPath: await elsewhere(),
    });
    const startedAt = performance.now();
    let told = "";
    do told = await pipeline.tell(item);
    while (told === "clear" && performance.now() - startedAt < 10_000);
    expect(told).toMatch(/^review listed/);
    // A second, and what a busy machine takes to ask.
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await mineUntilClear();
  },
  LIMIT_MS,
);

/** The same configuration with a data folder of its own, where no daemon runs. */
async function elsewhere(): Promise<string> {
  return (await configured({ dataDirName: "elsewhere" })).configPath;
}

test(
  "without the store nobody is answered, and with it everybody again",
  async () => {
    await postgres.down();
    const { status, error } = await waitFor(
      "no answer",
      async () => {
        const answered = await pipeline.post({ items: [ofStranger] });
        return answered.status === 200 ? null : answered;
      },
      { timeoutMs: PATIENCE_MS },
    );
    expect([status, error]).toEqual([503, expect.stringContaining("the store is away")]);
    await postgres.up();
    await waitFor("an answer", async () => (await pipeline.post({ items: [ofThief] })).status === 200, {
      timeoutMs: PATIENCE_MS,
    });
    await mineUntilClear();
  },
  LIMIT_MS,
);

test(
  "a daemon that starts has no answer yet; a list too old, or not here, is said",
  async () => {
    await daemon.stop();
    await postgres.down();
    at = await configured({
      extra: {
        watchlists: {
          paths: ["./lists"],
          own: ["./own"],
          tokens: "./tokens.yaml",
          rules: { "ofac-sdn": { maxAgeDays: 7 } },
        },
      },
    });
    pipeline = createPipeline({ httpPort: at.httpPort, token: () => token });
    daemon = runDaemon(at);
    await waitFor("its door open", async () => (await daemon.get("/livez")).status === 200, { timeoutMs: PATIENCE_MS });
    expect(await pipeline.post({ items: [ofStranger] })).toEqual({ status: 503, error: "heistwatch is starting" });
    await postgres.up();
    await until(daemon, "heistwatch runs");
    await node.mine();
    await pipeline.until(ofStranger, "unknown listStale");
    expect(await pipeline.tell(ofThief)).toBe("hold listed listStale");
  },
  LIMIT_MS,
);
