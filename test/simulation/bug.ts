/** A mistake planted on purpose, to see that the simulation notices: wrappers between the code and its surroundings. */
import type { Fold } from "../../src/store/alert-store.ts";
import type { ChainStore } from "../../src/store/chain-store.ts";
import type { DeliveryStore } from "../../src/store/delivery-store.ts";
import type { Outbox } from "../../src/store/outbox.ts";
import type { ChainAdapter } from "../../src/types/chain.ts";
import type { MemoryTables } from "./memory-tables.ts";

export interface Bug {
  readonly name: string;
  /** What it looks like when it is noticed. */
  readonly shows: RegExp;
  readonly chains?: (chains: ChainStore, tables: MemoryTables) => ChainStore;
  readonly adapter?: (adapter: ChainAdapter, tables: MemoryTables) => ChainAdapter;
  readonly fold?: (fold: Fold) => Fold;
  readonly outbox?: (outbox: Outbox) => Outbox;
  readonly deliveries?: (deliveries: DeliveryStore, tables: MemoryTables) => DeliveryStore;
  /** The queue keeps ended jobs, whose ids then swallow later ones. */
  readonly keepsEnded?: boolean;
  /** What the queue knows a job by. */
  readonly jobName?: (id: string) => string;
}
