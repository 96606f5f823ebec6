/**
 * hooks.slack.com as a local server. Limits: docs.slack.dev/reference/block-kit/blocks (50 blocks; header plain_text of
 * 150; section text of 3,000, context of 10 elements) and block-kit/composition-objects/text-object; answers:
 * docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors. Written from general knowledge of them, not read again.
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

export const SLACK_PATH = "/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx";

export function startSlack(): Promise<HttpServiceStub> {
  return startHttpService((request) => {
    if (request.path !== SLACK_PATH) return { status: 404, body: "no_service" };
    const wrong = slackRefusal(request);
    return wrong === null ? { status: 200, body: "ok" } : { status: 400, body: wrong };
  });
}

export function slackRefusal({ headers, json }: Pick<ServiceRequest, "headers" | "json">): string | null {
  const blocks = listOf(field(json, "blocks"));
  return firstWrong(
    [headers["content-type"]?.startsWith("application/json") === true, "invalid_payload"],
    [typeof json === "object" && json !== null, "invalid_payload"],
    [blocks.length > 0 || isText(field(json, "text"), 1, 40_000), "no_text"],
    [isText(field(json, "text") ?? "", 0, 40_000), "invalid_payload"],
    [blocks.length <= 50 && blocks.every(isBlock), "invalid_blocks"],
  );
}

function isBlock(block: unknown): boolean {
  switch (field(block, "type")) {
    case "header":
      return field(block, "text", "type") === "plain_text" && isText(field(block, "text", "text"), 1, 150);
    case "section":
      return isTextObject(field(block, "text"), 3_000);
    case "context": {
      const elements = listOf(field(block, "elements"));
      return elements.length >= 1 && elements.length <= 10 && elements.every((one) => isTextObject(one, 3_000));
    }
    default:
      return false;
  }
}

function isTextObject(value: unknown, charsMax: number): boolean {
  const type = field(value, "type");
  const allowed = type === "plain_text" ? ["type", "text", "emoji"] : ["type", "text", "verbatim"];
  return (
    (type === "plain_text" || type === "mrkdwn") &&
    isText(field(value, "text"), 1, charsMax) &&
    Object.keys(value as object).every((key) => allowed.includes(key))
  );
}
