/**
 * A range of seeds, one line of JSON each: `node test/simulation/run-seeds.ts FIRST LAST`. In a process of its own, since
 * code runs half as fast in the module sandbox of the test runner.
 */
import { simulate, type SimulationResult } from "./simulation.ts";

const [first = 1, last = 0] = process.argv.slice(2).map(Number);
for (let seed = first; seed <= last; seed += 1) {
  const result: SimulationResult = await simulate({ seed });
  console.log(JSON.stringify(result));
}
