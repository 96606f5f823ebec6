/** What people ask of alerts and their cases, by command line and by HTTP: arguments checked, the caller known, the rules asked. */
import { z } from "zod";
import * as rules from "../alerts/triage-rules.ts";
import { AppError, NotFoundError } from "../lib/errors.ts";
import type { AlertRead, AlertReads } from "../store/alert-reads.ts";
import type { AlertStore } from "../store/alert-store.ts";
import type { DeliveryStore } from "../store/delivery-store.ts";
import type { People } from "../store/people.ts";
import { dueFrom } from "../store/triage-follow.ts";
import type { CaseQuery, ListedAlert, TriageStore } from "../store/triage-store.ts";
import type { AlertRecord, Message, Severity } from "../types/alert.ts";
import { SEVERITIES } from "../types/alert.ts";
import { DONE_STATES, type DueHours, isDone, TRIAGE_STATES, type TriageCase } from "../types/triage.ts";
import type { Actor, AuditRecord, PersonRole } from "../types/watch-change.ts";
import { isSamePerson, mayAct } from "../watchlist/change-rules.ts";
import { createPersonCalls, type PersonCalls, slug } from "./person-calls.ts";

export interface TriageCallDeps {
  readonly triage: TriageStore;
  readonly alerts: AlertStore;
  readonly deliveries: DeliveryStore;
  /** Oldest first. */
  readonly historyOf: (alertId: string) => Promise<readonly AuditRecord[]>;
  readonly caseOf: (alertId: string) => Promise<TriageCase | null>;
  readonly people: People;
  readonly reads: AlertReads;
  readonly dueHours: DueHours;
  readonly now: () => number;
}

/** An alert as it is shown: without the fold's own memory, with its case. */
export type ShownAlert = Omit<AlertRecord, "state"> & { readonly triage: ShownCase };
export type ShownCase = Omit<TriageCase, "alertId"> & { readonly overdue: boolean };

export interface AlertPage {
  readonly alerts: readonly ShownAlert[];
  /** Given back as `after` it brings the next page; null: this was the last. */
  readonly next: string | null;
}

export interface AlertDetail {
  readonly alert: ShownAlert;
  readonly messages: readonly (Omit<Message, "body"> & { readonly body: unknown })[];
  readonly deliveries: Awaited<ReturnType<DeliveryStore["list"]>>;
  readonly history: readonly AuditRecord[];
}

// A page of notes: what is longer is a document, and belongs where documents are kept.
const NOTE_LENGTH_MAX = 4_000;
// Controls, format characters (direction changes, zero width, tags), lone surrogates: a note says what it shows. Kept are
// line breaks, tabs, and the two joiners that several scripts are written with.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;
const KEPT = /[\n\t\u200c\u200d]/gu;

const noteText = z
  .string()
  .max(NOTE_LENGTH_MAX)
  .transform((text) => text.replaceAll("\r\n", "\n").trim())
  .refine((text) => text !== "", "a note says something")
  .refine((text) => !HIDDEN.test(text.replaceAll(KEPT, "")), "no control or invisible characters");
const alertId = z.string().regex(/^[!-~]{1,64}$/);
/** The version of the case that the act was decided on. */
const seen = z.int().positive();
const visible = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .regex(/^\P{C}+$/u);
const time = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], "a time such as 2026-11-22T10:00:00Z, or a day")
  .transform((text) => Date.parse(text));
const place = z
  .string()
  .regex(/^\d{1,15}-[!-~]{1,64}$/)
  .transform((text) => ({ alertedAt: Number.parseInt(text, 10), alertId: text.slice(text.indexOf("-") + 1) }));

