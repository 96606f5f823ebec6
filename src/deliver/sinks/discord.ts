/**
 * A Discord channel, by a webhook: one embed. Limits: docs.discord.com/developers/resources/message#embed-object
 * (title 256, description 4,096, 25 fields of 256 and 1,024, footer 2,048, 6,000 together).
 */
import type { ChatHookSinkConfig } from "../../types/sink-config.ts";
import type { Severity } from "../../types/alert.ts";
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
  outcomeOfService,
  postJson,
  refusedForGood,
  secretsOfUrl,
  waitMsOf,
} from "../http-sink.ts";
import { parseRetryAfter } from "../retry-after.ts";

const TITLE_CHARS_MAX = 256;
const DESCRIPTION_CHARS_MAX = 4_096;
const FIELDS_MAX = 25;
const FIELD_CHARS_MAX = 1_024;
const FOOTER_CHARS_MAX = 2_048;
const EMBED_CHARS_MAX = 6_000;

const UNKNOWN_WEBHOOK = 10_015;

/** Red to grey; a retraction is green. */
const COLOR: Readonly<Record<Severity, number>> = {
  critical: 0xb00020,
  high: 0xe65100,
  medium: 0xf9a825,
  low: 0x1565c0,
  info: 0x607d8b,
};
const RETRACTED_COLOR = 0x2e7d32;

export function createDiscordSink(config: ChatHookSinkConfig<"discord">, deps: HttpSinkDeps): Sink {
  const url = checkedUrl(config);
  const secrets = secretsOfUrl(url);
  // Without it Discord answers before it has saved the message, and says nothing when it does not.
  url.searchParams.set("wait", "true");
  const service = {
    description: `discord ${redactUrl(config.url)}`,
    keepsState: false,
    secrets,
    request: ({ body }: { readonly body: string }) => postJson(url, discordMessage(briefOf(body, config))),
    outcomeOf: (answer: HttpAnswer) => outcomeOf(answer, { url, now: deps.now() }),
  };
  return createHttpSink(service, config, deps);
}

function outcomeOf(answer: HttpAnswer, of: { readonly url: URL; readonly now: number }): SendOutcome {
  if (answer.status === 429) {
    const asked = waitMsOf(answerField(answer, "retry_after"));
    return askedToWait(answer, asked ?? parseRetryAfter(answer.headers["retry-after"], of.now));
  }
  const message = answerField(answer, "message");
  const reason = answer.status >= 400 && typeof message === "string" ? message : "";
  if (answerField(answer, "code") === UNKNOWN_WEBHOOK) return refusedForGood(answer, reason);
  return outcomeOfService(answer, { ...of, reason });
}

export function discordMessage(brief: Brief): object {
  const { title, summary, facts, footer, severity, isRetraction, link } = fitBrief(brief, fits);
  return {
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: escapeMarkdown(title),
        ...(summary === "" ? {} : { description: escapeMarkdown(summary) }),
        ...(link === null ? {} : { url: link }),
        color: isRetraction ? RETRACTED_COLOR : COLOR[severity],
        fields: facts.map((fact) => ({ name: escapeMarkdown(fact.name), value: escapeMarkdown(factText(fact)) })),
        footer: { text: footer },
      },
    ],
  };
}

function fits({ title, summary, facts, footer }: Brief): boolean {
  const names = facts.map(({ name }) => escapeMarkdown(name));
  const values = facts.map((fact) => escapeMarkdown(factText(fact)));
  const lengths = [escapeMarkdown(title), escapeMarkdown(summary), footer, ...names, ...values].map(
    (text) => text.length,
  );
  return (
    escapeMarkdown(title).length <= TITLE_CHARS_MAX &&
    escapeMarkdown(summary).length <= DESCRIPTION_CHARS_MAX &&
    facts.length <= FIELDS_MAX &&
    values.every((value) => value.length <= FIELD_CHARS_MAX) &&
    footer.length <= FOOTER_CHARS_MAX &&
    lengths.reduce((sum, length) => sum + length, 0) <= EMBED_CHARS_MAX
  );
}

/** Every character that starts something in Discord's Markdown: emphasis, code, quotes, links, mentions, emoji. */
function escapeMarkdown(text: string): string {
  return text.replace(/[\\*_~`|>#[\]()<@:+-]/g, "\\$&");
}
