/**
 * People change what is watched while the chain forks and processes die, in the size of CI. The long runs:
 * `npm run watch-chaos -- --changes 50 --backend redis`. Goal and method: watch-chaos-run.ts.
 */
import { expect, test } from "@jest/globals";
import { chaosRun, summaryOf } from "./watch-chaos-run.ts";
import { BACKENDS } from "./world.ts";

// New acts in every run; CHAOS_SEED repeats one, CHAOS_CHANGES makes it longer.
const SEED = Number(process.env["CHAOS_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const CHANGES = Number(process.env["CHAOS_CHANGES"] ?? 12);

test.each(BACKENDS)(
  "every transfer is told by what names it at the end, whatever was added, removed or disputed meanwhile (%s)",
  async (backend) => {
    const said: string[] = [];
    process.stdout.write(`watch chaos with seed ${SEED}\n`);
    const report = await chaosRun({ backend, seed: SEED, changes: CHANGES, say: (text) => said.push(text) });
    process.stdout.write(`${summaryOf(report)}\n`);
    if (report.problems.length > 0) throw new Error(said.join("\n"));
    expect(report.named).toBeGreaterThan(0);
  },
  20 * 60_000,
);
