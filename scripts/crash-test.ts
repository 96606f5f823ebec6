/**
 * The crash runs in full length, on command: `npm run crash-test -- --kills 200 --backend redis`.
 * `--chain ethereum|bitcoin`, `--backend embedded|redis`, `--daemons 1|2`, `--transfers N`, `--seed N`, `--freeze-seconds N`, `--finality soon|never`, and either `--kills N`
 * or `--plan kill=10,flushall=5,...`. Prints the seed and the figures; exits with 1 when a promise was broken.
 */
import { parseArgs } from "node:util";
import { crashRun } from "../test/e2e/crash-run.ts";
import { DISTURBANCES, type DisturbanceName } from "../test/e2e/disturbances.ts";
import { type Backend, BACKENDS, CHAIN_NAMES } from "../test/e2e/world.ts";

const { values } = parseArgs({
  options: {
    chain: { type: "string", default: "ethereum" },
    backend: { type: "string", default: "redis" },
    daemons: { type: "string", default: "1" },
    kills: { type: "string" },
    plan: { type: "string" },
    finality: { type: "string", default: "soon" },
    transfers: { type: "string", default: "2000" },
    seed: { type: "string" },
    "freeze-seconds": { type: "string", default: "30" },
  },
});

const backend = BACKENDS.find((one) => one === values.backend);
if (backend === undefined) fail(`--backend is one of ${BACKENDS.join(", ")}`);
const chain = CHAIN_NAMES.find((one) => one === values.chain);
if (chain === undefined) fail(`--chain is one of ${CHAIN_NAMES.join(", ")}`);
const daemons = values.daemons === "2" ? 2 : 1;
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));

console.log(`seed ${seed}`);
const report = await crashRun({
  chain,
  backend,
  daemons,
  finality: values.finality === "never" ? "never" : "soon",
  seed,
  transfers: Number(values.transfers),
  plan: planOf(backend),
  freezeMs: Number(values["freeze-seconds"]) * 1_000,
  say: (text) => console.log(text),
});
console.log(JSON.stringify(report, null, 2));
process.exitCode = report.problems.length > 0 ? 1 : 0;

/** `--plan` as written; else kills, on Redis among everything else that can go wrong there. */
function planOf(on: Backend): Partial<Record<DisturbanceName, number>> {
  if (values.plan !== undefined) return Object.fromEntries(values.plan.split(",").map(readTimes));
  return { kill: Number(values.kills ?? (on === "redis" ? 200 : 10)) };
}

function readTimes(text: string): [DisturbanceName, number] {
  const [name, times] = text.split("=");
  const known = DISTURBANCES.find((one) => one === name);
  if (known === undefined || !/^\d+$/.test(times ?? ""))
    fail(`--plan is name=times,... with ${DISTURBANCES.join(", ")}; found ${text}`);
  return [known, Number(times)];
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
