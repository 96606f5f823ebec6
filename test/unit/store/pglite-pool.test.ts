/** PGlite behind the face of a pool: one session, and nobody inside another's transaction. */
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { PglitePool, type PglitePoolClient, PgliteSession, type QueryResult } from "../../../src/store/pglite-pool.ts";
import { waitFor } from "../../support/wait-for.ts";

let pglite: PGlite;
let pool: PglitePool;
let textPool: PglitePool;

beforeAll(async () => {
  pglite = await PGlite.create();
  const session = new PgliteSession(pglite);
  pool = new PglitePool({ session, int8: "number" });
  textPool = new PglitePool({ session, int8: "text" });
});

afterAll(() => pglite.close());

beforeEach(async () => {
  await pool.query("drop table if exists entry; create table entry (name text primary key, amount int8)");
});

const rowsOf = (result: QueryResult) => result.rows as unknown as Record<string, unknown>[];
const names = async () => rowsOf(await pool.query("select name from entry order by name")).map(({ name }) => name);
const put = (client: PglitePool | PglitePoolClient, name: string) =>
  client.query("insert into entry values ($1, 1)", [name]);

/** Resolves to "waiting" while the session is held. */
function soon<T>(work: Promise<T>): Promise<T | "waiting"> {
  return Promise.race([work, new Promise<"waiting">((resolve) => setTimeout(() => resolve("waiting"), 150))]);
}

