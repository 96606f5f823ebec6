/** What is due of the watchlists, on PGlite and on Postgres: told once each, and the dates of entries kept and meant. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { normalizeAddress } from "../../src/chains/registry.ts";
import type { SystemBody } from "../../src/alerts/body-schema.ts";
import { createWatchDesk, type WatchDesk } from "../../src/daemon/watch-desk.ts";
import { retellPorts } from "../../src/daemon/watch-ports.ts";
import { END_NOTICE_MS, tellWhatIsDue } from "../../src/daemon/watch-due.ts";
import { endWhatIsOver } from "../../src/daemon/watch-ends.ts";
import { bareIncident } from "../../src/daemon/watch-entry.ts";
import { type GivenOutcome, importGiven } from "../../src/daemon/watch-given.ts";
import { migrate, type OpenStore } from "../../src/store/database.ts";
import { countDue, entriesToReview } from "../../src/store/watch-due.ts";
import { createReachStore } from "../../src/store/watch-reach.ts";
import { createWatchStore, type WatchStore } from "../../src/store/watch-store.ts";
import type { Actor } from "../../src/types/watch-change.ts";
import type { WatchEntryInput } from "../../src/types/watchlist-format.ts";
import { toGivenList } from "../../src/watchlist/given-list.ts";
import { entryDigest } from "../../src/watchlist/import-rules.ts";
import { isMatched } from "../../src/watchlist/snapshot.ts";
import { NOW } from "./store-facts.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ANN: Actor = { name: "ann", role: "investigator" };
const BEN: Actor = { name: "ben", role: "approver" };
const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const CHAIN = "eip155:1";
const SANCTIONED = { list: "OFAC SDN", source: "https://example.org/sdn" };

export function watchDueConformance(
  name: string,
  open: () => Promise<{ opened: OpenStore; close: () => Promise<void> }>,
): void {
  describe(`${name} tells what is due of the watchlists`, () => {
    let opened: OpenStore;
    let close: () => Promise<void>;
    let watch: WatchStore;
    let desk: WatchDesk;
    // Today's day is the version of what is imported here: guards compare it with this clock.
    let now = NOW;
    let serial = 0;
    let list = "";

    beforeAll(async () => {
      const made = await open();
      ({ opened, close } = made);
      await migrate(opened.db);
      ({ watch, desk } = deskOn(opened, () => now));
    }, 120_000);
    afterAll(() => close());
    beforeEach(async () => {
      serial += 1;
      list = `due-${serial}`;
      now += 400 * DAY;
      // What tests before left behind.
      await tellWhatIsDue(deps());
    });

    const deps = () => ({ db: opened.db, store: watch, operationSinks: ["pager"], now: () => now, log: LOG });
    const address = (index: number) => `0x${String(serial * 100 + index).padStart(40, "1")}`;
    const idOf = (index: number) => `${list}/${CHAIN}/${address(index)}`;
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const row = (index: number, parts: Partial<WatchEntryInput> = {}): WatchEntryInput => ({
      line: index,
      chain: CHAIN,
      address: address(index),
      role: "theft",
      label: "a thief",
      basis: parts.sanctioned == null ? "researcher" : "sanctions",
      confidence: "named_by_researcher",
      independentSources: 1,
      sanctioned: null,
      default: "on",
      direction: "both",
      custodian: null,
      note: null,
      firstSeenTx: null,
      accountType: null,
      owner: null,
      sources: [{ ref: "https://example.org", label: null, quoted: null }],
      ...parts,
    });
    const imported = (rows: readonly WatchEntryInput[]): Promise<GivenOutcome> =>
      importGiven(
        ANN,
        {
          list: toGivenList({ list, version: day(now), incident: bareIncident(list), entries: rows }),
          from: "given.csv",
          acceptShrink: false,
          canaries: [],
          ageMaxDays: null,
          dryRun: false,
        },
        {
          ...deps(),
          rules: new Map(),
          isOwn: () => false,
          refusedOf: () => Promise.resolve([]),
          onChanged: () => Promise.resolve(),
        },
      );
    const told = async () => {
      const rows = await opened.db
        .selectFrom("message")
        .select("body")
        .where("type", "=", "watchlist.due")
        .where("body", "like", `%${list}%`)
        .orderBy("created_at")
        .execute();
      return rows.map(({ body }) => (JSON.parse(body) as SystemBody).data);
    };
    const words = async () =>
      (await told()).map(({ detail }) => `${String(detail["what"])} ${String(detail["entries"])}`);
    const entry = async (index: number) => (await watch.entriesAt(address(index)))[0];

    test("an end is told a week before and when it is there, once each, whatever restarts; another date is told anew", async () => {
      await imported([
        row(1, { validUntil: day(now + 30 * DAY) }),
        row(2, { validUntil: day(now + 30 * DAY) }),
        row(3),
      ]);
      const end = Date.parse(day(now + 31 * DAY));
      await tellWhatIsDue(deps());
      expect(await words()).toEqual([]);
      now = end - END_NOTICE_MS;
      await tellWhatIsDue(deps());
      // As another process does, and this one after a restart.
      await Promise.all([tellWhatIsDue(deps()), tellWhatIsDue(deps())]);
      expect(await words()).toEqual(["ending 2"]);
      expect((await told())[0]).toMatchObject({ severity: "high", subject: `watchlist:${list}` });
      expect((await told())[0]?.summary).toContain(`${idOf(1)}, ${idOf(2)}`);
      now = end - 1;
      await tellWhatIsDue(deps());
      expect(await words()).toEqual(["ending 2"]);
      // Longer is one person's act: the other one ends.
      await imported([row(1, { validUntil: day(now + 60 * DAY) }), row(2, { validUntil: day(end - DAY) }), row(3)]);
      now = end;
      await tellWhatIsDue(deps());
      expect(await words()).toEqual(["ending 2", "ended 1"]);
      expect((await countDue(opened.db, now)).ended).toBeGreaterThanOrEqual(1);
      now += 60 * DAY;
      await tellWhatIsDue(deps());
      expect(await words()).toEqual(["ending 2", "ended 1", "ended 1"]);
    });

    test("of a sanctioned entry no date is told, because none ends it; of victims nothing is", async () => {
      const validUntil = day(now - DAY);
      await imported([
        row(1, { validUntil, sanctioned: SANCTIONED }),
        row(2, { validUntil, role: "victim", default: "never" }),
      ]);
      expect(await entry(1)).toMatchObject({ validUntil });
      await tellWhatIsDue(deps());
      expect(await words()).toEqual([]);
    });

    test("an earlier end waits for a second person, an end for a sanctioned one for nobody", async () => {
      await imported([row(1), row(2, { sanctioned: SANCTIONED })]);
      now += DAY;
      const validUntil = day(now + DAY);
      const { imported: done } = await imported([
        row(1, { validUntil }),
        row(2, { sanctioned: SANCTIONED, validUntil }),
      ]);
      expect(done).toMatchObject({ changed: [idOf(2)], held: [idOf(1)] });
      expect((await entry(1))?.validUntil).toBeUndefined();
      const proposal = await watch.proposal(done.proposalId ?? "");
      await desk.approve(BEN, { proposalId: done.proposalId ?? "", changeHash: proposal?.changeHash ?? "" });
      expect((await entry(1))?.validUntil).toBe(validUntil);
    });

    test("who adds an address says when it ends; an earlier end needs a second person, a later one or none does not", async () => {
      const [end, later] = [day(now + 3 * DAY), day(now + 9 * DAY)];
      const input = { address: address(1), incident: list, chain: CHAIN };
      await expect(desk.add(ANN, { ...input, validUntil: day(now - DAY) })).rejects.toThrow("which is over");
      await expect(desk.add(ANN, { ...input, validUntil: end, sanctioned: SANCTIONED })).rejects.toThrow("never end");
      await desk.add(ANN, { ...input, validUntil: end });
      const entryId = `operator-${list}/${CHAIN}/${address(1)}`;
      const endNow = async () => (await watch.entriesAt(address(1)))[0]?.validUntil;
      const change = (validUntil: string | null) =>
        desk.change(ANN, { entryId, patch: { validUntil }, why: "checked" });
      expect([(await change(later)).done, await endNow()]).toEqual(["applied", later]);
      expect([(await change(end)).done, await endNow()]).toEqual(["proposed", later]);
      expect([(await change(null)).done, await endNow()]).toEqual(["applied", undefined]);
      await desk.add(ANN, { ...input, address: address(2), sanctioned: SANCTIONED });
      const sanctioned = { entryId: `operator-${list}/${CHAIN}/${address(2)}`, patch: { validUntil: end }, why: "x" };
      await expect(desk.change(ANN, sanctioned)).rejects.toThrow("never end a sanctioned entry");
    });

    test("a start ahead keeps a new entry quiet until then, and is told when it is imported", async () => {
      const validFrom = day(now + 3 * DAY);
      await imported([row(1, { validFrom }), row(2, { validFrom, sanctioned: SANCTIONED })]);
      expect((await entry(1))?.muted).toMatchObject({ why: "notYetValid", until: Date.parse(validFrom) });
      expect((await entry(2))?.muted).toBeUndefined();
      const pages = await opened.db.selectFrom("message").select("body").where("body", "like", `%${list}%`).execute();
      expect(pages.map(({ body }) => body).join("\n")).toContain("begins later");
      now = Date.parse(validFrom);
      await endWhatIsOver(deps());
      expect((await entry(1))?.muted).toBeUndefined();
    });

    test("a review is told once when it is due, and not again until another one is", async () => {
      const at = `operator-${list}/${CHAIN}/${address(1)}`;
      await desk.add(ANN, { address: address(1), incident: list, chain: CHAIN });
      const toReview = async () =>
        (await entriesToReview(opened.db, 1_000)).map(({ id }) => id).filter((id) => id === at);
      now += DAY - 1;
      await tellWhatIsDue(deps());
      expect([await words(), await toReview()]).toEqual([[], [at]]);
      now += 1;
      await Promise.all([tellWhatIsDue(deps()), tellWhatIsDue(deps())]);
      expect(await words()).toEqual(["review 1"]);
      // Another change of the entry is not a review.
      await desk.change(BEN, { entryId: at, patch: { label: "known" }, why: "named" });
      now += DAY;
      await tellWhatIsDue(deps());
      expect(await words()).toEqual(["review 1"]);
      await desk.review(BEN, { entryId: at, againMs: 2 * DAY, why: "still unclear" });
      await tellWhatIsDue(deps());
      expect(await words()).toEqual(["review 1"]);
      now += 2 * DAY;
      await tellWhatIsDue(deps());
      expect(await words()).toEqual(["review 1", "review 1"]);
      await desk.review(BEN, { entryId: at, againMs: null, why: "confirmed by two" });
      expect([await toReview(), (await entry(1))?.reviewBy]).toEqual([[], undefined]);
      const again = desk.review(BEN, { entryId: at, againMs: null, why: "once more" });
      await expect(again).rejects.toThrow("no review of it is due");
      const [record] = await watch.history({ entryId: at, limit: 1 });
      expect(record).toMatchObject({ actor: "ben", action: "review", why: "confirmed by two" });
    });
  });
}

function deskOn(opened: OpenStore, now: () => number): { watch: WatchStore; desk: WatchDesk } {
  const watch = createWatchStore(opened.db, {
    ...retellPorts([]),
    entryDigest,
    isMatched: (entry) => isMatched(entry, new Set()),
  });
  const desk = createWatchDesk({
    store: watch,
    reach: createReachStore(opened.db),
    chains: [],
    normalizeAddress,
    hygieneOf: ({ text }) => Promise.resolve({ address: text, findings: [], refused: false, compliance: false }),
    isContract: () => Promise.resolve(null),
    operationSinks: ["pager"],
    now,
    onChanged: () => Promise.resolve(),
  });
  return { watch, desk };
}
