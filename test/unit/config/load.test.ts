import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { readChainFile } from "../../../src/config/chain-files.ts";
import { loadEnv } from "../../../src/config/env-file.ts";
import { configJsonSchema } from "../../../src/config/json-schema.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { DEFAULT_POLICY } from "../../../src/types/policy.ts";
import { CHAINS, load, makeFolder, removeFolders, SECRET } from "./support.ts";

afterAll(removeFolders);

const root = join(import.meta.dirname, "../../..");
const shipped = join(root, "config/heistwatch.yaml");

test("nodes of the Bitcoin Core family are asked two things at once, others eight, unless the file says otherwise", () => {
  const node = "{ name: a, http: 'http://127.0.0.1:1' }";
  const file = `chains:\n  bitcoin:\n    nodes: [${node}, { name: b, http: 'http://127.0.0.1:2', maxConcurrent: 5 }]\n  base:\n    nodes: [${node.replace("a,", "c,")}]`;
  const atOnce = load({ "heistwatch.yaml": file }).chains.map((chain) => chain.nodes.map((one) => one.maxConcurrent));
  expect(atOnce).toEqual([[2, 5], [8]]);
});

describe("the shipped configuration", () => {
  test("loads as it is with an empty environment", () => {
    const config = loadConfig({ configPath: shipped, env: {} });
    expect(config).toEqual({
      baseDir: join(root, "config"),
      dataDir: join(root, "data"),
      databaseUrl: null,
      redisUrl: null,
      redisPrefix: "heistwatch",
      chains: [
        {
          name: "ethereum",
          id: "eip155:1",
          family: "evm",
          blockTimeMs: 12_000,
          finality: { by: "tag" },
          windowDepth: 128,
          traces: "auto",
          mempool: "off",
          proofs: "require",
          native: { symbol: "ETH", decimals: 18, slip44: 60, dustBelow: 10n ** 14n },
          start: { at: "latest" },
          quorum: 1,
          nodes: [
            {
              name: "own-a",
              operator: "self",
              own: true,
              http: "http://127.0.0.1:8545",
              ws: null,
              rpc: null,
              zmq: [],
              maxConcurrent: 8,
              maxRequestsPerSecond: 200,
              timeoutMs: 10_000,
            },
          ],
        },
      ],
      watchlists: {
        paths: [join(root, "watchlists")],
        own: [join(root, "watchlists/own")],
        ownDatabase: null,
        tokens: join(root, "config/tokens.yaml"),
        enable: [],
        rules: new Map(),
      },
      sinks: {
        alerts: [{ kind: "console", name: "console" }],
        operations: [{ kind: "console", name: "console-operations" }],
      },
      delivery: { retryScale: 1 },
      triage: { dueHours: {} },
      evidence: { key: null },
      retention: { recordedDays: 90, readDays: 365, screeningDays: 1_827 },
      http: { host: "127.0.0.1", port: 9464, importMbMax: 16 },
      log: { level: "info", format: "auto" },
      prices: { feeds: join(root, "config/price-feeds.yaml"), maxAgeHours: 25 },
      policy: DEFAULT_POLICY,
      routes: [],
      minSeverity: "info",
    });
  });

  test("takes its URLs from the environment", () => {
    const env = {
      ETHEREUM_HTTP_URL: "https://node.example.com/key",
      ETHEREUM_WS_URL: "wss://node.example.com/key",
      DATABASE_URL: "postgres://u:p@db/heistwatch",
      REDIS_URL: "rediss://:p@redis:6380",
    };
    const config = loadConfig({ configPath: shipped, env });
    expect(config.databaseUrl).toBe(env.DATABASE_URL);
    expect(config.redisUrl).toBe(env.REDIS_URL);
    expect(config.chains[0]?.nodes[0]).toMatchObject({ http: env.ETHEREUM_HTTP_URL, ws: env.ETHEREUM_WS_URL });
  });

  test("loads with every commented chain and sink switched on", () => {
    const text = readFileSync(shipped, "utf8");
    const switchedOn = text.replace(
      /^( *)# (?= *(?:sinks|ownDatabase|query|refreshMinutes|alerts|operations|- kind|name|url|secrets|allowNetworks|arbitrum|bsc|base|polygon|bitcoin|nodes)\b)/gm,
      "$1",
    );
    const env: Record<string, string> = {};
    for (const name of ["ARBITRUM", "BSC", "BASE", "POLYGON", "BITCOIN"])
      env[`${name}_HTTP_URL`] = "http://127.0.0.1:1";
    env["OWN_DATABASE_URL"] = "postgresql://reader@127.0.0.1/exchange";
    env["BITCOIN_RPC_PASSWORD"] = "rpc-password";
    for (const name of ["ALERT", "OPERATIONS"]) {
      env[`${name}_WEBHOOK_URL`] = "https://desk.example.com";
      env[`${name}_WEBHOOK_SECRET`] = SECRET;
    }
    const config = load({ "heistwatch.yaml": switchedOn }, env);
    expect(config.chains.map((chain) => chain.name)).toEqual([
      "ethereum",
      "arbitrum",
      "bsc",
      "base",
      "polygon",
      "bitcoin",
    ]);
    expect(config.watchlists.ownDatabase).toMatchObject({ url: env["OWN_DATABASE_URL"], refreshMinutes: 15 });
    expect(config.sinks.alerts.map((sink) => sink.name)).toEqual(["case-desk"]);
    expect(config.sinks.operations.map((sink) => sink.name)).toEqual(["on-call"]);
  });

  test("fits the schema that editors use, and a misspelled key does not", () => {
    const validate = new Ajv({ strict: false }).compile(JSON.parse(configJsonSchema()) as object);
    const config = parse(readFileSync(shipped, "utf8")) as Record<string, unknown>;
    expect(validate(config)).toBe(true);
    expect(validate({ ...config, sink: {} })).toBe(false);
  });
});