describe("transactions", () => {
  test("two that interleave never mix: one rolls back and takes nothing of the other along", async () => {
    const [a, b] = [await pool.connect(), await textPool.connect()];
    const first = async () => {
      await a.query("begin");
      await put(a, "a1");
      await new Promise((resolve) => setTimeout(resolve, 30));
      await put(a, "a2");
      await a.query("rollback");
    };
    const second = async () => {
      await b.query("BEGIN");
      await put(b, "b1");
      await new Promise((resolve) => setTimeout(resolve, 10));
      await put(b, "b2");
      await b.query("COMMIT");
    };
    await Promise.all([first(), second()]);
    a.release();
    b.release();
    expect(await names()).toEqual(["b1", "b2"]);
  });

  test("nobody sees, or writes into, an open one", async () => {
    const client = await pool.connect();
    await client.query("start transaction isolation level read committed");
    await put(client, "mine");
    const seen = names();
    const written = put(textPool, "theirs");
    expect(await soon(seen)).toBe("waiting");
    await client.query("rollback");
    expect(await seen).toEqual([]);
    await written;
    expect(await names()).toEqual(["theirs"]);
    client.release();
  });

  test("many at once: each is whole or not there", async () => {
    const one = async (name: string, keep: boolean) => {
      const client = await pool.connect();
      try {
        await client.query("begin");
        await put(client, `${name}-1`);
        await put(client, `${name}-2`);
        await client.query(keep ? "commit" : "rollback");
      } finally {
        client.release();
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => one(`t${index}`, index % 3 !== 0)));
    const counts = new Map<string, number>();
    for (const name of await names()) {
      const group = String(name).split("-")[0] as string;
      counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    expect([...counts.values()].every((count) => count === 2)).toBe(true);
    expect(counts.size).toBe(13);
  });

  test("an error inside leaves it to its owner to roll back, and the others wait for that", async () => {
    const client = await pool.connect();
    await client.query("begin");
    await expect(client.query("select nonsense")).rejects.toThrow("nonsense");
    const other = put(pool, "other");
    expect(await soon(other)).toBe("waiting");
    await expect(put(client, "mine")).rejects.toThrow("aborted");
    await client.query("rollback");
    await other;
    expect(await names()).toEqual(["other"]);
    client.release();
  });

  test("a rollback to a savepoint does not end it", async () => {
    const client = await pool.connect();
    await client.query("begin");
    await client.query("savepoint here");
    await put(client, "gone");
    await client.query("rollback to savepoint here");
    expect(await soon(names())).toBe("waiting");
    await put(client, "kept");
    await client.query("commit");
    client.release();
    expect(await names()).toEqual(["kept"]);
  });

  test("a client that sends without waiting keeps its order and does not lock itself out", async () => {
    const client = await pool.connect();
    const sent = [client.query("begin"), put(client, "one"), put(client, "two"), client.query("commit")];
    expect(await soon(Promise.all(sent).then(() => "done"))).toBe("done");
    client.release();
    expect(await names()).toEqual(["one", "two"]);
  });
});

describe("a client given back", () => {
  test("inside a transaction frees the session and keeps nothing", async () => {
    const client = await pool.connect();
    await client.query("begin");
    await put(client, "half");
    client.release();
    expect(await soon(names())).toEqual([]);
  });

  test("in a failed transaction frees it as well", async () => {
    const client = await pool.connect();
    await client.query("begin");
    await client.query("select nonsense").catch(() => undefined);
    client.release();
    expect(await soon(names())).toEqual([]);
  });

  test("while its last statement still runs, rolls back after it", async () => {
    const client = await pool.connect();
    const sent = [client.query("begin"), put(client, "half")];
    client.release();
    await Promise.all(sent);
    expect(await soon(names())).toEqual([]);
  });

  test("without a transaction takes nobody else's away", async () => {
    const [a, b] = [await pool.connect(), await pool.connect()];
    await a.query("begin");
    await put(a, "kept");
    b.release();
    b.release();
    await a.query("commit");
    a.release();
    expect(await names()).toEqual(["kept"]);
  });
});

describe("several statements in one text", () => {
  test("run all, and the last one's rows come back", async () => {
    const result = await pool.query(
      "insert into entry values ('x', 1); insert into entry values ('y', 2); select 7 as n",
    );
    expect(rowsOf(result)).toEqual([{ n: 7 }]);
    expect(await names()).toEqual(["x", "y"]);
  });

  test("with a transaction of their own end it themselves", async () => {
    const client = await pool.connect();
    await client.query("begin; insert into entry values ('x', 1); commit;");
    expect(await soon(names())).toEqual(["x"]);
    client.release();
  });

  test("with a transaction that fails half-way leave nothing behind, no broken transaction either", async () => {
    const client = await pool.connect();
    const failing = client.query("begin; insert into entry values ('x', 1); select nonsense; commit");
    await expect(failing).rejects.toThrow("nonsense");
    expect(await soon(names())).toEqual([]);
    client.release();
  });

  test("in a function body the word commit is a word", async () => {
    const client = await pool.connect();
    await client.query("do $$ begin perform 1; end $$");
    expect(await soon(names())).toEqual([]);
    client.release();
  });
});

describe("values", () => {
  const big = "select 9007199254740991::int8 as big, 12.50::numeric as price, 7::int4 as small, 'a'::text as text";

  test("int8 is a number for our tables and text for the queue, numeric is text for both", async () => {
    expect(rowsOf(await pool.query(big))).toEqual([{ big: 9007199254740991, price: "12.50", small: 7, text: "a" }]);
    expect(rowsOf(await textPool.query(big))).toEqual([
      { big: "9007199254740991", price: "12.50", small: 7, text: "a" },
    ]);
    const parameters = "select $1::int8 as big";
    expect(rowsOf(await pool.query(parameters, [5]))).toEqual([{ big: 5 }]);
    expect(rowsOf(await textPool.query(parameters, [5]))).toEqual([{ big: "5" }]);
  });

  test("so too inside a transaction, whichever pool had the session before", async () => {
    const client = await textPool.connect();
    await client.query("begin");
    expect(rowsOf(await client.query("select 5::int8 as big"))).toEqual([{ big: "5" }]);
    await client.query("commit");
    client.release();
    expect(rowsOf(await pool.query("select 5::int8 as big"))).toEqual([{ big: 5 }]);
  });

  test("parameters of all kinds go in as `pg` sends them", async () => {
    const sql =
      "select $1::text as a, $2::int8 as b, $3::text as c, $4::bool as d, $5::jsonb as e, $6::text[] as f, $7::text as g";
    const [row] = rowsOf(await pool.query(sql, [5, 6n, null, true, '{"x":1}', ["p", "q"], "it's"]));
    expect(row).toEqual({ a: "5", b: 6, c: null, d: true, e: { x: 1 }, f: ["p", "q"], g: "it's" });
  });

  test("rowCount and command say what was done", async () => {
    const done = async (text: string, params?: unknown[]) => {
      const { command, rowCount } = await pool.query(text, params);
      return [command, rowCount];
    };
    expect(await done("insert into entry values ($1, 1), ($2, 1)", ["a", "b"])).toEqual(["INSERT", 2]);
    expect(await done("update entry set amount = 2 where name = $1", ["a"])).toEqual(["UPDATE", 1]);
    expect(await done("update entry set amount = 2 where name = $1", ["nobody"])).toEqual(["UPDATE", 0]);
    expect(await done("insert into entry values ('a', 1) on conflict do nothing returning name")).toEqual([
      "INSERT",
      0,
    ]);
    expect(await done("select * from entry")).toEqual(["SELECT", 2]);
    expect(await done("delete from entry")).toEqual(["DELETE", 2]);
  });
});

describe("notifications", () => {
  test("reach every listening client, and none that was given back", async () => {
    const [a, b, sender] = [await textPool.connect(), await pool.connect(), await pool.connect()];
    const heard: unknown[] = [];
    for (const [name, client] of Object.entries({ a, b })) {
      client.on("notification", ({ channel, payload }: { channel: string; payload: string }) =>
        heard.push([name, channel, payload]),
      );
    }
    await a.query("listen jobs");
    await sender.query("notify jobs, 'one'");
    await waitFor("both", () => heard.length === 2);
    b.release();
    await sender.query("begin");
    await sender.query("notify jobs, 'two'");
    expect(heard).toHaveLength(2);
    await sender.query("commit");
    await waitFor("the second", () => heard.length === 3);
    expect(heard).toEqual([
      ["a", "jobs", "one"],
      ["b", "jobs", "one"],
      ["a", "jobs", "two"],
    ]);
    a.release();
    sender.release();
  });
});

test("closing a pool leaves the database to its owner", async () => {
  await textPool.end();
  expect(rowsOf(await pool.query("select 1 as one"))).toEqual([{ one: 1 }]);
});
