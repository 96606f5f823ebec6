/** A checked configuration in words, for `heistwatch check`: what would run, without anything secret. */
import { canonicalJson } from "../lib/canonical-json.ts";
import { redactUrl } from "../lib/redact.ts";
import type { ChainConfig, Config, ListRules, NodeConfig, SinkConfig, WebhookSinkConfig } from "../types/config.ts";
import { DEFAULT_POLICY, type Policy } from "../types/policy.ts";

export function describeConfig(config: Config): string[] {
  const { databaseUrl, redisUrl, watchlists, sinks, http, log } = config;
  const enabled = watchlists.enable.length === 0 ? "" : `, switched on besides: ${watchlists.enable.join(", ")}`;
  return [
    `store: ${databaseUrl === null ? `embedded, in ${config.dataDir}` : `PostgreSQL at ${redactUrl(databaseUrl)}`}`,
    `queue: ${redisUrl === null ? "kept in the store" : `Redis at ${redactUrl(redisUrl)}, prefix ${config.redisPrefix}`}`,
    ...config.chains.flatMap(describeChain),
    `watchlists: ${watchlists.paths.join(", ")}${enabled}`,
    ...[...watchlists.rules].map(describeRules),
    `own addresses: ${watchlists.own.join(", ")}${describeOwnDatabase(config)}`,
    `tokens: ${watchlists.tokens}`,
    `prices: ${describePrices(config)}`,
    ...describePolicy(config.policy),
    ...sinks.alerts.map((sink) => `alerts to ${describeSink(sink)}`),
    ...sinks.operations.map((sink) => `operations to ${describeSink(sink)}`),
    `alerts from severity ${config.minSeverity} upward are sent`,
    ...(config.delivery.retryScale === 1 ? [] : [`retry waits are multiplied by ${config.delivery.retryScale}`]),
    `evidence bundles: ${config.evidence.key === null ? "none, evidence.key is not set" : "signed"}`,
    `http: ${http === null ? "off" : `${http.host}, port ${http.port}`}`,
    `log: ${log.level}, ${log.format}`,
  ];
}

function describeOwnDatabase({ watchlists: { ownDatabase } }: Config): string {
  if (ownDatabase === null) return "";
  return `, and PostgreSQL at ${redactUrl(ownDatabase.url)} every ${ownDatabase.refreshMinutes} min`;
}

function describeRules([list, { ageMaxDays, keys, canaries }]: [string, ListRules]): string {
  const rules = [
    ...(ageMaxDays === null ? [] : [`stale after ${ageMaxDays} days`]),
    ...(keys.length === 0 ? [] : [`signed by ${keys.join(" or ")}`]),
    ...(canaries.length === 0 ? [] : [`with ${canaries.map((text) => JSON.stringify(text)).join(", ")}`]),
  ];
  return `  list ${list}: ${rules.length === 0 ? "no rules" : rules.join(", ")}`;
}

function describePrices({ prices, chains }: Config): string {
  if (prices.feeds === null) return "none: the value of transfers is unknown";
  const evm = chains.filter(({ family }) => family === "evm");
  const asked = evm.filter(({ nodes }) => nodes.some(({ own }) => own)).map(({ name }) => name);
  const of =
    asked.length === 0 ? "no chain with contracts and an own node, so every value is unknown" : asked.join(", ");
  return `${prices.feeds}, at most ${prices.maxAgeHours} hours old, asked of own nodes of ${of}`;
}

function describePolicy(policy: Policy): string[] {
  if (canonicalJson(policy) === canonicalJson(DEFAULT_POLICY)) return [];
  const cells = policy.overrides.map(
    ({ role, saidBy, severity, action }) => `${role} by ${saidBy} at most ${severity}, ${action}`,
  );
  return [
    `policy: changed by the operator, each alert it changes says so${cells.length === 0 ? "" : `: ${cells.join("; ")}`}`,
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
  return `${sink.name}: webhook ${redactUrl(sink.url)}, ${secrets}${format}${headers}${networks}${describeDelivery(sink)}`;
}

function describeDelivery({ oldSecrets = [], maxPerSecond, fallback, caFile, certFile }: WebhookSinkConfig): string {
  const parts = [
    ...oldSecrets.map(({ until }) => `an old secret until ${new Date(until * 1000).toISOString()}`),
    ...(maxPerSecond === undefined ? [] : [`at most ${maxPerSecond} a second`]),
    ...(caFile == null ? [] : [`trusting ${caFile}`]),
    ...(certFile == null ? [] : [`as ${certFile}`]),
    ...(fallback === undefined ? [] : [`after a minute ${fallback}`]),
  ];
  return parts.map((part) => `, ${part}`).join("");
}
