/** Slack, Teams, Discord and Telegram: what arrives, and what each answer of the service leads to. */
import { describe, expect, test } from "@jest/globals";
import { DISCORD_PATH, startDiscord } from "../support/services/discord.ts";
import type { ServiceAnswer } from "../support/services/http-service.ts";
import { SLACK_PATH, startSlack } from "../support/services/slack.ts";
import { startTeams, TEAMS_PATH } from "../support/services/teams.ts";
import { no, startTelegram, TELEGRAM_CHAT, TELEGRAM_TOKEN } from "../support/services/telegram.ts";
import { alarmMessage, alertMessages, during, largestMessage, LOCAL_HTTP, openSink, send } from "./sink-messages.ts";

const CHATS = {
  slack: async () => {
    const service = await during(startSlack());
    return {
      service,
      sink: openSink({ kind: "slack", name: "chat", url: `${service.origin}${SLACK_PATH}`, ...LOCAL_HTTP }),
    };
  },
  teams: async () => {
    const service = await during(startTeams());
    return {
      service,
      sink: openSink({ kind: "teams", name: "chat", url: `${service.origin}${TEAMS_PATH}`, ...LOCAL_HTTP }),
    };
  },
  discord: async () => {
    const service = await during(startDiscord());
    return {
      service,
      sink: openSink({ kind: "discord", name: "chat", url: `${service.origin}${DISCORD_PATH}`, ...LOCAL_HTTP }),
    };
  },
  telegram: async () => {
    const service = await during(startTelegram());
    const config = { token: TELEGRAM_TOKEN, chatId: TELEGRAM_CHAT, apiUrl: service.origin };
    return { service, sink: openSink({ kind: "telegram", name: "chat", ...config, ...LOCAL_HTTP }) };
  },
} as const;
type Chat = keyof typeof CHATS;
const KINDS = Object.keys(CHATS) as Chat[];

const SLACK_TOKEN = SLACK_PATH.split("/").at(-1) ?? "";
const DISCORD_TOKEN = DISCORD_PATH.split("/").at(-1) ?? "";

describe.each(KINDS)("%s", (kind) => {
  test("takes an alert, its retraction, the largest alert and an alarm", async () => {
    const { service, sink } = await CHATS[kind]();
    const [created, retracted] = alertMessages();
    for (const message of [created, retracted, largestMessage(), alarmMessage("system.degraded")])
      expect(await send(sink, message)).toMatchObject({ result: "delivered" });
    expect(service.requests).toHaveLength(4);
    const [first, second, third, fourth] = service.requests.map(({ raw }) => raw.replaceAll("\\", ""));
    expect(first).toContain("exposure on ethereum");
    expect(first).toContain("exploiter 1");
    expect(first).not.toContain("deposit-88121");
    expect(second).toContain("Retracted: exposure on ethereum");
    expect(third).toMatch(/and \d+ more/);
    expect(fourth).toContain("heistwatch is degraded");
  });

  test("says TEST and REPLAY first where it is one", async () => {
    const { service, sink } = await CHATS[kind]();
    const [created] = alertMessages();
    const body = JSON.stringify({ ...(JSON.parse(created.body) as object), test: true, replay: true });
    expect(await send(sink, { ...created, body })).toMatchObject({ result: "delivered" });
    expect(service.requests[0]?.raw.replaceAll("\\", "")).toContain("TEST, nothing happened: REPLAY: ");
  });

  test.each<[string, ServiceAnswer]>([
    ["500", { status: 500, body: "oops" }],
    ["a gateway's 502", { status: 502, body: "<html>bad gateway</html>" }],
    ["401", { status: 401, body: "{}" }],
    ["a redirect", { status: 302, headers: { location: "https://elsewhere.example/" } }],
  ])("is tried again after %s", async (_what, answer) => {
    const { service, sink } = await CHATS[kind]();
    service.answerNext(answer);
    expect(await send(sink, alertMessages()[0])).toMatchObject({ result: "retry", status: answer.status });
    expect(await send(sink, alertMessages()[0])).toMatchObject({ result: "delivered" });
  });

  test("becomes a dead letter with the reason where the service will never take the message", async () => {
    const { service, sink } = await CHATS[kind]();
    const reasons: Record<Chat, ServiceAnswer> = {
      slack: { status: 400, body: "invalid_payload" },
      teams: { status: 400, body: { error: { code: "TriggerInputSchemaMismatch" } } },
      discord: { status: 400, body: { message: "Invalid Form Body", code: 50035 } },
      telegram: no(400, "Bad Request: chat not found"),
    };
    service.answerNext(reasons[kind]);
    const outcome = await send(sink, alertMessages()[0]);
    expect(outcome).toMatchObject({ result: "rejected", status: 400 });
    expect(JSON.stringify(outcome)).toMatch(
      /invalid_payload|TriggerInputSchemaMismatch|Invalid Form Body|chat not found/,
    );
  });

  test("waits as long as the service asks, in its own way", async () => {
    const { service, sink } = await CHATS[kind]();
    const limits: Record<Chat, ServiceAnswer> = {
      slack: { status: 429, body: "rate_limited", headers: { "retry-after": "7" } },
      teams: { status: 429, headers: { "retry-after": "7" } },
      discord: { status: 429, body: { message: "You are being rate limited.", retry_after: 6.9995, global: false } },
      telegram: no(429, "Too Many Requests: retry after 7", { retry_after: 7 }),
    };
    service.answerNext(limits[kind]);
    expect(await send(sink, alertMessages()[0])).toMatchObject({ result: "retry", status: 429, afterMs: 7_000 });
  });

  test("shows no part of its secret, even where the service repeats it", async () => {
    const { service, sink } = await CHATS[kind]();
    const secret = {
      slack: SLACK_TOKEN,
      teams: "teams-signature-canary",
      discord: DISCORD_TOKEN,
      telegram: TELEGRAM_TOKEN,
    };
    const echo = `no ${secret[kind]}`;
    for (const status of [200, 400, 403, 404, 429, 500]) {
      service.answerNext({ status, body: { message: echo, description: echo, error: { code: echo } } });
      expect(JSON.stringify(await send(sink, alertMessages()[0]))).not.toContain(secret[kind]);
    }
    expect(service.requests).toHaveLength(6);
    expect(sink.describe()).not.toContain(secret[kind]);
  });
});

