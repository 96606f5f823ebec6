/**
 * Goal: whatever is added, removed, disputed or suppressed while the chain grows and forks, every transfer is told exactly
 * by what names it at the end: found live or by a scan of the past, retracted where nothing names it any more.
 * Method: people act by command line and HTTP while blocks are mined and replaced; the daemon and a worker are killed,
 * Redis is wiped, all at moments drawn from the seed. At the end the chain is read by plain JSON-RPC and compared with
 * the store and with what two receivers got.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ScanStatus } from "../../src/types/retro.ts";
import { waitFor } from "../support/wait-for.ts";
import { createRandom } from "./random.ts";
import { type Acting, type ActName, ACTS, entryIdOf, type Listed } from "./watch-chaos-acts.ts";
import { compareReceived, compareStore, readStored, readTruth } from "./watch-chaos-oracle.ts";
import { type ChaosWorld, cliAnswer, createChaosWorld, FINAL_BEHIND } from "./watch-chaos-world.ts";
import type { Backend } from "./world.ts";

export interface ChaosOptions {
  readonly backend: Backend;
  readonly seed: number;
  /** Adds, removals, disputes and what else people do. */
  readonly changes: number;
  readonly say?: (text: string) => void;
}

export interface ChaosReport {
  readonly backend: Backend;
  readonly seed: number;
  readonly changes: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly workerKills: number;
  readonly wipes: number;
  readonly forks: number;
  readonly blocks: number;
  readonly transfers: number;
  /** Transfers that something names at the end, those of them that a scan of the past found, and muted ones. */
  readonly named: number;
  readonly past: number;
  readonly muted: number;
  readonly retracted: number;
  readonly requests: number;
  readonly seconds: { readonly disturbed: number; readonly untilComplete: number };
  /** Empty: the run kept every promise. */
  readonly problems: readonly string[];
}

const WEIGHTS: Readonly<Record<ActName, number>> = {
  add: 22,
  remove: 9,
  dispute: 6,
  undo: 4,
  suppress: 2,
  switchOver: 3,
  hoursPass: 2,
  reject: 2,
  refused: 2,
};
// What kills the daemon itself, or counts on its first answer.
const UNDISTURBED: readonly ActName[] = ["hoursPass", "reject", "refused"];
const SETTLE_TRIES = 6;
const PROBLEMS_SHOWN = 25;

export async function chaosRun({ backend, seed, changes, say = () => undefined }: ChaosOptions): Promise<ChaosReport> {
  const random = createRandom(seed);
  const world = await createChaosWorld({ backend, random: random.fork() });
  try {
    const startedAt = performance.now();
    const acting = await gather(world, { random, say });
    const counts = { kills: 0, workerKills: 0, wipes: 0, forks: 0 };
    const done: Record<string, number> = {};
    await world.replaceWorker();
    await readPastOfListed(world);
    for (let made = 0; made < changes; ) {
      const name = pickAct(random);
      const did = await oneRound(acting, name, counts);
      if (did === null) continue;
      done[name] = (done[name] ?? 0) + 1;
      made += 1;
      say(
        `${Math.round((performance.now() - startedAt) / 1000)} s ${made}/${changes} at ${await world.chain.head()}: ${did}`,
      );
    }
    const disturbedAt = performance.now();
    const settled = await settle(acting);
    const problems = [...settled.problems];
    if (problems.length > 0) say(failureOf(world, problems, { backend, seed, changes }));
    return {
      backend,
      seed,
      changes: done,
      ...counts,
      ...settled.figures,
      seconds: {
        disturbed: Math.round((disturbedAt - startedAt) / 1_000),
        untilComplete: Math.round((performance.now() - disturbedAt) / 1_000),
      },
      problems,
    };
  } finally {
    await world.stop();
  }
}

async function gather(world: ChaosWorld, { random, say }: Pick<Acting, "random" | "say">): Promise<Acting> {
  const ann = await world.person("ann", "approver");
  const ben = await world.person("ben", "investigator");
  const fromFile = world.listed.map((address): Listed => {
    const id = entryIdOf("test-heist", address);
    return { id, address, state: "listed", addedBy: null, isAsAdded: false, wasDisputed: false, mutedAfter: 0 };
  });
  return {
    world,
    random,
    say,
    people: [world.owner, ann, ben],
    approvers: [world.owner, ann],
    book: new Map(fromFile.map((entry) => [entry.id, entry])),
  };
}

/** The file's entries are watched from the first block on; their past is read when somebody asks. */
async function readPastOfListed({ at, listed }: ChaosWorld): Promise<void> {
  const args = ["retro", "start", "--chain", "ethereum", "--from", "0", "--address", ...listed];
  await waitFor("the scan to be accepted", () => cliAnswer<object>(at, args), { timeoutMs: 60_000, intervalMs: 500 });
}

function pickAct(random: Acting["random"]): ActName {
  const all = Object.entries(WEIGHTS) as [ActName, number][];
  return random.pick(all.flatMap(([name, weight]) => Array.from({ length: weight }, () => name)));
}

