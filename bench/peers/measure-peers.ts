/**
 * All ERC-20 Transfers from or to watched addresses, by heistwatch and by each peer that is installed, one at a time, each
 * from a cold start in a process of its own, on the same blocks of the same replay node.
 *
 *     node bench/peers/measure-peers.ts [--watched 1000,100000,1000000] [--rounds 3]
 *
 * A peer is installed with `npm ci --ignore-scripts` in its folder.
 */
import { execFile } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import { type ReplayNode, startReplayNode } from "../replay/replay-node.ts";
import type { RpcLog } from "../replay/rpc-shapes.ts";
import { markdownTable, median } from "../table.ts";
import { watchedAddresses } from "../watched.ts";

/** The one line of JSON every runner prints last. */
interface PeerRun {
  readonly events: number;
  /** CPU until the first block is asked for: the program and its list. */
  readonly startCpuMs: number;
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly peakRssMb: number;
}

interface Peer {
  readonly title: string;
  readonly script: string;
  /** There when the peer is installed. */
  readonly needs?: string;
}

const HERE = import.meta.dirname;
const PEERS: readonly Peer[] = [
  { title: "heistwatch as it is", script: "ours.ts" },
  { title: "Subsquid evm-processor 1.27.3", script: "subsquid/run.mjs", needs: "subsquid/node_modules" },
];
const TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
// Peers keep their distance from the head: the last blocks of the chain are left out.
const HEAD_DISTANCE = 10;
const TIMEOUT_MS = 5 * 60_000;
const run = promisify(execFile);

interface Job {
  readonly node: ReplayNode;
  readonly first: number;
  readonly last: number;
  readonly listFile: string;
}

async function runPeer(peer: Peer, { node, first, last, listFile }: Job): Promise<PeerRun> {
  const script = path.join(HERE, peer.script);
  const { stdout } = await run(
    process.execPath,
    ["--max-old-space-size=8192", script, node.httpUrl, String(first), String(last), listFile],
    { cwd: path.dirname(script), timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 },
  );
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as PeerRun;
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

async function measureSize(node: ReplayNode, size: { watched: number; rounds: number }): Promise<string[][]> {
  const { used, unused } = watchedAddresses(node.chain, size.watched);
  const listFile = path.join(tmpdir(), `heistwatch-peers-${process.pid}.json`);
  writeFileSync(listFile, JSON.stringify([...used, ...unused]));
  const first = node.chain.blocks[0]?.number ?? 0;
  const job: Job = { node, first, last: (node.chain.blocks.at(-1)?.number ?? 0) - HEAD_DISTANCE, listFile };
  const truth = await countTruth(job, used);
  const installed = PEERS.filter(({ needs }) => needs === undefined || existsSync(path.join(HERE, needs)));
  const runs = new Map<Peer, PeerRun[]>(installed.map((peer) => [peer, []]));
  for (let round = 0; round < size.rounds; round += 1)
    for (const peer of installed) runs.get(peer)?.push(await runPeer(peer, job));
  rmSync(listFile);
  return installed.map((peer) =>
    rowOf(peer, { truth, size, blocks: job.last - first + 1, runs: runs.get(peer) ?? [] }),
  );
}

function rowOf(
  peer: Peer,
  of: { truth: number; size: { watched: number }; blocks: number; runs: readonly PeerRun[] },
): string[] {
  const value = (pick: (one: PeerRun) => number) => median(of.runs.map(pick));
  return [
    of.size.watched.toLocaleString("en"),
    peer.title,
    (value((one) => one.cpuMs) / 1000).toFixed(2),
    (value((one) => one.startCpuMs) / 1000).toFixed(2),
    value((one) => (one.cpuMs - one.startCpuMs) / of.blocks).toFixed(2),
    (value((one) => one.wallMs) / 1000).toFixed(2),
    value((one) => one.peakRssMb).toFixed(0),
    `${value((one) => one.events)} of ${of.truth}`,
  ];
}

const { values } = parseArgs({
  options: {
    watched: { type: "string", default: "1000,100000,1000000" },
    rounds: { type: "string", default: "3" },
  },
});
const node = await startReplayNode();
try {
  const rows: string[][] = [];
  for (const watched of values.watched.split(",").map(Number))
    rows.push(...(await measureSize(node, { watched, rounds: Number(values.rounds) })));
  console.log(
    markdownTable(
      ["watched", "peer", "CPU s", "of it start s", "CPU ms/block", "wall s", "peak RSS MB", "ERC-20 events"],
      rows,
    ),
  );
} finally {
  await node.stop();
}
