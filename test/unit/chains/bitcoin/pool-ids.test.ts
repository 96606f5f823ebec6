/** Which ids of a pool are looked at, in which order, and that none is left out without being counted. */
import { describe, expect, test } from "@jest/globals";
import { createPoolIds, type PoolIds } from "../../../../src/chains/bitcoin/mempool/pool-ids.ts";

const id = (number: number) => number.toString(16).padStart(64, "0");
const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => id(from + index));

async function list(pool: PoolIds, listed: readonly string[]): Promise<void> {
  pool.relist();
  await pool.poll(() => Promise.resolve(listed));
}

/** All that is to be looked at, in order. */
function drain(pool: PoolIds): string[] {
  const all: string[] = [];
  for (let batch = pool.peek(3); batch.length > 0; batch = pool.peek(3)) {
    all.push(...batch);
    for (const txid of batch) pool.done(txid);
  }
  return all;
}

describe("ids of a pool", () => {
  test("come once each, those of the first list last", async () => {
    const pool = createPoolIds();
    await list(pool, ids(1, 5));
    await list(pool, ids(1, 7));
    pool.push(id(8));
    pool.push(id(3));
    expect(drain(pool)).toEqual([...ids(6, 8), ...ids(1, 5)]);
    await list(pool, ids(1, 8));
    expect(drain(pool)).toEqual([]);
    expect(pool.skipped()).toBe(0);
  });

  test("stay until they are done", async () => {
    const pool = createPoolIds();
    await list(pool, ids(1, 2));
    expect(pool.peek(5)).toEqual(ids(1, 2));
    pool.done(id(1));
    expect(pool.peek(5)).toEqual([id(2)]);
  });

  test("are listed on a clock, and the larger the pool the rarer", async () => {
    const pool = createPoolIds();
    let asked = 0;
    const ask = () => {
      asked += 1;
      return Promise.resolve([]);
    };
    await pool.poll(ask);
    await pool.poll(ask);
    expect(asked).toBe(1);
    pool.relist();
    await pool.poll(ask);
    expect(asked).toBe(2);
  });

  test("a list that fails is asked for again at once", async () => {
    const pool = createPoolIds();
    await expect(pool.poll(() => Promise.reject(new Error("away")))).rejects.toThrow("away");
    await pool.poll(() => Promise.resolve(ids(1, 1)));
    expect(drain(pool)).toEqual([id(1)]);
  });

  test("that left and came back are looked at again; those that left before their turn are counted", async () => {
    const pool = createPoolIds();
    await list(pool, ids(1, 3));
    pool.done(id(1));
    await list(pool, ids(3, 3));
    expect(pool.skipped()).toBe(1);
    await list(pool, ids(1, 3));
    expect(drain(pool)).toEqual([id(1), id(2), id(3)]);
    pool.pull(id(1));
    pool.push(id(1));
    expect(drain(pool)).toEqual([id(1)]);
    pool.push(id(9));
    pool.pull(id(9));
    expect(pool.skipped()).toBe(2);
  });

  test("that the feed told while the list was made stay, and no longer than to the next list", async () => {
    const pool = createPoolIds();
    pool.relist();
    await pool.poll(() => {
      pool.push(id(9));
      return Promise.resolve(ids(1, 1));
    });
    expect(drain(pool)).toEqual([id(9), id(1)]);
    await list(pool, ids(1, 1));
    await list(pool, [id(1), id(9)]);
    expect(drain(pool)).toEqual([id(9)]);
  });

  test("beyond the bound are left out, and counted once each however often they are listed", async () => {
    const pool = createPoolIds({ idsMax: 10 });
    await list(pool, ids(1, 15));
    await list(pool, ids(1, 15));
    await list(pool, ids(1, 16));
    expect(pool.skipped()).toBe(6);
    pool.push(id(17));
    expect(pool.skipped()).toBe(7);
    expect(drain(pool)).toEqual(ids(1, 10));
    // There is room again.
    await list(pool, ids(6, 16));
    expect(drain(pool)).toEqual(ids(11, 15));
  });

  test("are all looked at once more when asked to, without being counted as skipped", async () => {
    const pool = createPoolIds();
    await list(pool, ids(1, 3));
    drain(pool);
    pool.push(id(4));
    pool.again();
    expect(pool.peek(9)).toEqual([id(4), ...ids(1, 3)]);
    await list(pool, [id(1), id(4)]);
    expect(pool.skipped()).toBe(0);
    expect(drain(pool)).toEqual([id(4), id(1)]);
  });
});
