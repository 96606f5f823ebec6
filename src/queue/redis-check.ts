/** Is this Redis fit to carry alerts? One that evicts drops jobs without a word. */
import { once } from "node:events";
import type { Redis } from "ioredis";
import { ConfigError, UnavailableError, describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";

export interface RedisFacts {
  readonly version: string;
  readonly appendOnly: boolean;
}

/** Throws ConfigError for an eviction policy other than `noeviction`, UnavailableError when Redis does not answer. */
export async function checkRedis(redis: Redis): Promise<RedisFacts> {
  let info: string;
  try {
    await connected(redis);
    info = await redis.info();
  } catch (error) {
    throw new UnavailableError(`Redis does not answer: ${redactText(describeError(error))}`, { cause: error });
  }
  const policy = fieldOf(info, "maxmemory_policy");
  if (policy !== null && policy !== "noeviction") {
    throw new ConfigError(
      `Redis has maxmemory-policy ${policy}: it would drop alerts when memory is short. Set it to noeviction (redis.conf: "maxmemory-policy noeviction", or: redis-cli CONFIG SET maxmemory-policy noeviction) and start again.`,
    );
  }
  return { version: fieldOf(info, "redis_version") ?? "unknown", appendOnly: fieldOf(info, "aof_enabled") === "1" };
}

// A client made a moment ago is still connecting: asked at once, a healthy Redis would look away.
const CONNECT_MS = 2_000;

/** Returns when the first connection is there or has failed. */
async function connected(redis: Redis): Promise<void> {
  if (!["connecting", "connect", "wait"].includes(redis.status)) return;
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([once(redis, "ready", { signal }), once(redis, "close", { signal }), sleep(CONNECT_MS, signal)]);
  waiting.abort();
}

function fieldOf(info: string, name: string): string | null {
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? null;
}
