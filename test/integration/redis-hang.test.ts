/** A Redis that hangs instead of refusing: the connection stays, nothing answers. It must count as away. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, test } from "@jest/globals";
import { createBullQueues } from "../../src/queue/bull-queues.ts";
import { startRedis } from "../support/redis.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

test("a Redis that hangs is told as away, and is there again once it answers", async () => {
  const redis = await startRedis();
  let hangs = false;
  const held: (() => void)[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect(redis.port, "127.0.0.1");
    for (const socket of [near, far]) sockets.add(socket.on("error", () => undefined));
    near.on("data", (data) => void far.write(data));
    // Kept from now on, as by a process that is stopped: the connection is as good as ever.
    far.on("data", (data) => void (hangs ? held.push(() => near.write(data)) : near.write(data)));
  });
  await new Promise<void>((listening) => proxy.listen(0, "127.0.0.1", listening));
  const url = `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const queues = await createBullQueues({ redisUrl: url, queuePool: null, prefix: "hang", log: silent });
  try {
    expect(await queues.check()).toMatchObject({ appendOnly: true });
    hangs = true;
    await expect(queues.check()).rejects.toMatchObject({ code: "unavailable" });
    await expect(queues.add("deliveries-desk", [{ id: "dlv_1-0", data: {}, delayMs: 0, lane: 1 }])).rejects.toThrow();
    hangs = false;
    for (const answer of held.splice(0)) answer();
    expect(await queues.check()).toMatchObject({ appendOnly: true });
  } finally {
    await queues.close(0);
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => proxy.close(closed));
    await redis.stop();
  }
}, 60_000);
