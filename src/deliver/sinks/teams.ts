/**
 * A Microsoft Teams channel, by a Workflows webhook ("When a Teams webhook request is received"): an Adaptive Card 1.4
 * in a message. Limit: 28 kB a message (learn.microsoft.com/microsoftteams/limits-specifications-teams).
 */
import type { ChatHookSinkConfig } from "../../types/sink-config.ts";
import type { SendOutcome, Sink } from "../../types/sink.ts";
import { redactUrl } from "../../lib/redact.ts";
import { type Brief, briefOf } from "../brief.ts";
import { factText, fitBrief } from "../fit.ts";
import {
  answerField,
  checkedUrl,
  createHttpSink,
  type HttpAnswer,
  type HttpSinkDeps,
  outcomeOfService,
  postJson,
  refusedForGood,
  secretsOfUrl,
} from "../http-sink.ts";

// 28 kB by the book; cards of 21 kB and more have been seen to be dropped without a word, so well below that.
const MESSAGE_BYTES_MAX = 20_000;

/** The flow is not there any more. One that is only switched off, or a signature that has run out, is not in here. */
const FINAL = new Set(["WorkflowNotFound", "WorkflowTriggerNotFound"]);

export function createTeamsSink(config: ChatHookSinkConfig<"teams">, deps: HttpSinkDeps): Sink {
  const url = checkedUrl(config);
  const service = {
    description: `teams ${redactUrl(config.url)}`,
    keepsState: false,
    secrets: secretsOfUrl(url),
    request: ({ body }: { readonly body: string }) => postJson(url, teamsMessage(briefOf(body, config))),
    outcomeOf: (answer: HttpAnswer): SendOutcome => {
      const code = answerField(answer, "error", "code");
      const reason = typeof code === "string" ? code : "";
      return FINAL.has(reason)
        ? refusedForGood(answer, reason)
        : outcomeOfService(answer, { url, now: deps.now(), reason });
    },
  };
  return createHttpSink(service, config, deps);
}

export function teamsMessage(brief: Brief): object {
  return cardOf(fitBrief(brief, (candidate) => bytesOf(cardOf(candidate)) <= MESSAGE_BYTES_MAX));
}

/** Rich text runs, which know no Markdown: nothing in them is formatting, a link or a mention. */
function cardOf({ title, summary, facts, footer, severity, isRetraction, link }: Brief): object {
  const color = isRetraction ? "good" : severity === "critical" || severity === "high" ? "attention" : "default";
  return {
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          msteams: { width: "Full" },
          fallbackText: title,
          body: [
            richText(run(title, { weight: "bolder", size: "medium", color })),
            ...(summary === "" ? [] : [richText(run(summary))]),
            ...facts.map((fact) => richText(run(`${fact.name}: `, { weight: "bolder" }), run(factText(fact)))),
            richText(run(footer, { isSubtle: true, size: "small" })),
          ],
          ...(link === null ? {} : { actions: [{ type: "Action.OpenUrl", title: "Evidence", url: link }] }),
        },
      },
    ],
  };
}

function richText(...inlines: readonly object[]): object {
  return { type: "RichTextBlock", inlines };
}

function run(text: string, style: object = {}): object {
  return { type: "TextRun", text, ...style };
}

function bytesOf(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}
