/**
 * api.telegram.org's sendMessage as a local server. core.telegram.org/bots/api (4,096 characters after entities are
 * parsed; ResponseParameters) and its HTML style: only the listed tags, `&lt; &gt; &amp; &quot;`. Written from general knowledge of them, not read again.
 */
import {
  field,
  type HttpServiceStub,
  isText,
  type ServiceAnswer,
  type ServiceRequest,
  startHttpService,
} from "./http-service.ts";

export const TELEGRAM_TOKEN = "123456789:telegram-token-canary-0123456789abcdef";
export const TELEGRAM_CHAT = "-1001234567890";

export function startTelegram(): Promise<HttpServiceStub> {
  return startHttpService((request) => {
    if (request.path !== `/bot${TELEGRAM_TOKEN}/sendMessage`) return no(401, "Unauthorized");
    const wrong = telegramRefusal(request);
    if (wrong !== null) return no(400, `Bad Request: ${wrong}`);
    return { status: 200, body: { ok: true, result: { message_id: 1 } } };
  });
}

export function no(status: number, description: string, parameters?: object): ServiceAnswer {
  return { status, body: { ok: false, error_code: status, description, ...(parameters && { parameters }) } };
}

export function telegramRefusal({ json }: Pick<ServiceRequest, "json">): string | null {
  const [chat, text] = [field(json, "chat_id"), field(json, "text")];
  if (!isText(chat, 1, 64) || !/^(-?\d+|@\w+)$/.test(chat)) return "chat not found";
  if (typeof text !== "string" || text.trim() === "") return "message text is empty";
  if (field(json, "parse_mode") !== "HTML") return "unsupported parse_mode";
  const parsed = parsedHtml(text);
  if (parsed === null) return "can't parse entities";
  return parsed.length > 4_096 ? "message is too long" : null;
}

/** The text without its tags; null where a tag is unknown, not closed, or a sign is not escaped. */
export function parsedHtml(html: string): string | null {
  const open: string[] = [];
  let isRight = true;
  const text = html
    .replace(/<(\/?)([a-z]+)(?: href="[^"<>]*")?>/g, (_tag, slash: string, name: string) => {
      if (!["b", "i", "a"].includes(name)) isRight = false;
      else if (slash === "") open.push(name);
      else if (open.pop() !== name) isRight = false;
      return "";
    })
    .replace(/&(lt|gt|amp|quot);/g, "x");
  return isRight && open.length === 0 && !/[<>&]/.test(text) ? text : null;
}
