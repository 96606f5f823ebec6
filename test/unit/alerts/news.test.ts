/** Which revisions a sink gets that wants news only: everything that changes what people do, never less. */
import { expect, test } from "@jest/globals";
import { foldContext } from "../../../src/daemon/fold-context.ts";
import type { Config, SinkConfig } from "../../../src/types/config.ts";
import type { HitEvent } from "../../../src/types/hit.ts";
import { bodyOf, entryMatch, event, foldEach, foldGroups, hit, SANCTIONED } from "./make.ts";

const told = hit({ worth: 500_000n });
// The advice is the same in a block or not.
const weak = hit({ worth: 500_000n, matches: [entryMatch({ independentSources: 1 })] });
const strong = hit({ worth: 500_000n, matches: [entryMatch({ sanctioned: SANCTIONED })] });
const quietIn = (events: readonly HitEvent[]) =>
  foldEach(events, { sinks: ["chat", "siem"], newsSinks: new Set(["chat"]) }).map(({ message, sinks, quiet }) =>
    message === null
      ? "nothing"
      : `${bodyOf(message).type} to ${sinks.filter((sink) => !quiet.includes(sink)).join(", ")}`,
  );

test("that it is final is no news, nor that one more operator vouches for it, nor another label", () => {
  const other = hit({ worth: 500_000n, matches: [entryMatch({ label: "other" })] });
  const more = { trust: { proven: true, operators: ["b"], missing: [], traced: true } };
  expect(
    quietIn([event("included", told), event("vouched", told, more), event("rematched", other), event("final", told)]),
  ).toEqual([
    "alert.created to chat, siem",
    "alert.updated to siem",
    "alert.updated to siem",
    "alert.finalized to siem",
  ]);
});

test.each<[string, HitEvent[], string]>([
  ["it is in a block", [event("pending", told), event("included", told)], "alert.updated"],
  ["it is in a block, with the same advice", [event("pending", weak), event("included", weak)], "alert.updated"],
  ["operators disagree, with the same advice", [event("included", weak), event("disputed", weak)], "alert.updated"],
  ["it is taken back", [event("included", told), event("removed", told)], "alert.retracted"],
  ["it stands again", [event("included", told), event("removed", told), event("included", told)], "alert.updated"],
  ["operators disagree", [event("included", told), event("disputed", told)], "alert.updated"],
  ["it is more severe", [event("included", told), event("rematched", strong)], "alert.updated"],
  ["it is less severe", [event("included", strong), event("rematched", told)], "alert.updated"],
  [
    "one more transfer is told",
    [event("included", told), event("included", hit({ key: "log:1", worth: 1_000n }))],
    "alert.updated",
  ],
])("%s: everybody is told", (_what, events, type) => {
  expect(quietIn(events).at(-1)).toBe(`${type} to chat, siem`);
});

test("who was not told of it before is told of it, news or not", () => {
  const routes = [{ to: ["chat"], incidents: ["other-2024"] }];
  const moved = hit({ worth: 500_000n, matches: [entryMatch({ incident: "other-2024" })] });
  const [, last] = foldGroups([[event("included", told)], [event("rematched", moved)]], {
    sinks: ["chat", "siem"],
    newsSinks: new Set(["chat"]),
    routes,
  });
  expect([last?.sinks, last?.quiet]).toEqual([["chat", "siem"], []]);
});

test("chats and mail get news where nothing is said, everybody else all of it", () => {
  const sinks = ["slack", "teams", "discord", "telegram", "email", "pagerduty", "webhook", "splunk", "console"].map(
    (kind) => ({ kind, name: kind }),
  );
  const newsOf = (more: readonly object[]) => [
    ...foldContext({ chains: [], sinks: { alerts: [...sinks, ...more] as SinkConfig[] } } as unknown as Config)
      .newsSinks,
  ];
  const byDefault = ["slack", "teams", "discord", "telegram", "email"];
  expect(newsOf([])).toEqual(byDefault);
  expect(
    newsOf([
      { kind: "slack", name: "log", updates: "all" },
      { kind: "webhook", name: "bot", updates: "news" },
    ]),
  ).toEqual([...byDefault, "bot"]);
});
