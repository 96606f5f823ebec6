/** `heistwatch alerts take|assign|note|state|close|reopen|due`: what people do with an alert. */
import type { AlertDetail, ShownCase } from "../daemon/triage-calls.ts";
import type { Config } from "../types/config.ts";
import { describeCase } from "./alerts.ts";
import { EXIT, readConfig } from "./context.ts";
import { print, printJson } from "./output.ts";
import { askWatch, type PersonOptions } from "./watch-ask.ts";

export interface ActOptions extends PersonOptions {
  /** Version of the case the act was decided on; absent: as it is now. */
  readonly seen?: number;
  readonly note?: string;
}

export async function takeAlert(alertId: string, options: ActOptions): Promise<number> {
  return act("alerts.take", alertId, { options });
}

/** Without a name: nobody's. */
export async function assignAlert(alertId: string, name: string | undefined, options: ActOptions): Promise<number> {
  return act("alerts.assign", alertId, { options, args: { to: name ?? null } });
}

/** One more note takes nothing from anybody: it needs no version. */
export async function noteAlert(alertId: string, note: string, options: PersonOptions): Promise<number> {
  const args = { alertId, note };
  return tell(await askWatch<ShownCase>(readConfig(options), { name: "alerts.note", args, options }), options);
}

export async function moveAlert(alertId: string, to: string, options: ActOptions): Promise<number> {
  return act("alerts.state", alertId, { options, args: { to, note: options.note } });
}

export async function closeAlert(
  alertId: string,
  to: string,
  options: ActOptions & { reason: string },
): Promise<number> {
  const { reason, note } = options;
  return act("alerts.close", alertId, { options, args: { to, reason, note } });
}

export async function reopenAlert(alertId: string, options: ActOptions): Promise<number> {
  return act("alerts.reopen", alertId, { options, args: { note: options.note } });
}

export async function dueAlert(alertId: string, at: string, options: ActOptions): Promise<number> {
  return act("alerts.due", alertId, { options, args: { at: at === "never" ? null : at, note: options.note } });
}

async function act(
  name: string,
  alertId: string,
  { options, args = {} }: { options: ActOptions; args?: object },
): Promise<number> {
  const config = readConfig(options);
  const seen = options.seen ?? (await versionNow(config, alertId, options));
  return tell(await askWatch<ShownCase>(config, { name, args: { ...args, alertId, seen }, options }), options);
}

async function versionNow(config: Config, alertId: string, options: PersonOptions): Promise<number> {
  const { alert } = await askWatch<AlertDetail>(config, { name: "alerts.show", args: { alertId }, options });
  return alert.triage.version;
}

function tell(triage: ShownCase, { json }: PersonOptions): number {
  if (json === true) printJson(triage);
  else print(describeCase(triage));
  return EXIT.ok;
}
