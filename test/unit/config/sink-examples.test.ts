/** Every example of docs/sinks.md is a configuration that loads; what must not stand in a file is refused. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { describeConfig } from "../../../src/config/describe.ts";
import { CHAINS, load, problemText, removeFolders, SECRET } from "./support.ts";

afterAll(removeFolders);

const DOCS = readFileSync(join(import.meta.dirname, "../../../docs/sinks.md"), "utf8");
const EXAMPLES = [...DOCS.matchAll(/^## (\w+)\n+```yaml\n([^`]*)```/gm)].map(([, kind = "", yaml = ""]) => ({
  kind,
  yaml,
}));
const ENV = {
  DESK_SECRET: SECRET,
  SLACK_URL: "https://hooks.slack.com/services/T0/B0/slack-canary-0123456789",
  TEAMS_URL: "https://prod-1.westeurope.logic.azure.com/workflows/1/triggers/manual/paths/invoke?sig=teams-canary",
  DISCORD_URL: "https://discord.com/api/webhooks/1/discord-canary",
  TELEGRAM_TOKEN: "123456:telegram-canary-0123456789",
  PAGERDUTY_KEY: "pagerdutykeycanary0123456789abcd",
  SPLUNK_TOKEN: "12345678-1234-1234-1234-splunkcanary",
  SMTP_PASSWORD: "smtp-canary",
};
const fileOf = (sink: string) => `${CHAINS}\nsinks:\n  alerts:\n${sink.replace(/^(?=.)/gm, "    ")}`;

test("each kind of sink has one example", () => {
  const kinds = "webhook slack teams discord telegram pagerduty splunk syslog email file stdout".split(" ");
  expect(EXAMPLES.map(({ kind }) => kind)).toEqual(kinds);
});

test.each(EXAMPLES)("the example of $kind loads, and is described without its secrets", ({ kind, yaml }) => {
  const config = load({ "heistwatch.yaml": fileOf(yaml) }, ENV);
  expect(config.sinks.alerts.map((sink) => sink.kind)).toEqual([kind]);
  const described = describeConfig(config).join("\n");
  expect(described).toContain(`: ${kind}`);
  expect(described).not.toMatch(/canary|BwcHBwcH/);
});

describe("refused", () => {
  const local = "allowNetworks: [127.0.0.0/8]";
  test.each([
    [
      "a chat's URL written in the file",
      "- { kind: slack, name: a, url: https://hooks.slack.com/services/T/B/x }",
      "{ env: NAME }: a secret does not stand",
    ],
    [
      "a plain http URL of a chat",
      "- { kind: discord, name: a, url: { env: PLAIN } }",
      "together with allowHttp: true",
    ],
    [
      "a token written in the file",
      `- { kind: telegram, name: a, token: "1:2", chatId: "1" }`,
      "{ env: NAME }: a secret does not stand",
    ],
    [
      "a chat id that is none",
      "- { kind: telegram, name: a, token: { env: TELEGRAM_TOKEN }, chatId: room }",
      "a chat id in quotes",
    ],
    [
      "a routing key that is none",
      "- { kind: pagerduty, name: a, routingKey: { env: SMTP_PASSWORD } }",
      "an integration key of 32 characters",
    ],
    [
      "a certificate without its key",
      `- { kind: syslog, name: a, host: siem, certFile: a.pem, ${local} }`,
      "both, or neither",
    ],
    [
      "a login in clear",
      "- { kind: email, name: a, host: mx, tls: none, login: { user: a, password: { env: SMTP_PASSWORD } }, from: a@b.c, to: [a@b.c] }",
      "tls: starttls or tls",
    ],
    [
      "an address with a line break",
      '- { kind: email, name: a, host: mx, from: a@b.c, to: ["a@b.c\\r\\nBcc: x@y.z"] }',
      "an address such as",
    ],
    ["a format that is none", "- { kind: stdout, format: cef }", "native, cloudevents, ocsf, ecs"],
  ])("%s", (_what, sink, allowed) => {
    const text = problemText({ "heistwatch.yaml": fileOf(sink) }, { ...ENV, PLAIN: "http://discord.example/x" });
    expect(text).toContain(allowed);
    expect(text).toMatch(/^1 problem/);
    expect(text).not.toMatch(/canary|services\/T/);
  });
});
