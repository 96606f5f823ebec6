/**
 * Goal: whatever dies whenever, every alert arrives, none under two ids, none with wrong facts, and each repeat is the
 * same message again.
 * Method: real node, real daemons as processes, real receiver with the official library, real Redis and Postgres.
 * Matching transfers are mined in rounds; in each round something goes wrong at a moment drawn from the seed. At the
 * end everything received is compared with the chain, read by itself from the node.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { describeError } from "../../src/lib/errors.ts";
import type { Answer } from "../support/receiver.ts";
import { DISTURB, type DisturbanceName } from "./disturbances.ts";
import { compareWithChain, type Ledger, readLedger, type Truth } from "./ledger.ts";
import { createRandom } from "./random.ts";
import { type Backend, type ChainName, createWorld, type Finality, type World } from "./world.ts";

export interface CrashRunOptions {
  readonly backend: Backend;
  readonly seed: number;
  /** Matching transfers in all, spread over the rounds. */
  readonly transfers: number;
  /** How often each disturbance happens; their order is drawn from the seed. */
  readonly plan: Partial<Record<DisturbanceName, number>>;
  readonly chain?: ChainName;
  readonly daemons?: 1 | 2;
  readonly finality?: Finality;
  readonly freezeMs?: number;
  readonly say?: (text: string) => void;
}

export interface CrashReport {
  readonly chain: ChainName;
  readonly backend: Backend;
  readonly seed: number;
  readonly transfers: number;
  /** (transaction, party) pairs the chain holds. */
  readonly expected: number;
  readonly alerts: number;
  readonly messages: number;
  readonly requests: number;
  readonly repeats: number;
  readonly disturbances: Readonly<Record<string, number>>;
  readonly starts: number;
  /** From the start of a process to its lead, where it led. */
  readonly leadAfterMs: { readonly median: number; readonly max: number };
  readonly seconds: { readonly disturbed: number; readonly untilComplete: number };
  /** Writes of the line and terms of office by daemon; null on the embedded backend. */
  readonly fencing: { readonly writes: Record<string, number>; readonly terms: Record<string, number> } | null;
  /** Empty: the run kept every promise. */
  readonly problems: readonly string[];
}

// Nothing new for that long means that nothing will come; the longest honest wait is a sweep (30 s) after a lock (15 s).
const SILENCE_MS = 90_000;
const PROBLEMS_SHOWN = 20;

export async function crashRun(options: CrashRunOptions): Promise<CrashReport> {
  const random = createRandom(options.seed);
  const say = options.say ?? (() => undefined);
  const rounds = random.shuffle(roundsOf(options.plan));
  const { backend, chain = "ethereum", daemons = 1, finality = "soon" } = options;
  const world = await createWorld({ backend, chain, daemons, finality, random });
  world.receiver.answerWith(troubledReceiver);
  try {
    const startedAt = performance.now();
    const failures = await playRounds(world, rounds, { ...options, say });
    const disturbedAt = performance.now();
    const { ledger, truth, differences } = await settle(world, say);
    const completeAt = performance.now();
    const problems = [...failures, ...ledger.problems, ...differences, ...(await aftermath(world))];
    const report: CrashReport = {
      chain,
      backend,
      seed: options.seed,
      transfers: world.chain.sent(),
      expected: truth.expected.size,
      alerts: ledger.alerts.size,
      messages: ledger.messages,
      requests: ledger.requests,
      repeats: ledger.repeats,
      disturbances: options.plan,
      ...startsOf(world),
      seconds: { disturbed: inSeconds(disturbedAt - startedAt), untilComplete: inSeconds(completeAt - disturbedAt) },
      fencing: world.servers === null ? null : await world.servers.audit.figures(),
      problems,
    };
    if (problems.length > 0) say(describeFailure(world, report, options));
    return report;
  } finally {
    await world.stop();
  }
}

function roundsOf(plan: CrashRunOptions["plan"]): DisturbanceName[] {
  return Object.entries(plan).flatMap(([name, times]) => Array.from({ length: times }, () => name as DisturbanceName));
}

function inSeconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

/** One message in forty is refused at first, another one is cut off after it was read: repeats are part of life. */
function troubledReceiver({ webhookId }: { webhookId: string }, nth: number): Answer {
  const lot = nth === 1 ? webhookId.charCodeAt(webhookId.length - 1) * 7 + webhookId.charCodeAt(10) : 0;
  if (lot % 40 === 1) return { status: 503 };
  return lot % 40 === 2 ? { hangUp: true } : { status: 204 };
}

/** Mines in the background while one thing after the other goes wrong. Returns what failed on the way. */
async function playRounds(
  world: World,
  rounds: readonly DisturbanceName[],
  { transfers, freezeMs, say }: CrashRunOptions & { say: (text: string) => void },
): Promise<string[]> {
  const failures: string[] = [];
  for (const [index, name] of rounds.entries()) {
    const share = Math.floor((transfers * (index + 1)) / rounds.length) - world.chain.sent();
    const random = world.random.fork();
    const failed = (what: string) => (error: unknown) => {
      failures.push(`${what}: ${describeError(error)}`);
    };
    const mining = world.chain.burst(Math.max(1, share)).catch(failed("mining"));
    await DISTURB[name]({ world, random, freezeMs: freezeMs ?? 15_000, say }).catch((error: unknown) => {
      failed(name)(error);
      for (const runner of world.runners) runner.wake();
    });
    await mining;
    say(`round ${index + 1}/${rounds.length}: ${name}, ${world.receiver.requests.length} requests so far`);
  }
  return failures;
}

