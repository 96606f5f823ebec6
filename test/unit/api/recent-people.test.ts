/** Who asked a moment ago is known without the store; nobody else is, and not for long. */
import { expect, test } from "@jest/globals";
import type { ApiPorts } from "../../../src/api/calls.ts";
import { rememberPeople } from "../../../src/api/recent-people.ts";
import { UnavailableError } from "../../../src/lib/errors.ts";

const ANN = { name: "ann", role: "service" } as const;

function opened() {
  const state = { now: 0, asked: [] as string[], valid: new Set(["anns"]), isAway: false };
  const ports: ApiPorts = {
    async personOf(token) {
      state.asked.push(token);
      if (state.isAway) throw new Error("connection refused");
      return state.valid.has(token) ? ANN : null;
    },
    ask: () => Promise.resolve(null),
  };
  return { state, people: rememberPeople(ports, () => state.now) };
}

test("a token is looked up once a second, also where many ask at once", async () => {
  const { state, people } = opened();
  expect(await Promise.all([people.personOf("anns"), people.personOf("anns")])).toEqual([ANN, ANN]);
  state.now = 999;
  expect(await people.personOf("anns")).toEqual(ANN);
  expect(state.asked).toEqual(["anns"]);
  state.valid.clear();
  state.now = 1_000;
  expect(await people.personOf("anns")).toBeNull();
  state.valid.add("anns");
  expect(await people.personOf("anns")).toEqual(ANN);
});

test("a wrong token and a store that is away are not remembered", async () => {
  const { state, people } = opened();
  expect(await people.personOf("nobodys")).toBeNull();
  state.valid.add("nobodys");
  expect(await people.personOf("nobodys")).toEqual(ANN);
  state.isAway = true;
  await expect(people.personOf("anns")).rejects.toThrow(UnavailableError);
  state.isAway = false;
  expect(await people.personOf("anns")).toEqual(ANN);
});
