/**
 * What every store must do, whatever it stores in. Called for the real one (PGlite, Postgres) and for the fake that the
 * simulation runs on: the simulation proves something about the daemon only as far as the two agree.
 */
import { afterAll, beforeAll, describe } from "@jest/globals";
import type { CoreStore } from "../simulation/memory-store.ts";
import { chainConformance } from "./store-chain.ts";
import { pendingConformance } from "./store-pending.ts";
import { trustConformance } from "./store-trust.ts";
import { workConformance } from "./store-work.ts";

export interface StoreUnderTest extends CoreStore {
  /** Which blocks were scanned, with which list, and who vouches for them, lowest first. */
  readonly coverage: (
    chain: string,
  ) => Promise<{ from: number; to: number; operators: readonly string[]; listVersion: string }[]>;
  /** Lets the database's clock go on. */
  readonly passTime: (ms: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The suites share one store: each test keeps to a chain of its own. */
export function storeConformance(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the promises of every store`, () => {
    let store: StoreUnderTest | null = null;
    beforeAll(async () => {
      store = await makeStore();
    });
    afterAll(() => store?.close());
    const get = (): StoreUnderTest => {
      if (store === null) throw new Error("the store did not open");
      return store;
    };
    chainConformance(get);
    pendingConformance(get);
    trustConformance(get);
    workConformance(get);
  });
}
