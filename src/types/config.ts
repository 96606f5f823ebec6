/** The checked configuration: every default filled in, every secret resolved. */
import type { ChainId } from "./chain.ts";
import type { Severity } from "./alert.ts";
import type { BodyFormat, FurtherSinkConfig } from "./sink-config.ts";

export interface NodeConfig {
  readonly name: string;
  /** Who runs the node; nodes of one operator count once. */
  readonly operator: string;
  /** May be asked about addresses: run by us, so that the watchlist does not leak. */
  readonly own: boolean;
  readonly http: string;
  /** EVM nodes: new heads by WebSocket. */
  readonly ws: string | null;
  /** Nodes of the Bitcoin Core family: JSON-RPC credentials, or the file the node writes them to at each start. */
  readonly rpc?: { readonly user: string; readonly password: string } | { readonly cookieFile: string } | null;
  /** Nodes of the Bitcoin Core family: ZMQ publishers, `tcp://host:port`. */
  readonly zmq?: readonly string[];
  /** At most this many requests under way at once. */
  readonly maxConcurrent: number;
  readonly maxRequestsPerSecond: number;
  readonly timeoutMs: number;
}

export type StartPoint =
  | { readonly at: "latest" }
  | { readonly at: "number"; readonly number: number }
  | { readonly at: "date"; readonly unixSeconds: number };

export interface ChainConfig {
  /** Short name: the file name under config/chains/. */
  readonly name: string;
  readonly id: ChainId;
  readonly family: "evm" | "bitcoin";
  readonly blockTimeMs: number;
  /** `tag`: the node's own `finalized`; `depth`: that many blocks on top. */
  readonly finality: { readonly by: "tag" } | { readonly by: "depth"; readonly depth: number };
  /** How deep a reorg is followed, in blocks. */
  readonly windowDepth: number;
  readonly native: {
    readonly symbol: string;
    readonly decimals: number;
    readonly slip44: number;
    readonly dustBelow: bigint;
  };
  /** `auto`: traces where the node can; `off`: never asks, internal transfers are not seen. */
  readonly traces: "auto" | "off";
  /** `auto`: the node's mempool is followed where it has one; `off`: transactions are seen once they are in a block. */
  readonly mempool: "auto" | "off";
  /** `require`: a block that does not match its hash is never scanned; `prefer`: scanned and told as not proven (test nodes). */
  readonly proofs: "require" | "prefer";
  readonly start: StartPoint;
  /** Distinct operators that must agree for a block to be final. */
  readonly quorum: number;
  readonly nodes: readonly NodeConfig[];
}

export interface WebhookSinkConfig {
  readonly kind: "webhook";
  readonly name: string;
  readonly url: string;
  /** How the body is written; absent: native. */
  readonly format?: BodyFormat | undefined;
  /** One or two `whsec_...`: both sign during a rotation, the new one first. */
  readonly secrets: readonly string[];
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly headers: Readonly<Record<string, string>>;
  /** CIDRs of private networks this sink may be in; loopback and RFC 1918 are refused unless listed. */
  readonly allowNetworks: readonly string[];
  /** Plain http is refused unless true. */
  readonly allowHttp: boolean;
  /** Gets `system.heartbeat` each minute; absent: it does not. */
  readonly heartbeat?: boolean | undefined;
}

export interface ConsoleSinkConfig {
  readonly kind: "console";
  readonly name: string;
  /** As of a webhook. */
  readonly heartbeat?: boolean | undefined;
}

export type SinkConfig = WebhookSinkConfig | ConsoleSinkConfig | FurtherSinkConfig;

export interface Config {
  /** Folder that relative paths of the configuration start from. */
  readonly baseDir: string;
  readonly dataDir: string;
  /** Null: the embedded default (PGlite in dataDir). */
  readonly databaseUrl: string | null;
  /** Null: BullMQ's Postgres backend over the embedded store. */
  readonly redisUrl: string | null;
  /** Prefix of every Redis key. */
  readonly redisPrefix: string;
  readonly chains: readonly ChainConfig[];
  readonly watchlists: {
    /** Files or folders; folders are read for *.yaml. */
    readonly paths: readonly string[];
    readonly own: readonly string[];
    readonly tokens: string;
    /** Incident or list ids whose `default: off` entries are watched too. */
    readonly enable: readonly string[];
  };
  readonly sinks: {
    /** Alerts go to all of these. */
    readonly alerts: readonly SinkConfig[];
    /** Operational alarms go to these. */
    readonly operations: readonly SinkConfig[];
  };
  readonly delivery: {
    /** Multiplies every wait of the retry schedule; 1 in production, small in integration tests. */
    readonly retryScale: number;
  };
  readonly http: { readonly host: string; readonly port: number } | null;
  readonly log: { readonly level: "debug" | "info" | "warn" | "error"; readonly format: "auto" | "json" | "pretty" };
  /** Alerts of severity below this are stored, not sent. */
  readonly minSeverity: Severity;
}
