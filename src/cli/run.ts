/** `heistwatch run`: the daemon, and `heistwatch worker`. First signal graceful, second immediate. */
import type { Logger } from "pino";
import { createDaemon } from "../daemon/daemon.ts";
import { createLogger } from "../daemon/logger.ts";
import { createWorkerProcess } from "../daemon/worker-process.ts";
import { letGarbageGrow } from "../lib/collector.ts";
import { describeError } from "../lib/errors.ts";
import { EXIT, type GlobalOptions, readConfig } from "./context.ts";

/** Something that runs until it is told to stop. */
interface Process {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function run(options: GlobalOptions): Promise<number> {
  const config = readConfig(options);
  const log = createLogger(config.log, process.stdout.isTTY);
  const write = (text: string) => void process.stdout.write(text);
  return runUntilSignal(log, (signal) => createDaemon({ config, log, write, signal }));
}

export function runWorker(options: GlobalOptions): Promise<number> {
  const config = readConfig(options);
  const log = createLogger(config.log, process.stdout.isTTY);
  const worker = createWorkerProcess({ config, log });
  return runUntilSignal(log, (signal) => ({ start: () => worker.start(signal), stop: () => worker.stop() }));
}

async function runUntilSignal(log: Logger, make: (signal: AbortSignal) => Process): Promise<number> {
  letGarbageGrow();
  const stopping = new AbortController();
  const stopped = Promise.withResolvers<number>();
  const running = make(stopping.signal);
  let signals = 0;
  const onSignal = (name: NodeJS.Signals) => {
    signals += 1;
    if (signals > 1) {
      log.warn({ signal: name }, "stopping at once, unfinished deliveries are made again at the next start");
      stopped.resolve(EXIT.tryAgain);
      return;
    }
    log.info({ signal: name }, "stopping, a second signal stops at once");
    running.stop().then(
      () => stopped.resolve(EXIT.ok),
      () => stopped.resolve(EXIT.tryAgain),
    );
    stopping.abort();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, onSignal);
  // A promise nobody waits for has failed: a bug. Stop rather than run on without a part; a supervisor starts us again.
  const onBug = (error: unknown) => {
    log.fatal({ error: error instanceof Error ? error : describeError(error) }, "a bug, please report it; stopping");
    stopped.resolve(EXIT.tryAgain);
  };
  process.on("unhandledRejection", onBug);
  process.on("uncaughtException", onBug);
  const starting = running.start().catch((error: unknown) => {
    // A signal while still waiting for the database ends the wait: that is no failure.
    if (!stopping.signal.aborted) throw error;
  });
  await Promise.race([starting, stopped.promise]);
  return stopped.promise;
}
