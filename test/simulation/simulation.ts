/** One history from one seed: a chain, one or two daemons, and everything that can go wrong; then quiet, then the verdict. */
import type { Watchlist } from "../../src/types/watch.ts";
import { type Editions, watchStore } from "./auditor.ts";
import type { Bug } from "./bug.ts";
import { createHistoryLog, type SimDaemon, startDaemon } from "./daemon.ts";
import { createGate } from "./gate.ts";
import { createHistory, type History } from "./history.ts";
import { createMemoryStore, type CoreStore, type MemoryStore } from "./memory-store.ts";
import { BLOCK_TIME_MS, createNode } from "./node.ts";
import { CHAIN, createSimulatedWatchlist, type ListEdition } from "./people.ts";
import { createSimQueue, type SimQueue } from "./queue.ts";
import { createRandom, type Random } from "./random.ts";
import { createReceivers, type Receivers } from "./receiver.ts";
import { findWrongs } from "./verdict.ts";
import { createVirtualTime, type VirtualTime } from "./virtual-time.ts";
import { drawWeather, type Weather } from "./weather.ts";
import { createWorld, type World } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly bug?: Bug;
  readonly keepLines?: boolean;
  /** Instead of what the seed would draw. */
  readonly weather?: Partial<Weather>;
}

export interface SimulationResult {
  readonly seed: number;
  /** Empty: everything held. */
  readonly violations: readonly string[];
  /** Of the whole history: two runs of one seed give the same. */
  readonly digest: string;
  readonly figures: Figures;
  readonly lines: readonly string[];
}

/** What a run went through, so that a suite can see that it tested what it says. */
export interface Figures {
  readonly steps: number;
  readonly reorgs: number;
  readonly alerts: number;
  readonly retracted: number;
  readonly messages: number;
  readonly receipts: number;
  readonly deliveries: number;
  /** Writes of former leaders that the store refused. */
  readonly fencedWrites: number;
  /** Where daemons died: `before chains.commitBlocks` and the like. */
  readonly crashes: readonly string[];
}

const START_MS = Date.UTC(2026, 10, 22);
const NO_BUG: Bug = { name: "none", shows: /^$/ };
// All retries of the scaled schedule that can still be waiting fit in.
const QUIET_MAX_MS = 15 * 60_000;
// The supervisor's patience with a daemon that does not stop.
const STOP_MAX_MS = 25_000;
const PREMINED = 10;
const SINKS = ["siem", "desk"];
// Made once: an edition is the same for every seed.
const LISTS: Readonly<Record<ListEdition, Watchlist>> = {
  first: createSimulatedWatchlist("first"),
  second: createSimulatedWatchlist("second"),
};

/** Everything a run is made of. */
interface Run {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly weather: Weather;
  readonly bug: Bug;
  readonly history: History;
  readonly world: World;
  readonly store: MemoryStore;
  readonly watched: CoreStore;
  readonly queue: SimQueue;
  readonly receivers: Receivers;
  readonly sinks: readonly string[];
  readonly editions: Editions;
  readonly onViolation: (text: string) => void;
  readonly isQuiet: () => boolean;
  readonly daemons: Map<number, SimDaemon>;
  /** Every process there ever was. */
  readonly processes: SimDaemon[];
  /** Daemons that were given the second edition of the list. */
  readonly listChanged: Set<number>;
  readonly crashes: string[];
  starts: number;
  fencedWrites: number;
}

