/** heistwatch itself as a child process, with a configuration written for the test. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { type ChildServer, startChildServer } from "./child-server.ts";
import { freePort } from "./free-port.ts";

export interface DaemonConfig {
  /** Folder for the configuration, lists and data. */
  readonly dir: string;
  readonly nodeUrl: string;
  readonly nodeWsUrl?: string;
  /** In place of nodeUrl: several nodes. */
  readonly nodes?: readonly {
    name: string;
    operator: string;
    http: string;
    timeoutMs?: number;
    rpc?: object;
    zmq?: readonly string[];
  }[];
  readonly quorum?: number;
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  readonly redisPrefix?: string;
  /** Entries watched on the chain. */
  readonly watch: readonly WatchRow[];
  readonly own?: readonly { address: string; customerRef: string; wallet?: string }[];
  readonly tokens?: readonly { address: string; symbol: string; decimals: number; kind?: string }[];
  readonly webhooks?: readonly WebhookRow[];
  readonly operations?: readonly WebhookRow[];
  readonly retryScale?: number;
  readonly start?: string | number;
  /** `prefer` for a node that signs in others' names (impersonated senders): its blocks cannot be proven. */
  readonly proofs?: "require" | "prefer";
  readonly mempool?: "auto" | "off";
  /** Name of the chain's file; default ethereum. */
  readonly chainName?: string;
  /** Facts of the chain that differ from those of a quick Ethereum. */
  readonly chain?: Record<string, unknown> & { readonly id?: string };
  readonly dataDirName?: string;
  readonly logLevel?: string;
  readonly extra?: Record<string, unknown>;
}

export interface WatchRow {
  readonly address: string;
  readonly role?: string;
  readonly basis?: string;
  readonly label?: string;
  readonly default?: string;
  readonly sanctioned?: boolean;
  readonly direction?: string;
}

export interface WebhookRow {
  readonly name: string;
  readonly url: string;
  readonly secrets: readonly string[];
  readonly timeoutMs?: number;
  readonly concurrency?: number;
  readonly heartbeat?: boolean;
  readonly grouping?: boolean;
}

export interface WrittenConfig {
  readonly configPath: string;
  readonly httpPort: number;
  /** What the configuration reads from the environment. */
  readonly env: Readonly<Record<string, string>>;
}

const ROOT = join(import.meta.dirname, "../..");
// The test may run under jest with a node of its own choice; the daemon runs on the same one.
const NODE = process.execPath;

/** Writes config, list, own addresses and tokens; returns the path of the configuration. */
export async function writeDaemonConfig(config: DaemonConfig): Promise<WrittenConfig> {
  const { dir, chainName = "ethereum" } = config;
  const chainId = config.chain?.id ?? "eip155:1";
  const httpPort = await freePort();
  mkdirSync(join(dir, "chains"), { recursive: true });
  mkdirSync(join(dir, "lists"), { recursive: true });
  mkdirSync(join(dir, "own"), { recursive: true });
  writeFileSync(join(dir, "lists/test-heist.yaml"), stringify(watchlistFile(chainId, config.watch)));
  writeFileSync(
    join(dir, "own/own.csv"),
    [
      "chain,address,customerRef,wallet",
      ...(config.own ?? []).map((one) => `${chainId},${one.address},${one.customerRef},${one.wallet ?? "deposit"}`),
    ].join("\n"),
  );
  writeFileSync(join(dir, "tokens.yaml"), stringify(tokensFile(config.tokens ?? [])));
  writeFileSync(
    join(dir, `chains/${chainName}.yaml`),
    stringify({
      id: "eip155:1",
      family: "evm",
      blockTimeMs: 1000,
      finality: { by: "tag" },
      windowDepth: 64,
      native: { symbol: "ETH", decimals: 18, slip44: 60, dustBelow: "0.0001" },
      ...config.chain,
    }),
  );
  const env: Record<string, string> = {};
  const sink = ({ secrets, ...row }: WebhookRow) => ({
    kind: "webhook",
    allowHttp: true,
    allowNetworks: ["127.0.0.0/8"],
    // Most tests count alerts one by one.
    grouping: false,
    ...row,
    // A secret never stands in the file: each gets a variable of its own.
    secrets: secrets.map((secret) => {
      const name = `SECRET_${Object.keys(env).length}`;
      env[name] = secret;
      return { env: name };
    }),
  });
  const file = {
    dataDir: `./${config.dataDirName ?? "data"}`,
    store: { databaseUrl: config.databaseUrl ?? null },
    queue: {
      redisUrl: config.redisUrl ?? null,
      ...(config.redisPrefix === undefined ? {} : { redisPrefix: config.redisPrefix }),
    },
    chains: {
      [chainName]: {
        start: config.start ?? "latest",
        ...(config.proofs === undefined ? {} : { proofs: config.proofs }),
        mempool: config.mempool ?? "off",
        ...(config.quorum === undefined ? {} : { quorum: config.quorum }),
        nodes: config.nodes?.map((node) => ({ maxRequestsPerSecond: 2000, timeoutMs: 5000, ...node })) ?? [
          {
            name: "own-a",
            operator: "self",
            http: config.nodeUrl,
            ...(config.nodeWsUrl === undefined ? {} : { ws: config.nodeWsUrl }),
            maxRequestsPerSecond: 2000,
            timeoutMs: 5000,
          },
        ],
      },
    },
    watchlists: { paths: ["./lists"], own: ["./own"], tokens: "./tokens.yaml" },
    ...(config.webhooks === undefined
      ? {}
      : {
          sinks: {
            alerts: config.webhooks.map(sink),
            ...(config.operations === undefined ? {} : { operations: config.operations.map(sink) }),
          },
        }),
    ...(config.retryScale === undefined ? {} : { delivery: { retryScale: config.retryScale } }),
    http: { host: "127.0.0.1", port: httpPort },
    log: { level: config.logLevel ?? "info", format: "json" },
    ...config.extra,
  };
  const configPath = join(dir, `heistwatch-${config.dataDirName ?? "data"}.yaml`);
  writeFileSync(configPath, stringify(file));
  return { configPath, httpPort, env };
}

