/** Calls that a known person makes, by command line and by HTTP: role, then arguments, then the work. */
import { z } from "zod";
import type { ApiPorts } from "../api/calls.ts";
import type { People } from "../store/people.ts";
import type { Actor, PersonRole } from "../types/watch-change.ts";
import { refuseRole } from "../watchlist/change-rules.ts";
import { actorOf, NotAllowedError, personOf } from "./actors.ts";
import { BadCallError, checked } from "./checked.ts";
import type { ControlCalls } from "./instance.ts";

/** By the name of each call: its arguments, the least role that may ask, what is done. */
export interface CallSet<S extends Readonly<Record<string, z.ZodType>>> {
  readonly schemas: S;
  readonly leastRole: Readonly<Record<keyof S, PersonRole>>;
  readonly handlers: { readonly [N in keyof S]: (args: z.output<S[N]>, actor: Actor) => Promise<unknown> };
}

export interface PersonCalls {
  /** For the control socket: without a token it is the OS user who asks. */
  readonly calls: ControlCalls;
  /** For HTTP: without a token nobody asks. */
  readonly api: ApiPorts;
}

/** Of a person's name, and of the name of an incident. */
export const slug = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "1 to 64 of a-z, 0-9 and -, such as wazirx-2024");
const as = z.strictObject({ name: slug.optional(), token: z.string().max(200) }).optional();

export function createPersonCalls<S extends Readonly<Record<string, z.ZodType>>>(
  { schemas, leastRole, handlers }: CallSet<S>,
  { people, now }: { people: People; now: () => number },
): PersonCalls {
  async function ask(name: keyof S, args: unknown, actor: Actor): Promise<unknown> {
    const refused = refuseRole(actor, leastRole[name]);
    if (refused !== null) throw new NotAllowedError(refused);
    return handlers[name](checked(schemas[name] as z.ZodType<z.output<S[keyof S]>>, args), actor);
  }

  const calls = Object.keys(schemas).map((name) => [
    name,
    async (given: unknown) => {
      const { as: claimed, ...args } = given as { as?: unknown };
      return ask(name, args, await actorOf(people, checked(as, claimed), now()));
    },
  ]);
  const api: ApiPorts = {
    async personOf(token) {
      try {
        const { name, role } = await personOf(people, token, now());
        return { name, role };
      } catch (error) {
        if (error instanceof NotAllowedError) return null;
        throw error;
      }
    },
    async ask(name, args, actor) {
      if (!Object.hasOwn(schemas, name)) throw new BadCallError(`there is no call ${name}`);
      return ask(name, args, actor);
    },
  };
  return { calls: Object.fromEntries(calls) as ControlCalls, api };
}

/** The calls of both, for the same people. */
export function joinCalls(one: PersonCalls, other: PersonCalls): PersonCalls {
  return {
    calls: { ...one.calls, ...other.calls },
    api: {
      personOf: one.api.personOf,
      ask: (name, args, actor) => (Object.hasOwn(one.calls, name) ? one : other).api.ask(name, args, actor),
    },
  };
}
