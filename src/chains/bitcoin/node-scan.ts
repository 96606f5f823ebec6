/**
 * Scans that a node makes for us, over its coins or its block filters. Each takes seconds to minutes, the node makes one
 * of a kind at a time, and nobody but our own node may learn what is looked for.
 */
import { sleep } from "../../lib/sleep.ts";
import type { Log } from "../../types/log.ts";
import { type Fields, fieldsOf } from "../answer-fields.ts";
import { isRefusal, RPC_INVALID_PARAMETER } from "./node-answers.ts";
import type { NodeClient } from "./node-client.ts";

export interface NodeScanOptions {
  /** For what is answered at once. */
  readonly client: NodeClient;
  /** Waits as long as a scan takes. */
  readonly patient: NodeClient;
  readonly log: Log;
  /** Between two looks whether somebody else's scan has ended. */
  readonly busyMs?: number;
}

/** Asks for one scan; throws what the node answers, and the signal's reason when aborted. */
export type NodeScan = (
  method: "scantxoutset" | "scanblocks",
  params: readonly unknown[],
  signal: AbortSignal,
) => Promise<Fields>;

const BUSY_MS = 5_000;
const PROGRESS_MS = 60_000;
// While the daemon stops it waits for this.
const ABORT_MS = 2_000;

export function createNodeScan({ client, patient, log, busyMs = BUSY_MS }: NodeScanOptions): NodeScan {
  return async (method, params, signal) => {
    for (let waited = false; ; waited = true) {
      signal.throwIfAborted();
      const ended = new AbortController();
      void tellProgress(method, AbortSignal.any([signal, ended.signal]));
      try {
        return fieldsOf(await patient.call(method, ["start", ...params], signal), `the answer of ${method}`);
      } catch (error) {
        if (!isBusy(error)) {
          // A scan that is not ours is not ours to end.
          if (signal.aborted) await abort(method);
          throw error;
        }
      } finally {
        ended.abort();
      }
      if (!waited)
        log.info({ node: client.name, method }, "another scan is under way on the node: waiting for its end");
      await sleep(busyMs, signal);
    }
  };

  /** The node would go on for nobody. */
  async function abort(method: string): Promise<void> {
    await client.call(method, ["abort"], AbortSignal.timeout(ABORT_MS)).catch(() => undefined);
  }

  async function tellProgress(method: string, signal: AbortSignal): Promise<void> {
    for (await sleep(PROGRESS_MS, signal); !signal.aborted; await sleep(PROGRESS_MS, signal)) {
      const status = await client.call(method, ["status"], signal).catch(() => null);
      const percent = (status as { progress?: unknown } | null)?.progress;
      if (typeof percent === "number") log.info({ node: client.name, method, percent }, "the node's scan goes on");
    }
  }
}

/** "Scan already in progress": the exchange's own, another daemon's, or one of ours that was given up. */
function isBusy(error: unknown): boolean {
  return isRefusal(error, RPC_INVALID_PARAMETER) && /already in progress/i.test((error as Error).message);
}
