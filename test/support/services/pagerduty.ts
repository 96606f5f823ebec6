/**
 * events.pagerduty.com/v2/enqueue as a local server: keeps the incidents as PagerDuty would. Fields and limits:
 * developer.pagerduty.com/docs/events-api-v2/trigger-events (summary 1,024, dedup_key 255, 512 kB). Written from general knowledge of them, not read again.
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

export const PAGERDUTY_KEY = "pagerdutykeycanary0123456789abcd";

export interface PagerdutyStub extends HttpServiceStub {
  /** By dedup key. */
  readonly incidents: ReadonlyMap<string, "triggered" | "resolved">;
}

export async function startPagerduty(): Promise<PagerdutyStub> {
  const incidents = new Map<string, "triggered" | "resolved">();
  const stub = await startHttpService((request) => {
    if (request.path !== "/v2/enqueue") return { status: 404 };
    const wrong = pagerdutyRefusal(request);
    if (wrong !== null)
      return { status: 400, body: { status: "invalid event", message: "Event object is invalid", errors: [wrong] } };
    const key = String(field(request.json, "dedup_key"));
    const isResolve = field(request.json, "event_action") === "resolve";
    // A resolve of an incident that is not open changes nothing.
    if (!isResolve) incidents.set(key, "triggered");
    else if (incidents.has(key)) incidents.set(key, "resolved");
    return { status: 202, body: { status: "success", message: "Event processed", dedup_key: key } };
  });
  return { ...stub, incidents };
}

export function pagerdutyRefusal({ raw, json }: Pick<ServiceRequest, "raw" | "json">): string | null {
  const action = field(json, "event_action");
  const payload = field(json, "payload");
  const isTrigger = action === "trigger";
  return firstWrong(
    [Buffer.byteLength(raw) <= 512 * 1024, "Event is too large"],
    [field(json, "routing_key") === PAGERDUTY_KEY, "Invalid routing key"],
    [isTrigger || action === "resolve", "'event_action' is invalid"],
    [isText(field(json, "dedup_key"), 1, 255), "'dedup_key' is missing or too long"],
    [!isTrigger || isText(field(payload, "summary"), 1, 1_024), "'payload.summary' is missing or too long"],
    [!isTrigger || isText(field(payload, "source"), 1, 1_024), "'payload.source' is missing or blank"],
    [
      !isTrigger || ["critical", "error", "warning", "info"].includes(String(field(payload, "severity"))),
      "'payload.severity' is invalid",
    ],
    [!isTrigger || !Number.isNaN(Date.parse(String(field(payload, "timestamp")))), "'payload.timestamp' is invalid"],
    [listOf(field(json, "links")).every((link) => isText(field(link, "href"), 1, 2_048)), "'links' is invalid"],
  );
}