test("config/schema.json is what scripts/make-config-schema.ts writes", () => {
  expect(readFileSync(join(root, "config/schema.json"), "utf8")).toBe(configJsonSchema());
});

test("every option in the schema has a description", () => {
  const missing: string[] = [];
  const visit = (schema: Record<string, unknown>, path: string) => {
    for (const [key, value] of Object.entries(schema)) {
      if (typeof value !== "object" || value === null) continue;
      const child = value as Record<string, unknown>;
      if (path.endsWith("/properties") && typeof child["description"] !== "string") missing.push(`${path}/${key}`);
      // A default is data, not a schema.
      if (key !== "default" || path.endsWith("/properties")) visit(child, `${path}/${key}`);
    }
  };
  visit(JSON.parse(configJsonSchema()) as Record<string, unknown>, "");
  expect(missing).toEqual([]);
});

test.each([
  ["ethereum", "eip155:1", 12_000, "ETH", 60],
  ["arbitrum", "eip155:42161", 250, "ETH", 60],
  ["bsc", "eip155:56", 450, "BNB", 714],
  ["base", "eip155:8453", 2000, "ETH", 60],
  ["polygon", "eip155:137", 2000, "POL", 966],
])("the facts about %s are right", (name, id, blockTimeMs, symbol, slip44) => {
  const { facts, problems } = readChainFile(join(root, `config/chains/${name}.yaml`));
  expect(problems).toEqual([]);
  expect(facts).toMatchObject({ id, blockTimeMs, finality: { by: "tag" }, native: { symbol, slip44, decimals: 18 } });
});

function startOf(start: string) {
  return load({ "heistwatch.yaml": `${CHAINS}\n    start: ${start}` }).chains[0]?.start;
}

describe("several nodes of a chain", () => {
  const nodesOf = (...nodes: object[]) => ({ chains: { ethereum: { nodes } } });
  const node = (name: string, more: object = {}) => ({ name, http: "http://127.0.0.1:8545", ...more });

  test("two operators must agree unless the file says otherwise, and only own nodes are asked about addresses", () => {
    const read = (value: object) => load({ "heistwatch.yaml": JSON.stringify(value) }).chains[0];
    const one = read(nodesOf(node("a", { operator: "somebody" })));
    expect([one?.quorum, one?.nodes.map(({ own }) => own)]).toEqual([1, [true]]);
    const same = read(nodesOf(node("a"), node("b")));
    expect([same?.quorum, same?.nodes.map(({ own }) => own)]).toEqual([1, [true, true]]);
    const two = read(nodesOf(node("a"), node("b", { operator: "x" }), node("c", { operator: "y", own: true })));
    expect([two?.quorum, two?.nodes.map(({ own }) => own)]).toEqual([2, [true, false, true]]);
  });
});

