/** `/v1/alerts`: the alerts with their cases, and what people do with one. Same calls, same checks as the command line's. */
import type { FastifyInstance } from "fastify";
import { addGroup, answerCall, BODY_BYTES_MAX, type Ports } from "./calls.ts";

/** `POST /v1/alerts/:alertId/<act>`. */
export const ALERT_ACTS = ["take", "assign", "note", "state", "close", "reopen", "due"] as const;

export function addAlertRoutes(server: FastifyInstance, ports: Ports): void {
  addGroup(server, "alerts", (app) => {
    app.get("", (request, reply) =>
      answerCall(ports, { request, reply, call: "alerts.list", args: argsOf(request.query) }),
    );
    app.get("/:alertId", (request, reply) =>
      answerCall(ports, { request, reply, call: "alerts.show", args: request.params }),
    );
    app.get("/:alertId/history", (request, reply) =>
      answerCall(ports, { request, reply, call: "alerts.history", args: request.params }),
    );
    for (const act of ALERT_ACTS)
      app.post(`/:alertId/${act}`, { bodyLimit: BODY_BYTES_MAX }, (request, reply) => {
        const args = { ...(request.body as object | null), ...(request.params as object) };
        return answerCall(ports, { request, reply, call: `alerts.${act}`, args });
      });
  });
}

/** What a query string can only say as text, as the call's arguments; the call checks them. */
function argsOf(query: unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(query as Record<string, string | string[]>).map(([key, value]) => [key, valueOf(key, value)]),
  );
}

const NUMBERS: readonly string[] = ["limit", "offset"];
const BOOLEANS: readonly string[] = ["overdue", "retracted"];

function valueOf(key: string, value: string | string[]): unknown {
  if (key === "state") return [value].flat();
  if (NUMBERS.includes(key) && typeof value === "string" && /^\d{1,15}$/.test(value)) return Number(value);
  if (BOOLEANS.includes(key) && (value === "true" || value === "false")) return value === "true";
  return value;
}
