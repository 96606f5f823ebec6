/**
 * All ERC-20 Transfers from or to watched addresses, by heistwatch and by each peer that is installed, one at a time, each
 * from a cold start in processes of its own, on the same blocks of the same replay node. Linux only: it reads /proc.
 *
 *     node bench/peers/measure-peers.ts [--watched 1000,100000,1000000] [--blocks 400] [--rounds 3]
 *
 * A peer is installed with `npm install --ignore-scripts` in its folder.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import { DEFAULT_CHAIN } from "../replay/generate.ts";
import { type ReplayNode, startReplayNode } from "../replay/replay-node.ts";
import type { RpcLog } from "../replay/rpc-shapes.ts";
import { markdownTable, median } from "../table.ts";
import { watchedTexts, writeWatchedFile } from "../watched.ts";
import { type PeerRun, runPeer } from "./run-peer.ts";

interface Peer {
  readonly name: string;
  readonly runner: string;
  /** Run once before any measurement, with the node and the blocks. */
  readonly prepare?: string;
  /** Its folder and npm name; ours has none. */
  readonly installed?: { readonly folder: string; readonly npmName: string };
}

const HERE = import.meta.dirname;
const PEERS: readonly Peer[] = [
  { name: "heistwatch as it is", runner: "ours.ts" },
  { name: "heistwatch, logs only", runner: "ours-logs.ts" },
  {
    name: "Subsquid evm-processor",
    runner: "subsquid/run.mjs",
    installed: { folder: "subsquid", npmName: "@subsquid/evm-processor" },
  },
  { name: "Ponder", runner: "ponder/run.ts", installed: { folder: "ponder", npmName: "ponder" } },
  {
    name: "Envio",
    runner: "envio/run.ts",
    prepare: "envio/generate.ts",
    installed: { folder: "envio", npmName: "envio" },
  },
];
const TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
// Ponder takes the last 65 blocks for not final, whatever the node says, and would follow them one by one.
const HEAD_DISTANCE = 70;

interface Job {
  readonly node: ReplayNode;
  readonly first: number;
  readonly last: number;
}

/** Ponder also asks for the block before the first: the chain's own first block is left for that. */
function jobOn(node: ReplayNode): Job {
  const numbers = node.chain.blocks.map(({ number }) => number);
  return { node, first: (numbers[0] ?? 0) + 1, last: (numbers.at(-1) ?? 0) - HEAD_DISTANCE };
}

function argsOf({ node, first, last }: Job): string[] {
  return [node.httpUrl, String(first), String(last)];
}

/** With its version, or null when it is not installed. */
function titleOf({ name, installed }: Peer): string | null {
  if (installed === undefined) return name;
  const file = path.join(HERE, installed.folder, "node_modules", installed.npmName, "package.json");
  if (!existsSync(file)) return null;
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  return `${name} ${version.replace(/^v/, "")}`;
}

async function prepareInstalled(job: Job): Promise<Map<Peer, string>> {
  const titles = new Map<Peer, string>();
  for (const peer of PEERS) {
    const title = titleOf(peer);
    if (title === null) {
      console.log(
        `${peer.name} is left out: (cd bench/peers/${peer.installed?.folder} && npm install --ignore-scripts)`,
      );
      continue;
    }
    titles.set(peer, title);
    if (peer.prepare !== undefined)
      await promisify(execFile)(process.execPath, [path.join(HERE, peer.prepare), ...argsOf(job)]);
  }
  return titles;
}

/** By reading every log here: what each runner must find. */
async function countTruth({ node, first, last }: Job, watched: readonly string[]): Promise<number> {
  const list = new Set(watched);
  const isWatched = (topic: string | undefined) => list.has(`0x${topic?.slice(26) ?? ""}`);
  let events = 0;
  for (let number = first; number <= last; number += 1) {
    const block = `0x${number.toString(16)}`;
    const logs = (await node.rpc("eth_getLogs", [{ fromBlock: block, toBlock: block }])) as RpcLog[];
    for (const { topics, data } of logs) {
      const isErc20 = topics[0] === TRANSFER_TOPIC && topics.length === 3 && data.length === 66;
      if (isErc20 && (isWatched(topics[1]) || isWatched(topics[2]))) events += 1;
    }
  }
  return events;
}

interface Size {
  readonly watched: number;
  readonly rounds: number;
}

async function measureSize(job: Job, titles: ReadonlyMap<Peer, string>, size: Size): Promise<string[][]> {
  const addresses = watchedTexts(job.node.chain, size.watched);
  const listFile = path.join(tmpdir(), `heistwatch-peers-${process.pid}.json`);
  writeFileSync(listFile, JSON.stringify(addresses));
  writeWatchedFile(`${listFile}.entries`, job.node.chain, size.watched);
  const of = { truth: await countTruth(job, addresses), blocks: job.last - job.first + 1 };
  const runs = new Map<Peer, PeerRun[]>([...titles.keys()].map((peer) => [peer, []]));
  for (let round = 0; round < size.rounds; round += 1)
    for (const [peer, done] of runs) {
      const one = await runOrTell(peer, [...argsOf(job), listFile]);
      if (one === null) runs.delete(peer);
      else done.push(one);
    }
  rmSync(listFile);
  rmSync(`${listFile}.entries`);
  return [...titles].map(([peer, title]) => {
    const done = runs.get(peer);
    return [size.watched.toLocaleString("en"), title, ...(done === undefined ? FAILED_CELLS : cellsOf(done, of))];
  });
}

/** Null when it fails: it is then not tried again at this size. */
async function runOrTell(peer: Peer, args: readonly string[]): Promise<PeerRun | null> {
  try {
    return await runPeer(path.join(HERE, peer.runner), args);
  } catch (error) {
    console.log(`${peer.name} failed: ${String(error)}`);
    return null;
  }
}

function cellsOf(runs: readonly PeerRun[], { truth, blocks }: { truth: number; blocks: number }): string[] {
  const value = (pick: (one: PeerRun) => number) => median(runs.map(pick));
  return [
    (value((one) => one.cpuMs) / 1000).toFixed(2),
    (value((one) => one.startCpuMs) / 1000).toFixed(2),
    value((one) => (one.cpuMs - one.startCpuMs) / blocks).toFixed(2),
    (value((one) => one.wallMs) / 1000).toFixed(2),
    value((one) => one.peakRssMb).toFixed(0),
    `${value((one) => one.events)} of ${truth}`,
  ];
}

const HEAD = ["watched", "peer", "CPU s", "of it start s", "CPU ms/block", "wall s", "peak RSS MB", "ERC-20 events"];
const FAILED_CELLS = ["failed", ...HEAD.slice(3).map(() => "")];
const { values } = parseArgs({
  options: {
    watched: { type: "string", default: "1000,100000,1000000" },
    blocks: { type: "string", default: String(DEFAULT_CHAIN.blocks) },
    rounds: { type: "string", default: "3" },
  },
});
const node = await startReplayNode({ chain: { ...DEFAULT_CHAIN, blocks: Number(values.blocks) } });
try {
  const job = jobOn(node);
  const titles = await prepareInstalled(job);
  const rows: string[][] = [];
  for (const watched of values.watched.split(",").map(Number))
    rows.push(...(await measureSize(job, titles, { watched, rounds: Number(values.rounds) })));
  console.log(`Blocks ${job.first} to ${job.last}, Node ${process.versions.node}.`);
  console.log(markdownTable(HEAD, rows));
} finally {
  await node.stop();
}
