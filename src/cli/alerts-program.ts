/** The commands about alerts and what people do with them. */
import { type Command, Option } from "commander";
import { SEVERITIES } from "../types/alert.ts";
import { DONE_REASONS, DONE_STATES, TRIAGE_STATES } from "../types/triage.ts";
import * as look from "./alerts.ts";
import * as change from "./alerts-change.ts";
import type { GlobalOptions } from "./context.ts";
import { releaseHeldAlert } from "./recorded.ts";
import { about, asPerson, plain, type ProgramTools } from "./watch-program.ts";

const STAGES = ["announced", "pending", "included", "final", "retracted"];

export function addAlertCommands(program: Command, tools: ProgramTools): void {
  const alerts = program.command("alerts").description("look at alerts, work on their cases");
  addLooking(alerts, tools);
  addWorking(alerts, tools);
  addEnding(alerts, tools);
  addSending(alerts, tools);
  addReads(alerts, tools);
}

function addLooking(alerts: Command, tools: ProgramTools): void {
  const { finish, wholeNumber } = tools;
  asPerson(alerts.command("list").description("alerts, newest first"), tools)
    .option("--limit <n>", "at most this many", wholeNumber, 50)
    .option("--offset <n>", "skip this many", wholeNumber, 0)
    .option("--after <place>", "the page after this place, also while new alerts come")
    .addOption(new Option("--state <state...>", "only cases in these states").choices(TRIAGE_STATES))
    .addOption(new Option("--severity <severity>", "this severity and above").choices(SEVERITIES))
    .addOption(new Option("--kind <kind>", "only this kind").choices(["exposure", "movement"]))
    .addOption(new Option("--stage <stage>", "only this stage").choices(STAGES))
    .option("--incident <id>", "only of this incident")
    .option("--chain <id>", "only on this chain (CAIP-2)")
    .option("--customer <ref>", "only of this customer")
    .option("--assignee <name>", "only this person's")
    .option("--overdue", "only cases that are not done and past their due date")
    .option("--since <time>", "only from this time on: 2026-11-22 or 2026-11-22T10:00:00Z")
    .option("--until <time>", "only before this time")
    .action(plain(finish, look.listAlerts));
  asPerson(
    alerts.command("show <alertId>").description("one alert with its case, every revision, delivery and act"),
    tools,
  ).action(about(finish, look.showAlert));
  asPerson(
    alerts.command("history <alertId>").description("who did what with it, and why, oldest first"),
    tools,
  ).action(about(finish, look.alertHistory));
}

function addReads(alerts: Command, tools: ProgramTools): void {
  const { finish, wholeNumber } = tools;
  asPerson(alerts.command("reads [alertId]").description("who read alerts, or this one; for approvers"), tools)
    .option("--actor <name>", "only what this person read")
    .option("--limit <n>", "at most this many", wholeNumber, 100)
    .action(about(finish, look.alertReads));
}

function addSending(alerts: Command, { withGlobals, finish }: ProgramTools): void {
  withGlobals(
    alerts.command("release <alertId>").description("send an alert that waits in a group's digest by itself"),
  ).action((alertId: string, options: GlobalOptions) => finish(releaseHeldAlert(alertId, options)));
}

function addWorking(alerts: Command, tools: ProgramTools): void {
  const { finish } = tools;
  act(alerts.command("take <alertId>").description("it is yours from now on"), tools).action(
    about(finish, change.takeAlert),
  );
  act(
    alerts.command("assign <alertId> [name]").description("it is this person's; without a name nobody's"),
    tools,
  ).action((alertId: string, name: string | undefined, options: change.ActOptions) =>
    finish(change.assignAlert(alertId, name, options)),
  );
  asPerson(alerts.command("note <alertId> <text>").description("write something down; it stays"), tools).action(
    (alertId: string, text: string, options: change.ActOptions) => finish(change.noteAlert(alertId, text, options)),
  );
  act(
    alerts
      .command("state <alertId> <state>")
      .description("where the work stands: docs/triage.md says what may follow what"),
    tools,
  )
    .option("--note <text>", "why")
    .action((alertId: string, state: string, options: change.ActOptions) =>
      finish(change.moveAlert(alertId, state, options)),
    );
  act(alerts.command("due <alertId> <time>").description("until when: 2026-11-22T10:00:00Z, a day, or never"), tools)
    .option("--note <text>", "why")
    .action((alertId: string, time: string, options: change.ActOptions) =>
      finish(change.dueAlert(alertId, time, options)),
    );
}

function addEnding(alerts: Command, tools: ProgramTools): void {
  const { finish } = tools;
  const reasons = DONE_STATES.map((state) => `${state}: ${DONE_REASONS[state].join(", ")}`).join("; ");
  act(
    alerts.command("close <alertId> <state>").description(`done: ${DONE_STATES.join(", ")}, with a reason and a note`),
    tools,
  )
    .requiredOption("--reason <code>", reasons)
    .requiredOption("--note <text>", "what you found")
    .action((alertId: string, state: string, options: change.ActOptions & { reason: string }) =>
      finish(change.closeAlert(alertId, state, options)),
    );
  act(alerts.command("reopen <alertId>").description("it is open again"), tools)
    .requiredOption("--note <text>", "why")
    .action(about(finish, change.reopenAlert));
}

function act(command: Command, tools: ProgramTools): Command {
  return asPerson(command, tools).option(
    "--seen <version>",
    "refuse if the case is not at this version any more; default: as it is now",
    tools.wholeNumber,
  );
}
