/**
 * PGlite behind the part of `pg.Pool` that Kysely and BullMQ use, so that both backends share one code path.
 *
 * PGlite is one session: two transactions that interleave their statements would share one BEGIN. So a client that
 * begins a transaction holds the session until it commits or rolls back, and every other statement waits its turn.
 * Values come back as the `pg` driver gives them (int8 and numeric as text), or int8 as numbers for our own tables.
 */
import type { PGlite, Results } from "@electric-sql/pglite";
import { EventEmitter } from "node:events";
import { setImmediate } from "node:timers/promises";

const INT8 = 20;
const NUMERIC = 1700;
// A few statements long: short against any timeout, and a turn of the event loop costs next to nothing.
const BREATHE_MS = 5;
const asText = (value: string) => value;

export interface QueryResult {
  readonly command: "UPDATE" | "DELETE" | "INSERT" | "SELECT" | "MERGE";
  readonly rowCount: number;
  // biome-ignore lint/suspicious/noExplicitAny: the two libraries type their own rows.
  readonly rows: never[];
}

/** Statements one after the other; a transaction is one turn. Shared by all pools over one PGlite. */
export class PgliteSession {
  readonly db: PGlite;
  #tail: Promise<void> = Promise.resolve();
  #breatheAt = 0;

  constructor(db: PGlite) {
    this.db = db;
  }

  /** Waits for the session; the returned function gives it back. */
  async take(): Promise<() => void> {
    const before = this.#tail;
    const turn = Promise.withResolvers<void>();
    this.#tail = turn.promise;
    await before;
    return turn.resolve;
  }

  async run(text: string, params: readonly unknown[] | undefined, int8: "number" | "text"): Promise<QueryResult> {
    await this.#breathe();
    const parsers = { [INT8]: int8 === "number" ? Number : asText, [NUMERIC]: asText };
    const result: Results | undefined =
      params === undefined || params.length === 0
        ? // Without parameters a text may hold several statements (migrations): the simple protocol runs them all.
          (await this.db.exec(text, { parsers })).at(-1)
        : await this.db.query(text, params.map(toParameter), { parsers });
    const rows = (result?.rows ?? []) as never[];
    const affected = result?.affectedRows ?? 0;
    return { command: commandOf(text), rowCount: affected > 0 ? affected : rows.length, rows };
  }

  // PGlite answers without leaving the microtask queue: under a burst of statements no timer would run, no webhook
  // leave and no health check be answered until the last of them was done.
  async #breathe(): Promise<void> {
    if (performance.now() < this.#breatheAt) return;
    await setImmediate();
    this.#breatheAt = performance.now() + BREATHE_MS;
  }
}

function commandOf(text: string): QueryResult["command"] {
  const word = /^\s*(insert|update|delete|merge)/i.exec(text)?.[1]?.toUpperCase();
  return (word as QueryResult["command"] | undefined) ?? "SELECT";
}

/** PGlite refuses a number where the column is text; `pg` sends text for everything. */
function toParameter(value: unknown): unknown {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  return value;
}

export interface PglitePoolOptions {
  readonly session: PgliteSession;
  readonly int8: "number" | "text";
}

export class PglitePool extends EventEmitter {
  readonly #session: PgliteSession;
  readonly #int8: "number" | "text";
  readonly options = { keepAlive: true };

  constructor({ session, int8 }: PglitePoolOptions) {
    super();
    this.#session = session;
    this.#int8 = int8;
  }

  async query(text: string, params?: readonly unknown[]): Promise<QueryResult> {
    const giveBack = await this.#session.take();
    try {
      return await this.#session.run(text, params, this.#int8);
    } finally {
      giveBack();
    }
  }

  connect(): Promise<PglitePoolClient> {
    return Promise.resolve(new PglitePoolClient(this.#session, this.#int8));
  }

  /** The PGlite itself belongs to the store, which closes it last. */
  end(): Promise<void> {
    return Promise.resolve();
  }
}

const BEGINS = /^\s*(begin|start\s+transaction)\b/i;
const ENDS = /^\s*(commit|rollback|end|abort)\b(?!\s+to\b)/i;
/** A text of several statements that ends the transaction it began. */
const ENDS_AT_LAST = /;\s*(commit|rollback|end|abort)\s*;?\s*$/i;

export class PglitePoolClient extends EventEmitter {
  readonly #session: PgliteSession;
  readonly #int8: "number" | "text";
  #giveBack: (() => void) | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #unlisten: (() => void) | null = null;

  constructor(session: PgliteSession, int8: "number" | "text") {
    super();
    this.#session = session;
    this.#int8 = int8;
    // The one session hears every notification; each client passes on what its listener asked for.
    this.#unlisten = session.db.onNotification((channel, payload) => this.emit("notification", { channel, payload }));
  }

  /** One after the other, in the order of the calls, as `pg` keeps it: a caller need not wait for each. */
  query(text: string, params?: readonly unknown[]): Promise<QueryResult> {
    const result = this.#last.then(() => this.#next(text, params));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #next(text: string, params: readonly unknown[] | undefined): Promise<QueryResult> {
    if (this.#giveBack !== null) return this.#inTransaction(text, params);
    const giveBack = await this.#session.take();
    if (BEGINS.test(text)) {
      this.#giveBack = giveBack;
      return this.#begin(text, params);
    }
    try {
      return await this.#session.run(text, params, this.#int8);
    } finally {
      giveBack();
    }
  }

  async #begin(text: string, params: readonly unknown[] | undefined): Promise<QueryResult> {
    try {
      const result = await this.#session.run(text, params, this.#int8);
      if (ENDS_AT_LAST.test(text)) this.#endTurn();
      return result;
    } catch (error) {
      // A text that began and then failed leaves a broken transaction behind, and the next client would be in it.
      await this.#session.run("rollback", undefined, this.#int8).catch(() => undefined);
      this.#endTurn();
      throw error;
    }
  }

  async #inTransaction(text: string, params: readonly unknown[] | undefined): Promise<QueryResult> {
    const ends = ENDS.test(text);
    try {
      return await this.#session.run(text, params, this.#int8);
    } finally {
      if (ends) this.#endTurn();
    }
  }

  #endTurn(): void {
    this.#giveBack?.();
    this.#giveBack = null;
  }

  release(): void {
    this.#unlisten?.();
    this.#unlisten = null;
    // A client given back inside a transaction would lock the session for ever.
    void this.#rollBack();
  }

  async #rollBack(): Promise<void> {
    await this.#last;
    if (this.#giveBack === null) return;
    await this.#session.run("rollback", undefined, this.#int8).catch(() => undefined);
    this.#endTurn();
  }
}
