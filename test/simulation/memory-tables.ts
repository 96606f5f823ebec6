/** Tables in memory with transactions that happen completely or not at all. Rows are replaced, never changed. */
import type { OutboxJob } from "../../src/store/outbox.ts";
import type { JobLane } from "../../src/types/queue-names.ts";
import type { AlertRecord, Message, RetractionReason } from "../../src/types/alert.ts";
import type { UncheckedBlock, WindowBlock } from "../../src/types/checkpoint.ts";
import type { AttemptRecord } from "../../src/types/delivery.ts";
import type { HitBlock, HitEvent, HitEventKind } from "../../src/types/hit.ts";
import type { Evidence } from "../../src/types/nodes.ts";
import type { BlockTrust } from "../../src/types/chain.ts";
import type { TrackedTransaction } from "../../src/types/mempool.ts";

export interface LeaseRow {
  readonly chain: string;
  readonly holder: string;
  readonly epoch: number;
  readonly expiresAt: number;
  readonly listVersion: string;
  readonly finalizedNumber: number;
}

export interface CheckpointRow extends WindowBlock {
  readonly chain: string;
}

export interface CoverageRow {
  readonly chain: string;
  readonly from: number;
  readonly to: number;
  /** List version, traced and proven in one text. */
  readonly how: string;
  readonly operators: readonly string[];
}

export interface UncheckedRow extends UncheckedBlock {
  readonly chain: string;
}

export interface HitRow {
  readonly hitId: string;
  readonly alertId: string;
  readonly chain: string;
  /** Transaction and place in it: what a person would call the same movement. */
  readonly movement: string;
  /** Null until it was in a block. */
  readonly blockNumber: number | null;
  readonly blockHash: string | null;
  readonly state: "pending" | "included" | "removed" | "final" | "disputed";
  readonly recordedRule: string | null;
  readonly digest: string;
  readonly payload: string;
}

export interface EventRow {
  readonly seq: number;
  readonly hitId: string;
  readonly alertId: string;
  readonly kind: HitEventKind;
  readonly block: HitBlock | null;
  readonly payload: string | null;
  readonly trust: BlockTrust | null;
  readonly reason: RetractionReason | null;
  readonly link: HitEvent["link"];
  readonly late: boolean;
  readonly at: number;
  readonly applied: boolean;
}

export interface PendingRow extends TrackedTransaction {
  readonly chain: string;
  readonly blockNumber: number | null;
  readonly changedAt: number;
}

export interface MessageRow extends Message {
  readonly createdAt: number;
}

export interface DeliveryRow {
  readonly deliveryId: string;
  readonly webhookId: string;
  readonly sink: string;
  readonly severity: Message["severity"];
  readonly lane: JobLane;
  readonly state: "pending" | "delivered" | "dead";
  readonly attemptNo: number;
  readonly scheduleStart: number;
  readonly nextAttemptAt: number;
  readonly deadReason: string | null;
  readonly lastError: string | null;
  readonly createdAt: number;
  readonly deliveredAt: number | null;
}

export interface AttemptRow extends AttemptRecord {
  readonly deliveryId: string;
  readonly attemptNo: number;
}

export interface OutboxTableRow {
  readonly id: number;
  readonly queue: string;
  readonly jobId: string;
  readonly payload: string;
  readonly runAt: number;
  readonly lane: JobLane;
  readonly claimedUntil: number;
}

export class Table<Row> {
  readonly #rows = new Map<string, Row>();
  readonly #name: string;
  readonly #undo: (() => void)[];

  constructor(name: string, undo: (() => void)[]) {
    this.#name = name;
    this.#undo = undo;
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  values(): Row[] {
    return [...this.#rows.values()];
  }

  get size(): number {
    return this.#rows.size;
  }

  insert(key: string, row: Row): void {
    if (this.#rows.has(key)) throw new Error(`duplicate key value violates unique constraint "${this.#name}_pkey"`);
    this.put(key, row);
  }

  put(key: string, row: Row): void {
    const before = this.#rows.get(key);
    this.#undo.push(() => (before === undefined ? this.#rows.delete(key) : this.#rows.set(key, before)));
    this.#rows.set(key, row);
  }

  /** Changes what is there; the columns not named stay. */
  change(key: string, columns: Partial<Row>): void {
    const before = this.#rows.get(key);
    if (before !== undefined) this.put(key, { ...before, ...columns });
  }

  delete(key: string): void {
    const before = this.#rows.get(key);
    if (before === undefined) return;
    this.#undo.push(() => this.#rows.set(key, before));
    this.#rows.delete(key);
  }
}

export class MemoryTables {
  readonly #undo: (() => void)[] = [];
  readonly lease = new Table<LeaseRow>("chain_lease", this.#undo);
  readonly checkpoint = new Table<CheckpointRow>("checkpoint", this.#undo);
  readonly coverage = new Table<CoverageRow>("coverage", this.#undo);
  readonly unchecked = new Table<UncheckedRow>("unchecked", this.#undo);
  readonly evidence = new Table<Evidence>("evidence", this.#undo);
  readonly hit = new Table<HitRow>("hit", this.#undo);
  readonly event = new Table<EventRow>("hit_event", this.#undo);
  readonly pending = new Table<PendingRow>("pending_transaction", this.#undo);
  readonly alert = new Table<AlertRecord>("alert", this.#undo);
  readonly message = new Table<MessageRow>("message", this.#undo);
  readonly delivery = new Table<DeliveryRow>("delivery", this.#undo);
  readonly attempt = new Table<AttemptRow>("attempt", this.#undo);
  readonly outbox = new Table<OutboxTableRow>("outbox", this.#undo);
  lastRelayedId = 0;
  #lastSeq = 0;
  #lastOutboxId = 0;

  /** All of it or, when it throws, nothing. Sequences do not go back, as in Postgres. */
  transaction<T>(work: () => T): T {
    this.#undo.length = 0;
    try {
      return work();
    } catch (error) {
      for (const undo of this.#undo.splice(0).toReversed()) undo();
      throw error;
    }
  }

  nextSeq(): number {
    return (this.#lastSeq += 1);
  }

  addToOutbox(job: OutboxJob): void {
    const id = (this.#lastOutboxId += 1);
    this.outbox.insert(String(id), { ...job, id, payload: JSON.stringify(job.payload), claimedUntil: 0 });
  }

  window(chain: string): CheckpointRow[] {
    return this.checkpoint
      .values()
      .filter((row) => row.chain === chain)
      .toSorted((a, b) => a.number - b.number);
  }
}