function watchlistFile(chain: string, rows: readonly WatchRow[]) {
  return {
    format: "heistwatch/1",
    list: "test-heist",
    version: "2026-11-22.1",
    incident: {
      id: "test-heist",
      name: "Test Heist",
      kind: "theft",
      date: "2026-01-01",
      attribution: "test",
      attributionBasis: "test",
      disputed: false,
      lossUsd: null,
      references: [],
      note: null,
    },
    entries: rows.map((row) => ({
      chain,
      address: row.address,
      role: row.role ?? "theft",
      label: row.label ?? "test wallet",
      basis: row.basis ?? (row.sanctioned === true ? "sanctions" : "researcher"),
      confidence: row.sanctioned === true ? "confirmed" : "named_by_researcher",
      independentSources: 1,
      ...(row.sanctioned === true ? { sanctioned: { list: "OFAC SDN", source: "https://example.org/list" } } : {}),
      default: row.default ?? "on",
      ...(row.direction === undefined ? {} : { direction: row.direction }),
      sources: [{ ref: "https://example.org/source", label: "test" }],
    })),
  };
}

function tokensFile(tokens: NonNullable<DaemonConfig["tokens"]>) {
  return {
    format: "heistwatch-tokens/1",
    version: "2026-11-22.1",
    tokens: tokens.map((token) => ({
      chain: "eip155:1",
      kind: "token",
      name: token.symbol,
      sources: ["https://example.org/tokens"],
      ...token,
    })),
  };
}

export interface DaemonProcess extends ChildServer {
  readonly httpPort: number;
}

/** Of the environment of the tests, what finds and starts a node. */
const NOTHING_BUT_NODE: Readonly<Record<string, string>> = Object.fromEntries(
  ["PATH", "NODE_COMPILE_CACHE"].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  ),
);

/** Starts `heistwatch run`; resolves when it says that it runs. */
export async function startDaemon(
  at: WrittenConfig,
  options: { env?: Record<string, string>; readyText?: string } = {},
): Promise<DaemonProcess> {
  const ready = options.readyText ?? "heistwatch runs";
  const server = await startChildServer({
    name: "heistwatch",
    command: NODE,
    args: [join(ROOT, "src/cli/main.ts"), "run", "--config", at.configPath],
    spawn: {
      cwd: at.configPath.replace(/\/[^/]+$/, ""),
      env: { ...NOTHING_BUT_NODE, ...at.env, ...options.env },
    },
    isReady: (output) => output.includes(ready),
    stopSignal: "SIGTERM",
  });
  return { ...server, httpPort: at.httpPort };
}
