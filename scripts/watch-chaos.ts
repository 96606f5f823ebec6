/**
 * Changes of the watchlists while everything else goes wrong, in full length: `npm run watch-chaos -- --changes 50 --backend redis`.
 * `--backend embedded|redis`, `--changes N`, `--seed N`. Prints the seed, what happened and the figures; exits with 1 when a
 * promise was broken.
 */
import { parseArgs } from "node:util";
import { chaosRun } from "../test/e2e/watch-chaos-run.ts";
import { BACKENDS } from "../test/e2e/world.ts";

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: "redis" },
    changes: { type: "string", default: "50" },
    seed: { type: "string" },
  },
});

const backend = BACKENDS.find((one) => one === values.backend);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (backend === undefined) {
  console.error(`--backend is one of ${BACKENDS.join(", ")}`);
  process.exitCode = 1;
} else {
  console.log(`seed ${seed}`);
  const report = await chaosRun({ backend, seed, changes: Number(values.changes), say: (text) => console.log(text) });
  console.log(JSON.stringify(report, null, 2));
  process.exitCode = report.problems.length > 0 ? 1 : 0;
}
