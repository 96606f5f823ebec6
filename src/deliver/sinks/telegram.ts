/**
 * A Telegram chat, by a bot's sendMessage. Limit: 4,096 characters of text (core.telegram.org/bots/api#sendmessage);
 * the escaped text is held below it, which Telegram counts as less. Its errors: core.telegram.org/bots/api#responseparameters.
 */
import type { TelegramSinkConfig } from "../../types/sink-config.ts";
import type { SendOutcome, Sink } from "../../types/sink.ts";
import { redactUrl } from "../../lib/redact.ts";
import { type Brief, briefOf } from "../brief.ts";
import { factText, fitBrief } from "../fit.ts";
import {
  answerField,
  askedToWait,
  checkedUrl,
  createHttpSink,
  type HttpAnswer,
  type HttpSinkDeps,
  type MoreOfSend,
  outcomeOfService,
  type Post,
  postJson,
  refusedForGood,
  waitMsOf,
} from "../http-sink.ts";

const TEXT_CHARS_MAX = 4_096;

export function createTelegramSink(config: TelegramSinkConfig, deps: HttpSinkDeps): Sink {
  const base = checkedUrl({ ...config, url: config.apiUrl });
  const url = new URL(`${base.href.replace(/\/$/, "")}/bot${config.token}/sendMessage`);
  // A group that becomes a supergroup gets another id; Telegram names it once, so it is kept until the next start.
  let chatId = config.chatId;
  const requestOf = (text: string) =>
    postJson(url, {
      chat_id: chatId,
      text,
      parse_mode: "HTML",
      link_preview_options: { is_disabled: true },
    });

  async function outcomeOf(answer: HttpAnswer, text: string, post: Post): Promise<SendOutcome> {
    const movedTo = answerField(answer, "parameters", "migrate_to_chat_id");
    if (typeof movedTo !== "number" || String(movedTo) === chatId) return judge(answer, { url, now: deps.now() });
    chatId = String(movedTo);
    const outcome = judge(await post(requestOf(text)), { url, now: deps.now() });
    const note = `the group has moved: set chatId to "${chatId}"`;
    return outcome.result === "delivered" ? { ...outcome, excerpt: note } : outcome;
  }

  const service = {
    description: `telegram ${redactUrl(config.apiUrl)}`,
    keepsState: false,
    secrets: [config.token, url.pathname],
    request: ({ body }: { readonly body: string }) => requestOf(telegramText(briefOf(body, config))),
    outcomeOf: (answer: HttpAnswer, { message, post }: MoreOfSend) =>
      outcomeOf(answer, telegramText(briefOf(message.body, config)), post),
  };
  return createHttpSink(service, config, deps);
}

function judge(answer: HttpAnswer, of: { readonly url: URL; readonly now: number }): SendOutcome {
  const description = answerField(answer, "description");
  const reason = typeof description === "string" ? description : "";
  if (answer.status === 429) return askedToWait(answer, waitMsOf(answerField(answer, "parameters", "retry_after")));
  // 403: the bot was blocked, or is not in the chat any more. A wrong token is 401 or 404, and can be put right.
  if (answer.status === 403) return refusedForGood(answer, reason);
  if (answer.status === 200 && answerField(answer, "ok") !== true)
    return {
      result: "retry",
      status: 200,
      error: "answered 200 without Telegram's ok",
      afterMs: null,
      excerpt: answer.excerpt,
    };
  return outcomeOfService(answer, { ...of, reason });
}

export function telegramText(brief: Brief): string {
  return textOf(fitBrief(brief, (candidate) => textOf(candidate).length <= TEXT_CHARS_MAX));
}

function textOf({ title, summary, facts, footer, link }: Brief): string {
  return [
    `<b>${escapeHtml(title)}</b>`,
    ...(summary === "" ? [] : [escapeHtml(summary)]),
    ...facts.map((fact) => `<b>${escapeHtml(fact.name)}:</b> ${escapeHtml(factText(fact))}`),
    ...(link === null ? [] : [`<a href="${escapeMarkup(link)}">Evidence</a>`]),
    `<i>${escapeHtml(footer)}</i>`,
  ].join("\n");
}

/** Besides the markup, what Telegram makes links of by itself: hashtags, cashtags and commands of a bot. */
function escapeHtml(text: string): string {
  return escapeMarkup(text.replace(/[#$/](?=\p{L})/gu, "$& "));
}

function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
