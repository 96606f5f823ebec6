/**
 * Files and environment in, one checked `Config` out: every default filled in, every secret resolved, every path
 * absolute. Whatever is wrong is collected first and thrown as one ConfigError; a `Config` never exists half right.
 */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { assert } from "../lib/assert.ts";
import type { ChainConfig, Config, SinkConfig, StartPoint } from "../types/config.ts";
import { policyOfUser } from "./alert-options.ts";
import { findChainFiles, readChainFile } from "./chain-files.ts";
import { parseDecimal, parseIsoDate } from "./checks.ts";
import { crossCheck } from "./cross-checks.ts";
import { placeFinding, problemsOfIssues } from "./issues.ts";
import { configErrorOf, type Problem, valueAt } from "./problems.ts";
import { type ChainFacts, createConfigSchema, type UserConfig } from "./schema.ts";
import { createReadEnv, type Env } from "./secrets.ts";
import { readYamlFile } from "./yaml-file.ts";

export interface LoadOptions {
  readonly configPath: string;
  /** The environment, usually of `loadEnv`. */
  readonly env: Env;
}

export function loadConfig({ configPath, env }: LoadOptions): Config {
  const baseDir = dirname(resolve(configPath));
  const read = readYamlFile(configPath);
  if (read.yaml === null) throw configErrorOf(read.problems);
  const { yaml } = read;

  const parsed = createConfigSchema(createReadEnv({ env, baseDir })).safeParse(yaml.value);
  const chainFiles = findChainFiles(baseDir);
  const chains = readChains(valueAt(yaml.value, ["chains"]), chainFiles);
  const place = join(dirname(configPath), "chains");
  const findings = crossCheck(yaml.value, { names: [...chainFiles.keys()].toSorted(), place, facts: chains.facts });

  const problems: Problem[] = [...read.problems, ...chains.problems];
  if (!parsed.success) problems.push(...problemsOfIssues(parsed.error.issues, yaml));
  problems.push(...findings.map((finding) => placeFinding(finding, yaml)));
  if (problems.length > 0 || !parsed.success) throw configErrorOf(problems);
  return buildConfig(parsed.data, chains.facts, baseDir);
}

function readChains(
  written: unknown,
  files: ReadonlyMap<string, string>,
): { facts: Map<string, ChainFacts>; problems: Problem[] } {
  const facts = new Map<string, ChainFacts>();
  const problems: Problem[] = [];
  for (const [name, file] of files) {
    // Files of chains that nobody asked for are not read: a draft there must not stop the daemon.
    if (valueAt(written, [name]) === undefined) continue;
    const read = readChainFile(file);
    problems.push(...read.problems);
    if (read.facts !== null) facts.set(name, read.facts);
  }
  return { facts, problems };
}

function buildConfig(user: UserConfig, facts: ReadonlyMap<string, ChainFacts>, baseDir: string): Config {
  const absolute = (path: string) => resolve(baseDir, path);
  const withPaths = (sink: SinkConfig) => withAbsolutePaths(sink, absolute);
  return {
    baseDir,
    dataDir: absolute(user.dataDir),
    databaseUrl: user.store.databaseUrl,
    redisUrl: user.queue.redisUrl,
    redisPrefix: user.queue.redisPrefix,
    chains: Object.entries(user.chains).map(([name, chain]) => {
      const known = facts.get(name);
      assert(known !== undefined, "a chain without facts was reported as a problem");
      return buildChain({ name, user: chain, facts: known, absolute });
    }),
    watchlists: {
      paths: user.watchlists.paths.map(absolute),
      own: user.watchlists.own.map(absolute),
      ownDatabase: user.watchlists.ownDatabase,
      tokens: absolute(user.watchlists.tokens),
      enable: user.watchlists.enable,
      rules: new Map(
        Object.entries(user.watchlists.rules).map(([list, { maxAgeDays, keys, canaries }]) => [
          list,
          { ageMaxDays: maxAgeDays, keys: keys.map(absolute), canaries },
        ]),
      ),
    },
    sinks: {
      alerts: orConsole(user.sinks.alerts.map(withPaths)),
      operations: apart(orConsole(user.sinks.operations.map(withPaths)), orConsole(user.sinks.alerts)),
    },
    delivery: user.delivery,
    triage: user.triage,
    evidence: user.evidence,
    retention: user.retention,
    http: user.http,
    log: user.log,
    prices: { feeds: feedsPath(user.prices.feeds, absolute), maxAgeHours: user.prices.maxAgeHours },
    policy: policyOfUser(user.policy),
    routes: user.routes.map((route) => ({
      ...route,
      chains: route.chains?.map((name) => facts.get(name)?.id ?? name),
    })),
    minSeverity: user.minSeverity,
  };
}

