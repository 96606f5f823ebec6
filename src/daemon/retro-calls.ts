/** What the command line asks about scans of the past and the ledger: see operator-calls.ts. */
import { z } from "zod";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../lib/errors.ts";
import { hashId } from "../lib/ids.ts";
import { reportCoverage } from "../store/coverage-report.ts";
import type { Db } from "../store/database.ts";
import { createRetroStore } from "../store/retro-store.ts";
import { READINGS, type ScanRequest } from "../types/retro.ts";
import { checked } from "./checked.ts";
import type { ControlCalls } from "./instance.ts";
import { SCAN_RULE } from "./retro.ts";

export interface RetroCallDeps {
  readonly db: Db;
  readonly clock: Clock;
  /** A scan was stored: its chunks wait. */
  readonly onStarted: () => void;
}

const text = z.string().min(1).max(256);
const blockNumber = z.int().nonnegative();
const request = z.strictObject({
  chain: text,
  // More than that is a list: it is scanned for in several requests, which are read together.
  addresses: z.array(text).min(1).max(10_000),
  from: blockNumber,
  reading: z.enum(READINGS),
  listVersion: text,
  reason: z.string().max(1_000),
  requestedBy: text,
});
const scan = z.strictObject({ scanId: text });
const question = z.strictObject({ chain: text, block: blockNumber.nullable(), address: text.nullable() });

export function createRetroCalls({ db, clock, onStarted }: RetroCallDeps): ControlCalls {
  const store = createRetroStore(db);
  function requestOf(args: unknown): ScanRequest {
    const given = checked(request, args);
    const now = clock.now();
    const addresses = [...new Set(given.addresses)].toSorted();
    const scanId = hashId("scan", [given.chain, String(given.from), given.reading, String(now), ...addresses]);
    return { ...given, addresses, scanId, now };
  }
  return {
    "retro.preview": (args) => store.preview(requestOf(args), SCAN_RULE),
    "retro.start": async (args) => {
      const plan = await store.start(requestOf(args), SCAN_RULE);
      onStarted();
      return plan;
    },
    "retro.list": (args) => store.list(checked(z.strictObject({ limit: z.int().min(1).max(10_000) }), args)),
    "retro.show": async (args) => {
      const { scanId } = checked(scan, args);
      const found = await store.show(scanId);
      if (found === null) throw new AppError(`there is no scan ${scanId}`);
      return found;
    },
    "retro.cancel": async (args) => {
      const { scanId } = checked(scan, args);
      if (!(await store.cancel(scanId, clock.now()))) throw new AppError(`scan ${scanId} does not run`);
      return { scanId };
    },
    "coverage.report": (args) => reportCoverage(db, checked(question, args)),
  };
}