const schemas = {
  "alerts.list": z.strictObject({
    limit: z.int().min(1).max(10_000).default(50),
    offset: z.int().nonnegative().max(1_000_000_000).default(0),
    after: place.optional(),
    state: z.array(z.enum(TRIAGE_STATES)).min(1).max(TRIAGE_STATES.length).optional(),
    severity: z.enum(SEVERITIES).optional(),
    kind: z.enum(["exposure", "movement"]).optional(),
    stage: z.enum(["announced", "pending", "included", "final", "retracted"]).optional(),
    retracted: z.boolean().optional(),
    incident: visible(64).optional(),
    chain: visible(64).optional(),
    customer: visible(400).optional(),
    assignee: visible(64).optional(),
    overdue: z.literal(true).optional(),
    since: time.optional(),
    until: time.optional(),
  }),
  "alerts.show": z.strictObject({ alertId }),
  "alerts.history": z.strictObject({ alertId }),
  "alerts.reads": z.strictObject({
    limit: z.int().min(1).max(10_000).default(100),
    alertId: alertId.optional(),
    actor: visible(64).optional(),
  }),
  "alerts.take": z.strictObject({ alertId, seen }),
  "alerts.assign": z.strictObject({ alertId, seen, to: slug.nullable() }),
  "alerts.note": z.strictObject({ alertId, note: noteText }),
  "alerts.state": z.strictObject({ alertId, seen, to: z.enum(TRIAGE_STATES), note: noteText.optional() }),
  "alerts.close": z.strictObject({
    alertId,
    seen,
    to: z.enum(DONE_STATES),
    reason: z.string().max(64),
    note: noteText,
  }),
  "alerts.reopen": z.strictObject({ alertId, seen, note: noteText }),
  "alerts.due": z.strictObject({ alertId, seen, at: time.nullable(), note: noteText.optional() }),
} as const;

export type TriageCall = keyof typeof schemas;

export const TRIAGE_LEAST_ROLE: Readonly<Record<TriageCall, PersonRole>> = {
  "alerts.list": "viewer",
  "alerts.show": "viewer",
  "alerts.history": "viewer",
  "alerts.reads": "approver",
  "alerts.take": "investigator",
  "alerts.assign": "investigator",
  "alerts.note": "investigator",
  "alerts.state": "investigator",
  "alerts.close": "investigator",
  "alerts.reopen": "investigator",
  "alerts.due": "investigator",
};

export function createTriageCalls(deps: TriageCallDeps): PersonCalls {
  const { triage, now, dueHours } = deps;

  interface Act {
    readonly alertId: string;
    readonly seen: number;
    readonly note?: string | undefined;
  }
  const act = async (
    { alertId: id, seen: version, note }: Act,
    { actor, action }: { actor: Actor; action: string },
    decide: (before: TriageCase, severity: Severity) => rules.TriageDecision,
  ) =>
    shownCase(
      await triage.change({
        alertId: id,
        seen: version,
        actor: actor.name,
        action,
        note: note ?? null,
        now: now(),
        decide: (before, severity) => patchOf(decide(before, severity)),
      }),
      now(),
    );

  /** Before anybody sees them: what cannot be written down is not shown. */
  async function read(
    { actor, ...of }: { actor: Actor } & Pick<AlertRead, "call" | "asked">,
    shown: readonly Pick<ShownAlert, "alertId">[],
  ): Promise<void> {
    const alertIds = shown.map(({ alertId: id }) => id);
    await deps.reads.add({ ...of, at: now(), actor: actor.name, alerts: shown.length, alertIds });
  }

  return createPersonCalls(
    {
      schemas,
      leastRole: TRIAGE_LEAST_ROLE,
      handlers: {
        "alerts.list": async (args, actor) => {
          const page = pageOf(await triage.list(queryOf(args, now())), args.limit, now());
          await read({ actor, call: "alerts.list", asked: args }, page.alerts);
          return page;
        },
        "alerts.show": async ({ alertId: id }, actor) => {
          const shown = await showAlert(deps, id);
          await read({ actor, call: "alerts.show", asked: {} }, [shown.alert]);
          return shown;
        },
        "alerts.history": async ({ alertId: id }, actor) => {
          if ((await deps.caseOf(id)) === null) throw noAlert(id);
          await read({ actor, call: "alerts.history", asked: {} }, [{ alertId: id }]);
          return deps.historyOf(id);
        },
        "alerts.reads": (args) => deps.reads.list(args),
        "alerts.take": (args, actor) =>
          act(args, { actor, action: "take" }, (before) => rules.decideTake(before, actor.name)),
        "alerts.assign": async (args, actor) => {
          const to = args.to === null ? null : await assignable(deps, { to: args.to, actor });
          return act(args, { actor, action: "assign" }, (before) => rules.decideAssign(before, to));
        },
        "alerts.note": async ({ alertId: id, note }, actor) => {
          const about = { alertId: id, seen: null, actor: actor.name, action: "note", note, now: now() };
          return shownCase(await triage.change({ ...about, decide: () => ({}) }), now());
        },
        "alerts.state": (args, actor) =>
          act(args, { actor, action: "state" }, (before) => rules.decideMove(before, args.to)),
        "alerts.close": ({ to, reason, ...args }, actor) =>
          act(args, { actor, action: "close" }, (before) => rules.decideClose(before, { to, reason })),
        "alerts.reopen": (args, actor) =>
          act(args, { actor, action: "reopen" }, (before, severity) =>
            rules.decideReopen(before, dueFrom(now(), severity, dueHours)),
          ),
        "alerts.due": (args, actor) =>
          act(args, { actor, action: "due" }, (before) => rules.decideDue(before, args.at)),
      },
    },
    deps,
  );
}

