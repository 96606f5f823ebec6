/** Who asked a moment ago is still who they were: a pipeline asks many times a second. */
import type { Actor } from "../types/watch-change.ts";
import { UnavailableError } from "../lib/errors.ts";
import type { ApiPorts } from "./calls.ts";

// A token that is taken back may ask for this much longer.
const KNOWN_MS = 1_000;
const KNOWN_MAX = 1_000;

/** `now`: in ms, by any clock that only goes forward. */
export function rememberPeople(ports: ApiPorts, now: () => number = () => performance.now()): ApiPorts {
  const known = new Map<string, { readonly at: number; readonly person: Promise<Actor | null> }>();
  return {
    ask: (call, args, actor) => ports.ask(call, args, actor),
    personOf(token) {
      const before = known.get(token);
      if (before !== undefined && now() - before.at < KNOWN_MS) return before.person;
      const person = ports.personOf(token).catch((error: unknown) => {
        throw new UnavailableError("nobody can tell who asks: the store is away", { cause: error });
      });
      if (known.size >= KNOWN_MAX) known.clear();
      known.set(token, { at: now(), person });
      // Neither a wrong token nor a store that was away is remembered.
      person.then((actor) => actor ?? known.delete(token)).catch(() => known.delete(token));
      return person;
    },
  };
}
