/**
 * Goal: whatever strangers put into names, labels and references, no sink's body breaks a limit of its service or
 * carries a word of theirs that does something.
 * Method: bodies of real folds with hostile texts, checked by the stand-ins of the services that the conformance suite
 * sends to, and by each service's own rules of what would be markup, a link or a mention.
 */
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { briefOf } from "../../../src/deliver/brief.ts";
import { formatBody } from "../../../src/deliver/formats/format.ts";
import { discordMessage } from "../../../src/deliver/sinks/discord.ts";
import { emailText } from "../../../src/deliver/sinks/email.ts";
import { pagerdutyEvent } from "../../../src/deliver/sinks/pagerduty.ts";
import { slackMessage } from "../../../src/deliver/sinks/slack.ts";
import { syslogFrame } from "../../../src/deliver/sinks/syslog.ts";
import { teamsMessage } from "../../../src/deliver/sinks/teams.ts";
import { telegramText } from "../../../src/deliver/sinks/telegram.ts";
import { BODY_FORMATS } from "../../../src/types/sink-config.ts";
import { discordRefusal } from "../../support/services/discord.ts";
import { PAGERDUTY_KEY, pagerdutyRefusal } from "../../support/services/pagerduty.ts";
import { slackRefusal } from "../../support/services/slack.ts";
import { readFrames } from "../../support/services/syslog.ts";
import { teamsRefusal } from "../../support/services/teams.ts";
import { parsedHtml, TELEGRAM_CHAT, telegramRefusal } from "../../support/services/telegram.ts";
import { entryMatch, ETH, event, foldGroups, hit } from "../alerts/make.ts";
import { hostileAlert, hostileMessage } from "./hostile-messages.ts";
import { schemaOf } from "./body-schemas.ts";

const headers = { "content-type": "application/json" };
const customer = { customerReference: true };
// No shrinking: each try is a fold of its own, and the seed that is printed replays the failure.
const RUNS = { numRuns: 40, endOnFailure: true };

/** What reads as a link or a mention somewhere: a scheme, a domain, `@name`. */
const LINK = /:\/\/|[\p{L}\p{N}][.。．｡][\p{L}][\p{L}\p{N}]|[@＠][^\s\]]/u;
const INVISIBLE = /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Cs}/u;

