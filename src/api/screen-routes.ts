/** `POST /v1/screen`: what is asked before money moves; below it, what was answered. */
import type { FastifyInstance } from "fastify";
import { addGroup, type ApiPorts, BODY_BYTES_MAX, type Ports } from "./calls.ts";
import { rememberPeople } from "./recent-people.ts";

// A thousand items of the longest kind.
const BATCH_BYTES_MAX = 512 * 1024;

export function addScreenRoutes(server: FastifyInstance, ports: Ports): void {
  addGroup(server, { group: "screen", ports: remembering(ports) }, (app, ask) => {
    app.post("", { bodyLimit: BATCH_BYTES_MAX }, (request) => ask(request, "screen.ask", request.body ?? {}));
    for (const call of ["list", "show"])
      app.post(`/${call}`, { bodyLimit: BODY_BYTES_MAX }, (request) =>
        ask(request, `screen.${call}`, request.body ?? {}),
      );
  });
}

/** The ports are there once the store is open, and then stay. */
function remembering(ports: Ports): Ports {
  let last: { readonly open: ApiPorts; readonly remembering: ApiPorts } | null = null;
  return () => {
    const open = ports();
    if (open === null) return null;
    if (last?.open !== open) last = { open, remembering: rememberPeople(open) };
    return last.remembering;
  };
}