class RefusedError extends AppError {
  override readonly code = "refused";
}

function patchOf(decision: rules.TriageDecision) {
  if (decision.do === "refuse") throw new RefusedError(decision.because);
  return decision.patch;
}

function noAlert(id: string): NotFoundError {
  return new NotFoundError(`there is no alert ${id}`);
}

function queryOf(args: z.output<(typeof schemas)["alerts.list"]>, now: number): CaseQuery {
  const { after, state, severity, overdue, ...rest } = args;
  return {
    ...rest,
    below: after,
    states: state,
    // That severity and above.
    severities: severity === undefined ? undefined : SEVERITIES.slice(SEVERITIES.indexOf(severity)),
    dueBefore: overdue === true ? now : undefined,
  };
}

function pageOf(listed: readonly ListedAlert[], limit: number, now: number): AlertPage {
  const last = listed.length < limit ? undefined : listed.at(-1)?.alert;
  return {
    alerts: listed.map((one) => shownAlert(one, now)),
    next: last === undefined ? null : `${last.createdAt}-${last.alertId}`,
  };
}

function shownAlert({ alert: { state: _memory, ...alert }, triage }: ListedAlert, now: number): ShownAlert {
  return { ...alert, triage: shownCase(triage, now) };
}

function shownCase({ alertId: _id, ...triage }: TriageCase, now: number): ShownCase {
  return { ...triage, overdue: triage.dueAt !== null && triage.dueAt <= now && !isDone(triage.state) };
}

async function showAlert(
  { alerts, deliveries, caseOf, historyOf, now }: TriageCallDeps,
  id: string,
): Promise<AlertDetail> {
  const [found, triage] = [await alerts.show(id), await caseOf(id)];
  if (found === null || triage === null) throw noAlert(id);
  return {
    alert: shownAlert({ alert: found.alert, triage }, now()),
    messages: found.messages.map((message) => ({ ...message, body: JSON.parse(message.body) as unknown })),
    deliveries: await deliveries.list({ limit: 1_000, offset: 0, alertId: id }),
    history: await historyOf(id),
  };
}

/** As they are written; throws where nobody of that name can act. */
async function assignable(
  { people, now }: TriageCallDeps,
  { to, actor }: { to: string; actor: Actor },
): Promise<string> {
  if (isSamePerson(to, actor.name)) return actor.name;
  const person = (await people.list()).find(({ name }) => isSamePerson(name, to));
  if (person === undefined || person.revokedAt !== null || person.expiresAt <= now())
    throw new RefusedError(`nobody called ${to} has a valid token (heistwatch people list)`);
  if (!mayAct(person, "investigator"))
    throw new RefusedError(`${person.name} is ${person.role}: a case needs an investigator`);
  return person.name;
}
