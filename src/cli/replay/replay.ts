/**
 * `heistwatch replay`: what was recorded of a theft, through the whole line with this configuration and these lists. Nothing
 * is sent and nothing is stored but in a folder that is gone afterwards.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createChainPool, readRecordedTransaction } from "../../chains/registry.ts";
import { findChainFiles, readChainFile } from "../../config/chain-files.ts";
import { loadConfig } from "../../config/load.ts";
import type { Lists } from "../../daemon/lists.ts";
import { openReplayLine, type Replayed, type ReplayLine } from "../../daemon/replay-line.ts";
import { assert } from "../../lib/assert.ts";
import { systemClock } from "../../lib/clock.ts";
import { ConfigError, describeError, UnavailableError } from "../../lib/errors.ts";
import { redactText } from "../../lib/redact.ts";
import type { BlockTrust, ChainId } from "../../types/chain.ts";
import type { ChainConfig, Config } from "../../types/config.ts";
import { describeProblem } from "../../watchlist/problems.ts";
import { loadTheftTransactions, type TheftTransaction } from "../../watchlist/thefts.ts";
import { EXIT, type GlobalOptions, readConfig } from "../context.ts";
import { paint, paintSeverity, print, printJson, SILENT_LOG } from "../output.ts";
import { listsInUse } from "../stored-lists.ts";
import {
  loadRecorded,
  type Recorded,
  type RecordedBlock,
  type RecordedTransactionFile,
  THEFTS_FOLDER,
} from "./recorded.ts";
import { startRecordedNode } from "./recorded-node.ts";

export interface ReplayOptions extends GlobalOptions {
  /** Also the known transactions of the incident, from the configured nodes. */
  readonly nodes?: boolean;
}

/** What one record led to, or why it led to nothing. */
export interface ReplayStep {
  readonly what: string;
  readonly result: Replayed | null;
  readonly problem: string | null;
}

// The transaction's bytes hash to its id; no block says that it happened, and nobody else vouches for it.
const RECORDED_TRUST: BlockTrust = { proven: true, operators: ["recorded"], missing: [], traced: true };
// A node that has to look up an old block may take its time.
const BLOCK_TIMEOUT_MS = 120_000;

export async function replay(incident: string, options: ReplayOptions): Promise<number> {
  const config = readConfig(options);
  const steps = await replayIncident(incident, { config, nodes: options.nodes === true });
  if (options.json === true) printJson({ incident, steps: steps.map(stepAsJson) });
  else tell(incident, steps, options.nodes === true);
  return steps.some(({ problem }) => problem !== null) ? EXIT.tryAgain : EXIT.ok;
}