describe("a configuration of one's own", () => {
  test("may leave out everything but the chains", () => {
    const config = load({ "heistwatch.yaml": CHAINS });
    expect(config).toMatchObject({ databaseUrl: null, redisUrl: null, http: { port: 9464 }, minSeverity: "info" });
  });

  test("overrides start, finality and windowDepth of a chain", () => {
    const own = "    start: 2025-02-21T12:00:00+02:00\n    finality: { by: depth, depth: 80 }\n    windowDepth: 100";
    const [chain] = load({ "heistwatch.yaml": `${CHAINS}\n${own}` }).chains;
    expect(chain?.start).toEqual({ at: "date", unixSeconds: Date.UTC(2025, 1, 21, 10) / 1000 });
    expect(chain?.finality).toEqual({ by: "depth", depth: 80 });
    expect(chain?.windowDepth).toBe(100);
  });

  test("starts at a block number or at the start of a day", () => {
    expect(startOf("0")).toEqual({ at: "number", number: 0 });
    expect(startOf("2025-02-21")).toEqual({ at: "date", unixSeconds: Date.UTC(2025, 1, 21) / 1000 });
  });

  test("may bring a chain file that replaces the shipped one", () => {
    const file = readFileSync(join(root, "config/chains/ethereum.yaml"), "utf8").replace(
      "eip155:1\n",
      "eip155:31337\n",
    );
    const [chain] = load({ "heistwatch.yaml": CHAINS, "chains/ethereum.yaml": file }).chains;
    expect(chain?.id).toBe("eip155:31337");
  });

  test("does not fail for a broken chain file that it does not use", () => {
    expect(load({ "heistwatch.yaml": CHAINS, "chains/draft.yaml": "id: ???" }).chains).toHaveLength(1);
  });

  test("uses a database without Redis, and Redis without a database", () => {
    const files = { "heistwatch.yaml": CHAINS };
    expect(load(files, { DATABASE_URL: "postgresql://db/x" })).toMatchObject({
      databaseUrl: "postgresql://db/x",
      redisUrl: null,
    });
    expect(load(files, { REDIS_URL: "redis://127.0.0.1" })).toMatchObject({
      databaseUrl: null,
      redisUrl: "redis://127.0.0.1",
    });
  });

  test.each([
    ["several statements", "select 1; drop table own"],
    ["a statement that is no question", "delete from own"],
    ["nothing", ""],
  ])("takes no query of own addresses that is %s", (_what, query) => {
    const withQuery = `${CHAINS}\nwatchlists:\n  ownDatabase: { url: { env: OWN_DATABASE_URL }, query: "${query}" }\n`;
    const env = { OWN_DATABASE_URL: "postgresql://db/x" };
    expect(() => load({ "heistwatch.yaml": withQuery }, env)).toThrow("one select statement");
    expect(load({ "heistwatch.yaml": withQuery.replace(`"${query}"`, '"select * from own"') }, env)).toMatchObject({
      watchlists: { ownDatabase: { url: "postgresql://db/x", query: "select * from own", refreshMinutes: 15 } },
    });
  });

  test("switches HTTP off with null", () => {
    expect(load({ "heistwatch.yaml": `${CHAINS}\nhttp: null` }).http).toBeNull();
  });

  test("may send to the console from both lists", () => {
    const config = load({
      "heistwatch.yaml": `${CHAINS}\nsinks: { alerts: [{ kind: console }], operations: [{ kind: console }] }`,
    });
    // Two sinks by name: alerts go through the queue, alarms straight from the store, and neither is printed twice.
    expect(config.sinks.alerts).toEqual([{ kind: "console", name: "console" }]);
    expect(config.sinks.operations).toEqual([{ kind: "console", name: "console-operations" }]);
  });

  test("may send without TLS when it says so", () => {
    const sink =
      "{ kind: webhook, name: desk, url: http://10.0.0.5/in, allowHttp: true, secrets: [{ env: S }], allowNetworks: [10.0.0.0/8] }";
    const [desk] = load({ "heistwatch.yaml": `${CHAINS}\nsinks: { alerts: [${sink}] }` }, { S: SECRET }).sinks.alerts;
    expect(desk).toEqual({
      kind: "webhook",
      name: "desk",
      url: "http://10.0.0.5/in",
      secrets: [SECRET],
      timeoutMs: 15_000,
      concurrency: 4,
      headers: {},
      allowNetworks: ["10.0.0.0/8"],
      allowHttp: true,
    });
  });
});

describe(".env", () => {
  test("adds variables and never overrides the real environment", () => {
    const folder = makeFolder({ ".env": 'A=from-file\nB="two words"\n# C=no\n' });
    expect(loadEnv(folder, { A: "real", D: "d" })).toEqual({ A: "real", B: "two words", D: "d" });
    expect(process.env["B"]).not.toBe("two words");
  });

  test("may be missing", () => {
    expect(loadEnv(makeFolder({}), { A: "real" })).toEqual({ A: "real" });
  });

  test("the shipped example sets nothing", () => {
    const folder = makeFolder({ ".env": readFileSync(join(root, ".env.example"), "utf8") });
    expect(loadEnv(folder, {})).toEqual({});
  });
});