describe("slack", () => {
  test.each(["no_service", "no_team", "channel_not_found", "channel_is_archived", "action_prohibited"])(
    "%s: there is nobody left to take it",
    async (word) => {
      const { service, sink } = await CHATS.slack();
      service.answerNext({ status: 404, body: word });
      expect(await send(sink, alertMessages()[0])).toMatchObject({
        result: "rejected",
        error: `answered 404: ${word}`,
      });
    },
  );

  test("a 200 that is not Slack's own ok is no delivery", async () => {
    const { service, sink } = await CHATS.slack();
    service.answerNext({ status: 200, body: "<html>please log in</html>" });
    expect(await send(sink, alertMessages()[0])).toMatchObject({ result: "retry", status: 200 });
  });
});

describe("teams", () => {
  test.each([
    [404, "WorkflowNotFound", "rejected"],
    [400, "InvalidAdaptiveCard", "rejected"],
    [401, "DirectApiAuthorizationRequired", "retry"],
    [409, "WorkflowTriggerIsNotEnabled", "retry"],
  ])("%i %s: %s", async (status, code, result) => {
    const { service, sink } = await CHATS.teams();
    service.answerNext({ status, body: { error: { code, message: "no" } } });
    expect(await send(sink, alertMessages()[0])).toMatchObject({ result, error: `answered ${status}: ${code}` });
  });
});

describe("discord", () => {
  test("a deleted webhook is gone; a wait nobody can mean falls back to the header", async () => {
    const { service, sink } = await CHATS.discord();
    service.answerNext(
      { status: 404, body: { message: "Unknown Webhook", code: 10015 } },
      { status: 429, body: { retry_after: "soon" }, headers: { "retry-after": "3" } },
      { status: 429, body: { retry_after: -1 } },
    );
    expect(await send(sink, alertMessages()[0])).toMatchObject({
      result: "rejected",
      error: "answered 404: Unknown Webhook",
    });
    expect(await send(sink, alertMessages()[0])).toMatchObject({ result: "retry", afterMs: 3_000 });
    expect(await send(sink, alertMessages()[0])).toMatchObject({ result: "retry", afterMs: null });
  });

  test("waits until Discord has saved the message", async () => {
    const { service, sink } = await CHATS.discord();
    expect(await send(sink, alertMessages()[0])).toMatchObject({ result: "delivered", status: 200 });
    expect(service.requests[0]?.query.get("wait")).toBe("true");
  });
});

describe("telegram", () => {
  test("a bot that was blocked or removed is gone", async () => {
    const { service, sink } = await CHATS.telegram();
    service.answerNext(no(403, "Forbidden: bot was kicked from the group chat"));
    expect(await send(sink, alertMessages()[0])).toMatchObject({
      result: "rejected",
      error: "answered 403: Forbidden: bot was kicked from the group chat",
    });
  });

  test("a group that has moved is followed at once and from then on, and the operator is told", async () => {
    const { service, sink } = await CHATS.telegram();
    service.answerNext(no(400, "Bad Request: group chat was upgraded", { migrate_to_chat_id: -1009876543210 }));
    expect(await send(sink, alertMessages()[0])).toMatchObject({
      result: "delivered",
      excerpt: 'the group has moved: set chatId to "-1009876543210"',
    });
    expect(await send(sink, alertMessages()[1])).toMatchObject({ result: "delivered" });
    const chats = service.requests.map(({ json }) => (json as { chat_id: string }).chat_id);
    expect(chats).toEqual([TELEGRAM_CHAT, "-1009876543210", "-1009876543210"]);
  });

  test("a group that keeps moving is not followed in circles", async () => {
    const { service, sink } = await CHATS.telegram();
    service.answerNext(no(400, "moved", { migrate_to_chat_id: -1 }), no(400, "moved", { migrate_to_chat_id: -2 }));
    expect(await send(sink, alertMessages()[0])).toMatchObject({ result: "rejected" });
    expect(service.requests).toHaveLength(2);
  });
});
