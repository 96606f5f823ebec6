/** Goal: a flood in one lane never delays the lane before it, on both backends of the queue. */
import { afterAll, describe, expect, test } from "@jest/globals";
import type { PgPool } from "bullmq";
import { type BullQueuesOptions, createBullQueues } from "../../src/queue/bull-queues.ts";
import { openStore } from "../../src/store/database.ts";
import type { JobLane } from "../../src/types/queue-names.ts";
import { startRedis } from "../support/redis.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { waitFor } from "../support/wait-for.ts";

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const cleanUps: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
});

const BACKENDS: Readonly<Record<string, () => Promise<BullQueuesOptions>>> = {
  async Redis() {
    const redis = await startRedis();
    cleanUps.push(() => redis.stop());
    return { redisUrl: redis.url, queuePool: null, prefix: "lanes", log };
  },
  async PGlite() {
    const folder = createTempDir("lanes");
    const store = await openStore({ databaseUrl: null, dataDir: folder.path });
    cleanUps.push(
      () => folder.remove(),
      () => store.close(),
    );
    return { redisUrl: null, queuePool: store.queuePool as unknown as PgPool, prefix: "lanes", log };
  },
};

describe.each(Object.keys(BACKENDS))("on %s", (backend) => {
  test("jobs of an earlier lane are done first, however many wait in a later one", async () => {
    const options = await (BACKENDS[backend] as () => Promise<BullQueuesOptions>)();
    const queues = await createBullQueues(options);
    cleanUps.push(() => queues.close(1_000));
    await waitFor("the queue to be there", () => queues.check().then(() => true), { timeoutMs: 60_000 });
    const flood = (lane: JobLane) =>
      Array.from({ length: 100 }, (_, index) => ({ id: `job-${lane}-${index}`, data: { lane }, delayMs: 0, lane }));
    for (const lane of [2, 1] as const) await queues.add("work", flood(lane));
    const done: number[] = [];
    let sentLate = false;
    queues.work("work", {
      concurrency: 1,
      async handle(data) {
        done.push((data as { lane: number }).lane);
        if (done.length !== 50) return;
        await queues.add("work", [{ id: "job-severe", data: { lane: 0 }, delayMs: 0, lane: 0 }]);
        sentLate = true;
      },
      onFailed: () => undefined,
    });
    await waitFor("all jobs to be done", () => done.length === 201, { timeoutMs: 60_000 });
    expect(sentLate).toBe(true);
    // At most the one that was fetched beforehand stands between.
    expect(done.indexOf(0)).toBeLessThanOrEqual(51);
    expect(done.filter((lane) => lane !== 0)).toEqual([...Array<number>(100).fill(1), ...Array<number>(100).fill(2)]);
  });
});
