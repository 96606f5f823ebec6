/** The checked configuration: every default filled in, every secret resolved. */
import type { ChainId } from "./chain.ts";
import type { Severity } from "./alert.ts";
import type { DueHours } from "./triage.ts";
import type { Policy, Route } from "./policy.ts";
import type { LaneOptions, OldSecret, TlsFiles } from "./sink-delivery.ts";
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

export interface WebhookSinkConfig extends LaneOptions, TlsFiles {
  readonly kind: "webhook";
  readonly name: string;
  readonly url: string;
  /** How the body is written; absent: native. */
  readonly format?: BodyFormat | undefined;
  /** One or two of `whsec_...` (v1) and `whsk_...` (v1a): each signs, the new one first during a rotation. */
  readonly secrets: readonly string[];
  readonly oldSecrets?: readonly OldSecret[] | undefined;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly headers: Readonly<Record<string, string>>;
  /** CIDRs of private networks this sink may be in; loopback and RFC 1918 are refused unless listed. */
  readonly allowNetworks: readonly string[];
  /** Plain http is refused unless true. */
  readonly allowHttp: boolean;
  /** Gets `system.heartbeat` each minute; absent: it does not. */
  readonly heartbeat?: boolean | undefined;
  /** False: alerts of a group come one by one, not as digests; absent: as digests. */
  readonly grouping?: boolean | undefined;
  readonly updates?: "all" | "news" | undefined;
}

export interface ConsoleSinkConfig {
  readonly kind: "console";
  readonly name: string;
  /** As of a webhook. */
  readonly heartbeat?: boolean | undefined;
  readonly grouping?: boolean | undefined;
  readonly updates?: "all" | "news" | undefined;
}

/** What a list must be beyond what every list must. */
export interface ListRules {
  /** Days from its own date after which screening with it is degraded; null: it may have any age. */
  readonly ageMaxDays: number | null;
  /** Files of the minisign keys that may sign it; empty: it needs no signature. */
  readonly keys: readonly string[];
  /** Texts that must stand in some address, label or note of every version. */
  readonly canaries: readonly string[];
}

/** A Postgres database that knows own addresses. */
export interface OwnDatabaseConfig {
  readonly url: string;
  /** One `select` of chain, address, customer_ref and wallet. */
  readonly query: string;
  readonly refreshMinutes: number;
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
    /** Null: own addresses come from files alone. */
    readonly ownDatabase: OwnDatabaseConfig | null;
    readonly tokens: string;
    /** Incident or list ids whose `default: off` entries are watched too. */
    readonly enable: readonly string[];
    /** By list id. */
    readonly rules: ReadonlyMap<string, ListRules>;
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
  readonly retention: {
    /** Hits that are only recorded are pruned after so many days. */
    readonly recordedDays: number;
    /** Screening answers are kept for so many days. */
    readonly screeningDays: number;
    readonly readDays: number;
  };
  readonly http: { readonly host: string; readonly port: number; readonly importMbMax: number } | null;
  readonly log: { readonly level: "debug" | "info" | "warn" | "error"; readonly format: "auto" | "json" | "pretty" };
  readonly triage: {
    readonly dueHours: DueHours;
  };
  readonly evidence: {
    /** `hwsk_...`, which signs evidence bundles; null: none are made. */
    readonly key: string | null;
  };
  readonly prices: {
    /** File of price feeds; null: values are never looked up. */
    readonly feeds: string | null;
    readonly maxAgeHours: number;
  };
  readonly policy: Policy;
  readonly routes: readonly Route[];
  /** Alerts of severity below this are stored, not sent. */
  readonly minSeverity: Severity;
}
