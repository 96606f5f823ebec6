import { storeConformance } from "../../conformance/store.ts";
import { createMemoryStore } from "../../simulation/memory-store.ts";

storeConformance("the simulation's store", () => {
  let now = 0;
  return Promise.resolve({
    ...createMemoryStore(() => now),
    passTime(ms) {
      now += ms;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
});
