import { storeConformance } from "../../conformance/store.ts";
import { createMemoryStore } from "../../simulation/memory-store.ts";

storeConformance("the simulation's store", () => {
  let now = 0;
  const store = createMemoryStore(() => now);
  return Promise.resolve({
    ...store,
    coverage: async (chain) =>
      store.tables.coverage
        .values()
        .filter((row) => row.chain === chain)
        .toSorted((a, b) => a.from - b.from)
        .map(({ from, to, operators, how }) => ({
          from,
          to,
          operators,
          listVersion: (JSON.parse(how) as [string])[0],
        })),
    passTime(ms) {
      now += ms;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
});
