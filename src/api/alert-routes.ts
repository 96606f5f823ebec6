/** `/v1/alerts`: the alerts with their cases, and what people do with one. Same calls, same checks as the command line's. */
import type { FastifyInstance } from "fastify";
import { addGroup, BODY_BYTES_MAX, type Ports } from "./calls.ts";

/** `POST /v1/alerts/:alertId/<act>`. */
export const ALERT_ACTS = ["take", "assign", "note", "state", "close", "reopen", "due"] as const;

export function addAlertRoutes(server: FastifyInstance, ports: Ports): void {
  addGroup(server, { group: "alerts", ports }, (app, ask) => {
    app.get("", (request) => ask(request, "alerts.list", argsOf(request.query)));
    app.get("/reads", (request) => ask(request, "alerts.reads", argsOf(request.query)));
    app.get("/:alertId", (request) => ask(request, "alerts.show", request.params));
    app.get("/:alertId/history", (request) => ask(request, "alerts.history", request.params));
    app.get("/:alertId/evidence", async (request, reply) => {
      const args = { ...argsOf(request.query), ...(request.params as object) };
      const { result } = await ask(request, "alerts.evidence", args);
      const isPage = (request.query as { format?: unknown }).format === "html";
      // The file byte for byte: written in any other way it would not verify. To be kept, not shown as a page of ours.
      return reply
        .type(isPage ? "text/html; charset=utf-8" : "application/json; charset=utf-8")
        .header("content-disposition", `attachment; filename="evidence.${isPage ? "html" : "json"}"`)
        .header("x-content-type-options", "nosniff")
        .send((result as { text: string }).text);
    });
    for (const act of ALERT_ACTS)
      app.post(`/:alertId/${act}`, { bodyLimit: BODY_BYTES_MAX }, (request) =>
        ask(request, `alerts.${act}`, { ...(request.body as object | null), ...(request.params as object) }),
      );
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
