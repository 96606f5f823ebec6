/** `heistwatch people add|revoke|list`: who may change what is watched. */
import type { Person } from "../store/people.ts";
import { EXIT, readConfig } from "./context.ts";
import { print, printJson, table, timeOf } from "./output.ts";
import { askWatch, type PersonOptions } from "./watch-ask.ts";

export async function addPerson(name: string, options: PersonOptions & { role: string }): Promise<number> {
  const args = { name, role: options.role };
  const made = await askWatch<{ token: string; expiresAt: number }>(readConfig(options), {
    name: "people.add",
    args,
    options,
  });
  if (options.json === true) printJson(made);
  else {
    print(`${name} is ${options.role} until ${timeOf(made.expiresAt)}. The token, shown this once:`);
    print(made.token);
  }
  return EXIT.ok;
}

export async function revokePerson(name: string, options: PersonOptions): Promise<number> {
  await askWatch(readConfig(options), { name: "people.revoke", args: { name }, options });
  if (options.json === true) printJson({ name });
  else print(`The token of ${name} is not valid any more.`);
  return EXIT.ok;
}

export async function listPeople(options: PersonOptions): Promise<number> {
  const people = await askWatch<Person[]>(readConfig(options), { name: "people.list", args: {}, options });
  if (options.json === true) printJson(people);
  else
    print(
      table(
        ["name", "role", "added by", "until", "revoked"],
        people.map((one) => [one.name, one.role, one.createdBy, timeOf(one.expiresAt), timeOf(one.revokedAt)]),
      ),
    );
  return EXIT.ok;
}
