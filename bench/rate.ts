/**
 * Hits a second from the block to the first POST, with everything durable: the real `heistwatch run`, Redis with
 * `appendfsync always`, Postgres with `fsync` and `synchronous_commit`.
 *
 *     npm run bench:rate -- [--rate 200] [--seconds 120] [--watched 1000000] [--search 300,400] [--concurrency 32]
 *
 * A block a second. Each hit is a listed token that goes from one of the watched addresses to one of our own, and an alert of
 * its own, told twice: created, and final eight blocks later. `--search`: further rates, 30 s each, until one is not held.
 * Counted: each hit stored, each alert told once. Ends with exit code 1 when one is missing or came twice.
 * `--profile FOLDER`: the daemon's CPU profile.
 */
import os from "node:os";
import { parseArgs } from "node:util";
import { HITS_PER_TRANSACTION } from "./rate/chain.ts";
import { type Round, runRound } from "./rate/round.ts";
import { startRateWorld } from "./rate/world.ts";
import { markdownTable } from "./table.ts";

const SEARCH_SECONDS = 30;
// The first blocks find everything cold: connections, plans, code.
const WARM_UP = { rate: 20, seconds: 5 };

const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "200" },
    seconds: { type: "string", default: "120" },
    watched: { type: "string", default: "1000000" },
    search: { type: "string", default: "" },
    concurrency: { type: "string", default: "32" },
    profile: { type: "string" },
  },
});

function table(rounds: readonly Round[]): string {
  return markdownTable(
    [
      "hits/s",
      "s",
      "hits",
      "stored",
      "told",
      "told final",
      "held",
      "p50 ms",
      "p99 ms",
      "max ms",
      "backlog each 10 s",
      "drained after s",
      "daemon CPU",
      "machine busy",
      "load",
    ],
    rounds.map((one) => [
      one.minedRate.toFixed(0),
      String(one.seconds),
      String(one.hits),
      String(one.stored),
      String(one.told),
      String(one.finalized),
      one.isHeld ? "yes" : "no",
      ...[...one.latency, one.maxMs].map((ms) => ms.toFixed(0)),
      one.backlog.join(" "),
      (one.drainMs / 1000).toFixed(1),
      `${(one.daemonCpu * 100).toFixed(0)} %`,
      `${(one.machineBusy * 100).toFixed(0)} %`,
      one.load.toFixed(1),
    ]),
  );
}

function stagesTable(rounds: readonly Round[]): string {
  const names = Object.keys(rounds[0]?.stages ?? {});
  return markdownTable(
    ["hits/s, p50 / p99 ms", ...names],
    rounds.map((one) => [
      String(one.rate),
      ...names.map((name) => (one.stages[name] ?? []).map((ms) => ms.toFixed(0)).join(" / ")),
    ]),
  );
}

const isWhole = (one: Round) => [one.stored, one.told, one.finalized].every((count) => count === one.hits);

const watched = Number(values.watched);
console.error(`${watched} addresses to the store, and the daemon's start`);
const world = await startRateWorld({
  watched,
  concurrency: Number(values.concurrency),
  profileDir: values.profile ?? null,
});
const rounds: Round[] = [];
try {
  console.log(`${os.cpus().length} × ${os.cpus()[0]?.model}, Node ${process.version}, ${new Date().toISOString()}`);
  console.log(`${watched} watched, ${HITS_PER_TRANSACTION} hits a transaction, ${values.concurrency} POSTs at once`);
  console.log(`${world.durability}\n`);
  await runRound(world, WARM_UP);
  const asked = [{ rate: Number(values.rate), seconds: Number(values.seconds) }];
  const further = values.search === "" ? [] : values.search.split(",").map(Number);
  for (const of of [...asked, ...further.map((rate) => ({ rate, seconds: SEARCH_SECONDS }))]) {
    const round = await runRound(world, of);
    rounds.push(round);
    console.error(JSON.stringify(round));
    if (!round.isHeld) break;
  }
  console.log(`${table(rounds)}\n\n${stagesTable(rounds)}\n`);
  console.log(`Repeats and faults: ${JSON.stringify(world.receiver.faults)}`);
} finally {
  await world.stop();
}
if (!rounds.every(isWhole) || Object.values(world.receiver.faults).some((count) => count > 0)) process.exitCode = 1;
