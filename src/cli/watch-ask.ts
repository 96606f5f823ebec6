/** How the watch commands ask: the running daemon first, because only it can ask its nodes; as the person they are run for. */
import { callInstance } from "../daemon/instance.ts";
import { AppError, UnavailableError } from "../lib/errors.ts";
import type { Config } from "../types/config.ts";
import { callOperator, type GlobalOptions } from "./context.ts";

export interface PersonOptions extends GlobalOptions {
  /** A named person, whose token is in HEISTWATCH_TOKEN. Absent: the OS user. */
  readonly as?: string;
}

export async function askWatch<T>(
  config: Config,
  { name, args, options }: { name: string; args: object; options: PersonOptions },
): Promise<T> {
  const call = { ...defined(args), ...personOf(options) };
  // With an embedded store callOperator asks the daemon itself; with a server the daemon is asked for its nodes' sake.
  if (config.databaseUrl !== null) {
    try {
      return (await callInstance(config.dataDir, name, call)) as T;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }
  return (await callOperator(config, name, call)) as T;
}

function personOf({ as: name }: PersonOptions): { as?: { name?: string; token: string } } {
  const token = process.env["HEISTWATCH_TOKEN"];
  if (name === undefined) return {};
  if (token === undefined || token === "")
    throw new AppError(`--as ${name} needs ${name}'s token in the variable HEISTWATCH_TOKEN`);
  return { as: { name, token } };
}

function defined(args: object): object {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
}
