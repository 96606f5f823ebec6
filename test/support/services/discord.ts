/**
 * Discord's execute-webhook as a local server. docs.discord.com/developers/resources/webhook#execute-webhook and
 * message#embed-object-embed-limits; error codes: topics/opcodes-and-status-codes#json (10015, 50006, 50027, 50035).
 * Written from general knowledge of them, not read again.
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

export const DISCORD_PATH = "/api/webhooks/123456789012345678/discord-token-canary";

export function startDiscord(): Promise<HttpServiceStub> {
  return startHttpService((request) => {
    if (!request.path.startsWith("/api/webhooks/123456789012345678/"))
      return { status: 404, body: { message: "Unknown Webhook", code: 10015 } };
    if (request.path !== DISCORD_PATH) return { status: 401, body: { message: "Invalid Webhook Token", code: 50027 } };
    const wrong = discordRefusal(request);
    if (wrong !== null)
      return { status: 400, body: { message: wrong, code: wrong === EMPTY ? 50006 : 50035, errors: {} } };
    return request.query.get("wait") === "true" ? { status: 200, body: { id: "1", type: 0 } } : { status: 204 };
  });
}

const EMPTY = "Cannot send an empty message";
const INVALID = "Invalid Form Body";

export function discordRefusal({ headers, json }: Pick<ServiceRequest, "headers" | "json">): string | null {
  const embeds = listOf(field(json, "embeds"));
  return firstWrong(
    [headers["content-type"]?.startsWith("application/json") === true, INVALID],
    [embeds.length > 0 || isText(field(json, "content"), 1, 2_000), EMPTY],
    [isText(field(json, "content") ?? "", 0, 2_000), INVALID],
    [embeds.length <= 10 && embeds.every(isEmbed), INVALID],
    [embeds.reduce<number>((sum, embed) => sum + lengthOf(embed), 0) <= 6_000, INVALID],
  );
}

function isEmbed(embed: unknown): boolean {
  const fields = listOf(field(embed, "fields"));
  const color = field(embed, "color");
  return (
    isText(field(embed, "title") ?? "", 0, 256) &&
    isText(field(embed, "description") ?? "", 0, 4_096) &&
    isText(field(embed, "footer", "text") ?? "", 0, 2_048) &&
    (color === undefined || (Number.isInteger(color) && (color as number) >= 0 && (color as number) <= 0xffffff)) &&
    fields.length <= 25 &&
    fields.every((one) => isText(field(one, "name"), 1, 256) && isText(field(one, "value"), 1, 1_024)) &&
    lengthOf(embed) > 0
  );
}

function lengthOf(embed: unknown): number {
  const texts = [
    field(embed, "title"),
    field(embed, "description"),
    field(embed, "footer", "text"),
    ...listOf(field(embed, "fields")).flatMap((one) => [field(one, "name"), field(one, "value")]),
  ];
  return texts.reduce<number>((sum, text) => sum + (typeof text === "string" ? text.length : 0), 0);
}
