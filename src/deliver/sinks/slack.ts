/**
 * A Slack channel, by an incoming webhook. Limits: docs.slack.dev/reference/block-kit (header 150 characters, section
 * text 3,000, context element 2,000). Its answers: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.
 */
import type { ChatHookSinkConfig } from "../../types/sink-config.ts";
import type { SendOutcome, Sink } from "../../types/sink.ts";
import { redactUrl } from "../../lib/redact.ts";
import { type Brief, briefOf } from "../brief.ts";
import { factText, fitBrief } from "../fit.ts";
import {
  checkedUrl,
  createHttpSink,
  type HttpAnswer,
  type HttpSinkDeps,
  outcomeOfService,
  postJson,
  refusedForGood,
  secretsOfUrl,
} from "../http-sink.ts";

const HEADER_CHARS_MAX = 150;
const SECTION_CHARS_MAX = 3_000;

/** Words of Slack's that no repetition changes: the message is not taken, or there is nobody left to take it. */
const FINAL = new Set(
  (
    "invalid_payload invalid_blocks invalid_blocks_format no_text too_many_attachments invalid_attachments " +
    "no_service no_service_id no_active_hooks no_team team_disabled channel_not_found channel_is_archived " +
    "user_not_found action_prohibited posting_to_general_channel_denied"
  ).split(" "),
);

export function createSlackSink(config: ChatHookSinkConfig<"slack">, deps: HttpSinkDeps): Sink {
  const url = checkedUrl(config);
  const service = {
    description: `slack ${redactUrl(config.url)}`,
    keepsState: false,
    secrets: secretsOfUrl(url),
    request: ({ body }: { readonly body: string }) => postJson(url, slackMessage(briefOf(body, config))),
    outcomeOf: (answer: HttpAnswer) => outcomeOf(answer, { url, now: deps.now() }),
  };
  return createHttpSink(service, config, deps);
}

function outcomeOf(answer: HttpAnswer, of: { readonly url: URL; readonly now: number }): SendOutcome {
  const { status, excerpt } = answer;
  const said = answer.text.trim();
  if (FINAL.has(said)) return refusedForGood(answer, said);
  // A page of a proxy is a 200 too; Slack's own word is "ok".
  if (status === 200 && said !== "ok")
    return { result: "retry", status, error: "answered 200 without Slack's ok", afterMs: null, excerpt };
  return outcomeOfService(answer, { ...of, reason: status >= 400 ? said : "" });
}

/** Plain text throughout: nothing in it is formatting, `&`, `<` and `>` are escaped as Slack asks for. */
export function slackMessage(brief: Brief): object {
  const fitting = fitBrief(brief, fits);
  const { title, summary, link, footer } = fitting;
  const facts = factsOf(fitting);
  return {
    // What notifications and old clients show.
    text: escapeSlack(`${title}. ${summary}`),
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: "header", text: plain(title) },
      ...(summary === "" ? [] : [{ type: "section", text: plain(summary) }]),
      ...(facts === "" ? [] : [{ type: "section", text: plain(facts) }]),
      ...(link === null
        ? []
        : [{ type: "section", text: { type: "mrkdwn", text: `<${link}|Evidence>`, verbatim: true } }]),
      { type: "context", elements: [plain(footer)] },
    ],
  };
}

function fits(brief: Brief): boolean {
  return (
    escapeSlack(brief.title).length <= HEADER_CHARS_MAX &&
    [brief.summary, factsOf(brief), brief.footer].every((text) => escapeSlack(text).length <= SECTION_CHARS_MAX)
  );
}

function factsOf({ facts }: Brief): string {
  return facts.map((fact) => `${fact.name}: ${factText(fact)}`).join("\n");
}

function plain(text: string) {
  return { type: "plain_text", text: escapeSlack(text), emoji: false };
}

function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
