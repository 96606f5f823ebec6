/**
 * What following costs: an incident with 100,000 positions, blocks that touch none, few and many of them; memory for each
 * position; opening an incident of 5,000 edges and recomputing it.
 *
 *     node --expose-gc bench/flow.ts [--positions 100000] [--edges 5000] [--rounds 50]
 */
import { parseArgs } from "node:util";
import { digestOfLedger } from "../src/flow/codec.ts";
import { createEngine, type FlowEngine, restoreEngine } from "../src/flow/engine.ts";
import { pathOf } from "../src/flow/path.ts";
import { recompute } from "../src/flow/recompute.ts";
import type { AccountBlock, AccountTransaction } from "../src/types/flow-block.ts";
import type { FlowIncident } from "../src/types/flow.ts";
import { markdownTable } from "./table.ts";

const CHAIN = "eip155:1";
const ETH = `${CHAIN}/slip44:60`;
const THIEF = addressOf(0);
/** As many as one may pay before it counts as a service. */
const FANOUT = 1_000;
/** Of a busy Ethereum block. */
const TRANSACTIONS = 200;
const LEGS = 3;

const { values } = parseArgs({
  options: {
    positions: { type: "string", default: "100000" },
    edges: { type: "string", default: "5000" },
    rounds: { type: "string", default: "50" },
  },
});
const rounds = Number(values.rounds);

const INCIDENT: FlowIncident = {
  id: "bench",
  origins: [{ kind: "leg", chain: CHAIN, tx: "theft", leg: "0" }],
  rules: {
    method: "haircut",
    minTrack: { "*": 1n },
    minShareBps: 0,
    maxHops: 10_000,
    maxSteps: 10_000,
    maxFanout: FANOUT,
    positionsMax: 200_000,
  },
  names: { labelOf: () => null, isOwn: (_chain, address) => address === OURS, isFollowed: () => true },
};
const OURS = addressOf(10_000_000);

function addressOf(n: number): string {
  return `0x${n.toString(16).padStart(40, "0")}`;
}

function blockOf(number: number, transactions: readonly AccountTransaction[]): AccountBlock {
  const head = { chain: CHAIN, number, hash: `#${number}`, parentHash: `#${number - 1}`, timestamp: number * 12 };
  return { ...head, kind: "account", transactions, anchors: [], contracts: new Set() };
}

function txOf(
  index: number,
  hash: string,
  pays: readonly (readonly [from: string, to: string, amount: bigint])[],
): AccountTransaction {
  const legs = pays.map(([from, to, amount], key) => ({ key: String(key), asset: ETH, from, to, amount }));
  return { hash, index, from: pays[0]?.[0] ?? "", ok: true, fee: null, legs, bridge: [] };
}

const theft = blockOf(1, [txOf(0, "theft", [["victim", THIEF, 10n ** 24n]])]);

/** Splits the theft over so many holders: the thief pays 500, each of these 500 more. */
function* splits(count: number): Generator<AccountBlock> {
  for (let made = 0, payer = 0; made < count; payer += 1) {
    const here = Math.min(FANOUT / 2, count - made);
    const amount = payer === 0 ? 10n ** 21n : 10n ** 18n;
    const first = made + 1;
    const txs = Array.from({ length: here }, (_none, n) =>
      txOf(n, `s${first + n}`, [[addressOf(payer), addressOf(first + n), amount]]),
    );
    made += here;
    yield blockOf(payer + 2, txs);
  }
}

/** A block in which so many of its transactions are paid by holders, the rest by strangers. */
function trafficOf(number: number, touching: number, positions: number): AccountBlock {
  const stranger = (n: number) => addressOf(20_000_000 + ((number * 7_919 + n * 104_729) % 5_000_000));
  const txs = Array.from({ length: TRANSACTIONS }, (_none, index) => {
    const pays = Array.from(
      { length: LEGS },
      (_leg, leg) => [stranger(index * LEGS + leg), stranger(index + leg + 1), 5n] as const,
    );
    const holder = addressOf(1 + ((number * 31 + index * 997) % (positions - 1)));
    return txOf(
      index,
      `t${number}-${index}`,
      index < touching ? [[holder, stranger(index), 1n], ...pays.slice(1)] : pays,
    );
  });
  return blockOf(number, txs);
}

function heapMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function sized(positions: number): { engine: FlowEngine; mb: number; ms: number; height: number } {
  const before = heapMb();
  const engine = createEngine(INCIDENT);
  engine.apply(theft);
  let height = 1;
  const ms = cpuMs(() => {
    for (const block of splits(positions)) {
      engine.apply(block);
      height = block.number;
      // As final: what stays is the ledger.
      engine.forget(CHAIN, height);
    }
  });
  return { engine, mb: heapMb() - before, ms, height };
}

const count = Number(values.positions);
const { engine, mb, ms, height } = sized(count);
const { positions, edges, receivers } = engine.ledger.rows;
console.log(
  markdownTable(
    ["positions", "edges", "pairs counted", "heap MB", "bytes a position", "build, CPU ms"],
    [
      [
        positions.size,
        edges.size,
        receivers.size,
        mb.toFixed(0),
        ((mb * 2 ** 20) / positions.size).toFixed(0),
        ms.toFixed(0),
      ].map(String),
    ],
  ),
);

let number = height;
const rows = [0, 1, 20, TRANSACTIONS].map((touching) => {
  const blocks = Array.from({ length: rounds }, () => trafficOf((number += 1), touching, count));
  let changes = 0;
  const applied = cpuMs(() => {
    for (const block of blocks) changes += engine.apply(block).changes.length;
  });
  const undone = cpuMs(() => {
    engine.orphan(CHAIN, number - rounds);
  });
  number -= rounds;
  return [
    String(touching),
    String(TRANSACTIONS * LEGS),
    (applied / rounds).toFixed(2),
    (undone / rounds).toFixed(2),
    (changes / rounds).toFixed(1),
  ];
});
console.log(
  markdownTable(["transactions that touch", "legs", "CPU ms a block", "undo, CPU ms a block", "rows changed"], rows),
);

const all = [theft, ...splits(Number(values.edges))];
let shadow = createEngine(INCIDENT);
const recomputed = cpuMs(() => {
  shadow = recompute(INCIDENT, all);
});
shadow.apply(blockOf(all.length + 1, [txOf(0, "hit", [[addressOf(Number(values.edges) - 1), OURS, 1n]])]));
const [hit] = [...shadow.ledger.rows.hits.values()];
const path = cpuMs(() => hit !== undefined && pathOf(shadow.ledger, hit));
let text = "";
const saved = cpuMs(() => {
  text = shadow.snapshot();
});
const restored = cpuMs(() => void restoreEngine(INCIDENT, text));
const digested = cpuMs(() => void digestOfLedger(shadow.ledger));
console.log(
  markdownTable(
    ["edges", "recompute, CPU ms", "path of a hit", "snapshot", "restore", "digest"],
    [
      [
        String(shadow.ledger.rows.edges.size),
        ...[recomputed, path, saved, restored, digested].map((one) => one.toFixed(0)),
      ],
    ],
  ),
);