/** One act while the chain moves and something dies. Null: there was nothing to act on. */
async function oneRound(
  acting: Acting,
  name: ActName,
  counts: { kills: number; workerKills: number; wipes: number; forks: number },
): Promise<string | null> {
  const { world, random } = acting;
  const [traffic, chance] = [random.fork(), random.fork()];
  const moving = moveChain(world, traffic, counts);
  const killing = UNDISTURBED.includes(name) ? Promise.resolve() : disturb(world, chance, counts);
  const [did] = await Promise.all([ACTS[name](acting), moving, killing]);
  return did;
}

async function moveChain({ chain }: ChaosWorld, random: Acting["random"], counts: { forks: number }): Promise<void> {
  await chain.grow(random.between(1, 4));
  if (random.chance(0.4)) {
    await chain.fork(random.between(1, 10));
    counts.forks += 1;
    await chain.grow(random.between(1, 3));
  }
}

async function disturb(
  world: ChaosWorld,
  random: Acting["random"],
  counts: { kills: number; workerKills: number; wipes: number },
): Promise<void> {
  const lot = random.next();
  await sleep(random.between(0, 2_500));
  if (lot < 0.2) {
    await world.daemon.kill9();
    world.daemon.start();
    await world.daemon.ready();
    counts.kills += 1;
  } else if (lot < 0.45) {
    if (await world.replaceWorker()) counts.workerKills += 1;
  } else if (lot < 0.65 && (await world.wipe())) counts.wipes += 1;
}

type Figures = Pick<ChaosReport, "blocks" | "transfers" | "named" | "past" | "muted" | "retracted" | "requests">;

/** Until store and receivers are as they should be, or nothing more comes. */
async function settle(acting: Acting): Promise<{ problems: readonly string[]; figures: Figures }> {
  const { world, say } = acting;
  const book = [...acting.book.values()];
  // All but the last blocks become final: what waits for that is read.
  await world.chain.anvil.mine(FINAL_BEHIND + 4);
  await world.chain.grow(4);
  const truth = await readTruth(world.chain, book);
  for (let tries = 1; ; tries += 1) {
    await untilQuiet(world, truth.head);
    const stored = await world.insideStore(({ db }) => readStored(db, book));
    const received = Object.entries(world.receivers).flatMap(([name, { requests }]) =>
      compareReceived(requests, truth, stored).map((problem) => `${name}: ${problem}`),
    );
    const holes = await holesOf(world);
    const problems = [...compareStore(stored, truth), ...received];
    if (holes !== 0) problems.push(`${holes} blocks count as not scanned`);
    if (problems.length === 0 || tries === SETTLE_TRIES) {
      const moved = [...truth.moved.values()];
      const figures = {
        blocks: truth.head + 1,
        transfers: moved.length,
        named: moved.filter(({ naming }) => naming.length > 0).length,
        past: stored.hits.filter(({ state, retro_scan: scan }) => state !== "removed" && scan !== null).length,
        muted: moved.filter(({ isMuted }) => isMuted).length,
        retracted: stored.hits.filter(({ state }) => state === "removed").length,
        requests: world.receivers.desk.requests.length,
      };
      return { problems, figures };
    }
    say(`${problems.length} problems left, waiting: ${problems[0]}`);
  }
}

/** Once the daemon leads again: looking into the store killed it. */
async function holesOf({ daemon }: ChaosWorld): Promise<number> {
  const look = async () => {
    const holes = await daemon.metric("heistwatch_chain_gap_blocks");
    return holes !== null && { holes };
  };
  return (await waitFor("the daemon to count its holes", look, { timeoutMs: 90_000, intervalMs: 500 })).holes;
}

/** At the head, every scan ended, nothing under way to the receivers. */
async function untilQuiet({ daemon, at, receivers }: ChaosWorld, head: number): Promise<void> {
  await waitFor(
    "the daemon to be at the head",
    async () => (await daemon.metric("heistwatch_chain_cursor_number")) === head,
    {
      timeoutMs: 60_000,
      intervalMs: 200,
    },
  );
  const isScanned = async () =>
    (await cliAnswer<ScanStatus[]>(at, ["retro", "list"])).every(({ state }) => state === "done");
  await waitFor("every scan to end", isScanned, { timeoutMs: 90_000, intervalMs: 500 });
  let [seen, quietFor] = [-1, 0];
  while (quietFor < 3) {
    await sleep(700);
    const now = receivers.desk.requests.length + receivers.siem.requests.length;
    const waiting = await daemon.metric("heistwatch_deliveries_pending").catch(() => null);
    quietFor = now === seen && (waiting === 0 || waiting === null) ? quietFor + 1 : 0;
    seen = now;
  }
}

function failureOf(
  { daemon }: ChaosWorld,
  problems: readonly string[],
  { backend, seed, changes }: ChaosOptions,
): string {
  return [
    `FAILED with ${problems.length} problems, the first ${PROBLEMS_SHOWN}:`,
    ...problems.slice(0, PROBLEMS_SHOWN).map((problem) => `  ${problem}`),
    `last words of the daemon:\n${daemon.lastWords(25)}`,
    `replay: npm run watch-chaos -- --backend ${backend} --seed ${seed} --changes ${changes}`,
  ].join("\n");
}

/** One line for the log of a test run. */
export function summaryOf(report: ChaosReport): string {
  const { problems, ...figures } = report;
  return `watch chaos: ${JSON.stringify(figures)}; ${problems.length} problems`;
}
