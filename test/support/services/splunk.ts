/**
 * Splunk's HTTP Event Collector as a local server, with indexer acknowledgement. help.splunk.com: "Format events for
 * HTTP Event Collector", "Troubleshoot HTTP Event Collector" (the codes), "About HTTP Event Collector Indexer
 * Acknowledgment". Written from general knowledge of them, not read again.
 */
import {
  field,
  type HttpServiceStub,
  type ServiceAnswer,
  type ServiceRequest,
  startHttpService,
} from "./http-service.ts";

export const SPLUNK_TOKEN = "5p1unk00-cafe-4000-8000-0123456789ab";
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TOP_LEVEL = ["time", "host", "source", "sourcetype", "index", "event", "fields"];

export interface SplunkStub extends HttpServiceStub {
  /** What the indexers have. */
  readonly indexed: readonly unknown[];
  /** How many times an acknowledgement is asked for before the indexers have it; Infinity: never. */
  indexAfter(asks: number): void;
  /** As an input without the setting. */
  withoutAcknowledgement(): void;
}

export async function startSplunk(): Promise<SplunkStub> {
  const indexed: unknown[] = [];
  const waiting = new Map<string, { event: unknown; asks: number }>();
  let asksNeeded = 1;
  let acknowledges = true;
  let nextAckId = 0;

  function take(request: ServiceRequest, channel: string): ServiceAnswer {
    const event = field(request.json, "event");
    if (request.raw === "") return code(400, 5, "No data");
    if (typeof request.json !== "object" || request.json === null) return code(400, 6, "Invalid data format");
    if (event === undefined) return code(400, 12, "Event field is required");
    if (event === "" || !Object.keys(request.json).every((key) => TOP_LEVEL.includes(key)))
      return code(400, 6, "Invalid data format");
    if (typeof field(request.json, "time") !== "number") return code(400, 6, "Invalid data format");
    if (field(request.json, "index") === "forbidden") return code(400, 7, "Incorrect index");
    if (!acknowledges) {
      indexed.push(request.json);
      return code(200, 0, "Success");
    }
    const ackId = nextAckId++;
    waiting.set(`${channel} ${ackId}`, { event: request.json, asks: 0 });
    return { status: 200, body: { text: "Success", code: 0, ackId } };
  }

  function acks(request: ServiceRequest, channel: string): ServiceAnswer {
    if (!acknowledges) return code(400, 14, "ACK is disabled");
    const asked = (field(request.json, "acks") as number[]).map((ackId) => {
      const one = waiting.get(`${channel} ${ackId}`);
      if (one === undefined) return [String(ackId), false] as const;
      one.asks += 1;
      if (one.asks < asksNeeded) return [String(ackId), false] as const;
      indexed.push(one.event);
      waiting.delete(`${channel} ${ackId}`);
      return [String(ackId), true] as const;
    });
    return { status: 200, body: { acks: Object.fromEntries(asked) } };
  }

  const stub = await startHttpService((request) => {
    const { authorization } = request.headers;
    if (authorization === undefined) return code(401, 2, "Token is required");
    if (!authorization.startsWith("Splunk ")) return code(401, 3, "Invalid authorization");
    if (authorization !== `Splunk ${SPLUNK_TOKEN}`) return code(403, 4, "Invalid token");
    const channel = request.headers["x-splunk-request-channel"] ?? request.query.get("channel");
    if (acknowledges && typeof channel !== "string") return code(400, 10, "Data channel is missing");
    if (acknowledges && !GUID.test(String(channel))) return code(400, 11, "Invalid data channel");
    if (request.path === "/services/collector/ack") return acks(request, String(channel));
    return request.path === "/services/collector/event" ? take(request, String(channel)) : { status: 404 };
  });
  return {
    ...stub,
    indexed,
    indexAfter: (asks) => void (asksNeeded = asks),
    withoutAcknowledgement: () => void (acknowledges = false),
  };
}

export function code(status: number, number: number, text: string): ServiceAnswer {
  return { status, body: { text, code: number } };
}
