import { expect, test } from "@jest/globals";
import { measureImport, PEAK_OVER_IDLE_MB_MAX } from "../../bench/import.ts";

// Time and the longest blockage depend on the machine: bench/import.ts prints them, docs/watchlist-import.md says what they were.
test("a 100-MB file of OFAC's shape is read whole within 150 MB over idle", async () => {
  const { file, costs } = await measureImport({ mb: 100, runs: 1 });
  expect(file.bytes).toBeGreaterThanOrEqual(100e6);
  expect(costs).toMatchObject([
    { addresses: file.addresses.length, problems: 0, first: file.addresses[0], last: file.addresses.at(-1) },
  ]);
  expect(costs[0]?.peakOverIdleMb).toBeLessThan(PEAK_OVER_IDLE_MB_MAX);
}, 300_000);