interface Settled {
  readonly ledger: Ledger;
  readonly truth: Truth;
  readonly differences: readonly string[];
}

/** Waits until the receiver knows the truth, or until nothing more comes. */
async function settle(world: World, say: (text: string) => void): Promise<Settled> {
  const { chain, receiver, finalBehind } = world;
  // Enough that everything is final, where anything ever is.
  const head = await chain.mine(5);
  const truth = {
    expected: await chain.expected(head),
    finalNumber: head - finalBehind,
  };
  let seen = receiver.requests.length;
  let seenAt = performance.now();
  for (;;) {
    await sleep(1_000);
    const drained = await isDrained(world);
    const quiet = receiver.requests.length === seen;
    if (!quiet) seenAt = performance.now();
    seen = receiver.requests.length;
    const silent = performance.now() - seenAt > SILENCE_MS;
    if (!silent && !(drained && quiet)) continue;
    const ledger = readLedger(receiver.requests, chain.keysOf);
    const differences = compareWithChain(ledger, truth);
    if (differences.length === 0 || silent) return { ledger, truth, differences };
    say(`${differences.length} differences left, waiting`);
    await sleep(3_000);
  }
}

async function isDrained({ runners }: World): Promise<boolean> {
  for (const runner of runners) {
    const pending = await runner.metric("heistwatch_deliveries_pending", 'sink="ops"').catch(() => Number.NaN);
    if (pending !== null && pending !== 0) return false;
  }
  return true;
}

/** What the daemons and the store say about themselves when all is over. */
async function aftermath({ runners, servers }: World): Promise<string[]> {
  const problems: string[] = [];
  for (const runner of runners) {
    for (const metric of ["heistwatch_chain_gap_blocks", "heistwatch_delivery_dead_letters"]) {
      const value = await runner.metric(metric).catch(() => null);
      if (value !== null && value !== 0) problems.push(`${runner.name}: ${metric} is ${value}`);
    }
    const code = await runner.stop();
    if (code !== 0) problems.push(`${runner.name}: a graceful stop ended with exit code ${code}`);
    problems.push(...runner.surprises);
    const standby = runner.log().filter(({ msg }) => msg.includes("another daemon leads this chain"));
    if (runners.length === 1 && standby.length > 0)
      problems.push(`${runner.name} waited for its own lease to run out, ${standby.length} times`);
  }
  if (servers !== null) problems.push(...(await servers.audit.strayWrites()));
  return problems;
}

function startsOf({ runners }: World): Pick<CrashReport, "starts" | "leadAfterMs"> {
  const waits = runners.flatMap((runner) => runner.leadAfterMs()).toSorted((a, b) => a - b);
  return {
    starts: runners.reduce((sum, runner) => sum + runner.starts.length, 0),
    leadAfterMs: { median: waits[Math.floor(waits.length / 2)] ?? 0, max: waits.at(-1) ?? 0 },
  };
}

function describeFailure(
  { runners }: World,
  report: CrashReport,
  { plan, daemons, finality }: CrashRunOptions,
): string {
  const times = Object.entries(plan).map(([name, count]) => `${name}=${count}`);
  const { problems } = report;
  return [
    `FAILED with ${problems.length} problems, the first ${PROBLEMS_SHOWN}:`,
    ...problems.slice(0, PROBLEMS_SHOWN).map((problem) => `  ${problem}`),
    ...runners.map((runner) => `last words of ${runner.name}:\n${runner.lastWords(40)}`),
    `replay: npm run crash-test -- --chain ${report.chain} --backend ${report.backend} --seed ${report.seed} --transfers ${report.transfers} --daemons ${daemons ?? 1} --finality ${finality ?? "soon"} --plan ${times.join(",")}`,
  ].join("\n");
}

/** One line for the log of a test run. */
export function summaryOf(report: CrashReport): string {
  const {
    chain,
    backend,
    seed,
    transfers,
    alerts,
    messages,
    requests,
    repeats,
    disturbances,
    starts,
    seconds,
    problems,
  } = report;
  const what = Object.entries(disturbances).map(([name, times]) => `${name} ${times}`);
  return [
    `crash run of ${chain} on ${backend}, seed ${seed}: ${what.join(", ")}`,
    `${transfers} transfers, ${alerts} alerts, ${messages} messages, ${requests} requests, ${repeats} repeats`,
    `${starts} starts, leading after ${report.leadAfterMs.median} ms (median)`,
    `${seconds.disturbed} s disturbed, ${seconds.untilComplete} s until complete, ${problems.length} problems`,
  ].join("; ");
}