export async function simulate({
  seed,
  bug = NO_BUG,
  keepLines = false,
  weather: given = {},
}: SimulationOptions): Promise<SimulationResult> {
  const violations: string[] = [];
  const state = { quiet: false, over: false };
  const run = createRun({ seed, bug, keepLines, weather: given, violations, isQuiet: () => state.quiet });
  const { time, store, world, receivers, history, weather } = run;
  // Once time runs: a loop that sleeps before it has asked anything would else sleep in real time, and never be there.
  for (let index = 1; index <= weather.daemons; index += 1) time.after(0, () => start(run, index));
  void liveThrough(run, () => (state.quiet = true)).then(() => (state.over = true));
  await time.run({ done: () => state.over || violations.length > 0, end: START_MS + 24 * 3_600_000 });
  if (violations.length === 0) {
    const listVersion = LISTS[weather.listChangesAfter === null ? "first" : "second"].version;
    for (const text of findWrongs({ ...run, tables: store.tables, receipts: receivers.receipts, listVersion }))
      run.onViolation(text);
  }
  await letGo(run);
  for (const { webhookId, sink } of receivers.receipts) history.note(`${sink} has ${webhookId}`);
  const alerts = store.tables.alert.values();
  const figures: Figures = {
    steps: time.steps(),
    reorgs: world.abandoned().length,
    alerts: alerts.length,
    retracted: alerts.filter((alert) => alert.stage === "retracted").length,
    messages: store.tables.message.size,
    receipts: receivers.receipts.length,
    deliveries: store.tables.delivery.size,
    fencedWrites: run.fencedWrites,
    crashes: run.crashes,
  };
  return { seed, violations, digest: history.digest(), figures, lines: history.lines() };
}

/** Node holds on to a signal made of others for as long as somebody listens to it, and with it to the whole run. */
async function letGo({ processes, time }: Run): Promise<void> {
  for (const { gate, stop } of processes) {
    gate.kill();
    void stop();
  }
  await time.run({ done: () => true, end: 0 });
}

interface RunOptions extends Required<SimulationOptions> {
  readonly violations: string[];
  readonly isQuiet: () => boolean;
}

function createRun({ seed, bug, keepLines, weather: given, violations, isQuiet }: RunOptions): Run {
  const random = createRandom(`heistwatch-${seed}`);
  const weather = { ...drawWeather(random.fork("weather")), ...given };
  const time = createVirtualTime(START_MS);
  const history = createHistory(time.now, keepLines);
  const onViolation = (text: string) => {
    history.note(`VIOLATION ${text}`);
    violations.push(text);
  };
  const world = createWorld({ ...weather, random: random.fork("world"), now: time.now });
  for (let count = 0; count < PREMINED; count += 1) world.mine();
  const store = createMemoryStore(time.now);
  const queue = createSimQueue({ time, random: random.fork("queue"), history, weather, isQuiet, bug });
  const ofVersion = (version: string): ListEdition => (version === LISTS.first.version ? "first" : "second");
  const editions: Editions = { ofVersion, current: new Map(), ever: new Map() };
  const onFencedWrite = () => (run.fencedWrites += 1);
  const run: Run = {
    time,
    random,
    weather,
    bug,
    history,
    world,
    store,
    watched: watchStore({ store, world, acceptedJobs: queue.accepted, editions, onViolation, onFencedWrite }),
    queue,
    receivers: createReceivers({ time, random: random.fork("sinks"), weather, isQuiet }),
    sinks: SINKS.slice(0, weather.sinks),
    editions,
    onViolation,
    isQuiet,
    daemons: new Map(),
    processes: [],
    listChanged: new Set(),
    crashes: [],
    starts: 0,
    fencedWrites: 0,
  };
  return run;
}

function start(run: Run, index: number): void {
  const { time, history, weather, bug, isQuiet, world } = run;
  run.starts += 1;
  history.note(`d${index} starts`);
  const random = run.random.fork(`daemon-${run.starts}`);
  const gate = createGate({
    daemon: index,
    time,
    random: random.fork("gate"),
    history,
    weather,
    isQuiet,
    onCrash(at) {
      run.crashes.push(at);
      time.after(random.int(0, 20_000), () => start(run, index));
    },
  });
  const daemon = startDaemon({
    holder: `daemon-${index}`,
    gate,
    time,
    random: random.fork("jitter"),
    weather,
    watchlist: LISTS[run.listChanged.has(index) ? "second" : "first"],
    bug,
    tables: run.store.tables,
    store: run.watched,
    node: createNode({ world, random: random.fork("node"), weather, isQuiet }),
    queues: run.queue.connect(gate),
    sinks: run.sinks.map((name) => run.receivers.sinkOf(name)),
    clockAheadMs: index === 2 ? weather.clockAheadMs : 0,
    log: createHistoryLog((line) => history.note(`d${index} ${line}`), run.onViolation),
  });
  run.daemons.set(index, daemon);
  run.processes.push(daemon);
}