/** One that is named has to be there; the one beside the configuration is used where it is. */
function feedsPath(written: string | null | undefined, absolute: (path: string) => string): string | null {
  if (written === null) return null;
  if (written !== undefined) return absolute(written);
  const beside = absolute("price-feeds.yaml");
  return existsSync(beside) ? beside : null;
}

/** Bitcoin Core: 16 threads and a queue of 64 for all that the exchange asks too; two at once measured as fast as eight. */
const DEFAULT_CONCURRENT: Record<ChainConfig["family"], number> = { evm: 8, bitcoin: 2 };

interface ChainParts {
  readonly name: string;
  readonly user: UserConfig["chains"][string];
  readonly facts: ChainFacts;
  readonly absolute: (path: string) => string;
}

function buildChain({ name, user, facts, absolute }: ChainParts): ChainConfig {
  const { decimals } = facts.native;
  const dustBelow = parseDecimal(facts.native.dustBelow, decimals);
  assert(dustBelow !== null, "dustBelow was checked by the schema");
  return {
    name,
    id: facts.id,
    family: facts.family,
    blockTimeMs: facts.blockTimeMs,
    finality: user.finality ?? facts.finality,
    windowDepth: user.windowDepth ?? facts.windowDepth,
    traces: user.traces,
    mempool: user.mempool,
    proofs: user.proofs,
    native: { ...facts.native, dustBelow },
    start: startPointOf(user.start),
    quorum: user.quorum ?? Math.min(2, new Set(user.nodes.map((node) => node.operator)).size),
    // A single node of somebody else's is still the only one there is to ask.
    nodes: user.nodes.map((node) => ({
      ...node,
      rpc: node.rpc !== null && "cookieFile" in node.rpc ? { cookieFile: absolute(node.rpc.cookieFile) } : node.rpc,
      maxConcurrent: node.maxConcurrent ?? DEFAULT_CONCURRENT[facts.family],
      own: node.own ?? (node.operator === "self" || user.nodes.length === 1),
    })),
  };
}

function startPointOf(start: string | number): StartPoint {
  if (typeof start === "number") return { at: "number", number: start };
  if (start === "latest") return { at: "latest" };
  const unixSeconds = parseIsoDate(start);
  assert(unixSeconds !== null, "start was checked by the schema");
  return { at: "date", unixSeconds };
}

function withAbsolutePaths(sink: SinkConfig, absolute: (path: string) => string): SinkConfig {
  const file = (path: string | null) => (path === null ? null : absolute(path));
  if (sink.kind === "file") return { ...sink, path: absolute(sink.path) };
  if (sink.kind === "email") return { ...sink, caFile: file(sink.caFile) };
  if (sink.kind === "syslog")
    return { ...sink, caFile: file(sink.caFile), certFile: file(sink.certFile), keyFile: file(sink.keyFile) };
  if (sink.kind !== "webhook" && sink.kind !== "splunk") return sink;
  const { caFile, certFile, keyFile } = sink;
  const written = Object.entries({ caFile, certFile, keyFile }).filter(([, path]) => path !== undefined);
  return { ...sink, ...Object.fromEntries(written.map(([option, path]) => [option, absolute(String(path))])) };
}

/** Nobody configured is not nobody told: the console goes to the log collector at least. */
function orConsole(sinks: readonly SinkConfig[]): readonly SinkConfig[] {
  return sinks.length > 0 ? sinks : [{ kind: "console", name: "console" }];
}

/** A console in both lists is two sinks: alerts reach it through the queue, alarms straight from the store. */
function apart(operations: readonly SinkConfig[], alerts: readonly SinkConfig[]): readonly SinkConfig[] {
  const taken = new Set(alerts.map((sink) => sink.name));
  return operations.map((sink) => (taken.has(sink.name) ? { ...sink, name: `${sink.name}-operations` } : sink));
}
