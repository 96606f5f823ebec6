/** Own addresses that people gave: read whole at the start, then followed change by change, whichever process made it. */
import { describeError } from "../lib/errors.ts";
import { redactText } from "../lib/redact.ts";
import { sleep } from "../lib/sleep.ts";
import { createPauses, inSlices } from "../lib/slices.ts";
import type { OwnStore } from "../store/own-store.ts";
import type { Log } from "../types/log.ts";
import type { OwnState } from "../types/own.ts";
import { changeOwn, type ChangingOwn, unchangedOwn } from "../watchlist/own-changes.ts";
import { createOwnIndexBuilder } from "../watchlist/own-index.ts";
import type { LiveLists } from "./live-lists.ts";

type Reading = Pick<OwnStore, "state" | "pages" | "changedSince">;

export interface GivenOwn {
  readonly addresses: ChangingOwn;
  readonly state: OwnState;
}

const TURN_MS = 1_000;
// Lines take their chains over again with other addresses, and match again what is not final. Who gives one address after
// the other must not keep them at that.
const SWAP_PAUSE_MS = 15_000;
const TROUBLE_LINE_MS = 60_000;

export async function loadGivenOwn(store: Reading, signal: AbortSignal): Promise<GivenOwn> {
  const state = await store.state();
  const builder = createOwnIndexBuilder();
  const pause = createPauses(signal);
  for await (const page of store.pages())
    for (const own of page) {
      builder.add(own, { source: 0, line: 0 });
      await pause();
    }
  const base = await inSlices(builder.finish(), signal);
  // What changed while it was read.
  return readOn({ addresses: unchangedOwn({ ...base, digest: state.mark }), state }, store, signal);
}

/** As they are now; the same value where nothing changed. */
export async function followGivenOwn(known: GivenOwn, store: Reading, signal: AbortSignal): Promise<GivenOwn> {
  const { revision, mark } = await store.state();
  if (mark === known.state.mark) return known;
  // Another store, or an older copy of it: its changes are not the ones that were followed.
  if (revision <= known.state.revision) return loadGivenOwn(store, signal);
  return readOn(known, store, signal);
}

async function readOn(from: GivenOwn, store: Reading, signal: AbortSignal): Promise<GivenOwn> {
  const { state, changes } = await store.changedSince(from.state.revision);
  if (changes.length === 0) return { ...from, state };
  return { addresses: await inSlices(changeOwn(from.addresses, { changes, mark: state.mark }), signal), state };
}

export interface GivenOwnOptions {
  readonly store: Reading;
  /** As read at the start. */
  readonly start: GivenOwn;
  readonly live: Pick<LiveLists, "refreshOwn">;
  readonly log: Log;
}

export async function runGivenOwn({ store, start, live, log }: GivenOwnOptions, signal: AbortSignal): Promise<void> {
  let known = start;
  let toldAt = -Infinity;
  while (!signal.aborted) {
    let pauseMs = TURN_MS;
    try {
      const next = await followGivenOwn(known, store, signal);
      if (next !== known) {
        await live.refreshOwn({ given: next.addresses.own });
        known = next;
        log.info({ addresses: next.addresses.own.count }, "changed own addresses, given by people, are in force");
        pauseMs = SWAP_PAUSE_MS;
      }
    } catch (error) {
      if (!signal.aborted && performance.now() - toldAt >= TROUBLE_LINE_MS) {
        toldAt = performance.now();
        log.error(
          { error: redactText(describeError(error)) },
          "own addresses given by people not brought up to date, trying again",
        );
      }
    }
    await sleep(pauseMs, signal);
  }
}