/** Stopped in good order, killed when that takes too long, started again. One that died meanwhile comes back by itself. */
async function restart(run: Run, index: number): Promise<void> {
  const daemon = run.daemons.get(index);
  if (daemon === undefined || !daemon.gate.isAlive()) return;
  run.history.note(`d${index} is told to stop`);
  await Promise.race([daemon.stop(), run.time.sleep(STOP_MAX_MS)]);
  if (!daemon.gate.isAlive()) return;
  daemon.gate.kill();
  run.time.after(500, () => start(run, index));
}

/** The bad times, then the quiet ones, until nothing is left to be done. */
async function liveThrough(run: Run, beQuiet: () => void): Promise<void> {
  const { time, store, world } = run;
  const troubles = [troubleQueue(run), troubleDaemons(run)];
  await grow(run);
  run.history.note("quiet");
  beQuiet();
  await Promise.all(troubles);
  run.queue.setAway(false);
  // Above everything any daemon has seen: a longer branch that lost would be waited out for ever.
  const highest = Math.max(...[...world.blocks()].map((block) => block.number));
  while (world.tip().number < highest + 2) world.mine();
  for (const end = time.now() + QUIET_MAX_MS; time.now() < end; ) {
    await store.deliveries.redrive({ now: time.now(), queuedSinks: SINKS });
    if (isSettled(run)) return;
    await time.sleep(2_000);
  }
}

async function grow({ time, random: all, weather, world, history }: Run): Promise<void> {
  const random = all.fork("growth");
  for (let count = 0; count < weather.blocks; count += 1) {
    await time.sleep(random.int(BLOCK_TIME_MS / 2, BLOCK_TIME_MS * 2));
    if (random.chance(weather.reorgChance)) {
      const depth = world.reorg(random.int(1, weather.reorgDepthMax));
      history.note(`chain reorg of ${depth} to ${world.tip().number} ${world.tip().hash}`);
    } else {
      world.mine();
      history.note(`chain block ${world.tip().number} ${world.tip().hash}`);
    }
  }
}

async function troubleDaemons(run: Run): Promise<void> {
  const { time, weather, daemons, listChanged } = run;
  const random = run.random.fork("daemon-trouble");
  const restarts: Promise<void>[] = [];
  for (let block = 0; block < weather.blocks; block += 1) {
    await time.sleep(BLOCK_TIME_MS);
    if (block === weather.listChangesAfter) {
      for (const index of daemons.keys()) {
        listChanged.add(index);
        restarts.push(time.sleep(random.int(0, 10_000)).then(() => restart(run, index)));
      }
    } else if (random.chance(weather.restart)) {
      restarts.push(restart(run, random.int(1, weather.daemons)));
    }
  }
  await Promise.all(restarts);
}

async function troubleQueue({ time, weather, queue, history, random: all, isQuiet }: Run): Promise<void> {
  const random = all.fork("queue-trouble");
  while (!isQuiet()) {
    await time.sleep(1_000);
    if (random.chance(0.1)) queue.remember();
    if (!weather.hasMarker || isQuiet()) continue;
    if (random.chance(weather.queueWiped)) {
      history.note("queue wiped");
      queue.wipe();
    }
    if (random.chance(weather.queueRewound)) {
      history.note("queue set back");
      queue.rewind();
    }
    if (random.chance(weather.queueAway)) {
      const forMs = random.int(1_000, 40_000);
      history.note(`queue away for ${forMs} ms`);
      queue.setAway(true);
      await time.sleep(forMs);
      queue.setAway(false);
    }
  }
}

function isSettled({ store: { tables }, world, weather }: Run): boolean {
  const lease = tables.lease.get(CHAIN);
  const final = world.finalizedNumber();
  const { version } = LISTS[weather.listChangesAfter === null ? "first" : "second"];
  const window = tables.window(CHAIN);
  return (
    window.at(-1)?.hash === world.tip().hash &&
    lease?.finalizedNumber === final &&
    window.every((block) => !block.scanned || block.number <= final || block.listVersion === version) &&
    tables.outbox.size === 0 &&
    tables.event.values().every((event) => event.applied) &&
    tables.delivery.values().every((delivery) => delivery.state === "delivered")
  );
}
