/**
 * What the book of cases must do, on PGlite and on Postgres: each alert has its case from its first revision on, no two
 * people overwrite each other, what gains weight is open again, and a page is found without reading all alerts.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { hashId } from "../../src/lib/ids.ts";
import { createAlertStore } from "../../src/store/alert-store.ts";
import { encodeHit } from "../../src/store/codec.ts";
import { migrate, type OpenStore } from "../../src/store/database.ts";
import * as migration from "../../src/store/migrations/013-triage.ts";
import { readCaseHistory, readCases } from "../../src/store/triage-reader.ts";
import { type CaseChange, type CaseQuery, createTriageStore } from "../../src/store/triage-store.ts";
import type { AlertRecord, FoldResult } from "../../src/types/alert.ts";
import type { CasePatch, TriageCase } from "../../src/types/triage.ts";
import { hitOf, NOW } from "./store-facts.ts";
import { caseScaleTests } from "./store-triage-scale.ts";

const HOUR = 3_600_000;
const DUE_HOURS = { critical: 4, high: 24 };

interface Revision extends Partial<Pick<AlertRecord, "severity" | "stage" | "kind" | "createdAt">> {
  readonly at?: number;
  readonly gainedHit?: boolean;
  readonly customerRef?: string | null;
  readonly incidents?: readonly string[];
}

export function triageConformance(
  name: string,
  open: () => Promise<{ opened: OpenStore; close: () => Promise<void> }>,
): void {
  describe(`${name} keeps the book of cases`, () => {
    let opened: OpenStore;
    let close: () => Promise<void> = () => Promise.resolve();
    let serial = 0;
    /** Of this test alone. */
    let chain = "";

    beforeAll(async () => {
      ({ opened, close } = await open());
      await migrate(opened.db);
    }, 120_000);
    afterAll(() => close());
    beforeEach(() => {
      serial += 1;
      chain = `test:triage-${serial}`;
    });

    const triage = () => createTriageStore(opened.db);
    const hitAt = (tx: string) => hitOf({ chain, tx });
    const idOf = (tx: string) => hitAt(tx).alertId;

    /** A real event, folded to what the test says about it. */
    async function revise(tx: string, revision: Revision = {}): Promise<FoldResult | null> {
      const hit = hitAt(tx);
      const event = { hit_id: hit.hitId, alert_id: hit.alertId, kind: "included", block: "null", trust: null };
      const rest = { payload: encodeHit(hit), late: false, reason: null, link: null, at: revision.at ?? NOW };
      await opened.db
        .insertInto("hit_event")
        .values({ ...event, ...rest })
        .execute();
      return createAlertStore(opened.db, DUE_HOURS).foldAlert(hit.alertId, (alert) => foldTo(alert, { tx, revision }));
    }

    function foldTo(
      alert: AlertRecord | null,
      { tx, revision: given }: { tx: string; revision: Revision },
    ): FoldResult {
      const at = given.at ?? NOW;
      const number = (alert?.revision ?? 0) + 1;
      const record: AlertRecord = {
        alertId: idOf(tx),
        chain,
        txHash: tx,
        subject: "0xthief",
        revision: number,
        kind: given.kind ?? alert?.kind ?? "exposure",
        stage: given.stage ?? alert?.stage ?? "included",
        severity: given.severity ?? alert?.severity ?? "high",
        action: "review",
        summary: `${tx} in revision ${number}`,
        state: "folded",
        createdAt: given.createdAt ?? alert?.createdAt ?? at,
        updatedAt: at,
      };
      const { alertId, severity, revision } = record;
      const webhookId = hashId("msg", [alertId, String(revision)]);
      const message = { webhookId, type: "alert.updated", body: "{}", severity, alertId, revision } as const;
      const { customerRef = null, incidents = ["heist"], gainedHit = false } = given;
      return {
        record,
        message,
        sinks: [],
        grouping: null,
        payments: [],
        quiet: [],
        about: { customerRef, incidents, gainedHit },
      };
    }

    const caseOf = async (tx: string) => (await readCases(opened.db, [idOf(tx)])).get(idOf(tx)) as TriageCase;
    const historyOf = (tx: string) => readCaseHistory(opened.db, idOf(tx));
    const change = (tx: string, patch: CasePatch, over: Partial<CaseChange> = {}) =>
      triage().change({
        alertId: idOf(tx),
        seen: null,
        actor: "ann",
        action: "state",
        note: null,
        now: NOW,
        decide: () => patch,
        ...over,
      });
    const closed = { state: "closed_false", reason: "wrong_attribution" } as const;
    const listed = async (query: Partial<CaseQuery> = {}) =>
      (await triage().list({ limit: 100, chain, ...query })).map(({ alert }) => alert.txHash);

    test("an alert has its case with its first revision: open, nobody's, due as its severity says", async () => {
      await revise("0x1", { severity: "critical", customerRef: "customer-17" });
      await revise("0x2", { severity: "low" });
      const made = { state: "open", version: 1, assignee: null, reason: null, changedAt: NOW };
      expect(await caseOf("0x1")).toEqual({ alertId: idOf("0x1"), ...made, dueAt: NOW + 4 * HOUR });
      expect(await caseOf("0x2")).toMatchObject({ ...made, dueAt: null });
      expect(await historyOf("0x1")).toEqual([]);
    });

    test("an act that changes nothing of a case is in its history, and leaves its version alone", async () => {
      await revise("0x1");
      const before = await caseOf("0x1");
      const act = { alertId: idOf("0x1"), actor: "ann", action: "evidence", note: "sha256 00", now: NOW + 1 };
      await triage().note(act);
      expect(await caseOf("0x1")).toEqual(before);
      expect(await historyOf("0x1")).toMatchObject([
        {
          at: NOW + 1,
          actor: "ann",
          action: "evidence",
          why: "sha256 00",
          before: { version: 1 },
          after: { version: 1 },
        },
      ]);
      await expect(triage().note({ ...act, alertId: "alr_none" })).rejects.toThrow("there is no alert alr_none");
    });

    test("a fold that fails, or finds no events, leaves no case", async () => {
      await opened.db
        .insertInto("hit_event")
        .values({
          hit_id: hitAt("0x1").hitId,
          alert_id: idOf("0x1"),
          kind: "included",
          block: "null",
          payload: encodeHit(hitAt("0x1")),
          trust: null,
          late: false,
          reason: null,
          link: null,
          at: NOW,
        })
        .execute();
      const broken = createAlertStore(opened.db).foldAlert(idOf("0x1"), () => {
        throw new Error("broken");
      });
      await expect(broken).rejects.toThrow("broken");
      await createAlertStore(opened.db).foldAlert(idOf("0x2"), (alert) => foldTo(alert, { tx: "0x2", revision: {} }));
      expect(await readCases(opened.db, [idOf("0x1"), idOf("0x2")])).toEqual(new Map());
      expect(await listed()).toEqual([]);
    });

    test("a change is stored with its line in the trail, which nobody can take back", async () => {
      await revise("0x1", { severity: "low" });
      const after = await change("0x1", closed, {
        seen: 1,
        action: "close",
        note: "an exchange's wallet",
        now: NOW + 5,
      });
      expect(after).toEqual({ ...(await caseOf("0x1")), ...closed, version: 2, changedAt: NOW + 5 });
      expect(await historyOf("0x1")).toEqual([
        {
          seq: expect.any(Number),
          at: NOW + 5,
          actor: "ann",
          action: "close",
          subject: idOf("0x1"),
          why: "an exchange's wallet",
          before: { state: "open", version: 1, assignee: null, dueAt: null, reason: null },
          after: { state: "closed_false", version: 2, assignee: null, dueAt: null, reason: "wrong_attribution" },
          approver: null,
          changeHash: null,
        },
      ]);
      const forged = sql`update watch_audit set actor = 'ben' where subject = ${idOf("0x1")}`.execute(opened.db);
      await expect(forged).rejects.toThrow("kept as they are");
    });

    test("of two people who saw the same version one acts, and the other is told by whom and how", async () => {
      await revise("0x1");
      const take = (actor: string) =>
        change("0x1", { assignee: actor, state: "investigating" }, { seen: 1, actor, action: "take" });
      const results = await Promise.allSettled([take("ann"), take("ben")]);
      const winner = results[0]?.status === "fulfilled" ? "ann" : "ben";
      expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      const refused = results.find((one) => one.status === "rejected")?.reason as Error & { code: string };
      expect(refused.code).toBe("changed_meanwhile");
      expect(refused.message).toBe(
        `alert ${idOf("0x1")} changed since version 1, it is 2 now. ${winner}: take (open to investigating, assigned to ${winner}) at ${new Date(NOW).toISOString()}`,
      );
      expect(await caseOf("0x1")).toMatchObject({ assignee: winner, version: 2 });
      expect(await historyOf("0x1")).toHaveLength(1);
      await expect(change("0x1", closed, { seen: 9 })).rejects.toThrow("has no version 9: it is 2");
    });

    test("what is refused changes nothing, and says nothing in the trail", async () => {
      await revise("0x1");
      const before = await caseOf("0x1");
      const refusing = change(
        "0x1",
        {},
        {
          decide: () => {
            throw new Error("not allowed");
          },
        },
      );
      await expect(refusing).rejects.toThrow("not allowed");
      await expect(change("0xnone", closed)).rejects.toMatchObject({ code: "not_found" });
      expect([await caseOf("0x1"), await historyOf("0x1")]).toEqual([before, []]);
    });

    const GAINS: [string, Revision, Revision, string][] = [
      ["a higher severity", { severity: "medium" }, { severity: "high" }, "severity rose from medium to high"],
      ["a new transfer", {}, { gainedHit: true }, "a new transfer"],
      ["standing again", { stage: "retracted" }, { stage: "included" }, "it stands again after it was retracted"],
    ];
    describe.each(GAINS)("with %s", (_name, first, then, why) => {
      test.each(["reported", "closed_true", "closed_false", "suppressed"] as const)(
        "a case that is %s is open again in the same transaction, with the reason and a new clock",
        async (state) => {
          await revise("0x1", { severity: "high", ...first });
          await change("0x1", { state, reason: "other", assignee: "ann" });
          await revise("0x1", { ...then, at: NOW + HOUR });
          expect(await caseOf("0x1")).toMatchObject({
            state: "open",
            version: 3,
            assignee: "ann",
            reason: null,
            dueAt: NOW + 25 * HOUR,
          });
          expect((await historyOf("0x1")).at(-1)).toMatchObject({
            actor: "system:alerts",
            action: "reopen",
            why: `revision 2: ${why}`,
            before: { state, reason: "other" },
            after: { state: "open", reason: null },
          });
        },
      );

      test("an open case stays where it is, and who saw it before cannot close it", async () => {
        await revise("0x1", { severity: "high", ...first });
        await change("0x1", { state: "escalated" });
        await revise("0x1", then);
        expect(await caseOf("0x1")).toMatchObject({ state: "escalated", version: 3 });
        await expect(change("0x1", closed, { seen: 2 })).rejects.toThrow("system:alerts: alert gained weight");
      });
    });

    test("a done case stays done while its alert falls, becomes final, is retracted, or is back as it was judged", async () => {
      await revise("0x1", { severity: "high" });
      await change("0x1", closed);
      const later: Revision[] = [
        { severity: "medium" },
        { stage: "final" },
        { stage: "retracted" },
        { stage: "included", severity: "high" },
      ];
      for (const one of later) await revise("0x1", one);
      expect(await caseOf("0x1")).toMatchObject({ ...closed, version: 2 });
      // A note later does not move what was judged.
      await revise("0x1", { severity: "low" });
      await change("0x1", {}, { action: "note", note: "still nothing" });
      await revise("0x1", { severity: "high" });
      expect(await caseOf("0x1")).toMatchObject(closed);
      await revise("0x1", { severity: "critical" });
      expect(await caseOf("0x1")).toMatchObject({ state: "open", dueAt: NOW + 4 * HOUR });
    });

    test("closing and a rising revision at the same moment never end with it closed", async () => {
      for (let round = 0; round < 20; round += 1) {
        const tx = `0x${round}`;
        await revise(tx, { severity: "medium" });
        const [closing] = await Promise.allSettled([
          change(tx, closed, { seen: 1 }),
          revise(tx, { severity: "critical" }),
        ]);
        expect([closing?.status, await caseOf(tx)]).toMatchObject([expect.any(String), { state: "open" }]);
      }
    }, 60_000);

    test("the clock of an open case becomes shorter when its alert rises, never longer", async () => {
      await revise("0x1", { severity: "low" });
      await revise("0x1", { severity: "high", at: NOW + HOUR });
      expect(await caseOf("0x1")).toMatchObject({ dueAt: NOW + 25 * HOUR });
      await change("0x1", { dueAt: NOW + 2 * HOUR });
      await revise("0x1", { severity: "critical", at: NOW + 2 * HOUR });
      expect(await caseOf("0x1")).toMatchObject({ dueAt: NOW + 2 * HOUR });
    });

    test("the list finds by everything a team sorts by", async () => {
      await revise("0xa", { severity: "critical", customerRef: "customer-1", incidents: ["heist", "other"], at: NOW });
      await revise("0xb", { severity: "medium", kind: "movement", at: NOW + 1 });
      await revise("0xc", { severity: "info", stage: "retracted", customerRef: "customer-2", at: NOW + 2 });
      await change("0xb", { assignee: "ann", state: "investigating" });
      await change("0xc", closed);
      expect(await listed()).toEqual(["0xc", "0xb", "0xa"]);
      const found: [Partial<CaseQuery>, string[]][] = [
        [{ states: ["open", "investigating"] }, ["0xb", "0xa"]],
        [{ states: ["reported"] }, []],
        [{ severities: ["high", "critical"] }, ["0xa"]],
        [{ kind: "movement" }, ["0xb"]],
        [{ stage: "retracted" }, ["0xc"]],
        [{ retracted: true }, ["0xc"]],
        [{ retracted: false }, ["0xb", "0xa"]],
        [{ incident: "other" }, ["0xa"]],
        [{ incident: "heist" }, ["0xc", "0xb", "0xa"]],
        [{ customer: "customer-2" }, ["0xc"]],
        [{ assignee: "ann" }, ["0xb"]],
        [{ chain: "test:none" }, []],
        [{ since: NOW + 1 }, ["0xc", "0xb"]],
        [{ until: NOW + 1 }, ["0xa"]],
        [{ dueBefore: NOW + 5 * HOUR }, ["0xa"]],
        [{ dueBefore: NOW + 3 * HOUR }, []],
        [{ incident: "heist", severities: ["critical"], customer: "customer-1", states: ["open"] }, ["0xa"]],
      ];
      for (const [query, alerts] of found) expect([query, await listed(query)]).toEqual([query, alerts]);
      const [first] = await triage().list({ limit: 1, chain, customer: "customer-1" });
      expect(first).toMatchObject({ alert: { summary: "0xa in revision 1" }, triage: await caseOf("0xa") });
      // A later revision moves it between the answers.
      await revise("0xa", { customerRef: "customer-9", stage: "final", incidents: ["heist"] });
      expect([await listed({ customer: "customer-1" }), await listed({ incident: "other" })]).toEqual([[], []]);
      expect(await listed({ customer: "customer-9", stage: "final" })).toEqual(["0xa"]);
    });

    test("pages have no doubles and leave nothing out, while new alerts come and many have the same time", async () => {
      const all = Array.from({ length: 25 }, (_, index) => `0x${index}`);
      for (const [index, tx] of all.entries()) await revise(tx, { at: NOW + Math.floor(index / 10) });
      const seen: string[] = [];
      let below: CaseQuery["below"];
      for (let page = 0; page < 5; page += 1) {
        const rows = await triage().list({ limit: 6, chain, below });
        seen.push(...rows.map(({ alert }) => alert.txHash));
        const last = rows.at(-1)?.alert;
        below = last && { alertedAt: last.createdAt, alertId: last.alertId };
        await revise(`0xnew-${page}`, { at: NOW + 100 });
      }
      expect(seen.toSorted()).toEqual(all.toSorted());
      expect(await listed({ limit: 3, offset: 5 })).toEqual(seen.slice(0, 3));
    });

    test("cases that are not done are counted, and which of them are overdue", async () => {
      const before = new Map((await triage().counts(NOW)).map((one) => [`${one.state} ${one.severity}`, one]));
      for (const tx of ["0x1", "0x2", "0x3"]) await revise(tx, { severity: "critical" });
      await change("0x1", { state: "investigating" });
      await change("0x3", closed);
      const counts = async (now: number) =>
        (await triage().counts(now))
          .filter(({ severity }) => severity === "critical")
          .map(({ state, count, overdue }) => {
            const was = before.get(`${state} critical`);
            return [state, count - (was?.count ?? 0), overdue - (was?.overdue ?? 0)];
          })
          .filter(([, count]) => count !== 0)
          .toSorted(([a], [b]) => String(a).localeCompare(String(b)));
      expect(await counts(NOW)).toEqual([
        ["investigating", 1, 0],
        ["open", 1, 0],
      ]);
      const late = await triage().counts(NOW + 4 * HOUR);
      expect(late.find(({ state, severity }) => state === "investigating" && severity === "critical")?.overdue).toBe(1);
    });

    test("alerts of an older version get the same cases when the store is brought up to date", async () => {
      await revise("0x1", { severity: "critical", incidents: ["heist"] });
      const { hitId, alertId } = hitAt("0x1");
      const own = { side: "to", address: { chain, address: "0xours", customerRef: "customer-5", wallet: "deposit" } };
      await opened.db
        .insertInto("hit")
        .values({
          hit_id: hitId,
          alert_id: alertId,
          chain,
          tx_hash: "0x1",
          block_number: null,
          block_hash: null,
          state: "included",
          recorded_rule: null,
          recorded_reason: null,
          match_digest: "",
          payload: encodeHit({ ...hitAt("0x1"), own: own as never }),
          created_at: NOW,
          block: null,
          trust: null,
          retro_scan: null,
        })
        .execute();
      const rowOf = () =>
        opened.db.selectFrom("triage").selectAll().where("alert_id", "=", alertId).executeTakeFirstOrThrow();
      const before = await rowOf();
      await sql`drop table triage`.execute(opened.db);
      await sql`drop index watch_audit_subject`.execute(opened.db);
      await migration.up(opened.db as never);
      // No clock: when it was to be answered is not known any more.
      expect(await rowOf()).toEqual({ ...before, customer_ref: "customer-5", due_at: null });
    });

    caseScaleTests(() => opened);
  });
}