/** Every text in a JSON value, by the same path that a reader would. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

function expectHarmless(text: string): void {
  expect(text).not.toMatch(LINK);
  expect(text.replaceAll("\n", "")).not.toMatch(INVISIBLE);
}

const ours = new Set([
  "application/vnd.microsoft.card.adaptive",
  "http://adaptivecards.io/schemas/adaptive-card.json",
  "1.4",
]);

test("names of theirs end after 32 characters, those of incidents after 64, wherever they stand", () => {
  const [label, symbol, name] = ["L", "S", "N"].map((letter) => letter.repeat(100)) as [string, string, string];
  const one = hit({ matches: [entryMatch({ label }, { name })], asset: { ...ETH, symbol } });
  const body = foldGroups([[event("included", one)]])[0]?.message?.body ?? "";
  for (const text of textsOf(briefOf(body, customer))) expect(text).not.toMatch(/L{32}|S{32}|N{64}/);
  const { summary, facts } = briefOf(body, customer);
  const [L, S, N] = [`${"L".repeat(31)}…`, `${"S".repeat(31)}…`, `${"N".repeat(63)}…`];
  expect(summary).toContain(`5 ${S} moved`);
  expect(summary).toContain(`${N}: ${L}`);
  expect(facts.map(({ values }) => values.join())).toEqual(
    expect.arrayContaining([expect.stringContaining(`5 ${S} from`), expect.stringContaining(`${L} of ${N}`)]),
  );
});

test("whose address it is is said only where that was asked for", () => {
  const body = foldGroups([[event("included")]])[0]?.message?.body ?? "";
  expect(body).toContain("deposit-88121");
  expect(JSON.stringify(briefOf(body, { customerReference: false }))).not.toContain("deposit-88121");
  expect(JSON.stringify(briefOf(body, customer))).toContain("customer deposit-88121");
});

test("a thousand transfers are five and how many more", () => {
  const hits = Array.from({ length: 1_000 }, (_, index) => hit({ key: `log:${index}` }));
  const body = foldGroups([hits.map((one) => event("included", one))])[0]?.message?.body ?? "";
  for (const text of [telegramText(briefOf(body, customer)), JSON.stringify(slackMessage(briefOf(body, customer)))])
    expect(text).toMatch(/and 99\d more/);
});

describe("a hostile message", () => {
  test("fits Slack, and nothing in it is markup", () => {
    fc.assert(
      fc.property(hostileMessage, ({ body }) => {
        const json = slackMessage(briefOf(body, customer));
        expect(slackRefusal({ headers, json })).toBeNull();
        for (const text of textsOf(json)) {
          expectHarmless(text);
          // Slack's escaping: no bracket of its own, no ampersand but of the three entities.
          expect(text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
        }
      }),
      RUNS,
    );
  });

  test("fits Teams, as runs of text without markup", () => {
    fc.assert(
      fc.property(hostileMessage, ({ body }) => {
        const json = teamsMessage(briefOf(body, customer));
        expect(teamsRefusal({ headers, json, raw: JSON.stringify(json) })).toBeNull();
        for (const text of textsOf(json)) if (!ours.has(text)) expectHarmless(text);
      }),
      RUNS,
    );
  });

  test("fits Discord, mentions nobody, and every sign of Markdown is escaped", () => {
    fc.assert(
      fc.property(hostileMessage, ({ body }) => {
        const json = discordMessage(briefOf(body, customer)) as { allowed_mentions: object; embeds: object[] };
        expect(discordRefusal({ headers, json })).toBeNull();
        expect(json.allowed_mentions).toEqual({ parse: [] });
        for (const text of textsOf(json.embeds)) {
          expectHarmless(text.replaceAll("\\", ""));
          // Our own footer names the alert: `alr_` is no emphasis without a second mark.
          if (!/^alr_\w{26}, revision \d+$/.test(text))
            expect(text.replace(/\\[^A-Za-z0-9\s]/g, "")).not.toMatch(/[\\*_~`|>#[\]()<@:+-]/);
        }
      }),
      RUNS,
    );
  });

  test("fits Telegram, and its HTML holds our tags only", () => {
    fc.assert(
      fc.property(hostileMessage, ({ body }) => {
        const text = telegramText(briefOf(body, customer));
        const json = { chat_id: TELEGRAM_CHAT, text, parse_mode: "HTML" };
        expect(telegramRefusal({ json })).toBeNull();
        const shown = parsedHtml(text) ?? "<";
        expectHarmless(shown);
        expect(shown).not.toMatch(/[#$/]\p{L}/u);
        expect(text).not.toMatch(/<a /);
      }),
      RUNS,
    );
  });

  test("fits PagerDuty", () => {
    fc.assert(
      fc.property(hostileMessage, ({ body }) => {
        const json = { routing_key: PAGERDUTY_KEY, ...pagerdutyEvent(body, customer) };
        expect(pagerdutyRefusal({ json, raw: JSON.stringify(json) })).toBeNull();
        const { payload } = json as { payload?: { custom_details: object; summary: string } };
        for (const text of textsOf([payload?.summary, payload?.custom_details])) expectHarmless(text);
      }),
      RUNS,
    );
  });

  test("is a mail of plain lines", () => {
    fc.assert(
      fc.property(hostileMessage, ({ body }) => {
        const brief = briefOf(body, customer);
        expectHarmless(emailText(brief));
        // The subject: our own words only.
        expect(brief.title).toMatch(/^[\x20-\x7e]{1,150}$/);
      }),
      RUNS,
    );
  });

  test.each(BODY_FORMATS)("is one syslog message that fits, as %s", (format) => {
    fc.assert(
      fc.property(hostileMessage, (message) => {
        const { messages, refused } = readFrames(syslogFrame(message, { format }, "1.2.3"));
        expect(refused).toEqual([]);
        expect(messages).toHaveLength(1);
        const [one] = messages;
        expect(one?.parameters.get("heistwatch@32473 webhookId")).toBe(message.webhookId);
        expect([...(one?.parameters.keys() ?? [])].every((key) => /^(origin|heistwatch@32473) \w+$/.test(key))).toBe(
          true,
        );
        expect(JSON.parse(one?.text ?? "")).toEqual(expect.any(Object));
        expect(one?.text).toMatch(/^[\x20-\x7e]+$/);
      }),
      RUNS,
    );
  });

  test.each(BODY_FORMATS)("is valid and below 64 kB for machines, as %s", (format) => {
    const validate = schemaOf(format);
    fc.assert(
      fc.property(hostileMessage, (message) => {
        const { text } = formatBody(format, message, "1.2.3");
        expect(Buffer.byteLength(text)).toBeLessThan(64_000);
        expect(text).not.toContain("\n");
        validate(JSON.parse(text));
        expect(validate.errors ?? []).toEqual([]);
      }),
      RUNS,
    );
  });
});

test("every native body of a hostile alert stays below 20 kB", () => {
  fc.assert(
    fc.property(hostileAlert, ({ body }) => expect(Buffer.byteLength(body)).toBeLessThan(20_000)),
    RUNS,
  );
});
