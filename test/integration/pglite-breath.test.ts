/** A burst of 2,000 hits once kept the embedded daemon from answering or sending anything for 20 s. */
import { PGlite } from "@electric-sql/pglite";
import { PglitePool, PgliteSession } from "../../src/store/pglite-pool.ts";

test("a burst of transactions on the embedded store leaves room for timers and sockets", async () => {
  const db = await PGlite.create();
  const pool = new PglitePool({ session: new PgliteSession(db), int8: "number" });
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 1);
  let statements = 0;
  const transactions = async () => {
    const client = await pool.connect();
    for (let round = 0; round < 50; round += 1) {
      await client.query("begin");
      await client.query("select $1::int", [round]);
      await client.query("commit");
      statements += 3;
    }
    client.release();
  };
  try {
    await Promise.all([transactions(), transactions(), transactions(), transactions()]);
    expect(statements).toBe(600);
    // One breath in 5 ms of work: far more than this, on any machine.
    expect(ticks).toBeGreaterThan(5);
  } finally {
    clearInterval(timer);
    await db.close();
  }
});
