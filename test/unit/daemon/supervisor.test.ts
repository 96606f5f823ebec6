import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { createSupervisor } from "../../../src/daemon/supervisor.ts";
import type { Log } from "../../../src/types/log.ts";
import type { Service } from "../../../src/types/service.ts";

afterEach(() => {
  jest.useRealTimers();
});

const NEVER = new AbortController().signal;

function stage() {
  const said: string[] = [];
  const logged: string[] = [];
  const write = (facts: object, message: string) => logged.push(`${message} ${JSON.stringify(facts)}`);
  const log: Log = { debug: () => undefined, info: write, warn: write, error: write };
  const service = (name: string, over: Partial<Service> = {}): Service => ({
    name,
    start: () => Promise.resolve(void said.push(`start ${name}`)),
    stop: () => Promise.resolve(void said.push(`stop ${name}`)),
    health: () => ({ ok: true, detail: "" }),
    ...over,
  });
  return { said, logged, log, service };
}

describe("in order", () => {
  test("services start in order and stop in reverse", async () => {
    const { said, log, service } = stage();
    const supervisor = createSupervisor([service("a"), service("b"), service("c")], log);
    await supervisor.start(NEVER);
    await supervisor.stop();
    expect(said).toEqual(["start a", "start b", "start c", "stop c", "stop b", "stop a"]);
  });

  test("each waits for the one before, up and down", async () => {
    const { said, log, service } = stage();
    const slow = (name: string) => {
      const later = (what: string) => async () => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        said.push(`${what} ${name}`);
      };
      return service(name, { start: later("start"), stop: later("stop") });
    };
    const supervisor = createSupervisor([slow("a"), service("b"), slow("c")], log);
    await supervisor.start(NEVER);
    await supervisor.stop();
    expect(said).toEqual(["start a", "start b", "start c", "stop c", "stop b", "stop a"]);
  });

  test("after a failed start everything begun is stopped, the one that failed included, nothing else", async () => {
    const { said, log, service } = stage();
    const broken = service("b", { start: () => Promise.reject(new Error("port taken")) });
    const supervisor = createSupervisor([service("a"), broken, service("c")], log);
    await expect(supervisor.start(NEVER)).rejects.toThrow("port taken");
    await supervisor.stop();
    expect(said).toEqual(["start a", "stop b", "stop a"]);
  });

  test("a stop during the start leaves nothing running that nobody stops", async () => {
    const { said, log, service } = stage();
    const stopping = new AbortController();
    const opened = Promise.withResolvers<void>();
    const slow = service("b", { start: () => opened.promise });
    const supervisor = createSupervisor([service("a"), slow, service("c")], log);
    const starting = supervisor.start(stopping.signal);
    await new Promise(setImmediate);
    stopping.abort();
    await supervisor.stop();
    opened.resolve();
    await starting;
    expect(said).toEqual(["start a", "stop b", "stop a"]);
  });

  test("stopping twice, or before anything started, stops once", async () => {
    const { said, log, service } = stage();
    const supervisor = createSupervisor([service("a")], log);
    await supervisor.stop();
    await supervisor.start(NEVER);
    await supervisor.stop();
    await supervisor.stop();
    expect(said).toEqual(["start a", "stop a"]);
  });
});

describe("whatever one stop does, the others run", () => {
  test("stops that reject or throw are told together, without the keys in their texts", async () => {
    const { said, logged, log, service } = stage();
    const rejects = service("b", { stop: () => Promise.reject(new Error("redis://u:canary-5f1c@h is gone")) });
    const throws = service("c", {
      stop: () => {
        throw new Error("at once");
      },
    });
    const supervisor = createSupervisor([service("a"), rejects, throws, service("d")], log);
    await supervisor.start(NEVER);
    const failure = await supervisor.stop().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AggregateError);
    expect((failure as AggregateError).errors.map((error: Error) => error.message)).toEqual([
      "at once",
      "redis://u:canary-5f1c@h is gone",
    ]);
    expect(said.slice(-2)).toEqual(["stop d", "stop a"]);
    expect(logged).toHaveLength(2);
    expect(logged.join()).not.toContain("canary");
  });

  test("a stop that hangs is left behind after 18 s", async () => {
    jest.useFakeTimers();
    const { said, logged, log, service } = stage();
    const hangs = service("b", { stop: () => new Promise(() => undefined) });
    const supervisor = createSupervisor([service("a"), hangs, service("c")], log);
    await supervisor.start(NEVER);
    const stopped = supervisor.stop().catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(17_900);
    expect(said).not.toContain("stop a");
    await jest.advanceTimersByTimeAsync(200);
    expect(said.slice(-2)).toEqual(["stop c", "stop a"]);
    expect(await stopped).toBeInstanceOf(AggregateError);
    expect(logged[0]).toContain("b did not stop within 18 s");
  });

  test("when all hang, all are told to stop, and together stay under the 30 s before a kill", async () => {
    jest.useFakeTimers();
    const { said, log, service } = stage();
    const hanging = ["a", "b", "c", "d"].map((name) =>
      service(name, { stop: () => (said.push(`stop ${name}`), new Promise<void>(() => undefined)) }),
    );
    const supervisor = createSupervisor(hanging, log);
    await supervisor.start(NEVER);
    let over = false;
    const stopped = supervisor.stop().catch(() => (over = true));
    await jest.advanceTimersByTimeAsync(29_000);
    expect(said.slice(-4)).toEqual(["stop d", "stop c", "stop b", "stop a"]);
    expect(over).toBe(true);
    await stopped;
  });

  test("a late failure of a stop that was left behind is no unhandled rejection", async () => {
    jest.useFakeTimers();
    const { log, service } = stage();
    const late = Promise.withResolvers<void>();
    const supervisor = createSupervisor([service("a", { stop: () => late.promise })], log);
    await supervisor.start(NEVER);
    const stopped = supervisor.stop().catch(() => "told");
    await jest.advanceTimersByTimeAsync(19_000);
    late.reject(new Error("too late to matter"));
    expect(await stopped).toBe("told");
  });
});
