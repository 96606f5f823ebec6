/**
 * Goal: no history of forks, lagging nodes, crashes, lost jobs and failing receivers, alone or together, makes the core
 * miss an alert, tell a wrong one, tell one twice under two ids, or keep one to itself.
 *
 * Method: the real head loop, follower, matcher, fold, relay, workers, lease handling and direct path run in virtual
 * time (virtual-time.ts) over fakes that misbehave by the seed: a chain that forks (world.ts) behind nodes that lag and
 * change their mind (node.ts), a store (memory-store.ts, held to the real one's promises by test/conformance/store.ts),
 * a queue that loses, doubles and forgets (queue.ts), receivers that fail and lie (receiver.ts). Daemons die before or
 * after any call they make, are stopped in the middle and wake up as former leaders (gate.ts), restart in good order,
 * and get another list. What must hold at every write is checked there (auditor.ts); when all has become quiet, store
 * and receivers are compared with an oracle that shares no code with the daemon (oracle.ts, verdict.ts).
 *
 * HEISTWATCH_SIM_SEEDS=20000 runs more seeds; HEISTWATCH_SIM_SEED=123 replays one and prints what happened in it.
 */
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import { simulate, type SimulationResult } from "./simulation.ts";
import { CALM } from "./weather.ts";

const SEEDS = Number(process.env["HEISTWATCH_SIM_SEEDS"] ?? 2_000);
const ONLY = process.env["HEISTWATCH_SIM_SEED"];
const BATCH = 250;
// 30 to 60 ms a seed on a free core; a hundred times that on none.
const TIMEOUT_MS = 600_000;
// A seed is a kilobyte or two; one that fails brings its violations.
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
// Fewer histories than this need not contain everything.
const ENOUGH = 1_000;

const WRITES = [
  "leases.acquire",
  "leases.renew",
  "leases.release",
  "chains.begin",
  "chains.commitBlocks",
  "chains.commitReorg",
  "chains.commitFinalized",
  "chains.commitRematch",
  "alerts.foldAlert",
  "deliveries.record",
  "outbox.claim",
  "outbox.relayed",
  "outbox.unclaim",
  "queue.add",
  "marker.advance",
  "marker.create",
  "sink.send",
];

/** Throws with all a person needs to see it again. */
function expectAllHeld({ seed, violations, lines }: SimulationResult): void {
  if (violations.length === 0) return;
  const history = lines.length === 0 ? [] : ["", "The end of the history (seconds, who, what):", ...lines.slice(-150)];
  throw new Error(
    [
      `seed ${seed}:`,
      ...violations.slice(0, 10).map((text) => `  ${text}`),
      `Replay it: HEISTWATCH_SIM_SEED=${seed} npm run jest -- test/simulation/simulation`,
      ...history,
    ].join("\n"),
  );
}

async function runSeeds(first: number, last: number): Promise<SimulationResult[]> {
  const program = path.join(import.meta.dirname, "run-seeds.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [program, String(first), String(last)], {
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as SimulationResult);
}

describe("the core in a simulated world", () => {
  if (ONLY !== undefined) {
    test(`seed ${ONLY} keeps every promise`, async () => {
      const result = await simulate({ seed: Number(ONLY), keepLines: true });
      expectAllHeld(result);
      process.stdout.write(`${result.lines.join("\n")}\n${JSON.stringify(result.figures, null, 2)}\n`);
    });
    return;
  }

  const crashes = new Set<string>();
  const sums = { seeds: 0, reorgs: 0, retracted: 0, alerts: 0, fencedWrites: 0, repeats: 0 };

  for (let first = 1; first <= SEEDS; first += BATCH) {
    const last = Math.min(SEEDS, first + BATCH - 1);
    test(
      `seeds ${first} to ${last} keep every promise`,
      async () => {
        const results = await runSeeds(first, last);
        expect(results.map(({ seed }) => seed)).toEqual(
          Array.from({ length: last - first + 1 }, (_, at) => first + at),
        );
        for (const result of results) {
          expectAllHeld(result);
          const { figures } = result;
          for (const at of figures.crashes) crashes.add(at);
          sums.seeds += 1;
          sums.reorgs += figures.reorgs;
          sums.retracted += figures.retracted;
          sums.alerts += figures.alerts;
          sums.fencedWrites += figures.fencedWrites;
          sums.repeats += figures.receipts - figures.deliveries;
        }
      },
      TIMEOUT_MS,
    );
  }

  test("the histories contain what they are meant to survive", () => {
    if (sums.seeds < ENOUGH) return;
    const crashPoints = WRITES.flatMap((name) => [`before ${name}`, `after ${name}`]);
    expect(crashPoints.filter((at) => !crashes.has(at))).toEqual([]);
    expect(sums.reorgs).toBeGreaterThan(sums.seeds);
    expect(sums.retracted).toBeGreaterThan(sums.seeds);
    expect(sums.alerts).toBeGreaterThan(10 * sums.seeds);
    expect(sums.fencedWrites).toBeGreaterThan(sums.seeds / 50);
    expect(sums.repeats).toBeGreaterThan(sums.seeds);
  });

  // The sweep hides lost work so well that nothing else here would notice: in such weather it must find none.
  test.each([
    ["in calm weather", {}],
    ["when receivers fail", { sinkFails: 0.4 }],
    ["when the queue is wiped and its marker with it", { hasMarker: true, queueWiped: 0.1 }],
  ])(
    "%s nothing waits until the sweep finds it",
    async (_when, weather) => {
      for (let seed = 1; seed <= 40; seed += 1) {
        const result = await simulate({ seed, weather: { ...CALM, ...weather }, keepLines: true });
        expectAllHeld(result);
        expect(result.lines.filter((line) => line.includes("work that was due but not done"))).toEqual([]);
      }
    },
    TIMEOUT_MS,
  );

  test("a seed is one history: two runs are the same to the last line", async () => {
    for (const seed of [1, 7, 77, 777]) {
      const [once, again] = [await simulate({ seed, keepLines: true }), await simulate({ seed, keepLines: true })];
      expect(again.lines).toEqual(once.lines);
      expect(again.digest).toBe(once.digest);
      expect((await simulate({ seed: seed + 1 })).digest).not.toBe(once.digest);
    }
  });
});