/** Throws ConfigError where nothing is known of the incident. */
export async function replayIncident(
  incident: string,
  { config, nodes }: { config: Config; nodes: boolean },
): Promise<ReplayStep[]> {
  const [recorded, known] = await Promise.all([loadRecorded(), knownTransactions()]);
  const ofIncident = recorded.filter((one) => one.incident === incident);
  const transactions = known.filter((one) => one.incident === incident);
  if (ofIncident.length === 0 && transactions.length === 0)
    throw new ConfigError(`nothing is recorded of ${incident}; there is: ${incidentsIn([...recorded, ...known])}`);
  const folder = await mkdtemp(path.join(tmpdir(), "heistwatch-replay-"));
  try {
    const told = await withChainsOf(ofIncident, config, folder);
    const lists = await asIfWatched(told, incident);
    const line = await openReplayLine({ config: told, lists, folder, log: SILENT_LOG });
    try {
      const steps: ReplayStep[] = [];
      for (const one of ofIncident) steps.push(await stepOf(one.what, () => replayRecorded(line, one, folder)));
      if (nodes) steps.push(...(await replayKnown(line, { config, transactions })));
      return steps;
    } finally {
      await line.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The incident's lists are matched here also where the configuration leaves them off. */
async function asIfWatched(config: Config, incident: string): Promise<Lists> {
  const enable = [...new Set([...config.watchlists.enable, incident])];
  return (await listsInUse({ ...config, watchlists: { ...config.watchlists, enable } })).lists;
}

async function knownTransactions(): Promise<readonly TheftTransaction[]> {
  const { transactions, problems } = await loadTheftTransactions(path.join(THEFTS_FOLDER, "transactions.yaml"));
  if (problems.length > 0) throw new ConfigError(problems.map(describeProblem).join("\n"));
  return transactions;
}

function incidentsIn(of: readonly { incident: string }[]): string {
  return [...new Set(of.map(({ incident }) => incident))].toSorted().join(", ");
}

async function stepOf(what: string, run: () => Promise<Replayed>): Promise<ReplayStep> {
  try {
    return { what, result: await run(), problem: null };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { what, result: null, problem: redactText(describeError(error)) };
  }
}

function replayRecorded(line: ReplayLine, recorded: Recorded, folder: string): Promise<Replayed> {
  return "block" in recorded ? replayRecordedBlock(line, recorded, folder) : replayTransaction(line, recorded);
}

async function replayTransaction(line: ReplayLine, { chain, transaction }: RecordedTransactionFile): Promise<Replayed> {
  const { txid, raw, parents } = transaction;
  const read = readRecordedTransaction(chain, {
    txid,
    raw: Buffer.from(raw, "hex"),
    parents: new Map(Object.entries(parents).map(([id, bytes]) => [id, Buffer.from(bytes, "hex")])),
  });
  if (read === null) throw new ConfigError(`transactions of ${chain} cannot be read from their bytes`);
  return line.transaction(chain, { transaction: read, trust: RECORDED_TRUST }, AbortSignal.timeout(BLOCK_TIMEOUT_MS));
}

async function replayRecordedBlock(line: ReplayLine, recorded: RecordedBlock, folder: string): Promise<Replayed> {
  const node = await startRecordedNode(recorded);
  try {
    const chain = await chainWith(recorded.chain, { url: node.url, folder });
    return await withPool(chain, (adapter) =>
      line.block(chain, { adapter, number: recorded.block.number }, AbortSignal.timeout(BLOCK_TIMEOUT_MS)),
    );
  } finally {
    await node.stop();
  }
}

// The embedded store's own folder stays beside it.
const CHAIN_CONFIG = "recorded-chain.yaml";
// Where no node is asked.
const NO_NODE = "http://127.0.0.1:1";

/** A chain by the facts that ship with heistwatch, with one node on this machine. */
async function chainWith(id: ChainId, { url, folder }: { url: string; folder: string }): Promise<ChainConfig> {
  const name = [...findChainFiles(folder)].find(([, file]) => readChainFile(file).facts?.id === id)?.[0];
  if (name === undefined) throw new ConfigError(`no file in config/chains tells of ${id}`);
  const configPath = path.join(folder, CHAIN_CONFIG);
  await writeFile(configPath, JSON.stringify({ chains: { [name]: { nodes: [{ name: "recorded", http: url }] } } }));
  const [chain] = loadConfig({ configPath, env: {} }).chains;
  assert(chain !== undefined, "the one chain that was written");
  return chain;
}

/** Chains of what is recorded belong to it, whether the configuration follows them or not. */
async function withChainsOf(recorded: readonly Recorded[], config: Config, folder: string): Promise<Config> {
  const missing = [...new Set(recorded.map(({ chain }) => chain))].filter((id) =>
    config.chains.every((one) => one.id !== id),
  );
  const chains = await Promise.all(missing.map((id) => chainWith(id, { url: NO_NODE, folder })));
  return { ...config, chains: [...config.chains, ...chains] };
}

async function withPool<T>(
  chain: ChainConfig,
  use: (adapter: ReturnType<typeof createChainPool>) => Promise<T>,
): Promise<T> {
  const pool = createChainPool({ chain, log: SILENT_LOG, now: () => systemClock.now(), onLie: () => undefined });
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}

/** Block by block: several known transactions may stand in one. */
async function replayKnown(
  line: ReplayLine,
  { config, transactions }: { config: Config; transactions: readonly TheftTransaction[] },
): Promise<ReplayStep[]> {
  const steps: ReplayStep[] = [];
  for (const [chainId, ofChain] of Map.groupBy(transactions, ({ chain }) => chain)) {
    const chain = config.chains.find(({ id }) => id === chainId);
    if (chain === undefined) {
      steps.push(skipped(`${ofChain.length} transactions on ${chainId}`, "the chain is not in the configuration"));
      continue;
    }
    const placed = ofChain.filter(({ block }) => block !== null);
    if (placed.length < ofChain.length)
      steps.push(
        skipped(
          `${ofChain.length - placed.length} transactions on ${chain.name}`,
          "no source says in which block they are",
        ),
      );
    await withPool(chain, async (adapter) => {
      for (const [number, inBlock] of Map.groupBy(placed, ({ block }) => block ?? 0)) {
        const what = `block ${number} of ${chain.name}: ${inBlock.map(({ kind, tx }) => `${kind} ${tx}`).join(", ")}`;
        steps.push(
          await stepOf(what, () => line.block(chain, { adapter, number }, AbortSignal.timeout(BLOCK_TIMEOUT_MS))),
        );
      }
    });
  }
  return steps;
}

function skipped(what: string, problem: string): ReplayStep {
  return { what, result: null, problem };
}

function stepAsJson({ what, result, problem }: ReplayStep): object {
  if (result === null) return { what, problem };
  return {
    what,
    hits: result.hits.length,
    recordedOnly: result.hits.filter(({ recordedOnly }) => recordedOnly !== null).length,
    told: result.told.map(({ body, sinks }) => ({ sinks, body: JSON.parse(body) as unknown })),
  };
}

function tell(incident: string, steps: readonly ReplayStep[], askedNodes: boolean): void {
  print(`${incident}, as this configuration and these lists would tell it. Nothing was sent, nothing was kept.`);
  if (steps.length === 0) print("Nothing of it is recorded here.");
  for (const { what, result, problem } of steps) {
    print(`\n${paint("bold", what)}`);
    if (result === null) {
      print(`   not replayed: ${problem}`);
      continue;
    }
    const silent = result.hits.filter(({ recordedOnly }) => recordedOnly !== null);
    print(`   ${result.hits.length} hits, ${result.told.length} messages`);
    for (const { body, sinks } of result.told) {
      const { type, data } = JSON.parse(body) as {
        type: string;
        data: { severity: string; action: string; summary?: string };
      };
      print(
        `   ${type} ${paintSeverity(data.severity)} (action: ${data.action}) to ${sinks.join(", ")}: ${data.summary}`,
      );
    }
    for (const { recordedOnly, transfer } of silent)
      print(`   recorded only, ${recordedOnly?.rule}: ${transfer.txHash} ${transfer.key}: ${recordedOnly?.reason}`);
  }
  if (!askedNodes) print("\nWith --nodes: also its known transactions, out of their blocks on your own nodes.");
}
