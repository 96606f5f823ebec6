/** A value that nobody could tell is told once somebody can: as a revision, once, and not over what was stored since. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { lookForLateValues } from "../../src/daemon/late-values.ts";
import { createAlertStore } from "../../src/store/alert-store.ts";
import { createChainStore } from "../../src/store/chain-store.ts";
import { migrate, type OpenStore, openStore } from "../../src/store/database.ts";
import { createLateValues } from "../../src/store/late-values.ts";
import { createLeases } from "../../src/store/leases.ts";
import type { Lease } from "../../src/types/checkpoint.ts";
import type { Hit, HitEvent } from "../../src/types/hit.ts";
import type { HitValue } from "../../src/types/value.ts";
import type { Valuer } from "../../src/types/valuer.ts";
import { foldAlert } from "../../src/alerts/fold.ts";
import { blockAt, commitOf, hitOf, NOW, scanned, windowBlock } from "../conformance/store-facts.ts";
import { createTempDir, type TempDir } from "../support/temp-dir.ts";
import { bodyOf, context } from "../unit/alerts/make.ts";

const NEVER = new AbortController().signal;
const AWAY: HitValue = { usdCents: null, why: "the node of ethereum did not answer", passing: true };
const KNOWN: HitValue = {
  usdCents: 600_000n,
  usdPerUnit: "3000",
  source: "chainlink:eip155:1:0xfeed",
  updatedAt: NOW / 1_000 - 60,
  comparedWith: "earlier prices",
  note: null,
};
const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

let store: OpenStore;
let folder: TempDir;
let chains = 0;

beforeAll(async () => {
  folder = createTempDir("late-values");
  store = await openStore({ databaseUrl: null, dataDir: folder.path });
  await migrate(store.db);
});
afterAll(async () => {
  await store.close();
  await folder.remove();
});

/** A chain of its own with one hit of that value in block 101. */
async function stage(value: HitValue, now = NOW) {
  chains += 1;
  const chain = `eip155:${1_000 + chains}`;
  const leases = createLeases(store.db);
  const lease = (await leases.acquire({ chain, holder: "us", ttlMs: 60_000, listVersion: "v1", revision: 0 })) as Lease;
  const chainStore = createChainStore(store.db);
  await chainStore.begin(lease, [windowBlock(100)]);
  const hit: Hit = { ...hitOf({ chain, tx: "0xt1" }), value };
  await chainStore.commitBlocks({ ...commitOf(lease, [scanned(blockAt(101), [hit])]), now });
  return { chain, lease, chainStore, hit };
}

function valuerOf(value: HitValue) {
  const moments: unknown[] = [];
  const valuer: Valuer = {
    valueHits: (hits, at) => {
      moments.push(at);
      return Promise.resolve(hits.map((hit) => ({ ...hit, value })));
    },
  };
  return { moments, valuer };
}

async function look(value: HitValue, chain: string, now = NOW + 60_000) {
  const { moments, valuer } = valuerOf(value);
  let works = 0;
  await lookForLateValues(
    { store: createLateValues(store.db), valuer, now: () => now, log, onWork: () => (works += 1) },
    NEVER,
  );
  return { works, moments: moments.filter((at) => (at as { chain: string }).chain === chain) };
}

/** What folding the alert's events tells now; null: nothing new. */
async function fold({ alertId }: Hit) {
  const kinds: string[] = [];
  const result = await createAlertStore(store.db).foldAlert(alertId, (alert, events: readonly HitEvent[]) => {
    kinds.push(...events.map(({ kind }) => kind));
    return foldAlert(alert, events, context());
  });
  return { kinds, message: result?.message };
}

describe("a value that was unknown for a passing reason", () => {
  test("is asked for at its own block, told as a revision, and asked for no more", async () => {
    const { chain, hit } = await stage(AWAY);
    const first = await fold(hit);
    expect(bodyOf(first.message).data.transfers[0]).toMatchObject({
      usdCents: null,
      valueUnknown: "the node of ethereum did not answer",
    });

    const { works, moments } = await look(KNOWN, chain);
    expect(works).toBe(1);
    expect(moments).toEqual([{ chain, time: blockAt(101).timestamp, blockHash: "0xa101" }]);
    const second = await fold(hit);
    expect(second.kinds).toEqual(["retold"]);
    expect(bodyOf(second.message).data).toMatchObject({
      revision: 2,
      stage: "included",
      transfers: [{ usdCents: "600000" }],
    });

    expect(await look(KNOWN, chain)).toMatchObject({ works: 0, moments: [] });
    expect((await fold(hit)).kinds).toEqual([]);
  });

  test("is asked for again while nobody answers, and for an hour at most", async () => {
    const { chain, hit } = await stage(AWAY);
    await fold(hit);
    expect((await look(AWAY, chain)).moments).toHaveLength(1);
    expect((await look(AWAY, chain)).moments).toHaveLength(1);
    expect((await look(KNOWN, chain, NOW + 3_600_001)).moments).toHaveLength(0);
    expect((await fold(hit)).kinds).toEqual([]);
  });

  test("that turns out to be unknown for good is told as it was, and asked for no more", async () => {
    const { chain, hit } = await stage(AWAY);
    await fold(hit);
    expect((await look({ usdCents: null, why: "stale" }, chain)).works).toBe(0);
    expect((await look(KNOWN, chain)).moments).toHaveLength(0);
    expect((await fold(hit)).kinds).toEqual([]);
  });

  test("of a hit that left the chain meanwhile is not told", async () => {
    const { chain, lease, chainStore, hit } = await stage(AWAY);
    const [late] = (await createLateValues(store.db).due({ since: 0, limit: 500 })).filter(
      (one) => one.hit.chain === chain,
    );
    await chainStore.commitReorg({ lease, ancestor: { number: 100, hash: "0xa100" }, now: NOW });
    const settled = await createLateValues(store.db).settle(
      late as NonNullable<typeof late>,
      { ...hit, value: KNOWN },
      NOW,
    );
    expect(settled).toBe(false);
    expect((await look(KNOWN, chain)).moments).toHaveLength(0);
  });

  test("does not overwrite what was stored since", async () => {
    const { chain, hit } = await stage(AWAY);
    const late = createLateValues(store.db);
    const [due] = (await late.due({ since: 0, limit: 500 })).filter((one) => one.hit.chain === chain);
    const stale = { ...(due as NonNullable<typeof due>), payload: "{}" };
    expect(await late.settle(stale, { ...hit, value: KNOWN }, NOW)).toBe(false);
  });
});

test.each<[string, HitValue]>([
  ["known", KNOWN],
  ["unknown for good", { usdCents: null, why: 'a label that says "passing":true' }],
])("a value that is %s is never asked for again", async (_what, value) => {
  const { chain } = await stage(value);
  expect((await look(KNOWN, chain)).moments).toHaveLength(0);
});
