/** How alerts are valued, judged and routed, as a user writes it. Where each rule stands and why: docs/alerts.md. */
import { z } from "zod";
import { ACTIONS, SEVERITIES } from "../types/alert.ts";
import { DEFAULT_POLICY, type Policy, type PolicyOverride, SAYERS } from "../types/policy.ts";
import { ENTRY_ROLES } from "../types/watch.ts";
import { addRefusal, choice, filePath, list, section, shortName, text, wholeNumber } from "./fields.ts";

export const prices = () =>
  section({
    feeds: filePath()
      .nullable()
      .optional()
      .describe(
        "Price feeds by contract; null: values are never looked up. Default: price-feeds.yaml beside this file, where there is one.",
      ),
    maxAgeHours: wholeNumber(1, 720)
      .default(25)
      .describe(
        "A feed that was last updated longer before gives no price. Chainlink's longest heartbeat is 24 hours.",
      ),
  });

const RULED = ENTRY_ROLES.filter((role) => !role.startsWith("victim") && role !== "restrained_funds") as [
  string,
  ...string[],
];
const SAID_BY = SAYERS.filter((sayer) => sayer !== "sanctions") as [string, ...string[]];

const overrides = () =>
  list(
    section({
      roles: list(choice(RULED), "a list of roles")
        .min(1, { error: "at least one role" })
        .describe("Roles of the entries this is about."),
      saidBy: choice(SAID_BY).describe(
        "Who names them: official (a notice, a court, the victim), researchers (two or more), researcher (one), explorer (a tag). Never sanctions.",
      ),
      severity: choice(SEVERITIES).describe("At most this severity."),
      action: choice(["none", "review", "hold"]).describe("At most this advice."),
    }),
    "a list of { roles, saidBy, severity, action }",
  )
    .superRefine((rows, context) => {
      const seen = new Set<string>();
      for (const [index, { roles, saidBy }] of rows.entries())
        for (const role of roles) {
          const cell = `${role} by ${saidBy}`;
          if (seen.has(cell))
            addRefusal(context, { found: `${cell} a second time`, allowed: "each cell once" }, [index]);
          seen.add(cell);
        }
    })
    .default([]);

const severityFrom = () => {
  const score = () => wholeNumber(1, 100);
  const { critical, high, medium, low } = DEFAULT_POLICY.severityFrom;
  return section({
    critical: score().default(critical).describe("Least score of a critical alert."),
    high: score().default(high).describe("Least score of a high one."),
    medium: score().default(medium).describe("Least score of a medium one."),
    low: score().default(low).describe("Least score of a low one; below it is info."),
  }).superRefine((from, context) => {
    if (from.critical > from.high && from.high > from.medium && from.medium > from.low) return;
    const allowed = "critical above high, high above medium, medium above low";
    addRefusal(context, { found: Object.values(from).join(", "), allowed }, []);
  });
};

const STEPS_ALLOWED = "steps from 0 USD upward, none with fewer points than the one below it";

const amountSteps = () =>
  list(
    section({
      fromUsd: wholeNumber(0, 1_000_000_000).describe("Whole USD."),
      points: wholeNumber(0, 40).describe("Points of the score."),
    }),
    "a list of { fromUsd, points }",
  )
    .min(1, { error: STEPS_ALLOWED })
    .max(16, { error: "at most 16 steps" })
    .superRefine((steps, context) => {
      const rises = steps.every(({ fromUsd, points }, index) => {
        const below = steps[index - 1];
        return below === undefined ? fromUsd === 0 : fromUsd > below.fromUsd && points >= below.points;
      });
      if (!rises) addRefusal(context, { found: "other steps", allowed: STEPS_ALLOWED }, []);
    })
    .default([...DEFAULT_POLICY.amountSteps]);

/** In the configuration file only, so that no login and no list can make an alert less likely. */
export const policy = () =>
  section({
    severityFrom: severityFrom().prefault({}).describe("From which score an alert has which severity."),
    amountSteps: amountSteps().describe("Points for what the transfers are worth."),
    holdAboveUsd: wholeNumber(0, 1_000_000)
      .default(DEFAULT_POLICY.holdAboveUsd)
      .describe("Advice to hold is given above this many USD only. Sanctions know no minimum."),
    table: overrides().describe(
      "Cells of the policy table filled otherwise. Each is named in the alerts it changes. Sanctions are as they are.",
    ),
  });

type UserPolicy = z.output<ReturnType<typeof policy>>;

export function policyOfUser({ severityFrom: from, amountSteps: steps, holdAboveUsd, table }: UserPolicy): Policy {
  const cells = table.flatMap(({ roles, ...row }) => roles.map((role) => ({ ...row, role }) as PolicyOverride));
  return { severityFrom: from, amountSteps: steps, holdAboveUsd, overrides: cells };
}

export const routes = () =>
  list(
    section({
      to: list(shortName(), "a list of names of alert sinks")
        .min(1, { error: "at least one name of an alert sink" })
        .describe("Sinks of sinks.alerts that get these alerts."),
      minSeverity: choice(SEVERITIES).optional().describe("This severity and those above it."),
      kinds: list(choice(["exposure", "movement"]), "a list of exposure, movement")
        .optional()
        .describe("Any of these."),
      actions: list(choice(ACTIONS), `a list of ${ACTIONS.join(", ")}`)
        .optional()
        .describe("Any of these."),
      incidents: list(text(/^[a-z0-9][a-z0-9-]{0,63}$/, "the id of an incident"), "a list of incident ids")
        .optional()
        .describe("Any of these."),
      chains: list(shortName(), "a list of chain names").optional().describe("Any of these, by name."),
      customers: list(text(/^[^*]{0,127}\*?$/u, "a customer reference; * only at its end"), "a list of references")
        .optional()
        .describe("Any of these references of own addresses; a * at the end stands for any rest."),
    }),
    "a list of routes",
  )
    .max(64, { error: "at most 64 routes" })
    .default([]);
