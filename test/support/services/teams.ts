/**
 * A Workflows webhook of Power Automate as a local server: takes an Adaptive Card 1.4 in a message, 28 kB at most.
 * learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors, adaptivecards.io/explorer (RichTextBlock and
 * TextRun since 1.2); errors as Logic Apps answers them. Written from general knowledge of them, not read again.
 */
import {
  field,
  firstWrong,
  type HttpServiceStub,
  isText,
  listOf,
  type ServiceRequest,
  startHttpService,
} from "./http-service.ts";

export const TEAMS_PATH =
  "/workflows/0123456789abcdef0123456789abcdef/triggers/manual/paths/invoke?sig=teams-signature-canary";
const MESSAGE_BYTES_MAX = 28 * 1024;

export function startTeams(): Promise<HttpServiceStub> {
  return startHttpService((request) => {
    if (request.query.get("sig") !== "teams-signature-canary")
      return {
        status: 401,
        body: { error: { code: "DirectApiAuthorizationRequired", message: "The request must be signed." } },
      };
    const wrong = teamsRefusal(request);
    if (wrong === null) return { status: 202 };
    const status = wrong === "RequestEntityTooLarge" ? 413 : 400;
    return { status, body: { error: { code: wrong, message: "The request content is not valid." } } };
  });
}

export function teamsRefusal({ headers, raw, json }: Pick<ServiceRequest, "headers" | "json" | "raw">): string | null {
  const [attachment, ...more] = listOf(field(json, "attachments"));
  const card = field(attachment, "content");
  return firstWrong(
    [Buffer.byteLength(raw) <= MESSAGE_BYTES_MAX, "RequestEntityTooLarge"],
    [headers["content-type"]?.startsWith("application/json") === true, "InvalidRequestContent"],
    [field(json, "type") === "message" && more.length === 0, "TriggerInputSchemaMismatch"],
    [field(attachment, "contentType") === "application/vnd.microsoft.card.adaptive", "TriggerInputSchemaMismatch"],
    [field(card, "type") === "AdaptiveCard" && field(card, "version") === "1.4", "InvalidAdaptiveCard"],
    [listOf(field(card, "body")).length > 0 && listOf(field(card, "body")).every(isRichText), "InvalidAdaptiveCard"],
  );
}

function isRichText(element: unknown): boolean {
  const inlines = listOf(field(element, "inlines"));
  return (
    field(element, "type") === "RichTextBlock" &&
    inlines.length > 0 &&
    inlines.every((run) => field(run, "type") === "TextRun" && isText(field(run, "text"), 1, MESSAGE_BYTES_MAX))
  );
}
