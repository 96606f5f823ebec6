/**
 * The calls of the command line over HTTP: `POST /v1/<group>/<call>` with the call's arguments as JSON, answered with its
 * result; `alert-routes.ts` has paths of its own. Who calls is known by their bearer token alone; what they may is decided where the command line's calls are.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { AppError } from "../lib/errors.ts";
import type { Actor } from "../types/watch-change.ts";

export interface ApiPorts {
  /** Null: nobody has this token (any more). */
  personOf(token: string): Promise<Actor | null>;
  ask(call: string, args: unknown, actor: Actor): Promise<unknown>;
}

/** Far more than any call needs that carries no list, far less than would hurt. */
export const BODY_BYTES_MAX = 64 * 1024;

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  not_allowed: 403,
  bad_call: 400,
  not_found: 404,
  changed_meanwhile: 409,
  unavailable: 503,
};

export interface CallGroup {
  /** First part of the calls' names, and of their paths. */
  readonly group: string;
  readonly calls: readonly string[];
  /** Those of them that carry a whole list. */
  readonly large?: readonly string[];
}

export interface CallOptions {
  /** Of a call that carries a list. */
  readonly largeBytesMax: number;
  readonly ports: Ports;
}

export function addCalls(server: FastifyInstance, of: CallGroup, { largeBytesMax, ports }: CallOptions): void {
  const { group, calls, large = [] } = of;
  addGroup(server, { group, ports }, (app, ask) => {
    for (const call of calls) {
      const bodyLimit = large.includes(call) ? largeBytesMax : BODY_BYTES_MAX;
      app.post(`/${call}`, { bodyLimit }, (request) => ask(request, `${group}.${call}`, request.body ?? {}));
    }
  });
}

/** Null until the store is open. */
export type Ports = () => ApiPorts | null;

/** One call, for whoever's token the request carries. */
export type Ask = (request: FastifyRequest, call: string, args: unknown) => Promise<{ result: unknown }>;

interface Caller {
  readonly ports: ApiPorts;
  readonly actor: Actor;
}

/** Routes below `/v1/<group>`, which know who calls and answer errors as all calls do. */
export function addGroup(
  server: FastifyInstance,
  { group, ports }: { group: string; ports: Ports },
  addRoutes: (app: FastifyInstance, ask: Ask) => void,
): void {
  const callers = new WeakMap<FastifyRequest, Caller>();
  void server.register(
    (app, _options, done) => {
      app.setErrorHandler(answerError);
      // Before the body is read: who may not ask sends us nothing.
      app.addHook("onRequest", async (request, reply) => {
        const open = ports();
        if (open === null) return reply.code(503).send({ error: "heistwatch is starting" });
        const actor = await actorOf(request, open);
        if (actor !== null) return void callers.set(request, { ports: open, actor });
        return reply.code(401).header("www-authenticate", "Bearer").send({ error: "a valid bearer token is needed" });
      });
      addRoutes(app, async (request, call, args) => {
        const caller = callers.get(request) as Caller;
        return { result: await caller.ports.ask(call, args, caller.actor) };
      });
      done();
    },
    { prefix: `/v1/${group}` },
  );
}

async function actorOf(request: FastifyRequest, ports: ApiPorts): Promise<Actor | null> {
  const [, token] = /^Bearer ([!-~]{1,200})$/i.exec(request.headers.authorization ?? "") ?? [];
  return token === undefined ? null : ports.personOf(token);
}

/** An expected "no" says why; what we did not expect says nothing to whoever asked. */
function answerError(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof AppError)
    return reply.code(STATUS_OF_CODE[error.code] ?? 422).send({ error: error.message, code: error.code });
  const { statusCode } = error as { statusCode?: unknown };
  const isTheirs = typeof statusCode === "number" && statusCode >= 400 && statusCode < 500;
  if (isTheirs) return reply.code(statusCode).send({ error: (error as Error).message, code: "bad_call" });
  return reply.code(500).send({ error: "something went wrong here", code: "internal" });
}
