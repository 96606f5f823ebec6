/** Who read which alerts: written down before anybody sees them, shown to approvers, kept for its time. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sql } from "kysely";
import type { ApiPorts } from "../../src/api/calls.ts";
import { foldAlert } from "../../src/alerts/fold.ts";
import type { AlertPage } from "../../src/daemon/triage-calls.ts";
import { openTriageCalls } from "../../src/daemon/triage-open.ts";
import { type AlertRead, pruneReads } from "../../src/store/alert-reads.ts";
import { createAlertStore } from "../../src/store/alert-store.ts";
import { encodeHit } from "../../src/store/codec.ts";
import { migrate, type OpenStore, openStore } from "../../src/store/database.ts";
import { addHitEvents } from "../../src/store/hit-rows.ts";
import type { PersonRole } from "../../src/types/watch-change.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { context, hit, NOW } from "../unit/alerts/make.ts";

const folder = createTempDir("reads");
let store: OpenStore;
let api: ApiPorts;

beforeAll(async () => {
  store = await openStore({ databaseUrl: null, dataDir: folder.path });
  await migrate(store.db);
  api = openTriageCalls({ triage: { dueHours: {} } }, store).api;
  for (const alertId of ["alr_1", "alr_2", "alr_3"]) {
    const told = { ...hit(), hitId: `hit_${alertId}`, alertId };
    const block = JSON.stringify({ number: 1, hash: "0x1", timestamp: NOW / 1_000, confirmations: 1 });
    const trust = JSON.stringify({ proven: true, operators: ["self"], missing: [], traced: true });
    const event = { hitId: told.hitId, alertId, kind: "included", block, trust, late: false } as const;
    await store.db.transaction().execute((trx) => addHitEvents(trx, [{ ...event, payload: encodeHit(told) }], NOW));
    await createAlertStore(store.db).foldAlert(alertId, (alert, events) => foldAlert(alert, events, context()));
  }
}, 120_000);
afterAll(async () => {
  await store.close();
  await folder.remove();
});

const ask = <T>(name: string, role: PersonRole, call: string, args: object = {}) =>
  api.ask(`alerts.${call}`, args, { name, role }) as Promise<T>;
const readsBy = (actor: string) => ask<AlertRead[]>("cleo", "approver", "reads", { actor });

test("a list, an alert and a history are written down with who, when, what was asked for and what was seen", async () => {
  const before = Date.now();
  const page = await ask<AlertPage>("vera", "viewer", "list", { limit: 2, severity: "low" });
  await ask("vera", "viewer", "show", { alertId: "alr_1" });
  await ask("vera", "viewer", "history", { alertId: "alr_3" });
  const reads = await readsBy("vera");
  expect(reads.map(({ call, alerts, alertIds }) => [call, alerts, alertIds])).toEqual([
    ["alerts.history", 1, ["alr_3"]],
    ["alerts.show", 1, ["alr_1"]],
    ["alerts.list", 2, page.alerts.map(({ alertId }) => alertId)],
  ]);
  expect(reads[2]?.asked).toMatchObject({ limit: 2, severity: "low" });
  for (const { at } of reads) expect(at >= before && at <= Date.now()).toBe(true);
  const ofOne = await ask<AlertRead[]>("cleo", "approver", "reads", { alertId: "alr_3" });
  expect(ofOne.map(({ call }) => call).toSorted()).toEqual(["alerts.history", "alerts.list"]);
});

test("an alert that is not there is nobody's reading, and only approvers see who read", async () => {
  await expect(ask("ann", "investigator", "show", { alertId: "alr_none" })).rejects.toThrow("there is no alert");
  await expect(ask("ann", "investigator", "history", { alertId: "alr_none" })).rejects.toThrow("there is no alert");
  expect(await readsBy("ann")).toEqual([]);
  await expect(ask("ann", "investigator", "reads")).rejects.toThrow("needs approver");
});

test("what cannot be written down is not shown", async () => {
  await sql`alter table alert_read rename to alert_read_away`.execute(store.db);
  try {
    for (const [call, args] of [
      ["list", {}],
      ["show", { alertId: "alr_1" }],
      ["history", { alertId: "alr_1" }],
    ] as const)
      await expect(ask("vera", "viewer", call, args)).rejects.toThrow("alert_read");
  } finally {
    await sql`alter table alert_read_away rename to alert_read`.execute(store.db);
  }
});

test("what is younger than its time stays as it is, what is older goes", async () => {
  await ask("otto", "viewer", "list");
  const [read] = await readsBy("otto");
  await expect(store.db.updateTable("alert_read").set({ actor: "somebody" }).execute()).rejects.toThrow(
    "kept as they are",
  );
  await expect(sql`truncate alert_read`.execute(store.db)).rejects.toThrow("kept as they are");
  const { at } = read as AlertRead;
  await pruneReads(store.db, { before: at, limit: 100 });
  expect(await readsBy("otto")).toHaveLength(1);
  expect(await pruneReads(store.db, { before: at + 1, limit: 100 })).toBeGreaterThan(0);
  expect(await readsBy("otto")).toEqual([]);
});
