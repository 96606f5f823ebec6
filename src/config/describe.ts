/** A checked configuration in words, for `heistwatch check`: what would run, without anything secret. */
import { redactUrl } from "../lib/redact.ts";
import type { ChainConfig, Config, NodeConfig, SinkConfig } from "../types/config.ts";

export function describeConfig(config: Config): string[] {
  const { databaseUrl, redisUrl, watchlists, sinks, http, log } = config;
  const enabled = watchlists.enable.length === 0 ? "" : `, switched on besides: ${watchlists.enable.join(", ")}`;
  return [
    `store: ${databaseUrl === null ? `embedded, in ${config.dataDir}` : `PostgreSQL at ${redactUrl(databaseUrl)}`}`,
    `queue: ${redisUrl === null ? "kept in the store" : `Redis at ${redactUrl(redisUrl)}, prefix ${config.redisPrefix}`}`,
    ...config.chains.flatMap(describeChain),
    `watchlists: ${watchlists.paths.join(", ")}${enabled}`,
    `own addresses: ${watchlists.own.join(", ")}`,
    `tokens: ${watchlists.tokens}`,
    ...sinks.alerts.map((sink) => `alerts to ${describeSink(sink)}`),
    ...sinks.operations.map((sink) => `operations to ${describeSink(sink)}`),
    `alerts from severity ${config.minSeverity} upward are sent`,
    ...(config.delivery.retryScale === 1 ? [] : [`retry waits are multiplied by ${config.delivery.retryScale}`]),
    `http: ${http === null ? "off" : `${http.host}, port ${http.port}`}`,
    `log: ${log.level}, ${log.format}`,
  ];
}

function describeChain(chain: ChainConfig): string[] {
  const final =
    chain.finality.by === "tag" ? "final by the node's finalized tag" : `final ${chain.finality.depth} blocks deep`;
  const facts = [
    `start at ${describeStart(chain)}`,
    final,
    `reorgs followed ${chain.windowDepth} blocks deep`,
    describeQuorum(chain),
  ];
  return [`chain ${chain.name} (${chain.id}): ${facts.join(", ")}`, ...chain.nodes.map(describeNode)];
}

function describeQuorum({ nodes, quorum }: ChainConfig): string {
  const operators = new Set(nodes.map((node) => node.operator)).size;
  return operators === 1 ? "one operator: nobody else is asked" : `quorum ${quorum} of ${operators} operators`;
}

function describeStart({ start }: ChainConfig): string {
  if (start.at === "latest") return "the latest block";
  if (start.at === "number") return `block ${start.number}`;
  return new Date(start.unixSeconds * 1000).toISOString();
}

function describeNode(node: NodeConfig): string {
  const push = node.ws === null ? "polling only" : `websocket ${redactUrl(node.ws)}`;
  const limits = `${node.maxConcurrent} requests at once, ${node.maxRequestsPerSecond} a second, timeout ${node.timeoutMs} ms`;
  const own = node.own ? "" : ", never asked about addresses";
  return `  node ${node.name} of ${node.operator}: ${redactUrl(node.http)}, ${push}, ${limits}${own}`;
}

/** Where a sink that is no webhook leads, without anything that may be a key. */
function placeOf(sink: Exclude<SinkConfig, { kind: "webhook" }>): string {
  if ("path" in sink) return ` ${sink.path}`;
  if ("host" in sink) return ` ${sink.host}, port ${sink.port}`;
  if ("apiUrl" in sink) return ` ${redactUrl(sink.apiUrl)}`;
  return "url" in sink ? ` ${redactUrl(sink.url)}` : "";
}

function describeSink(sink: SinkConfig): string {
  if (sink.kind !== "webhook") return `${sink.name}: ${sink.kind}${placeOf(sink)}`;
  const secrets = sink.secrets.length === 1 ? "1 secret" : `${sink.secrets.length} secrets`;
  // Names only: the value of a header is where tokens are.
  const headers = Object.keys(sink.headers).length === 0 ? "" : `, headers ${Object.keys(sink.headers).join(", ")}`;
  const networks = sink.allowNetworks.length === 0 ? "" : `, private networks ${sink.allowNetworks.join(", ")}`;
  const format = sink.format === undefined || sink.format === "native" ? "" : `, as ${sink.format}`;
  return `${sink.name}: webhook ${redactUrl(sink.url)}, ${secrets}${format}${headers}${networks}`;
}
