import { expect, test } from "@jest/globals";
import type { Redis } from "ioredis";
import { ConfigError, UnavailableError } from "../../../src/lib/errors.ts";
import { checkRedis } from "../../../src/queue/redis-check.ts";

const redis = (info: () => Promise<string>) => ({ info }) as unknown as Redis;
const answering = (...lines: string[]) => redis(() => Promise.resolve(["# Memory", ...lines, ""].join("\r\n")));

test("a Redis that keeps what it is given is fit", async () => {
  const facts = checkRedis(answering("redis_version:7.2.4", "aof_enabled:1", "maxmemory_policy:noeviction"));
  expect(await facts).toEqual({ version: "7.2.4", appendOnly: true });
});

test("without an append-only file it is fit, and said to be so", async () => {
  expect(await checkRedis(answering("maxmemory_policy:noeviction", "aof_enabled:0"))).toEqual({
    version: "unknown",
    appendOnly: false,
  });
});

test.each(["allkeys-lru", "volatile-ttl", "allkeys-random"])("one that evicts (%s) is refused", async (policy) => {
  const check = checkRedis(answering(`maxmemory_policy:${policy}`));
  await expect(check).rejects.toThrow(ConfigError);
  await expect(check).rejects.toThrow(policy);
});

test("a field whose name only ends like the one we read is not taken for it", async () => {
  const facts = checkRedis(answering("old_maxmemory_policy:allkeys-lru", "maxmemory_policy:noeviction"));
  await expect(facts).resolves.toBeDefined();
});

test("one that does not answer is waited for, and its password is not told", async () => {
  const check = checkRedis(redis(() => Promise.reject(new Error("connect redis://:canary-5f1c@h:1 ECONNREFUSED"))));
  const failure = await check.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UnavailableError);
  expect((failure as Error).message).toContain("ECONNREFUSED");
  expect((failure as Error).message).not.toContain("canary");
});
